"""Class by class: how many rows of each class are found, how many of those called so are it, and what is taken for what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from losscli.compare.result import Estimate, finite
from losscli.compare.statistics import estimate
from losscli.tasks import Task
from losscli.tasks.predictions import EVEN, Predictions


@dataclass(frozen=True)
class ClassScores:
    """One class of an entry on the test split: `rows` is how many there are in the mean over the seeds; NaN among the values of a
    seed in which a share is of no rows.
    """

    label: str
    rows: float
    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True)
class EntryByClass:
    """One entry over so many `seeds`, class by class; `counts` [K, K] is its confusion matrix, true class down, decision across,
    all seeds together (None of several labels per row, which exclude nothing).
    """

    entry: str
    seeds: int
    classes: Sequence[ClassScores]
    counts: np.ndarray | None

    @property
    def shares(self) -> np.ndarray:
        """The confusion matrix with rows that sum to 1; NaN where there are no rows."""
        assert self.counts is not None
        sums = self.counts.sum(axis=1, keepdims=True)
        return np.where(sums > 0, self.counts / np.maximum(sums, 1), np.nan)

    def confusions(self) -> list[tuple[int, int]]:
        """The pairs of true class and decision that are wrong and occur, the most rows first."""
        if self.counts is None:
            return []
        cells = [(true, said) for true, said in np.argwhere(self.counts > 0).tolist() if true != said]
        return sorted(cells, key=lambda cell: -self.counts[cell])  # type: ignore[index]


class Decided(Protocol):
    """What is decided of N rows: truth [N, 1] and prediction [N, k] of a `kind`."""

    @property
    def truth(self) -> np.ndarray: ...
    @property
    def prediction(self) -> np.ndarray: ...
    @property
    def kind(self) -> str: ...


def by_class(task: Task, labels: Sequence[str], runs: Mapping[str, Mapping[int, Predictions]]) -> list[EntryByClass]:
    """Each entry class by class, from what its runs say of their test splits, by entry and seed; none where rows are
    not decided to be of a class."""
    if not decides(task):
        return []
    return [_entry(name, list(of.values()), labels, task.decides_one_class) for name, of in runs.items() if of]


def decides(task: Task) -> bool:
    """Whether rows of the task are decided to be of a class, or to have labels."""
    return task.decides_one_class or task.yes_or_no


def _entry(name: str, runs: Sequence[Predictions], labels: Sequence[str], exclusive: bool) -> EntryByClass:
    matrices = [confused(run, len(labels)) for run in runs] if exclusive else []
    counted = [_of_matrix(matrix) for matrix in matrices] or [_of_labels(run) for run in runs]
    hit, said, true = (np.stack(part) for part in zip(*counted, strict=True))  # [S, K] each
    with np.errstate(invalid="ignore"):
        scores = (hit / said, hit / true, 2 * hit / (said + true))
    classes = [
        ClassScores(label, float(true[:, at].mean()), *(estimate(score[:, at].tolist()) for score in scores))
        for at, label in enumerate(labels)
    ]
    return EntryByClass(name, len(runs), classes, sum(matrices) if exclusive else None)  # type: ignore[arg-type]


def _of_matrix(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each class, the rows that are it and were called so, those called so, those that are it."""
    return np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)


def _of_labels(run: Predictions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    said, true = run.prediction > EVEN[run.kind], run.truth > 0.5
    return (said & true).sum(axis=0), said.sum(axis=0), true.sum(axis=0)


def confused(sample: Decided, classes: int = 2) -> np.ndarray:
    """Counts [K, K], true class down, decision across; a binary decision is taken at 0.5, of scores at 0.

    >>> run = Predictions(np.arange(3), np.array([[0], [1], [1]]), np.array([[0.2], [0.9], [0.4]]), "probabilities")
    >>> confused(run).tolist()
    [[1, 0], [1, 1]]
    """
    truth = sample.truth[:, 0].astype(int)
    if sample.prediction.shape[1] == 1:
        decided = (sample.prediction[:, 0] > EVEN[sample.kind]).astype(int)
    else:
        decided = sample.prediction.argmax(axis=1)
    size = max(classes, sample.prediction.shape[1], int(truth.max(initial=0)) + 1)
    # cell (true, decided) is number true * size + decided of a flat matrix
    return np.bincount(truth * size + decided, minlength=size * size).reshape(size, size)


def to_json(entry: EntryByClass) -> dict[str, Any]:
    """One entry as programs read it."""

    def said(score: Estimate) -> dict[str, Any]:
        return {"mean": finite(score.mean), "sd": finite(score.sd), "n": score.n}

    return {
        "entry": entry.entry,
        "seeds": entry.seeds,
        "classes": [
            {
                "label": one.label,
                "rows": one.rows,
                **{name: said(getattr(one, name)) for name in ("precision", "recall", "f1")},
            }
            for one in entry.classes
        ],
        **({} if entry.counts is None else {"confusion": entry.counts.tolist()}),
    }


def worst(entries: Sequence[EntryByClass], most: int) -> list[int]:
    """The places of so many classes, those whose F1 is lowest for the entry that does best on them; in their own order."""

    def best(place: int) -> float:
        values = [entry.classes[place].f1.mean for entry in entries]
        return max((value for value in values if math.isfinite(value)), default=math.inf)

    places = sorted(range(len(entries[0].classes)), key=best)[:most]
    return sorted(places)
