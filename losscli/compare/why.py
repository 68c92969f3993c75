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
    told = [run for run in runs if run.predictions is not None]
    pair = (best, arena.reference)
    return {
        "best": best,
        "reference": arena.reference,
        "verdict": next(entry.verdict for entry in arena.entries if entry.entry == best),
        "measure": _measure(arena, told),
        "classes": _by_class(told, pair, arena),
        "difficulty": _by_difficulty(told, pair, arena),
        "attention": _attention(runs, arena, edges),
        "memory": _memory(runs, arena),
    }


def _best(arena: Arena) -> str | None:
    judged = [entry for entry in arena.entries if entry.verdict != "undefined"]  # the headline says nothing of others
    found = {entry.entry: arena.goodness(entry, arena.headline) for entry in judged}
    known = {name: value for name, value in found.items() if math.isfinite(value)}
    return max(known, key=known.__getitem__) if known else None


def _accuracy(told: Predictions, task: str) -> np.ndarray:
    """[N]: whether each row is decided right; of several labels, the share of them."""
    found: np.ndarray
    if task == "multiclass":
        found = (told.prediction.argmax(axis=1) == told.truth[:, 0]).astype(np.float64)
        return found
    limit = 0.5 if told.kind == "probabilities" else 0.0
    found = ((told.prediction > limit) == (told.truth > 0.5)).mean(axis=1)
    return found


def _distance(told: Predictions, task: str) -> np.ndarray:
    """[N]: how far each value is off."""
    found: np.ndarray = np.abs(told.prediction - told.truth).mean(axis=1)
    return found


def _rank(told: Predictions, task: str) -> np.ndarray:
    """[N]: the share of the other class that each row is on the right side of, ties half; its mean over a class is AUROC."""
    score, yes = told.prediction[:, 0].astype(np.float64), told.truth[:, 0] > 0.5
    found = np.full(len(score), np.nan)
    for own, sign in ((yes, 1.0), (~yes, -1.0)):
        others = np.sort(sign * score[~own])
        if len(others):
            below = np.searchsorted(others, sign * score[own], "left") + np.searchsorted(
                others, sign * score[own], "right"
            )
            found[own] = below / (2 * len(others))
    return found


def _surprise(told: Predictions, task: str) -> np.ndarray:
    """[N]: minus the logarithm of what was given to the truth."""
    found: np.ndarray = -np.log(np.clip(1 - _hard(told, task), EPS, 1.0))
    return found


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


def _hard(told: Predictions, task: str) -> np.ndarray:
    """[N]: how hard a run finds each row: what its truth lacks in probability; else whether it is wrong, or how far off."""
    if task == "regression":
        return _distance(told, task)
    if told.kind != "probabilities":
        return 1 - _accuracy(told, task)
    if task == "multiclass":
        lacking: np.ndarray = 1 - np.take_along_axis(told.prediction, told.truth.astype(np.int64), axis=1)[:, 0]
        return lacking
    off: np.ndarray = np.abs(told.prediction - told.truth).mean(axis=1)
    return off


def _by_class(runs: Sequence[ProbedRun], pair: Sequence[str], arena: Arena) -> list[dict[str, Any]]:
    """Of both entries, in each class; for numbers in each quarter of the truth, from the lowest."""
    groups = {run.seed: _groups(run.predictions, arena) for run in runs if run.predictions is not None}
    names = list(dict.fromkeys(name for each in groups.values() for name in each))
    rows = {name: _mean(each[name].sum() for each in groups.values() if name in each) for name in names}
    if len(names) > MOST_CLASSES:
        largest = sorted(names, key=lambda name: -(rows[name] or 0))[:MOST_CLASSES]
        names = [name for name in names if name in largest]
    return [
        {
            "class": name,
            "rows": rows[name],
            **_scores(runs, pair, arena, {seed: each[name] for seed, each in groups.items() if name in each}),
        }
        for name in names
    ]


