"""The rows of a stack: which run is in which row, and which data each row sees in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from losscli.data.dataset import SPLITS, Dataset
from losscli.losses import Loss
from losscli.stack.chance import generator

BLOCK = 16  # batches that are gathered at once: fewer and longer copies


@dataclass(frozen=True, eq=False)
class Run:
    """One entry with one seed: one row of a stack. `output` is the chain of activations before the loss."""

    entry: str
    seed: int
    loss: Loss
    options: Mapping[str, Any]
    output: tuple[str, ...]
    lr: float
    dataset: Dataset


class Rows:
    """The data of R runs on one device, moved there once.

    Runs of one seed see the same rows in the same order, so a batch is gathered once per seed, [S, B, F], and then handed to
    the seed's runs, [R, B, F].
    """

    def __init__(self, runs: Sequence[Run], device: torch.device):
        self.device = device
        self.runs = list(runs)
        self.seeds = list(dict.fromkeys(run.seed for run in runs))
        dataset_of = {run.seed: run.dataset for run in runs}
        self.datasets = list({id(dataset): dataset for dataset in dataset_of.values()}.values())
        places = {id(dataset): place for place, dataset in enumerate(self.datasets)}
        self.features = max(dataset.features for dataset in self.datasets)
        self.seed_of_run = torch.tensor([self.seeds.index(run.seed) for run in runs], device=device)
        self.dataset_of_seed = torch.tensor([places[id(dataset_of[seed])] for seed in self.seeds])
        self.dataset_of_run = self.dataset_of_seed.to(device)[self.seed_of_run]
        self.inputs = {split: self._inputs(split) for split in SPLITS}  # [D, N, F]
        self.targets = {split: self._targets(split) for split in SPLITS}  # [D, N, ...]
        self._chances = [generator(seed, "order") for seed in self.seeds]

    def _inputs(self, split: str) -> Tensor:
        parts = [dataset.parts[split].features for dataset in self.datasets]
        padded = torch.zeros(len(parts), len(parts[0]), self.features)
        for place, part in enumerate(parts):
            padded[place, :, : part.shape[1]] = torch.from_numpy(part)
        return padded.to(self.device)

    def _targets(self, split: str) -> Tensor:
        stacked = np.stack([dataset.parts[split].target for dataset in self.datasets])
        return torch.from_numpy(stacked).to(self.device)

    def count(self, split: str) -> int:
        """N: the rows of a split."""
        return self.targets[split].shape[1]

    def order(self) -> Tensor:
        """The next epoch's order of the training rows for each seed, [S, N], from the seed alone."""
        count = self.count("train")
        return torch.stack([torch.randperm(count, generator=chance) for chance in self._chances])

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """One epoch of batches: inputs [R, B, F] and targets [R, B, ...]. The last batch may be smaller."""
        count = self.count("train")
        # Where each seed's dataset starts in the rows of all of them.
        index = (self.order() + self.dataset_of_seed[:, None] * count).to(self.device)  # [S, N]
        for block in batched(spans(count, size), BLOCK):
            first, last = block[0][0], block[-1][1]
            inputs, targets = (
                self._gather("inputs", index[:, first:last]),
                self._gather("targets", index[:, first:last]),
            )
            for start, stop in block:
                part = slice(start - first, stop - first)
                yield self._hand_out(inputs[:, part]), self._hand_out(targets[:, part])

    def _gather(self, what: Literal["inputs", "targets"], index: Tensor) -> Tensor:
        """The training rows at `index` [S, n] of all datasets one after another: [S, n, ...]."""
        rows: Tensor = getattr(self, what)["train"].flatten(0, 1)
        return rows.index_select(0, index.reshape(-1)).view(*index.shape, *rows.shape[1:])

    def _hand_out(self, by_seed: Tensor) -> Tensor:
        """[S, B, ...] -> [R, B, ...]; without a copy where there is one seed."""
        if len(self.seeds) == 1:
            return by_seed.expand(len(self.runs), *by_seed.shape[1:])
        return by_seed.index_select(0, self.seed_of_run)

    def part(self, split: str, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Rows `start` to `stop` of a split for every run: inputs [R, B, F], targets [R, B, ...]."""
        inputs, targets = self.inputs[split][:, start:stop], self.targets[split][:, start:stop]
        if len(self.datasets) == 1:
            runs = len(self.runs)
            return inputs.expand(runs, -1, -1), targets.expand(runs, *targets.shape[1:])
        return inputs[self.dataset_of_run], targets[self.dataset_of_run]


def batched(items: Sequence[tuple[int, int]], size: int) -> Iterator[Sequence[tuple[int, int]]]:
    """The items in runs of at most `size` (as itertools.batched of Python 3.12)."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def spans(count: int, size: int) -> list[tuple[int, int]]:
    """Where each batch starts and stops. A last batch of a single row joins the one before: it has no variance.

    >>> spans(5, 2)
    [(0, 2), (2, 5)]
    >>> spans(6, 4)
    [(0, 4), (4, 6)]
    """
    found = [(start, min(start + size, count)) for start in range(0, count, size)]
    if size > 1 and len(found) > 1 and found[-1][1] - found[-1][0] == 1:
        last = found.pop()
        found[-1] = (found[-1][0], last[1])
    return found
