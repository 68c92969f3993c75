"""Confident learning: how many labels of each class are really of another, and which rows, from predictions out of sample
(Northcutt, Jiang and Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset Labels, Journal of Artificial
Intelligence Research 70, https://doi.org/10.1613/jair.1.12125).

A row counts as one of class j where its probability of j reaches the mean that rows labelled j give to j, so that a class which
is predicted with less confidence than others has a lower bar. Shape letters: N rows, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Confidence:
    """What confident learning says of N labels.

    `likely` int64 [N] is the class that a row is taken for (-1: none with confidence); `best` int64 [N] the likeliest class
    beside the given one; `score` float64 [N] how much the prediction contradicts the label, from 0 (sure of it) to 1 (sure of
    another); `wrong` float64 [K, K] the estimated number of rows whose label is the row and whose class is really the column.
    """

    likely: np.ndarray
    best: np.ndarray
    score: np.ndarray
    wrong: np.ndarray


def confidence(given: np.ndarray, shares: np.ndarray) -> Confidence:
    """From the labels [N] and the mean out-of-sample probabilities [N, K] of the same rows.

    >>> given = np.array([0, 0, 0, 1, 1, 1])
    >>> yes = np.array([0.1, 0.2, 0.9, 0.8, 0.9, 0.7])
    >>> judged = confidence(given, np.stack([1 - yes, yes], axis=1))
    >>> judged.likely.tolist(), int(judged.score.argmax()), judged.wrong.round(2).tolist()
    ([0, 0, 1, 1, 1, -1], 2, [[2.0, 1.0], [0.0, 3.0]])
    """
    classes = shares.shape[1]
    bars = thresholds(given, shares)
    above = shares >= bars - 1e-9  # a class whose rows all say the same has them at its bar, but for rounding
    likely = np.where(above.any(axis=1), np.where(above, shares, -1.0).argmax(axis=1), -1)
    rows = np.arange(len(given))
    others = shares.copy()
    others[rows, given] = -1.0
    best = others.argmax(axis=1)
    score = (1 + shares[rows, best] - shares[rows, given]) / 2
    return Confidence(likely, best, score, calibrated(joint(given, likely, classes), given))


def thresholds(given: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The mean probability [K] of each class among the rows that are labelled so; above 1, and never reached, where none is.

    >>> thresholds(np.array([0, 0]), np.array([[0.5, 0.5], [1.0, 0.0]])).tolist()
    [0.75, 2.0]
    """
    counts = np.bincount(given, minlength=shares.shape[1])
    sums = np.bincount(given, shares[np.arange(len(given)), given], minlength=shares.shape[1])
    return np.where(counts > 0, sums / np.maximum(counts, 1), 2.0)


def joint(given: np.ndarray, likely: np.ndarray, classes: int) -> np.ndarray:
    """The confident joint [K, K]: how many rows with each label are taken for each class; those taken for none are not in it."""
    sure = likely >= 0
    cells = given[sure] * classes + likely[sure]
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes).astype(np.float64)


def calibrated(joint: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The joint [K, K] with as many rows of each label as there are; a label that is never taken for any class is right.

    >>> calibrated(np.array([[3.0, 1.0], [0.0, 0.0]]), np.array([0] * 8 + [1])).tolist()
    [[6.0, 2.0], [0.0, 1.0]]
    """
    counts = np.bincount(given, minlength=len(joint)).astype(np.float64)
    sums = joint.sum(axis=1)
    filled = np.where((sums == 0)[:, None], np.eye(len(joint)), joint)
    return np.asarray(filled * (counts / np.where(sums == 0, 1.0, sums))[:, None])
