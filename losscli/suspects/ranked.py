"""Rows whose label is contradicted, the most first: of classes and labels by confident learning, of numbers by the residual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from losscli.suspects.confident import Confidence, confidence
from losscli.suspects.pooled import Pooled

FAR = 4.0  # spreads from which a number is a suspect: 1 in 16,000 of normal ones
NORMAL = 1.4826  # standard deviations of a normal in a median distance from the median


@dataclass(frozen=True)
class Suspect:
    """One label of one row. `score` orders them: of classes from 0 to 1, of numbers the residual in spreads; `sure` says whether
    it counts as wrong. `given` and `likely` are labels, or numbers; `of` is the target where a row has several. `given_share` and
    `likely_share` are the mean probabilities of the two (NaN of numbers), `predictions` how many they are the mean of.
    """

    row: int  # from 0, in the table as it was read
    of: str
    given: str | float
    likely: str | float
    score: float
    given_share: float
    likely_share: float
    predictions: int
    sure: bool


@dataclass(frozen=True)
class WrongPair:
    """How many rows with the label `given` are estimated to be `likely`, and which share of those with that label."""

    of: str
    given: str
    likely: str
    rows: float
    share: float


@dataclass(frozen=True)
class Ranking:
    """All labels that were predicted out of sample, the most suspect first; and how many are estimated wrong (NaN: none is)."""

    suspects: Sequence[Suspect]
    pairs: Sequence[WrongPair]
    wrong: float = math.nan


def of_classes(rows: Pooled, labels: Sequence[str]) -> Ranking:
    """Of a class per row; `rows.said` is a probability of the second of two, or of each."""
    shares = rows.said if rows.said.shape[1] > 1 else np.column_stack([1 - rows.said, rows.said])
    given = rows.truth[:, 0].astype(int)
    judged = confidence(given, shares)
    return Ranking(
        _in_order(_suspects(rows, given, shares, judged, labels, "")), _pairs(judged.wrong, labels, ""), _wrong(judged)
    )


def of_labels(rows: Pooled, labels: Sequence[str]) -> Ranking:
    """Of several yes or no per row: each label by itself."""
    suspects: list[Suspect] = []
    pairs: list[WrongPair] = []
    wrong = 0.0
    for place, label in enumerate(labels):
        given = (rows.truth[:, place] > 0.5).astype(int)
        shares = np.column_stack([1 - rows.said[:, place], rows.said[:, place]])
        judged = confidence(given, shares)
        suspects += _suspects(rows, given, shares, judged, ("no", "yes"), label)
        pairs += _pairs(judged.wrong, ("no", "yes"), label)
        wrong += _wrong(judged)
    return Ranking(_in_order(suspects), sorted(pairs, key=lambda pair: -pair.rows), wrong)


def of_numbers(rows: Pooled, labels: Sequence[str]) -> Ranking:
    """Of numbers: how far the residual lies from the median residual, in units of the spread (the median distance from there).

    A hard row has a large residual as a wrong one has, so no share is estimated.
    """
    suspects: list[Suspect] = []
    for place, label in enumerate(labels):
        residual = rows.truth[:, place] - rows.said[:, place]
        apart = np.abs(residual - np.median(residual))
        spread = NORMAL * float(np.median(apart)) or float(apart.std()) or 1.0
        score = apart / spread
        of = label if len(labels) > 1 else ""
        columns = (rows.row, rows.truth[:, place], rows.said[:, place], score, rows.count)
        suspects += [
            Suspect(row, of, given, likely, far, math.nan, math.nan, count, far > FAR)
            for row, given, likely, far, count in zip(*(column.tolist() for column in columns), strict=True)
        ]
    return Ranking(_in_order(suspects), ())


def _suspects(
    rows: Pooled, given: np.ndarray, shares: np.ndarray, judged: Confidence, labels: Sequence[str], of: str
) -> list[Suspect]:
    places = np.arange(len(given))
    sure = (judged.likely >= 0) & (judged.likely != given)
    likely = np.where(sure, judged.likely, judged.best)
    return [
        Suspect(row, of, labels[label], labels[other], score, own, against, count, is_sure)
        for row, label, other, score, own, against, count, is_sure in zip(
            rows.row.tolist(),
            given.tolist(),
            likely.tolist(),
            judged.score.tolist(),
            shares[places, given].tolist(),
            shares[places, likely].tolist(),
            rows.count.tolist(),
            sure.tolist(),
            strict=True,
        )
    ]


def _in_order(suspects: Sequence[Suspect]) -> list[Suspect]:
    return sorted(suspects, key=lambda suspect: -suspect.score)


def _pairs(wrong: np.ndarray, labels: Sequence[str], of: str) -> list[WrongPair]:
    counts = wrong.sum(axis=1)
    pairs = [
        WrongPair(
            of, labels[given], labels[likely], float(wrong[given, likely]), float(wrong[given, likely] / counts[given])
        )
        for given, likely in np.argwhere(wrong > 0).tolist()
        if given != likely
    ]
    return sorted(pairs, key=lambda pair: -pair.rows)


def _wrong(judged: Confidence) -> float:
    return float(judged.wrong.sum() - np.trace(judged.wrong))
