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
    from scipy.special import nctdtr, ndtr, stdtrit

    least = minimum_seeds(comparisons)
    if seeds < least:
        return 0.0
    error = sd * math.sqrt(1 / seeds + test_ratio)
    if error == 0:
        return 1.0 if effect else 0.0
    if seeds == least and not test_ratio:  # only differences that all have one sign reach the level
        return float(ndtr(abs(effect) / sd) ** seeds + ndtr(-abs(effect) / sd) ** seeds)
    critical = float(stdtrit(seeds - 1, 1 - LEVEL / comparisons / 2))
    away = abs(effect) / error
    if away > critical + 8:  # beyond doubt, and beyond what the series of nctdtr can do
        return 1.0
    wrong_side = float(nctdtr(seeds - 1, away, -critical)) if away < 2 else 0.0
    return float(1 - nctdtr(seeds - 1, away, critical)) + wrong_side


def seeds_for(
    effect: float, sd: float, test_ratio: float = 0.0, comparisons: int = 1, *, within: float | None = None
) -> int | None:
    """The fewest seeds that find a true difference of `effect` four times in five; None where no number of them does.

    With `within`, those that show it to lie inside a region of so much on either side count too, whichever are fewer.

    >>> seeds_for(0.5, 1.0), seeds_for(0.01, 0.1, test_ratio=0.2)
    (34, None)
    """
    least, most = minimum_seeds(comparisons), MOST_SEEDS
    if not _settled(most, effect, sd, test_ratio, comparisons, within):
        return None
    while least < most:  # more seeds settle whatever fewer do
        middle = (least + most) // 2
        if _settled(middle, effect, sd, test_ratio, comparisons, within):
            most = middle
        else:
            least = middle + 1
    return least


def _settled(seeds: int, effect: float, sd: float, test_ratio: float, comparisons: int, within: float | None) -> bool:
    from scipy.special import stdtrit

    error = sd * math.sqrt(1 / seeds + test_ratio)
    tail = LEVEL / 2
    found = stdtrit(seeds - 1, 1 - tail / comparisons) + stdtrit(seeds - 1, POWER)
    if found * error <= abs(effect):
        return True
    clear = stdtrit(seeds - 1, 1 - tail) + stdtrit(seeds - 1, (1 + POWER) / 2)  # both ends of the interval must
    return within is not None and bool(clear * error <= within - abs(effect))
