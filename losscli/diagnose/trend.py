"""What a series does: where it starts, how low it gets, where it settles, how surely, and whether it still moves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from losscli.diagnose.history import Series

TAIL = 0.2  # the share of a curve that tells where it settles
ROUNDING = 2e-6  # relative: float32, or six printed digits


@dataclass(frozen=True)
class Trend:
    """A curve in numbers.

    `level` is the median of its tail and `error` how far the limit may be from it: three standard errors of the tail, and what
    it still moves. `noise` is the spread from point to point, `drift` by how much the tail lies below what came before it.
    """

    first: float
    level: float
    last: float
    low: float  # the lowest, of the mean of three neighbours
    low_at: int
    high: float
    noise: float
    drift: float
    error: float
    values: np.ndarray  # finite ones

    @property
    def points(self) -> int:
        return len(self.values)

    @property
    def constant(self) -> bool:
        """Whether nothing moves, to rounding, from the first value on."""
        return self.points >= 3 and float(np.ptp(self.values)) <= ROUNDING * max(abs(self.level), 1e-12)

    @property
    def settled(self) -> bool:
        """Whether it has arrived: what it still moves is little beside its level and beside its way there, or is noise."""
        still = abs(self.drift)
        return self.points > 0 and still <= max(0.01 * abs(self.level), 3 * self.noise / math.sqrt(_tail(self.points)))

    @property
    def crawling(self) -> bool:
        """Whether it still falls in a straight line, by much more than noise: what it has not reached is no plateau."""
        way = float(self.values[0] - self.last) if self.points > 4 else 0.0
        return 0.5 < self.straightness < 2.0 and way > 8 * self.noise and way > ROUNDING * abs(self.level)

    @property
    def flat(self) -> bool:
        """Whether it went nowhere at all: the tail lies where the first three points do, within noise or 2 %."""
        if not self.points:
            return False
        way = abs(float(np.mean(self.values[:3])) - self.level)
        return way <= max(0.02 * abs(self.level), 3 * self.noise)

    @property
    def straightness(self) -> float:
        """The slope of the last third over that of the first; 1 is a straight line."""
        third = max(self.points // 3, 2)
        if self.points < third + 1:
            return math.nan
        before = self.values[0] - self.values[third - 1]
        after = self.values[-third] - self.values[-1]
        return float(after / before) if before else math.nan

    @property
    def ratio(self) -> float:
        """The factor from point to point over the last half, of positive values: 1.69 where each is 69 % above the last."""
        half = self.values[self.points // 2 :]
        if len(half) < 3 or (half <= 0).any():
            return math.nan
        return float(np.exp(np.median(np.diff(np.log(half)))))


def trend(series: Series) -> Trend | None:
    """The trend of the finite values; None where there is none.

    >>> curve = trend(Series.of([2.0, 1.0, 0.6, 0.51, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]))
    >>> curve.level, curve.settled, curve.constant
    (0.5, True, False)
    """
    values = series.finite
    if not len(values):
        return None
    size = _tail(len(values))
    tail, before = values[-size:], values[-2 * size : -size]
    level = float(np.median(tail))
    steps = np.diff(values[len(values) // 2 :])
    noise = float(1.4826 * np.median(np.abs(steps - np.median(steps))) / math.sqrt(2)) if len(steps) > 1 else 0.0
    drift = float(np.median(before) if len(before) else values[0]) - level
    smooth = np.convolve(values, np.ones(3) / 3, "valid") if len(values) >= 3 else values
    at = int(np.argmin(smooth))
    return Trend(
        first=series.first if math.isfinite(series.first) else float(values[0]),
        level=level,
        last=float(values[-1]),
        low=float(smooth[at]),
        low_at=at + (1 if len(values) >= 3 else 0),
        high=float(values.max()),
        noise=noise,
        drift=drift,
        error=3 * noise / math.sqrt(size) + abs(drift) + 1e-4 * abs(level),
        values=values,
    )


def _tail(points: int) -> int:
    return min(points, max(3, math.ceil(TAIL * points)))
