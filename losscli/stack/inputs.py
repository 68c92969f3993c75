"""What a stack reads of one dataset's features: rows that are held on its device, or encoded each time they are asked for."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from losscli.data.dataset import Layout
from losscli.data.stream import Stream
from losscli.stack.device import sent


class Inputs:
    """The features of one split as float32 [n, F], F as wide as the whole stack's; the same memory where nothing differs."""

    def __init__(self, features: np.ndarray | Stream, own: Layout, layout: Layout, device: torch.device):
        self.own, self.layout, self.device = own, layout, device
        self.stream = features if isinstance(features, Stream) else None
        self.held = None if isinstance(features, Stream) else self._widened(features).to(device)

    def __getitem__(self, places: slice | Tensor) -> Tensor:
        """Those rows, in that order; numbers of rows [n] come from the CPU, where a stream reads them."""
        if self.held is not None:
            return (
                self.held[places] if isinstance(places, slice) else self.held.index_select(0, sent(places, self.device))
            )
        assert self.stream is not None
        rows = self.stream[places if isinstance(places, slice) else places.numpy()]
        return sent(self._widened(rows), self.device)

    @property
    def window(self) -> int | None:
        """How many rows are shuffled together; None: all."""
        return None if self.stream is None else self.stream.window

    def _widened(self, features: np.ndarray) -> Tensor:
        rows = torch.from_numpy(features)
        if self.own.columns != self.layout.columns:  # zeros between plain numbers and codes, which come last
            plain = self.own.plain
            rows, narrow = torch.zeros(len(rows), self.layout.columns), rows
            rows[:, :plain], rows[:, self.layout.plain :] = narrow[:, :plain], narrow[:, plain:]
        return rows


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
