"""How many seeds an answer needs: the fewest that can give one, what they can see, and how many more would settle it.

Reckoned with Student's t for the observed or expected sd of the paired differences. `test_ratio` is n_test / n_train where the
split is resampled with each seed (see `statistics`), 0 where it is fixed: under resampling the standard error never falls below
sd * sqrt(test_ratio), because the same rows are split again and again, so there are questions that no number of seeds settles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from losscli.compare.statistics import unseen

LEVEL = 0.05  # of a family of comparisons
POWER = 0.8
MOST_SEEDS = 10_000
FEWEST_FOR_T = 5  # of fewer, the observed spread may be off by a factor of four either way, and no skew can be seen
ADVISED = 10  # enough for an answer, and soon done


def minimum_seeds(comparisons: int, test_ratio: float = 0.0) -> int:
    """The fewest pairs that can give a verdict, by the test in use.

    On a fixed split (`test_ratio` 0) the exact sign-flip test must be able to reach p < 0.05 after Holm:
    2 / 2**n < 0.05 / comparisons. The t-test on resampled splits has no such floor: five, so that it knows the spread.

    >>> [minimum_seeds(comparisons) for comparisons in (1, 5, 10)], minimum_seeds(10, test_ratio=0.2)
    ([6, 8, 9], 5)
    """
    return FEWEST_FOR_T if test_ratio else math.floor(math.log2(2 * max(1, comparisons) / LEVEL)) + 1


def advised_seeds(comparisons: int, test_ratio: float = 0.0) -> int:
    """How many seeds to train with where nothing is known of the spread: the one number that is told everywhere.

    >>> advised_seeds(1), advised_seeds(40)
    (10, 11)
    """
    return max(ADVISED, minimum_seeds(comparisons, test_ratio))


def power(seeds: int, effect: float, sd: float, test_ratio: float = 0.0, comparisons: int = 1) -> float:
    """How likely so many seeds find a true difference of `effect`, at the strictest level that Holm can ask for.

    >>> round(power(34, 0.5, 1.0), 2)  # the textbook's: about 34 pairs for half a standard deviation
    0.81
    """
    from scipy.special import nctdtr, ndtr, stdtrit

    least = minimum_seeds(comparisons, test_ratio)
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
    # a verdict the wrong way round counts as one; further out it is too rare to matter
    wrong_side = float(nctdtr(seeds - 1, away, -critical)) if away < 2 else 0.0
    return float(1 - nctdtr(seeds - 1, away, critical)) + wrong_side


def seeds_for(
    effect: float,
    sd: float,
    test_ratio: float = 0.0,
    comparisons: int = 1,
    *,
    within: float | None = None,
    resolution: float = 0.0,
) -> int | None:
    """The fewest seeds that find a true difference of `effect` four times in five; None where no number of them does.

    With `within`, those that show it to lie inside a region of so much on either side count too, whichever are fewer;
    `resolution` is the least that the metric can differ by (see `verdict`).

    >>> seeds_for(0.5, 1.0), seeds_for(0.01, 0.1, test_ratio=0.2)
    (34, None)
    """
    question = _Question(effect, sd, test_ratio, comparisons, within, resolution)
    # without any spread it is the signs that are judged (see `statistics`)
    least, most = minimum_seeds(comparisons, test_ratio if sd else 0.0), MOST_SEEDS
    if not question.settled(most):
        return None
    while least < most:  # more seeds settle whatever fewer do
        middle = (least + most) // 2
        if question.settled(middle):
            most = middle
        else:
            least = middle + 1
    return least


@dataclass(frozen=True)
class _Question:
    """A difference, and what it takes to say something of it."""

    effect: float
    sd: float
    test_ratio: float
    comparisons: int
    within: float | None
    resolution: float

    def settled(self, seeds: int) -> bool:
        from scipy.special import stdtrit

        error = self.sd * math.sqrt(1 / seeds + self.test_ratio)
        tail = LEVEL / 2
        detectable = stdtrit(seeds - 1, 1 - tail / self.comparisons) + stdtrit(seeds - 1, POWER)
        if self.effect and detectable * error <= abs(self.effect):
            return True
        if self.within is None:
            return False
        room = self.within - abs(self.effect) - self.resolution * unseen(seeds, self.test_ratio)
        # the true difference may lie to either side, and both ends of the interval must be inside
        return bool((stdtrit(seeds - 1, 1 - tail) + stdtrit(seeds - 1, (1 + POWER) / 2)) * error <= room)
