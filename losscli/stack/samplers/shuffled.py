"""All training rows in random order, again and again: the last batch of a pass may be smaller."""

from __future__ import annotations

import torch
from torch import Tensor

from losscli.data.stream import BLOCKS
from losscli.stack.inputs import shuffled
from losscli.stack.samplers import Sampler, sampler


@sampler("shuffled")
class Shuffled(Sampler):
    """Each row once in every pass; rows that are streamed are shuffled within a window."""

    def order(self) -> Tensor:
        count, inputs = self.rows.count("train"), self.rows.inputs_of_seeds()
        windows = zip(inputs, self.chances, strict=True)
        return torch.stack([shuffled(count, each.window, chance, BLOCKS) for each, chance in windows])
