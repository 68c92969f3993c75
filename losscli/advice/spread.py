"""What a cheap linear fit leaves over: how large it is where predictions are large, and whether counts vary like Poisson's.

The fit is a ridge regression on the encoded features of at most 20,000 rows, made on one half and read on the other, so
that what is left over is honest. It is a yardstick, not a model: what it cannot explain may be curved, not noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from losscli.data.encode import Encoder
from losscli.errors import DataError
from losscli.tasks import Column

MOST_ROWS, MOST_COLUMNS = 20_000, 200
LEAST_ROWS = 60  # below, ten groups of rows have no spread worth telling
GROUPS = 10
RIDGE = 1e-3


@dataclass(frozen=True)
class Unevenness:
    """How many times as wide residuals are in the widest tenth of the rows as in the narrowest, and p of chance."""

    ratio: float
    p: float


@dataclass(frozen=True)
class Leftover:
    """Of rows that were not fitted on: target, what the linear fit says, and the design [n, 1 + F] it was made of."""

    target: np.ndarray
    fitted: np.ndarray
    design: np.ndarray
    offset: np.ndarray | None = None  # of counts, the logarithm of each row's exposure

    @property
    def residual(self) -> np.ndarray:
        left: np.ndarray = self.target - self.fitted
        return left

    @property
    def explained(self) -> float:
        """R squared of the linear fit on rows that it has not seen; below 0 where it is worse than the mean."""
        total = float(((self.target - self.target.mean()) ** 2).sum())
        return 1 - float((self.residual**2).sum()) / total if total else 0.0

    def by_size(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of the target in ten equal groups of rows, ordered by what the fit says: each [10].

        The variance is that of the residuals around their group's mean, so that a bent relation does not count as noise.
        """
        groups = np.array_split(np.argsort(self.fitted, kind="stable"), GROUPS)
        means = np.array([self.target[rows].mean() for rows in groups])
        return means, np.array([self.residual[rows].var() for rows in groups])

    def spread_ratio(self) -> float:
        """How much larger the residuals are in the group with the largest ones than in that with the smallest."""
        _, variances = self.by_size()
        return float(np.sqrt(variances.max() / variances.min())) if variances.min() > 0 else float("inf")

    def uneven(self) -> float:
        """p of White's test in its short form (Wooldridge): squared residuals against the fit and its square."""
        from scipy.stats import chi2

        scaled = (self.fitted - self.fitted.mean()) / (self.fitted.std() or 1.0)
        design = np.stack([np.ones_like(scaled), scaled, scaled**2], axis=1)
        squared = self.residual**2
        left = squared - design @ np.linalg.lstsq(design, squared, rcond=None)[0]
        total = float(((squared - squared.mean()) ** 2).sum())
        share = 1 - float((left**2).sum()) / total if total else 0.0
        # n R^2, with a degree of freedom for each regressor but the constant.
        return float(chi2.sf(len(squared) * share, 2))

    @cached_property
    def by_features(self) -> Unevenness:
        """How unevenly residuals spread along what features say of their logarithmic squares (Harvey 1976).

        What is said of a row is fitted on the other half of the rows, so that features of noise say nothing.
        """
        from scipy.stats import chi2

        # The floors keep a residual of exactly 0 from becoming -inf; the second one is for when all of them are 0.
        logs = np.log(self.residual**2 + 1e-12 * float((self.residual**2).mean()) + 1e-300)
        design = np.concatenate([self.design, self.design[:, 1:] ** 2], axis=1)
        forecast = _crossed(design, logs)
        related = float(np.corrcoef(forecast, logs)[0, 1]) if forecast.std() > 0 and logs.std() > 0 else 0.0
        groups = np.array_split(np.argsort(forecast, kind="stable"), GROUPS)
        narrow, wide = (float(self.residual[rows].std()) for rows in (groups[0], groups[-1]))
        ratio = wide / narrow if narrow > 0 else 1.0
        return Unevenness(ratio, float(chi2.sf(len(logs) * related**2, 1)) if related > 0 else 1.0)

    def power(self) -> float | None:
        """The p of variance = mean^p over the ten groups (Taylor 1961): 0 even, 1 Poisson, 2 gamma. None for targets <= 0."""
        means, variances = self.by_size()
        usable = (means > 0) & (variances > 0)
        if usable.sum() < GROUPS // 2 or self.target.min() < 0 or means[usable].max() < 1.5 * means[usable].min():
            return None
        return float(np.polyfit(np.log(means[usable]), np.log(variances[usable]), 1)[0])


