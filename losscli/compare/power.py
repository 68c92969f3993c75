"""How many seeds an answer needs: the fewest that can give one, what they can see, and how many more would settle it.

Reckoned with Student's t for the observed or expected sd of the paired differences. `test_ratio` is n_test / n_train where the
split is resampled with each seed (see `statistics`), 0 where it is fixed: under resampling the standard error never falls below
sd * sqrt(test_ratio), because the same rows are split again and again, so there are questions that no number of seeds settles.
"""

from __future__ import annotations

import math

LEVEL = 0.05  # of a family of comparisons
POWER = 0.8
MOST_SEEDS = 10_000


def minimum_seeds(comparisons: int) -> int:
    """The fewest pairs with which a sign-flip test can reach p < 0.05 after Holm: 2 / 2**n < 0.05 / comparisons.

    >>> [minimum_seeds(comparisons) for comparisons in (1, 5, 10)]
    [6, 8, 9]
    """
    return math.floor(math.log2(2 * max(1, comparisons) / LEVEL)) + 1


def power(seeds: int, effect: float, sd: float, test_ratio: float = 0.0, comparisons: int = 1) -> float:
    """How likely so many seeds find a true difference of `effect`, at the strictest level that Holm can ask for.

    >>> round(power(34, 0.5, 1.0), 2)  # the textbook's: about 34 pairs for half a standard deviation
    0.81
    """
    from scipy.special import nctdtr, stdtrit

    if seeds < minimum_seeds(comparisons):
        return 0.0
    error = sd * math.sqrt(1 / seeds + test_ratio)
    if error == 0:
        return 1.0 if effect else 0.0
    critical = float(stdtrit(seeds - 1, 1 - LEVEL / comparisons / 2))
    away = abs(effect) / error
    if away - critical > 30:  # beyond doubt, and beyond what the series of nctdtr can do
        return 1.0
    return float(1 - nctdtr(seeds - 1, away, critical) + nctdtr(seeds - 1, away, -critical))


def seeds_for(
    effect: float, sd: float, test_ratio: float = 0.0, comparisons: int = 1, *, within: float | None = None
) -> int | None:
    """The fewest seeds that find a true difference of `effect` four times in five; None where no number of them does.

    With `within`, those that show it to lie inside a region of so much on either side count too, whichever are fewer.

    >>> seeds_for(0.5, 1.0), seeds_for(0.01, 0.1, test_ratio=0.2)
    (34, None)
    """
    import numpy as np
    from scipy.special import stdtrit

    seeds = np.arange(minimum_seeds(comparisons), MOST_SEEDS + 1)
    error = sd * np.sqrt(1 / seeds + test_ratio)
    critical = stdtrit(seeds - 1, 1 - LEVEL / comparisons / 2)
    found = (critical + stdtrit(seeds - 1, POWER)) * error <= abs(effect)
    if within is not None:  # both ends of the interval must clear the region
        clear = stdtrit(seeds - 1, 1 - LEVEL / 2) + stdtrit(seeds - 1, (1 + POWER) / 2)
        found |= clear * error <= within - abs(effect)
    return int(seeds[found.argmax()]) if found.any() else None
