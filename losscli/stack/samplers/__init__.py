"""Samplers: where the batches of a stack come from. One file per kind.

All that is drawn comes from streams of each seed, so runs of one seed see the same, and a run alone sees what it sees in any
stack. What a batch holds is gathered once per seed, [S, B, ...], for several batches at once, and then handed to the runs of
the seed, [R, B, ...].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat

import torch
from torch import Tensor

from losscli.data.stream import prefetch
from losscli.shelf import Shelf
from losscli.stack.chance import generator
from losscli.stack.rows import Rows, Spans, batched, spans
from losscli.tasks.phases import Batch

BLOCK = 16  # batches that are gathered at once: fewer and longer copies


class Sampler(ABC):
    """Batches of training rows by an order of its own; a subclass says which order, and what else a batch holds.

    `size` is the rows of a batch, `draws` how many of them a step takes.
    """

    def __init__(self, rows: Rows, size: int, draws: int = 1):
        self.rows, self.size, self.draws = rows, size, draws
        self.chances = [generator(seed, "order") for seed in rows.seeds]

    @property
    def steps(self) -> int:
        """The steps of an epoch: as many as it takes batches to go through the training rows."""
        return len(self.spans())

    def spans(self) -> Spans:
        """Where the batches of one pass start and stop in its order."""
        return spans(self.rows.count("train"), self.size)

    @abstractmethod
    def order(self) -> Tensor:
        """Training rows by their places for each seed, [S, n], for one pass."""

    def gather(self, order: Tensor) -> Batch:
        """What batches of the rows at `order` [S, n] hold, for each seed: [S, n, ...] by name."""
        return self.rows.gather(order)

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch, by name [R, B, ...]: the next ones each time."""
        for _ in repeat(None, self.draws):
            yield from self._pass()

    @property
    def at_once(self) -> int:
        """How many batches are gathered at once."""
        return BLOCK if self.rows.most is None else max(1, self.rows.most // self.size)

    def _pass(self) -> Iterator[Batch]:
        gathered = self._gathered(list(batched(self.spans(), self.at_once)))
        # What streams is read while the block before is trained on.
        for block, tensors in gathered if self.rows.most is None else prefetch(gathered):
            first = block[0][0]
            for start, stop in block:
                part = slice(start - first, stop - first)
                yield {name: self.rows.hand_out(tensor[:, part]) for name, tensor in tensors.items()}

    def _gathered(self, blocks: Sequence[Spans]) -> Iterator[tuple[Spans, Batch]]:
        order = self.order()  # [S, N]
        for block in blocks:
            yield block, self.gather(order[:, block[0][0] : block[-1][1]])

    def split(self, split: str, start: int, stop: int) -> Batch:
        """What predictions of rows `start` to `stop` of a split are made from, [R, n, ...] by name: the same each time."""
        return {"inputs": self.rows.part(split, start, stop)}

    def state(self) -> list[Tensor]:
        """Where the streams stand at the end of an epoch; `load` goes on from there."""
        return [chance.get_state() for chance in self.chances]

    def load(self, state: Sequence[Tensor]) -> None:
        for chance, place in zip(self.chances, state, strict=True):
            chance.set_state(torch.as_tensor(place))


samplers: Shelf[type[Sampler]] = Shelf(__name__, "sampler")
sampler = samplers.register  # the decorator


def drawn(shape: tuple[int, ...], chances: Sequence[torch.Generator], draw: Callable[..., Tensor]) -> Tensor:
    """Numbers of that shape from the stream of each seed, [S, *shape]; of the CPU, so that a GPU has the same."""
    return torch.stack([draw(shape, generator=chance) for chance in chances])
