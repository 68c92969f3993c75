"""Predictions out of sample: what the runs of an entry say of the rows that they did not train on, the mean by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from losscli.lazy import special
from losscli.tasks.measures import shares_given
from losscli.tasks.predictions import Predictions


@dataclass(frozen=True)
class Pooled:
    """N rows that were out of sample at least once, in order: `row` [N] is each one's place in the table, `count` [N] how often
    it was predicted, `truth` [N, m] its label or labels, `said` [N, k] the mean of what was said of it.
    """

    row: np.ndarray
    count: np.ndarray
    truth: np.ndarray
    said: np.ndarray


def pooled(runs: Sequence[Predictions]) -> Pooled:
    """The mean over runs, each of which saw other rows out of sample.

    >>> first = Predictions(np.array([4, 2]), np.array([[1.0], [0.0]]), np.array([[0.5], [0.0]]), "probabilities")
    >>> second = Predictions(np.array([4]), np.array([[1.0]]), np.array([[1.0]]), "probabilities")
    >>> mean = pooled([first, second])
    >>> mean.row.tolist(), mean.count.tolist(), mean.truth.ravel().tolist(), mean.said.ravel().tolist()
    ([2, 4], [1, 2], [0.0, 1.0], [0.0, 0.75])
    """
    rows = np.concatenate([run.row for run in runs])
    row, first, place, count = np.unique(rows, return_index=True, return_inverse=True, return_counts=True)
    said = np.concatenate([run.prediction for run in runs]).astype(np.float64)
    sums = np.zeros((len(row), said.shape[1]))
    np.add.at(sums, place, said)
    truth = np.concatenate([run.truth for run in runs])[first]
    return Pooled(row, count, truth, sums / count[:, None])


def as_probabilities(runs: Mapping[int, Predictions], temperatures: Mapping[int, float]) -> list[Predictions]:
    """The runs with a probability where a loss gives scores alone: of yes, or of each class, at the temperature that was best on
    the valid split, where one was chosen.
    """
    converted = []
    for seed, run in runs.items():
        if run.kind == "scores":
            warm = replace(run, prediction=run.prediction / temperatures.get(seed, 1.0))
            shares = shares_given(warm) if run.prediction.shape[1] > run.truth.shape[1] else _logistic(warm.prediction)
            run = replace(run, prediction=shares, kind="probabilities")
        converted.append(run)
    return converted


def _logistic(scores: np.ndarray) -> np.ndarray:
    return np.asarray(special.expit(scores))
