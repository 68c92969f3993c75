"""P classes x K rows: batches in which every row has others of its class, and others of other classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losscli.stack.rows import Spans
from losscli.stack.samplers import Sampler, sampler


@sampler("classes")
class Classes(Sampler):
    """Batches of P classes drawn at random, with K = `rows` rows of each next to each other; P K is at most the batch size.

    The rows of a class come in random order, the next K each time it is drawn, and from the first again after the last: so all
    its rows are seen about as often, and those of one batch differ where the class has K. Where there are fewer than P classes
    some come twice. Classes of a single row are left out, as no row has it for a pair. Where the target is of pairs, the rows
    2 i and 2 i + 1 stay next to each other, and batches are pairs in random order.
    """

    def __init__(self, *given: Any, rows: int):
        super().__init__(*given)
        self.pairs = self.rows.targets["train"].is_floating_point()
        self.per_class = 2 if self.pairs else min(rows, self.size)
        self.classes = max(1, self.size // self.per_class)
        self.members = [] if self.pairs else [_members(target) for target in self.rows.targets["train"].cpu()]

    def spans(self) -> Spans:
        size = self.classes * self.per_class
        return [(place * size, (place + 1) * size) for place in range(len(super().spans()))]

    def order(self) -> Tensor:
        if self.pairs:
            return torch.stack([self._pairs(chance) for chance in self.chances])
        pairs = zip(self.rows.dataset_of_seed.tolist(), self.chances, strict=True)
        return torch.stack([self._order(self.members[dataset], chance) for dataset, chance in pairs])

    def _pairs(self, chance: torch.Generator) -> Tensor:
        """The rows of all batches of a pass, pair by pair, from the first again after the last."""
        count, needed = self.rows.count("train") // 2, self.spans()[-1][1] // 2
        pairs = torch.randperm(count, generator=chance)[torch.arange(needed) % count]
        return (2 * pairs[:, None] + torch.arange(2)).flatten()

    def _order(self, members: list[Tensor], chance: torch.Generator) -> Tensor:
        """The rows of all batches of a pass for one seed, [n]."""
        batches, count = len(self.spans()), len(members)
        shuffled = [own[torch.randperm(len(own), generator=chance)] for own in members]
        sizes = torch.tensor([len(own) for own in members])
        starts = sizes.cumsum(0) - sizes  # where each class begins among the rows of all
        classes = torch.rand(batches, count, generator=chance).argsort(1)
        classes = classes[:, torch.arange(self.classes) % count].flatten()  # [batches P]
        before = _times_before(classes, count)
        places = before[:, None] * self.per_class + torch.arange(self.per_class)  # [batches P, K]
        rows = starts[classes][:, None] + places % sizes[classes][:, None]
        return torch.cat(shuffled)[rows.flatten()]


def _members(target: Tensor) -> list[Tensor]:
    """The rows of each class of two or more, by class index [N]; all classes where none has two."""
    present = torch.bincount(target.long()).nonzero().flatten()
    members = [(target == index).nonzero().flatten() for index in present]
    return [rows for rows in members if len(rows) > 1] or members


def _times_before(classes: Tensor, count: int) -> Tensor:
    """How often each of the classes [n] has come before.

    >>> _times_before(torch.tensor([1, 0, 1, 1]), 2).tolist()
    [0, 0, 1, 2]
    """
    so_far = torch.nn.functional.one_hot(classes, count).cumsum(0)
    return so_far.gather(1, classes[:, None]).squeeze(1) - 1
