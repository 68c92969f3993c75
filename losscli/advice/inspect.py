"""What a table holds: its columns, its target, the rows that repeat or contradict each other, and what stands out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from losscli.advice.columns import ColumnFacts, Suggestion, columns_of, suggestions
from losscli.advice.heuristics import heuristics_for
from losscli.advice.numbers import Numbers
from losscli.advice.profile import Profile
from losscli.advice.repeats import Repeats, fingerprints
from losscli.data.dataset import Table
from losscli.errors import Finding

MOST_BINS, LEAST_BINS = 60, 10
LOGARITHMIC = 30.0  # the largest beside the median, from which positive numbers are drawn on a logarithmic axis
FEW_NUMBERS = 15  # different whole numbers that get a bar each


@dataclass(frozen=True)
class Histogram:
    """How many rows lie in each of a number of equal steps from `low` to `high`; equal steps of the logarithm, if so."""

    low: float
    high: float
    counts: tuple[int, ...]
    logarithmic: bool


@dataclass(frozen=True)
class TargetFacts:
    """A target as its task reads it: rows by class or label, or for each column of numbers their shape and histogram."""

    names: tuple[str, ...]
    task: str
    reason: str
    classes: tuple[tuple[str, int], ...]
    numbers: tuple[Numbers, ...]
    histograms: tuple[Histogram, ...]
    measured: Mapping[str, str]  # by the heuristic of advice that measured it

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": list(self.names),
            "task": self.task,
            "reason": self.reason,
            "classes": [{"label": label, "rows": rows} for label, rows in self.classes],
            "numbers": [asdict(shape) for shape in self.numbers],
            "histograms": [asdict(histogram) for histogram in self.histograms],
            "measured": dict(self.measured),
        }


@dataclass(frozen=True)
class Inspection:
    """All that is known of a table; without a target, which columns might be one."""

    name: str
    rows: int
    columns: Sequence[ColumnFacts]
    repeats: Repeats
    findings: Sequence[Finding]
    target: TargetFacts | None = None
    suggestions: Sequence[Suggestion] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "data": self.name,
            "rows": self.rows,
            "columns": [column.to_json() for column in self.columns],
            "duplicate_rows": self.repeats.duplicates,
            "conflicting_rows": None if self.target is None else self.repeats.conflicting,
            "unlearnable_rows": self.repeats.floor if self.target is not None and self.target.classes else None,
            "target": None if self.target is None else self.target.to_json(),
            "suggestions": [{"columns": list(one.columns), "reason": one.reason} for one in self.suggestions],
            "findings": [finding.to_json() for finding in self.findings],
        }


def inspect(profile: Profile, reason: str) -> Inspection:
    """Describe a table with its target; `reason` says why its task is what it is."""
    table = profile.table
    findings = [*table.findings, *profile.target.findings, *profile.leaks]
    return Inspection(table.name, table.rows, columns_of(table), profile.repeats, findings, _target(profile, reason))


def describe(table: Table) -> Inspection:
    """Describe a table whose target is not known: its target columns are columns like others."""
    columns = [replace(column, role="feature") if column.role == "target" else column for column in columns_of(table)]
    by_name = {**table.features, **table.targets}
    duplicates = table.rows - len(np.unique(fingerprints(by_name, table.rows)))
    return Inspection(
        table.name, table.rows, columns, Repeats(duplicates, 0, 0), table.findings, None, suggestions(columns, table)
    )


def _target(profile: Profile, reason: str) -> TargetFacts:
    labels = profile.target.labels
    counts = map(round, profile.counts.tolist())
    classes = tuple(zip(labels, counts, strict=True)) if profile.has_classes else ()
    numbers = np.empty((0, 0)) if profile.has_classes else profile.target.values.reshape(profile.rows, -1).T
    drawn = tuple(histogram(column.astype(np.float64)) for column in numbers)
    measured = {
        heuristic.name: advice.reason
        for heuristic in heuristics_for(profile)
        if (advice := heuristic.advise(profile)) is not None
    }
    names = tuple(profile.table.targets)
    return TargetFacts(names, profile.task, reason, classes, tuple(profile.numbers), drawn, measured)


def histogram(values: np.ndarray) -> Histogram:
    """The rows in equal steps; whole numbers of few sizes get one step each.

    >>> histogram(np.array([0.0, 0.0, 3.0, 1.0])).counts
    (2, 1, 0, 1)
    """
    low, high = float(values.min()), float(values.max())
    if bool((values == np.floor(values)).all()) and high - low < FEW_NUMBERS:
        counts = np.bincount((values - low).astype(np.int64))
        return Histogram(low, high, tuple(map(int, counts)), False)
    logarithmic = low > 0 and high > LOGARITHMIC * float(np.median(values))
    scaled = np.log(values) if logarithmic else values
    bins = int(min(MOST_BINS, max(LEAST_BINS, 3 * len(values) ** (1 / 3))))  # a little finer than Rice's heuristic
    counts, _ = np.histogram(scaled, bins)
    return Histogram(low, high, tuple(map(int, counts)), logarithmic)
