"""The BCa bootstrap interval of a mean: bias-corrected and accelerated (Efron 1987, JASA 82), wide enough for few values.

A bootstrap of n values spreads by sqrt((n-1)/n) too little and knows no heavy t tails: of ten values, a nominal 95 % interval
holds the mean about nine times in ten. So the percentiles are those of the level that makes up for both, for normal values
exactly as Student's t does: Phi(-sqrt(n/(n-1)) t(n-1)) in place of 2.5 % (Hesterberg 2015, "What Teachers Should Know About
the Bootstrap", The American Statistician 69). That does not make up for all: the interval of normal values holds their mean in
93 % of samples of six, 94 % of eight to fifteen, 95 % from twenty on; of exponential values in 90 % of samples of six.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from losscli.lazy import special

if TYPE_CHECKING:
    import numpy as np

FEWEST_VALUES = 6  # of fewer, not even the whole range of the resamples holds the mean 95 times in 100
RESAMPLES, FEWEST_RESAMPLES = 20_000, 2_000
DRAWN = 4_000_000  # values at most, where that leaves the fewest resamples


def bca(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """The interval of the mean of `values` [n], n > 1; the same for the same values, as the resamples have a fixed seed.

    >>> low, high = bca([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> 1.0 < low < 2.0, 5.0 < high < 6.0, bca([0.5] * 6)
    (True, True, (0.5, 0.5))
    """
    return _interval(values, expanded((1 - level) / 2, len(values)))


def expanded(tail: float, n: int) -> float:
    """The tail of a bootstrap of n values that leaves out as much as Student's t does with `tail`.

    >>> round(expanded(0.025, 6), 4), round(expanded(0.025, 1000), 4)
    (0.0024, 0.0248)
    """
    return float(special.ndtr(math.sqrt(n / (n - 1)) * special.stdtrit(n - 1, tail)))


def _interval(values: Sequence[float], tail: float) -> tuple[float, float]:
    import numpy as np

    centre = math.fsum(values) / len(values)
    around = np.asarray(values, float) - centre
    scale = float(np.abs(around).max())
    if scale <= 1e-12 * abs(centre):  # all equal, but for rounding
        return centre, centre
    around /= scale  # or the cubes of very large or small values would leave the range of floats
    means = _resamples(len(values)) @ around
    mean = float(around.mean())
    # a mean that resamples hit exactly, as of few or round values, counts half; rounding must not break such ties
    below = ((means < mean - 1e-12).mean() + (means <= mean + 1e-12).mean()) / 2
    bias = special.ndtri(below)
    acceleration = (around**3).sum() / (6 * (around**2).sum() ** 1.5)
    at = bias + special.ndtri([tail, 1 - tail])
    low, high = np.quantile(means, special.ndtr(bias + at / (1 - acceleration * at)))
    return centre + scale * float(low), centre + scale * float(high)


@lru_cache(maxsize=4)
def _resamples(n: int) -> np.ndarray:
    """How much each of n values weighs in each resample, [resamples, n]: entries of one arena share them."""
    import numpy as np

    count = min(RESAMPLES, max(FEWEST_RESAMPLES, DRAWN // n))
    weights: np.ndarray = np.random.default_rng(0).multinomial(n, [1 / n] * n, size=count) / n
    return weights
