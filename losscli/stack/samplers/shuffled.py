"""All training rows in random order, again and again: the last batch of a pass may be smaller."""

from __future__ import annotations

import torch
from torch import Tensor

from losscli.data.stream import BLOCKS
from losscli.stack.samplers import Sampler, sampler


@sampler("shuffled")
class Shuffled(Sampler):
    """Each row once in every pass; rows that are streamed are shuffled within a window."""

    def order(self) -> Tensor:
        count, inputs = self.rows.count("train"), self.rows.inputs_of_seeds()
        windows = zip(inputs, self.chances, strict=True)
        return torch.stack([shuffled(count, table.window, chance, BLOCKS) for table, chance in windows])


def shuffled(count: int, window: int | None, chance: torch.Generator, blocks: int) -> Tensor:
    """The numbers 0 to `count` - 1 in random order: of all of them, or only within a window of so many.

    A window is filled with `blocks` of neighbours from random places, so that few places are read at once.

    >>> shuffled(8, 4, torch.Generator().manual_seed(0), blocks=2).tolist()
    [0, 2, 3, 1, 5, 4, 6, 7]
    """
    if window is None or count <= window:
        return torch.randperm(count, generator=chance)
    size = max(1, window // blocks)
    starts = torch.randperm(-(-count // size), generator=chance) * size
    order = (starts[:, None] + torch.arange(size)).flatten()
    pieces = torch.split(order[order < count], window)
    return torch.cat([piece[torch.randperm(len(piece), generator=chance)] for piece in pieces])
