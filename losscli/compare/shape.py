"""The shape of paired differences: whether they lean to one side, and whether one seed carries what is said of them.

The tests assume differences that are symmetric around zero where the losses are equal. No test can see a tail that no seed has
met: most false verdicts on one-sided differences come from samples that look fine (tests/benchmarks/VERDICTS.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from losscli.compare.statistics import estimate

SMALL = {
    3: math.inf,
    4: math.inf,
    5: 1.40,
    6: 1.53,
    7: 1.58,
}  # 1 % points of |skewness|, from 40,000 normal samples each
ONE_PERCENT = 2.5758293035489004  # two-sided point of the normal distribution
CONFIDENCE = 0.95


def skewness(values: Sequence[float]) -> float:
    """The moment coefficient of skewness, g1; 0 where all values are equal.

    >>> skewness([1, 2, 3]), round(skewness([0, 0, 0, 0, 0, 1]), 3)
    (0.0, 1.789)
    """
    mean = math.fsum(values) / len(values)
    second, third = (math.fsum((value - mean) ** power for value in values) / len(values) for power in (2, 3))
    return third / second**1.5 if second > 0 else 0.0


def one_sided(values: Sequence[float]) -> bool:
    """Whether `values` are more skewed than 99 of 100 normal samples of their size are.

    D'Agostino 1970, "Transformation to normality of the null distribution of g1", Biometrika 57, for 8 values and more.

    >>> one_sided([1, 2, 3, 2, 1, 2, 3, 2]), one_sided([1, 2, 3, 2, 1, 2, 3, -20])
    (False, True)
    """
    return abs(skewness(values)) > _limit(len(values))


def _limit(n: int) -> float:
    """The skewness that one normal sample of `n` values in a hundred goes beyond, on either side."""
    if n < 8:
        return SMALL.get(n, math.inf)
    beta = 3 * (n * n + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9))
    square = math.sqrt(2 * (beta - 1)) - 1
    scale, slope = math.sqrt(2 / (square - 1)), math.sqrt(math.log(square) / 2)
    return scale * math.sinh(ONE_PERCENT * slope) * math.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))


def odd_seed(differences: Mapping[int, float]) -> int:
    """The seed that lies farthest from the median of all.

    >>> odd_seed({0: 0.1, 1: 0.2, 2: -0.9, 3: 0.1})
    2
    """
    ordered = sorted(differences.values())
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return max(differences, key=lambda seed: abs(differences[seed] - middle))


def carrier(differences: Mapping[int, float], margin: float = 0.0, test_ratio: float = 0.0) -> int | None:
    """The seed that carries the difference: half of it or more is that seed's, and the others show none. None without one.

    The others show none where their 95 % interval holds zero, or lies within `margin`. To be asked of a better or worse only:
    where nothing is settled, some seed has half of the little that there is.

    >>> carrier({0: 0.001, 1: 0.002, 2: 0.001, 3: 0.002, 4: 0.3, 5: 0.001}, margin=0.005)
    4
    >>> carrier({0: 0.1, 1: 0.2, 2: 0.1, 3: 0.2, 4: 0.3, 5: 0.1}, margin=0.005) is None
    True
    """
    if len(differences) < 3:
        return None
    total = math.fsum(differences.values())
    seed = max(differences, key=lambda candidate: differences[candidate] * math.copysign(1, total))
    others = [value for other, value in differences.items() if other != seed]
    low, high = estimate(others, test_ratio).ci95 or (-math.inf, math.inf)
    none = low <= 0 <= high or max(-low, high) <= margin
    return seed if none and 2 * abs(differences[seed]) >= abs(total) else None


def not_excluded(seeds: int) -> float:
    """How often a loss may still collapse that did not in so many seeds, with 95 % confidence.

    >>> [round(not_excluded(seeds), 2) for seeds in (6, 10, 20, 30)]
    [0.39, 0.26, 0.14, 0.1]
    """
    share: float = 1 - (1 - CONFIDENCE) ** (1 / seeds)
    return share
