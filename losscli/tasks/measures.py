"""What can be said of single rows of a test split, [N] each: whether one is right, how far off, how surprising. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from losscli.tasks.predictions import EVEN, Predictions

EPS = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class RowMeasure:
    """One such measure; its mean stands for the metrics in `headlines`, where `probable` if every run gives probabilities.

    `title` is what a figure writes beside its values.
    """

    name: str
    title: str
    function: Callable[[Predictions], np.ndarray]
    headlines: tuple[str, ...] = ()
    probable: bool = False


def right_class(predictions: Predictions) -> np.ndarray:
    """Whether the largest of K is the class that it should be.

    >>> right_class(Predictions(np.arange(2), np.array([[0], [1]]), np.array([[2.0, 1.0], [2.0, 1.0]]), "scores")).tolist()
    [1.0, 0.0]
    """
    correct: np.ndarray = predictions.prediction.argmax(axis=1) == predictions.truth[:, 0]
    return correct.astype(np.float64)


def right_decisions(predictions: Predictions) -> np.ndarray:
    """Whether a yes or no is right; of several labels, the share of them.

    >>> right_decisions(Predictions(np.arange(1), np.array([[0, 1]]), np.array([[0.2, 0.4]]), "probabilities")).tolist()
    [0.5]
    """
    yes = predictions.prediction > EVEN[predictions.kind]
    correct: np.ndarray = (yes == (predictions.truth > 0.5)).mean(axis=1)
    return correct


def distance(predictions: Predictions) -> np.ndarray:
    """How far each value is off."""
    distance: np.ndarray = np.abs(predictions.prediction - predictions.truth).mean(axis=1)
    return distance


def rank(predictions: Predictions) -> np.ndarray:
    """The share of the other class that each row is on the right side of, ties half; its mean over a class is AUROC."""
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


def class_lack(predictions: Predictions) -> np.ndarray:
    """What the true class of K lacks in probability; where there are none, whether it is wrong."""
    if predictions.kind != "probabilities":
        return 1 - right_class(predictions)
    truth = predictions.truth.astype(np.int64)
    lack: np.ndarray = 1 - np.take_along_axis(predictions.prediction, truth, axis=1)[:, 0]
    return lack


def decision_lack(predictions: Predictions) -> np.ndarray:
    """What a true yes or no lacks in probability, the mean over labels; where there are none, the share that is wrong."""
    return distance(predictions) if predictions.kind == "probabilities" else 1 - right_decisions(predictions)


def surprise(lack: np.ndarray) -> np.ndarray:
    """Minus the logarithm of what was given to the truth, from what it lacks.

    >>> surprise(np.array([0.5])).round(3).tolist()
    [0.693]
    """
    surprise: np.ndarray = -np.log(np.clip(1 - lack, EPS, 1.0))
    return surprise


def shares_given(predictions: Predictions) -> np.ndarray:
    """What each row gives to each class, float64 [N, K]: the softmax of scores, where a loss gives no probabilities."""
    given = predictions.prediction.astype(np.float64)
    if predictions.kind == "probabilities":
        return given
    raised = np.exp(given - given.max(axis=1, keepdims=True))
    softmax: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return softmax


def apart(predictions: Predictions) -> np.ndarray:
    """The probability that is out of place: the total variation of what is said and of a truth [N, K].

    >>> apart(Predictions(np.arange(1), np.array([[0.5, 0.5]]), np.array([[0.75, 0.25]]), "probabilities")).tolist()
    [0.25]
    """
    out: np.ndarray = np.abs(shares_given(predictions) - predictions.truth).sum(axis=1) / 2
    return out


def overlap(predictions: Predictions) -> np.ndarray:
    """The probability that is in place."""
    return 1 - apart(predictions)


def right_mode(predictions: Predictions) -> np.ndarray:
    """Whether the likeliest class is one that has the most of the truth [N, K]."""
    mass = np.take_along_axis(predictions.truth, predictions.prediction.argmax(axis=1)[:, None], axis=1)[:, 0]
    right: np.ndarray = mass == predictions.truth.max(axis=1)
    return right.astype(np.float64)


def surplus(predictions: Predictions) -> np.ndarray:
    """The KL divergence from the truth [N, K] to what is said."""
    truth = predictions.truth.astype(np.float64)
    logs = np.log(np.clip(shares_given(predictions), EPS, 1.0))
    own = np.log(np.where(truth > 0, truth, 1.0))
    divergence: np.ndarray = (truth * (own - logs)).sum(axis=1)
    return divergence.clip(min=0.0)