def _groups(told: Predictions | None, arena: Arena) -> dict[str, np.ndarray]:
    """Which of the rows [N] are of each class (labels: carry each label)."""
    assert told is not None
    if arena.task == "regression":
        truth = told.truth.mean(axis=1)
        limits = np.quantile(truth, [0.25, 0.5, 0.75])
        return {PARTS_OF_TRUTH[part]: np.searchsorted(limits, truth) == part for part in range(4)}
    if arena.task == "multilabel":
        return {label: told.truth[:, index] > 0.5 for index, label in enumerate(arena.labels)}
    return {label: told.truth[:, 0] == index for index, label in enumerate(arena.labels)}


def _by_difficulty(runs: Sequence[ProbedRun], pair: Sequence[str], arena: Arena) -> list[dict[str, Any]]:
    """Of both entries, in each quarter of the test rows of each seed, from the easiest."""
    parts: dict[int, np.ndarray] = {}
    for seed in dict.fromkeys(run.seed for run in runs):
        felt = [_hard(run.predictions, arena.task) for run in runs if run.seed == seed and run.predictions is not None]
        hardness = np.mean(felt, axis=0)
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
    found: dict[str, float | None] = {}
    measure = MEASURES[_measure(arena, runs)]
    for word, entry in zip(("best", "reference"), pair, strict=True):
        scores = []
        for run in runs:
            rows = chosen.get(run.seed) if run.entry == entry else None
            if rows is not None and rows.any() and run.predictions is not None:
                scores.append(float(measure(run.predictions, arena.task)[rows].mean()))
        found[word] = _mean(scores)
    return found


def _attention(runs: Sequence[ProbedRun], arena: Arena, edges: Sequence[float]) -> dict[str, Any]:
    """The mean over the seeds of each entry's snapshots, epoch by epoch; only epochs that every seed has been looked at."""
    entries = {}
    for name, snapshots in _snapshots(runs, arena).items():
        entries[name] = {
            "epochs": [each[0].epoch for each in snapshots],
            "rows": [_shares([snapshot.rows for snapshot in each]) for each in snapshots],
            "gradient": [_shares([snapshot.gradient for snapshot in each]) for each in snapshots],
        }
    return {"edges": list(edges), "unit": _unit(arena.task), "entries": entries} if entries else {}


def _unit(task: str) -> str:
    return "sd off" if task == "regression" else "1 - p(given label)"


def _memory(runs: Sequence[ProbedRun], arena: Arena) -> dict[str, Any]:
    entries = {}
    for name, snapshots in _snapshots(runs, arena).items():
        kept = [
            (each[0].epoch, [snapshot.memory for snapshot in each if snapshot.memory is not None]) for each in snapshots
        ]
        known = [(epoch, memories) for epoch, memories in kept if memories]
        if known:
            entries[name] = {"epochs": [epoch for epoch, _ in known]} | {
                part: [_mean(getattr(memory, part) for memory in memories) for _, memories in known]
                for part in ("memorised", "resisted", "learned")
            }
    return {"entries": entries} if entries else {}


def _snapshots(runs: Sequence[ProbedRun], arena: Arena) -> dict[str, list[list[Snapshot]]]:
    """By entry, for each epoch the snapshots of all its seeds."""
    found = {}
    for entry in arena.entries:
        by_epoch: dict[int, list[Snapshot]] = {}
        probed = [run for run in runs if run.entry == entry.entry and run.snapshots]
        for run in probed:
            for snapshot in run.snapshots:
                by_epoch.setdefault(snapshot.epoch, []).append(snapshot)
        whole = [by_epoch[epoch] for epoch in sorted(by_epoch) if len(by_epoch[epoch]) == len(probed)]
        if whole:
            found[entry.entry] = whole
    return found


def _shares(tables: Sequence[Sequence[float]]) -> list[float | None]:
    return [_mean(column) for column in zip(*tables, strict=True)]


def _mean(values: Iterable[Any]) -> float | None:
    """The mean of those that are finite; None where there are none."""
    known = [float(value) for value in values if math.isfinite(value)]
    return finite(math.fsum(known) / len(known)) if known else None
