"""Rows that are there twice, and rows that contradict each other: the same features with another target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from losscli.data.dataset import Table
from losscli.tasks import Column

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Repeats:
    """How many rows repeat an earlier one, contradict another one, and must be wrong whatever a model says.

    `floor` counts, among rows with the same features, those that are not of the most frequent target: no function of the
    features gets them right. It says something of classes; numbers differ by their nature.
    """

    duplicates: int
    conflicting: int
    floor: int


def repeats(table: Table) -> Repeats:
    """Counted over all features, since a model gets all of them.

    >>> features = {"x": Column(np.array([1.0, 1.0, 1.0, 2.0]))}
    >>> repeats(Table("t", features, {"y": Column(np.array([0.0, 0.0, 1.0, 1.0]))}))
    Repeats(duplicates=1, conflicting=3, floor=1)
    """
    _, groups = np.unique(fingerprints(table.features, table.rows), return_inverse=True)
    _, answers = np.unique(fingerprints(table.targets, table.rows), return_inverse=True)
    pairs, sizes = np.unique(np.stack([groups, answers]), axis=1, return_counts=True)  # [2, P], [P]
    different = np.bincount(pairs[0])
    rows = np.bincount(groups)
    largest = np.zeros_like(rows)
    np.maximum.at(largest, pairs[0], sizes)
    if not table.features:
        return Repeats(0, 0, 0)
    return Repeats(int((sizes - 1).sum()), int(rows[different > 1].sum()), int((rows - largest).sum()))


def fingerprints(columns: Mapping[str, Column], rows: int) -> np.ndarray:
    """uint64 [N]: equal where rows are equal in all columns; two others meet about once in 2^64 / N^2 tables."""
    hashes = np.zeros(rows, dtype=np.uint64)
    for column in columns.values():
        if column.is_category:
            bits = column.values.astype(np.int64).view(np.uint64)
        else:
            plain = np.where(np.isnan(column.values), np.nan, column.values + 0.0)  # one NaN, and no -0.0
            bits = plain.astype(np.float64).view(np.uint64)
        hashes = _mixed((hashes ^ bits) + GOLDEN)  # added, as `_mixed` leaves 0 a 0
    return hashes


def _mixed(bits: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): every bit of the result depends on every bit given."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = bits ^ (bits >> np.uint64(31))
    return mixed


def copies(table: Table) -> tuple[str, ...]:
    """The features that are a target once more, under whatever names."""
    answers = [(target.values, fingerprints({name: target}, table.rows)) for name, target in table.targets.items()]
    return tuple(
        name
        for name, column in table.features.items()
        if any(
            np.array_equal(column.values, values) or _same_groups(fingerprints({name: column}, table.rows), answer)
            for values, answer in answers
        )
    )


def _same_groups(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two columns divide the rows into the same few groups, under whatever names: each tells the other."""
    first, second = np.unique(one, return_inverse=True), np.unique(other, return_inverse=True)
    if len(first[0]) != len(second[0]) or len(first[0]) > len(one) // 2 or len(first[0]) < 2:
        return False
    pairs = first[1].astype(np.int64) * len(second[0]) + second[1]
    return len(np.unique(pairs)) == len(first[0])
