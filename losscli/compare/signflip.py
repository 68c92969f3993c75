"""The sign-flip test: were the two entries equal, each paired difference could as well have had the other sign.

It assumes that both entries have one distribution of scores, so that differences are symmetric around zero; pairing gives
that where the losses are equal. It does not assume normal scores, and judges ties exactly (Fisher 1935, "The Design of
Experiments", section 21). It is no test of equal means alone: a loss with the reference's mean, but with a long tail on one
side, or one that collapses with a rare seed, is told apart more often than 5 % (tests/benchmarks/VERDICTS.md has the rates).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

MOST_EXACT = 32  # differences; two halves of 2**16 sums each take milliseconds
DRAWS = 99_999  # beyond, with the observed signs the hundred thousandth
BLOCK = 1 << 22  # signs at once
ROUNDING = 1e-9  # sums this close, relative to all differences together, are a tie

Alternative = Literal["two-sided", "greater"]


def sign_flip(differences: Sequence[float], alternative: Alternative = "two-sided") -> float:
    """The p-value of the sum of `differences` [n] among its 2**n sign flips; `greater` asks for a sum above 0 only.

    Exact up to 32 differences; beyond, from 99,999 flips drawn with a fixed seed (`is_exact` tells).

    >>> sign_flip([1, 2, 3, 4, 5, 6]), sign_flip([1, 2, 3, 4, 5, -6])
    (0.03125, 0.4375)
    """
    import numpy as np

    values = np.asarray(differences, float)
    observed = values.sum() if alternative == "greater" else abs(values.sum())
    threshold = observed - ROUNDING * np.abs(values).sum()
    if alternative == "two-sided" and threshold <= 0:
        return 1.0
    share = _exact_share(values, threshold) if is_exact(len(values)) else _drawn_share(values, threshold)
    return min(1.0, 2 * share) if alternative == "two-sided" else share


def is_exact(differences: int) -> bool:
    """Whether so many differences are judged by all their sign flips."""
    return differences <= MOST_EXACT


def _exact_share(values: np.ndarray, threshold: float) -> float:
    """The share of all sign flips whose sum reaches the threshold: every sum of one half meets the sorted ones of the other."""
    import numpy as np

    middle = len(values) // 2
    left, right = _sums(values[:middle]), np.sort(_sums(values[middle:]))
    reached = len(right) * len(left) - int(np.searchsorted(right, threshold - left, side="left").sum())
    return float(reached / 2 ** len(values))


def _sums(values: np.ndarray) -> np.ndarray:
    """The sums of all sign flips, [2**n]."""
    import numpy as np

    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def _drawn_share(values: np.ndarray, threshold: float) -> float:
    import numpy as np

    chance = np.random.default_rng(0)
    reached, remaining, block = 1, DRAWS, max(1, BLOCK // len(values))  # 1: the signs as they were observed
    while remaining:
        rows = min(block, remaining)
        # one random bit per sign, eight to a byte; a set bit turns its difference round
        bits = np.frombuffer(chance.bytes(-(-rows * len(values) // 8)), np.uint8)
        flips = np.unpackbits(bits, count=rows * len(values)).reshape(rows, len(values))
        reached += int((values.sum() - 2 * (flips @ values) >= threshold).sum())
        remaining -= rows
    return reached / (DRAWS + 1)
