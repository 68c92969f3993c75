"""Why it wins: where the best entry and the reference part ways, what each loss attends to, and which wrong labels it learns.

Rows of the test split are as hard as all entries together find them, so no entry chooses its own hard rows. Everything is the
mean over the runs of an entry. No torch here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.compare.result import Arena, finite

if TYPE_CHECKING:
    from losscli.stack.predictions import Predictions
    from losscli.stack.probe import Snapshot

PARTS = ("easiest quarter", "second quarter", "third quarter", "hardest quarter")
MOST_CLASSES = 30  # of a breakdown: the most frequent ones
PARTS_OF_TRUTH = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
EPS = float(np.finfo(np.float32).eps)
ENOUGH = 20  # rows of a test split below which quarters say nothing


@dataclass(frozen=True)
class ProbedRun:
    """One run: what it says of the test split, and the snapshots that were taken at it while it trained."""

    entry: str
    seed: int
    predictions: Predictions | None
    snapshots: Sequence[Snapshot]


def why(arena: Arena, runs: Sequence[ProbedRun], edges: Sequence[float]) -> dict[str, Any]:
    """What `results.json` says under `why`; empty for a single entry.

    `best` is the entry with the best mean of the headline on the test split, `verdict` that of its comparison. `classes` and
    `difficulty` hold the `measure` of both, in each class and in each quarter of the test rows by difficulty: what the
    headline says row by row, where it can (see `MEASURES`), else the share of right decisions. `attention` holds the shares
    of training rows and of the gradient by hardness over the epochs; `memory`, under labels that were changed on purpose,
    the shares that were learned by heart and resisted.
    """
    best = _best(arena)
    if best is None or len(arena.entries) < 2:
        return {}
    predicted_runs = [run for run in runs if run.predictions is not None]
    pair = (best, arena.reference)
    return {
        "best": best,
        "reference": arena.reference,
        "verdict": next(entry.verdict for entry in arena.entries if entry.entry == best),
        "measure": _measure(arena, predicted_runs),
        "classes": _by_class(predicted_runs, pair, arena),
        "difficulty": _by_difficulty(predicted_runs, pair, arena),
        "attention": _attention(runs, arena, edges),
        "memory": _memory(runs, arena),
    }


def _best(arena: Arena) -> str | None:
    candidates = [
        entry for entry in arena.entries if entry.verdict != "undefined"
    ]  # the headline says nothing of others
    goodness = {entry.entry: arena.goodness(entry, arena.headline) for entry in candidates}
    finite_goodness = {name: value for name, value in goodness.items() if math.isfinite(value)}
    return max(finite_goodness, key=finite_goodness.__getitem__) if finite_goodness else None


def _accuracy(predictions: Predictions, task: str) -> np.ndarray:
    """[N]: whether each row is decided right; of several labels, the share of them."""
    correct: np.ndarray
    if task == "multiclass":
        correct = (predictions.prediction.argmax(axis=1) == predictions.truth[:, 0]).astype(np.float64)
        return correct
    limit = 0.5 if predictions.kind == "probabilities" else 0.0
    correct = ((predictions.prediction > limit) == (predictions.truth > 0.5)).mean(axis=1)
    return correct


def _distance(predictions: Predictions, task: str) -> np.ndarray:
    """[N]: how far each value is off."""
    distance: np.ndarray = np.abs(predictions.prediction - predictions.truth).mean(axis=1)
    return distance


def _rank(predictions: Predictions, task: str) -> np.ndarray:
    """[N]: the share of the other class that each row is on the right side of, ties half; its mean over a class is AUROC."""
    score, positive = predictions.prediction[:, 0].astype(np.float64), predictions.truth[:, 0] > 0.5
    rank = np.full(len(score), np.nan)
    # a negative row is on the right side of what scores higher: turned round, the same count serves both classes
    for own, sign in ((positive, 1.0), (~positive, -1.0)):
        others = np.sort(sign * score[~own])
        if len(others):
            # rows strictly below plus rows not above: twice the count below, with ties as one half each
            below = np.searchsorted(others, sign * score[own], "left") + np.searchsorted(
                others, sign * score[own], "right"
            )
            rank[own] = below / (2 * len(others))
    return rank


def _surprise(predictions: Predictions, task: str) -> np.ndarray:
    """[N]: minus the logarithm of what was given to the truth."""
    surprise: np.ndarray = -np.log(np.clip(1 - _hardness(predictions, task), EPS, 1.0))
    return surprise


MEASURES: Mapping[str, Callable[[Predictions, str], np.ndarray]] = {
    "accuracy": _accuracy,
    "mae": _distance,
    "rank": _rank,  # for auroc and auprc of two classes
    "log-loss": _surprise,
}


def _measure(arena: Arena, runs: Sequence[ProbedRun]) -> str:
    """What the headline says of single rows, or what comes nearest."""
    if arena.task == "regression":
        return "mae"
    if arena.task == "binary" and arena.headline in ("auroc", "auprc"):
        return "rank"
    sure = all(run.predictions is None or run.predictions.kind == "probabilities" for run in runs)
    return "log-loss" if arena.headline == "log-loss" and arena.task != "multilabel" and sure else "accuracy"


def _hardness(predictions: Predictions, task: str) -> np.ndarray:
    """[N]: how hard a run finds each row: what its truth lacks in probability; else whether it is wrong, or how far off."""
    if task == "regression":
        return _distance(predictions, task)
    if predictions.kind != "probabilities":
        return 1 - _accuracy(predictions, task)
    if task == "multiclass":
        lacking: np.ndarray = (
            1 - np.take_along_axis(predictions.prediction, predictions.truth.astype(np.int64), axis=1)[:, 0]
        )
        return lacking
    distance: np.ndarray = np.abs(predictions.prediction - predictions.truth).mean(axis=1)
    return distance


def _by_class(runs: Sequence[ProbedRun], pair: Sequence[str], arena: Arena) -> list[dict[str, Any]]:
    """Of both entries, in each class; for numbers in each quarter of the truth, from the lowest."""
    groups = {run.seed: _groups(run.predictions, arena) for run in runs if run.predictions is not None}
    names = list(dict.fromkeys(name for masks in groups.values() for name in masks))
    rows = {name: _mean(masks[name].sum() for masks in groups.values() if name in masks) for name in names}
    if len(names) > MOST_CLASSES:
        largest = sorted(names, key=lambda name: -(rows[name] or 0))[:MOST_CLASSES]
        names = [name for name in names if name in largest]
    return [
        {
            "class": name,
            "rows": rows[name],
            **_scores(runs, pair, arena, {seed: masks[name] for seed, masks in groups.items() if name in masks}),
        }
        for name in names
    ]


def _groups(predictions: Predictions | None, arena: Arena) -> dict[str, np.ndarray]:
    """Which of the rows [N] are of each class (labels: carry each label)."""
    assert predictions is not None
    if arena.task == "regression":
        truth = predictions.truth.mean(axis=1)
        limits = np.quantile(truth, [0.25, 0.5, 0.75])
        return {PARTS_OF_TRUTH[part]: np.searchsorted(limits, truth) == part for part in range(4)}
    if arena.task == "multilabel":
        return {label: predictions.truth[:, index] > 0.5 for index, label in enumerate(arena.labels)}
    return {label: predictions.truth[:, 0] == index for index, label in enumerate(arena.labels)}


def _by_difficulty(runs: Sequence[ProbedRun], pair: Sequence[str], arena: Arena) -> list[dict[str, Any]]:
    """Of both entries, in each quarter of the test rows of each seed, from the easiest."""
    parts: dict[int, np.ndarray] = {}
    for seed in dict.fromkeys(run.seed for run in runs):
        hardness_by_run = [
            _hardness(run.predictions, arena.task) for run in runs if run.seed == seed and run.predictions is not None
        ]
        hardness = np.mean(hardness_by_run, axis=0)
        if len(hardness) >= ENOUGH:
            order = np.argsort(hardness, kind="stable")
            parts[seed] = np.empty(len(order), np.int64)
            parts[seed][order] = np.arange(len(order)) * len(PARTS) // len(order)
    return [
        {
            "part": name,
            "rows": _mean((part == place).sum() for part in parts.values()),
            **_scores(runs, pair, arena, {seed: part == place for seed, part in parts.items()}),
        }
        for place, name in enumerate(PARTS)
        if parts
    ]


def _scores(
    runs: Sequence[ProbedRun], pair: Sequence[str], arena: Arena, chosen: Mapping[int, np.ndarray]
) -> dict[str, float | None]:
    """The mean over the seeds of what both entries score on the rows that are chosen for each seed."""
    means: dict[str, float | None] = {}
    measure = MEASURES[_measure(arena, runs)]
    for word, entry in zip(("best", "reference"), pair, strict=True):
        scores = []
        for run in runs:
            rows = chosen.get(run.seed) if run.entry == entry else None
            if rows is not None and rows.any() and run.predictions is not None:
                scores.append(float(measure(run.predictions, arena.task)[rows].mean()))
        means[word] = _mean(scores)
    return means


def _attention(runs: Sequence[ProbedRun], arena: Arena, edges: Sequence[float]) -> dict[str, Any]:
    """The mean over the seeds of each entry's snapshots, epoch by epoch; only epochs that every seed has been looked at."""
    entries = {}
    for name, snapshots in _snapshots(runs, arena).items():
        entries[name] = {
            "epochs": [group[0].epoch for group in snapshots],
            "rows": [_shares([snapshot.rows for snapshot in group]) for group in snapshots],
            "gradient": [_shares([snapshot.gradient for snapshot in group]) for group in snapshots],
        }
    return {"edges": list(edges), "unit": _unit(arena.task), "entries": entries} if entries else {}


def _unit(task: str) -> str:
    return "sd off" if task == "regression" else "1 - p(given label)"


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