def leftover(features: Mapping[str, Column], target: np.ndarray, offset: np.ndarray | None = None) -> Leftover | None:
    """What a linear fit of `target` [N] leaves over; None where rows or features are too few to tell.

    `offset` [N] is the logarithm of the exposure of counts, if they have one.
    """
    rows = np.flatnonzero(np.isfinite(target))
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_ROWS])
    if len(rows) < LEAST_ROWS or not features:
        return None
    try:
        encoded = Encoder.fit(features, rows).transform(features, rows)
    except DataError:  # no feature varies
        return None
    design = np.concatenate([np.ones((len(rows), 1)), np.clip(encoded[:, :MOST_COLUMNS], -10, 10)], axis=1)
    design = design.astype(np.float64)
    given = target[rows].astype(np.float64)
    return Leftover(given, _crossed(design, given), design, None if offset is None else offset[rows])


def _crossed(design: np.ndarray, target: np.ndarray) -> np.ndarray:
    """What a ridge regression says of each half of the rows, fitted on the other half: [n]."""
    half = np.random.default_rng(1).permutation(len(target)) % 2 == 0
    fitted = np.empty_like(target)
    for fit, read in ((half, ~half), (~half, half)):
        fitted[read] = design[read] @ _ridge(design[fit], target[fit])
    return fitted


def _ridge(design: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    weighed = design if weight is None else design * weight[:, None]  # [n, 1 + F]
    # The penalty grows with the rows, so that it weighs the same against few as against many.
    inner = weighed.T @ design + RIDGE * len(design) * np.eye(design.shape[1])
    solved: np.ndarray = np.linalg.solve(inner, weighed.T @ target)
    return solved


@dataclass(frozen=True)
class Dispersion:
    """How counts vary around a Poisson regression.

    `alpha` is that of variance = mean + alpha mean^2, by the regression of Cameron and Trivedi 1990, and `z` how many
    standard errors it is from 0. `zeros` is the share of zeros, `expected_zeros` what the Poisson regression expects.
    """

    alpha: float
    z: float
    pearson: float
    zeros: float
    expected_zeros: float
    mean: float = 1.0

    @property
    def wider(self) -> float:
        """The alpha that makes Pearson's dispersion at the mean."""
        return max(0.0, self.pearson - 1) / self.mean if self.mean > 0 else 0.0


def dispersion(fit: Leftover) -> Dispersion:
    """Measured around a Poisson regression on the same design."""
    counts = fit.target
    rate = rates_of(fit)
    excess = ((counts - rate) ** 2 - counts) / rate  # its regression on the rate, without a constant, has slope alpha
    alpha = float((excess * rate).sum() / (rate**2).sum())
    left = excess - alpha * rate
    error = float(np.sqrt((left**2 * rate**2).sum()) / (rate**2).sum())
    pearson = float((((counts - rate) ** 2) / rate).sum() / max(1, len(counts) - fit.design.shape[1]))
    return Dispersion(
        alpha, alpha / error, pearson, float((counts == 0).mean()), float(np.exp(-rate).mean()), float(counts.mean())
    )


def rates_of(fit: Leftover, rounds: int = 15) -> np.ndarray:
    """Means [n] of a Poisson regression, over each row's exposure if there is one; by iteratively reweighted least squares."""
    design, counts = fit.design, fit.target
    offset = np.zeros(len(counts)) if fit.offset is None else fit.offset - np.log(np.exp(fit.offset).mean())
    logs = np.full(len(counts), np.log(max(float(counts.mean()), 1e-9))) + offset
    highest = np.log(max(float(counts.max()), 1.0)) + 1.0
    for _ in range(rounds):
        rate = np.exp(logs)
        working = logs - offset + (counts - rate) / rate
        # An early round may overshoot: beyond these limits the next `exp` overflows, or divides by a rate of 0.
        logs = np.clip(design @ _ridge(design, working, rate) + offset, -20.0, highest)
    fitted: np.ndarray = np.exp(logs)
    return fitted
