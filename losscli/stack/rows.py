"""The rows of a stack: which run is in which row, and which data each row sees in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from losscli.data.dataset import SPLITS, Dataset, Layout
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
    weight: Any = None  # class weights, for a loss that has no such option of its own
    tuned: Mapping[str, Any] = field(default_factory=dict)  # what it tries, where it is a candidate of tuning

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The options with the defaults filled in."""
        return {name: option.default for name, option in self.loss.options.items()} | dict(self.options)


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
        self.layout = Layout.widest(dataset.layout for dataset in self.datasets)
        self.seed_of_run = torch.tensor([self.seeds.index(run.seed) for run in runs], device=device)
        self.dataset_of_seed = torch.tensor([places[id(dataset_of[seed])] for seed in self.seeds])
        self.dataset_of_run = self.dataset_of_seed.to(device)[self.seed_of_run]
        self.inputs = {split: self._inputs(split) for split in SPLITS}  # [D, N, F]
        self.targets = {split: self._targets(split) for split in SPLITS}  # [D, N, ...]
        self.weights = {split: self._weights(split) for split in SPLITS}  # [D, N], or None where rows count alike
        self._chances = [generator(seed, "order") for seed in self.seeds]

    def _inputs(self, split: str) -> Tensor:
        parts = [dataset.parts[split].features for dataset in self.datasets]
        padded = torch.zeros(len(parts), len(parts[0]), self.layout.columns)
        for place, (dataset, part) in enumerate(zip(self.datasets, parts, strict=True)):
            plain = dataset.layout.plain
            padded[place, :, :plain] = torch.from_numpy(part[:, :plain])
            padded[place, :, self.layout.plain :] = torch.from_numpy(part[:, plain:])  # codes are the last columns
        return padded.to(self.device)

    def _targets(self, split: str) -> Tensor:
        stacked = np.stack([dataset.parts[split].target for dataset in self.datasets])
        return torch.from_numpy(stacked).to(self.device)

    def _weights(self, split: str) -> Tensor | None:
        parts = [dataset.parts[split].weight for dataset in self.datasets]
        present = [part for part in parts if part is not None]
        return torch.from_numpy(np.stack(present)).to(self.device) if present else None

    def count(self, split: str) -> int:
        """N: the rows of a split."""
        return self.targets[split].shape[1]

    def order(self) -> Tensor:
        """The next epoch's order of the training rows for each seed, [S, N], from the seed alone."""
        count = self.count("train")
        return torch.stack([torch.randperm(count, generator=chance) for chance in self._chances])

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """One epoch of batches: inputs [R, B, F], targets [R, B, ...], weights [R, B] or None.

        The last batch may be smaller.
        """
        count = self.count("train")
        # Where each seed's dataset starts in the rows of all of them.
        index = (self.order() + self.dataset_of_seed[:, None] * count).to(self.device)  # [S, N]
        tables = [tables["train"] for tables in (self.inputs, self.targets, self.weights)]
        for block in batched(spans(count, size), BLOCK):
            first, last = block[0][0], block[-1][1]
            gathered = [None if table is None else _gather(table, index[:, first:last]) for table in tables]
            for start, stop in block:
                part = slice(start - first, stop - first)
                inputs, targets, weights = (
                    None if rows is None else self._hand_out(rows[:, part]) for rows in gathered
                )
                assert inputs is not None
                assert targets is not None
                yield inputs, targets, weights

    def _hand_out(self, by_seed: Tensor) -> Tensor:
        """[S, B, ...] -> [R, B, ...]; without a copy where there is one seed."""
        if len(self.seeds) == 1:
            return by_seed.expand(len(self.runs), *by_seed.shape[1:])
        return by_seed.index_select(0, self.seed_of_run)

    def part(self, split: str, start: int, stop: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Rows `start` to `stop` of a split for every run: inputs, targets and weights as in `batches`."""
        weights = self.weights[split]
        inputs, targets = (
            self._by_dataset(self.inputs[split][:, start:stop]),
            self._by_dataset(self.targets[split][:, start:stop]),
        )
        return inputs, targets, None if weights is None else self._by_dataset(weights[:, start:stop])

    def at(self, split: str, places: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """The rows of a split at `places` [n] for every run: inputs, targets and weights as in `batches`."""
        tables = (self.inputs[split], self.targets[split], self.weights[split])
        inputs, targets, weights = (None if table is None else self._by_dataset(table[:, places]) for table in tables)
        assert inputs is not None
        assert targets is not None
        return inputs, targets, weights

    def _by_dataset(self, rows: Tensor) -> Tensor:
        """[D, n, ...] -> [R, n, ...]; without a copy where there is one dataset."""
        if len(self.datasets) == 1:
            return rows.expand(len(self.runs), *rows.shape[1:])
        return rows.index_select(0, self.dataset_of_run)


def _gather(table: Tensor, index: Tensor) -> Tensor:
    """The rows at `index` [S, n] of all datasets [D, N, ...] one after another: [S, n, ...]."""
    rows = table.flatten(0, 1)
    return rows.index_select(0, index.reshape(-1)).view(*index.shape, *rows.shape[1:])


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
