"""Why it wins: where the best entry and the reference part ways, what each loss attends to, and which wrong labels it learns.

Rows of the test split are as hard as all entries together find them, so no entry chooses its own hard rows. Everything is the
mean over the runs of an entry. No torch here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.compare.result import Arena, finite

if TYPE_CHECKING:
    from losscli.stack.probe import Snapshot
    from losscli.tasks import Task
    from losscli.tasks.measures import RowMeasure
    from losscli.tasks.predictions import Predictions

PARTS = ("easiest quarter", "second quarter", "third quarter", "hardest quarter")
MOST_CLASSES = 30  # of a breakdown: the most frequent ones
ENOUGH = 20  # rows of a test split below which quarters say nothing


@dataclass(frozen=True)
class ProbedRun:
    """One run: what it says of the test split, and the snapshots that were taken at it while it trained."""

    entry: str
    seed: int
    predictions: Predictions | None
    snapshots: Sequence[Snapshot]


PredictedRun = tuple[str, int, "Predictions"]  # entry, seed, what it says


def why(arena: Arena, runs: Sequence[ProbedRun], task: Task) -> dict[str, Any]:
    """What `results.json` says under `why`; empty for a single entry, and where no row is a question.

    `best` is the entry with the best mean of the headline on the test split, `verdict` that of its comparison. `classes` and
    `difficulty` hold the `measure` of both, in each class and in each quarter of the test rows by difficulty: what the
    headline says row by row, where it can (the task's `row_measures`), else the first of these. `attention` holds the shares
    of training rows and of the gradient by hardness over the epochs; `memory`, under labels that were changed on purpose,
    the shares that were learned by heart and resisted.
    """
    best = _best(arena)
    if best is None or len(arena.entries) < 2 or not task.row_measures:
        return {}
    predicted = [(run.entry, run.seed, run.predictions) for run in runs if run.predictions is not None]
    pair = _Pair(best, arena.reference, predicted, task, _measure(task, arena.headline, predicted))
    return {
        "best": best,
        "reference": arena.reference,
        "verdict": next(entry.verdict for entry in arena.entries if entry.entry == best),
        "measure": pair.measure.name,
        "classes": _by_class(pair, arena.labels),
        "difficulty": _by_difficulty(pair),
        "attention": _attention(runs, arena, task),
        "memory": _memory(runs, arena),
    }


def _best(arena: Arena) -> str | None:
    candidates = [
        entry for entry in arena.entries if entry.verdict != "undefined"
    ]  # the headline says nothing of others
    goodness = {entry.entry: arena.goodness(entry, arena.headline) for entry in candidates}
    finite_goodness = {name: value for name, value in goodness.items() if math.isfinite(value)}
    return max(finite_goodness, key=finite_goodness.__getitem__) if finite_goodness else None


def _measure(task: Task, headline: str, runs: Sequence[PredictedRun]) -> RowMeasure:
    """What the headline says of single rows, or what comes nearest."""
    probable = all(predictions.kind == "probabilities" for _, _, predictions in runs)
    nearest = (
        measure for measure in task.row_measures if headline in measure.headlines and (probable or not measure.probable)
    )
    return next(nearest, task.row_measures[0])


@dataclass(frozen=True)
class _Pair:
    """The two entries, and the runs of all."""

    best: str
    reference: str
    runs: Sequence[PredictedRun]
    task: Task
    measure: RowMeasure

    def scores(self, rows_of_seed: Mapping[int, np.ndarray]) -> dict[str, float | None]:
        """The mean over the seeds of what both entries score on the rows that are chosen for each seed."""
        means: dict[str, float | None] = {}
        for word, pick in (("best", self.best), ("reference", self.reference)):
            scores = []
            for entry, seed, predictions in self.runs:
                rows = rows_of_seed.get(seed) if entry == pick else None
                if rows is not None and rows.any():
                    scores.append(float(self.measure.function(predictions)[rows].mean()))
            means[word] = _mean(scores)
        return means


def _by_class(pair: _Pair, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Of both entries, in each of the task's groups."""
    groups = {seed: pair.task.groups(predictions.truth, labels) for _, seed, predictions in pair.runs}
    names = list(dict.fromkeys(name for masks in groups.values() for name in masks))
    rows = {name: _mean(masks[name].sum() for masks in groups.values() if name in masks) for name in names}
    if len(names) > MOST_CLASSES:
        largest = sorted(names, key=lambda name: -(rows[name] or 0))[:MOST_CLASSES]
        names = [name for name in names if name in largest]
    return [
        {
            "class": name,
            "rows": rows[name],
            **pair.scores({seed: masks[name] for seed, masks in groups.items() if name in masks}),
        }
        for name in names
    ]


def _by_difficulty(pair: _Pair) -> list[dict[str, Any]]:
    """Of both entries, in each quarter of the test rows of each seed, from the easiest."""
    parts: dict[int, np.ndarray] = {}
    for seed in dict.fromkeys(seed for _, seed, _ in pair.runs):
        difficulty = np.mean(
            [pair.task.difficulty(predictions) for _, own, predictions in pair.runs if own == seed], axis=0
        )
        if len(difficulty) >= ENOUGH:
            order = np.argsort(difficulty, kind="stable")
            parts[seed] = np.empty(len(order), np.int64)
            parts[seed][order] = np.arange(len(order)) * len(PARTS) // len(order)
    return [
        {
            "part": name,
            "rows": _mean((part == place).sum() for part in parts.values()),
            **pair.scores({seed: part == place for seed, part in parts.items()}),
        }
        for place, name in enumerate(PARTS)
        if parts
    ]


def _attention(runs: Sequence[ProbedRun], arena: Arena, task: Task) -> dict[str, Any]:
    """The mean over the seeds of each entry's snapshots, epoch by epoch; only epochs that every seed has been looked at."""
    entries = {}
    for name, snapshots in _snapshots(runs, arena).items():
        entries[name] = {
            "epochs": [group[0].epoch for group in snapshots],
            "rows": [_shares([snapshot.rows for snapshot in group]) for group in snapshots],
            "gradient": [_shares([snapshot.gradient for snapshot in group]) for group in snapshots],
        }
    return {"edges": list(task.hardness_edges), "unit": task.hardness_unit, "entries": entries} if entries else {}


def _memory(runs: Sequence[ProbedRun], arena: Arena) -> dict[str, Any]:
    entries = {}
    for name, snapshots in _snapshots(runs, arena).items():
        by_epoch = [
            (group[0].epoch, [snapshot.memory for snapshot in group if snapshot.memory is not None])
            for group in snapshots
        ]
        with_memory = [(epoch, memories) for epoch, memories in by_epoch if memories]
        if with_memory:
            entries[name] = {"epochs": [epoch for epoch, _ in with_memory]} | {
                part: [_mean(getattr(memory, part) for memory in memories) for _, memories in with_memory]
                for part in ("memorised", "resisted", "learned")
            }
    return {"entries": entries} if entries else {}


def _snapshots(runs: Sequence[ProbedRun], arena: Arena) -> dict[str, list[list[Snapshot]]]:
    """By entry, for each epoch the snapshots of all its seeds."""
    snapshots = {}
    for entry in arena.entries:
        by_epoch: dict[int, list[Snapshot]] = {}
        probed = [run for run in runs if run.entry == entry.entry and run.snapshots]
        for run in probed:
            for snapshot in run.snapshots:
                by_epoch.setdefault(snapshot.epoch, []).append(snapshot)
        complete = [by_epoch[epoch] for epoch in sorted(by_epoch) if len(by_epoch[epoch]) == len(probed)]
        if complete:
            snapshots[entry.entry] = complete
    return snapshots


def _shares(tables: Sequence[Sequence[float]]) -> list[float | None]:
    return [_mean(column) for column in zip(*tables, strict=True)]


def _mean(values: Iterable[Any]) -> float | None:
    """The mean of those that are finite; None where there are none."""
    finite_values = [float(value) for value in values if math.isfinite(value)]
    return finite(math.fsum(finite_values) / len(finite_values)) if finite_values else None
