"""A training as its log tells it: the losses and metrics over the epochs or steps, in flat memory however long the log is.

Up to `MOST` points are kept as they are; of a longer log neighbours are averaged, twice as many each time it gets full.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

MOST = 4096  # points of a series


@dataclass(frozen=True)
class Series:
    """One curve: `steps` and `values` float64 [N]. `first` is the very first value, `count` how many rows there were.

    A value is not finite where the log says so; `breaks` is the step of the first such value.
    """

    steps: np.ndarray
    values: np.ndarray
    first: float = math.nan
    count: int = 0
    breaks: float | None = None

    @classmethod
    def of(cls, values: Sequence[float], steps: Sequence[float] | None = None) -> Series:
        """The series of these values, at 1, 2, 3 ... unless steps are given.

        >>> Series.of([2.0, 1.0, float("nan")]).finite.tolist(), Series.of([2.0, float("nan")]).breaks
        ([2.0, 1.0], 2.0)
        """
        condenser = Condenser()
        numbers = np.asarray(values, dtype=np.float64)
        condenser.add(np.arange(1.0, len(numbers) + 1) if steps is None else np.asarray(steps, np.float64), numbers)
        return condenser.series()

    @property
    def finite(self) -> np.ndarray:
        """The values that are finite, in order."""
        values: np.ndarray = self.values[np.isfinite(self.values)]
        return values


@dataclass(frozen=True)
class History:
    """What a log holds: `train` and `valid` losses (one may be empty), metrics by name, what the steps count, and notes."""

    train: Series
    valid: Series
    metrics: Mapping[str, Series] = field(default_factory=dict)
    axis: str = "epoch"
    notes: Sequence[str] = ()
    facts: Mapping[str, object] = field(default_factory=dict)  # what a record knows: loss, classes, batch size


class Condenser:
    """Takes a series piece by piece and keeps at most `MOST` means of equally many neighbours."""

    def __init__(self) -> None:
        self.width = 1  # rows per point
        self.first, self.count = math.nan, 0
        self.breaks: float | None = None
        self._steps = np.empty(0)
        self._sums = np.empty((0, 2))  # of the finite values, and how many there are
        self._rest = (np.empty(0), np.empty(0))  # rows that make no whole point yet

    def add(self, steps: np.ndarray, values: np.ndarray) -> None:
        """The next rows: steps and values, both float64 [N]."""
        if not len(values):
            return
        if not self.count:
            self.first = float(values[0])
        wrong = np.flatnonzero(~np.isfinite(values))
        if self.breaks is None and len(wrong):
            self.breaks = float(steps[wrong[0]])
        self.count += len(values)
        steps, values = np.concatenate([self._rest[0], steps]), np.concatenate([self._rest[1], values])
        whole = len(values) // self.width * self.width
        self._rest = steps[whole:], values[whole:]
        self._put(steps[:whole], values[:whole])
        while len(self._steps) > MOST:
            self._halve()

    def series(self) -> Series:
        """All that was added."""
        steps, values = self._rest
        width, self.width = self.width, max(len(values), 1)
        self._put(steps, values)
        self.width, self._rest = width, (steps[:0], values[:0])
        with np.errstate(invalid="ignore"):
            means = self._sums[:, 0] / self._sums[:, 1]  # 0/0 where no value was finite: NaN, as it should be
        return Series(self._steps, means, self.first, self.count, self.breaks)

    def _put(self, steps: np.ndarray, values: np.ndarray) -> None:
        rows = values.reshape(-1, self.width)
        finite = np.isfinite(rows)
        sums = np.stack([np.where(finite, rows, 0.0).sum(1), finite.sum(1)], axis=1)
        self._steps = np.concatenate([self._steps, steps.reshape(-1, self.width)[:, 0]])
        self._sums = np.concatenate([self._sums, sums])

    def _halve(self) -> None:
        """Two neighbours become one; a last one alone goes back to the rows that wait."""
        odd = len(self._steps) % 2
        if odd:  # as rows of its own mean, so that no value is lost
            mean = self._sums[-1, 0] / max(self._sums[-1, 1], 1.0)
            steps = np.full(self.width, self._steps[-1])
            self._rest = (
                np.concatenate([steps, self._rest[0]]),
                np.concatenate([np.full(self.width, mean), self._rest[1]]),
            )
            self._steps, self._sums = self._steps[:-1], self._sums[:-1]
        self._steps = self._steps[::2]
        self._sums = self._sums.reshape(-1, 2, 2).sum(1)
        self.width *= 2
