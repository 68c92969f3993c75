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
from losscli.data.stream import Stream
from losscli.losses import Loss
from losscli.stack.device import sent

Spans = Sequence[tuple[int, int]]  # where batches start and stop


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


class Inputs:
    """The features of one split as float32 [n, F], F as wide as the whole stack's; the same memory where nothing differs."""

    def __init__(self, features: np.ndarray | Stream, own: Layout, layout: Layout, device: torch.device):
        self.own, self.layout, self.device = own, layout, device
        self.stream = features if isinstance(features, Stream) else None
        self.resident = None if isinstance(features, Stream) else self._widened(features).to(device)

    def __getitem__(self, places: slice | Tensor) -> Tensor:
        """Those rows, in that order; numbers of rows [n] come from the CPU, where a stream reads them."""
        if self.resident is not None:
            return (
                self.resident[places]
                if isinstance(places, slice)
                else self.resident.index_select(0, sent(places, self.device))
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
            plain = self.own.behind
            rows, narrow = torch.zeros(len(rows), self.layout.columns), rows
            rows[:, :plain], rows[:, self.layout.behind :] = narrow[:, :plain], narrow[:, plain:]
        return rows


class Rows:
    """The data of R runs on one device, moved there once; or encoded as they are needed, where a dataset streams them.

    Runs of one seed see the same rows in the same order, so a batch is gathered once per seed, [S, B, F], and then handed to
    the seed's runs, [R, B, F]. A seed counts once for each dataset that its runs have: with the same streams, of other rows.
    """

    def __init__(self, runs: Sequence[Run], device: torch.device):
        self.device = device
        self.runs = list(runs)
        drawn = list(dict.fromkeys((run.seed, id(run.dataset)) for run in runs))
        self.seeds = [seed for seed, _ in drawn]
        self.datasets = list({id(run.dataset): run.dataset for run in runs}.values())
        places = {id(dataset): place for place, dataset in enumerate(self.datasets)}
        self.layout = Layout.widest(dataset.layout for dataset in self.datasets)
        self.seed_of_run = torch.tensor([drawn.index((run.seed, id(run.dataset))) for run in runs], device=device)
        self.dataset_of_seed = torch.tensor([places[dataset] for _, dataset in drawn])
        self.dataset_of_run = self.dataset_of_seed.to(device)[self.seed_of_run]
        # Where a loss judges numbers as they are, all get them so: scaled and back, a 0 would no longer be one.
        self.in_units = any(run.loss.own_units and run.dataset.scale is not None for run in runs)
        self.inputs = {split: self._inputs(split) for split in SPLITS}  # D times [N, F]
        self.targets = {split: self._targets(split) for split in SPLITS}  # [D, N, ...]
        self.weights = {split: self._weights(split) for split in SPLITS}  # [D, N], or None where rows count alike
        self._units: dict[str, Tensor] = {}  # of splits that metrics have asked for

    def _inputs(self, split: str) -> list[Inputs]:
        return [
            Inputs(dataset.parts[split].features, dataset.layout, self.layout, self.device) for dataset in self.datasets
        ]

    def _targets(self, split: str) -> Tensor:
        parts = [dataset.parts[split] for dataset in self.datasets]
        return self._on_device([part.truth if self.in_units else part.target for part in parts])

    def _on_device(self, parts: Sequence[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(parts)).to(self.device)

    def _weights(self, split: str) -> Tensor | None:
        parts = [dataset.parts[split].weight for dataset in self.datasets]
        present = [part for part in parts if part is not None]
        return self._on_device(present) if present else None

    def count(self, split: str) -> int:
        """N: the rows of a split."""
        return self.targets[split].shape[1]

    @property
    def most(self) -> int | None:
        """How many rows of each seed may be encoded at once: a window of all seeds together. None: all rows are held."""
        windows = [inputs.window for inputs in self.inputs["train"] if inputs.window is not None]
        return max(2, min(windows) // len(self.seeds)) if windows else None

    def gather(self, places: Tensor) -> dict[str, Tensor]:
        """The training rows at each seed's own `places` [S, n]: inputs [S, n, F], target [S, n, ...], weight [S, n] if any."""
        return {"inputs": self._rows_of_seeds(places), **self.gather_targets(places)}

    def gather_targets(self, places: Tensor) -> dict[str, Tensor]:
        """The same without the inputs."""
        # Where each seed's dataset starts in the rows of all of them.
        index = sent(places + self.dataset_of_seed[:, None] * self.count("train"), self.device)
        tables = {"target": self.targets["train"], "weight": self.weights["train"]}
        return {name: _gather(table, index) for name, table in tables.items() if table is not None}

    def _rows_of_seeds(self, places: Tensor) -> Tensor:
        """The training inputs [S, n, F] of each seed at its own `places` [S, n]; in one go where all have one dataset."""
        if len(self.datasets) == 1:
            return self.inputs["train"][0][places.flatten()].reshape(*places.shape, -1)
        return torch.stack([inputs[own] for inputs, own in zip(self.inputs_of_seeds(), places, strict=True)])

    def inputs_of_seeds(self) -> list[Inputs]:
        """The training inputs that each seed sees."""
        return [self.inputs["train"][place] for place in self.dataset_of_seed.tolist()]

    def hand_out(self, by_seed: Tensor) -> Tensor:
        """What belongs to seeds for their runs, [S, B, ...] -> [R, B, ...]; without a copy where there is one seed."""
        if len(self.runs) == 1:
            return by_seed
        if len(self.seeds) == 1:
            return by_seed.expand(len(self.runs), *by_seed.shape[1:])
        return by_seed.index_select(0, self.seed_of_run)

    def part(self, split: str, start: int, stop: int) -> Tensor:
        """The inputs [R, n, F] of rows `start` to `stop` of a split."""
        return self._by_dataset(_stacked([inputs[start:stop] for inputs in self.inputs[split]]))

    def truth(self, split: str) -> tuple[Tensor, Tensor | None]:
        """The targets [R, N, ...] and weights [R, N] (or None) of a whole split."""
        weights = self.weights[split]
        return self._by_dataset(self.targets[split]), None if weights is None else self._by_dataset(weights)

    def units(self, split: str) -> Tensor:
        """The targets [R, N, ...] of a whole split as metrics take them: of a regression float64, in the user's units."""
        if self.in_units or self.datasets[0].scale is None:
            return self._by_dataset(self.targets[split])
        if split not in self._units:
            self._units[split] = self._on_device([dataset.parts[split].truth for dataset in self.datasets])
        return self._by_dataset(self._units[split])

    def at(self, split: str, places: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """The rows of a split at `places` [n] of the CPU: inputs [R, n, F], targets [R, n, ...], weights [R, n]."""
        inputs = self._by_dataset(_stacked([table[places] for table in self.inputs[split]]))
        index, weights = sent(places, self.device), self.weights[split]
        targets = self._by_dataset(self.targets[split][:, index])
        return inputs, targets, None if weights is None else self._by_dataset(weights[:, index])

    def _by_dataset(self, rows: Tensor) -> Tensor:
        """[D, n, ...] -> [R, n, ...]; without a copy where there is one dataset."""
        if len(self.datasets) == 1:
            return rows.expand(len(self.runs), *rows.shape[1:])
        return rows.index_select(0, self.dataset_of_run)


def _gather(table: Tensor, index: Tensor) -> Tensor:
    """The rows at `index` [S, n] of all datasets [D, N, ...] one after another: [S, n, ...]."""
    rows = table.flatten(0, 1)
    return rows.index_select(0, index.reshape(-1)).view(*index.shape, *rows.shape[1:])


def _stacked(tables: Sequence[Tensor]) -> Tensor:
    """[n, F] of each -> [., n, F]; without a copy where there is one."""
    return tables[0][None] if len(tables) == 1 else torch.stack(list(tables))


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
    batches = [(start, min(start + size, count)) for start in range(0, count, size)]
    if size > 1 and len(batches) > 1 and batches[-1][1] - batches[-1][0] == 1:
        last = batches.pop()
        batches[-1] = (batches[-1][0], last[1])
    return batches
