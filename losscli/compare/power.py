"""How many seeds an answer needs: the fewest that can give one, what they can see, and how many more would settle it.

Reckoned with Student's t for the observed or expected sd of the paired differences. `test_ratio` is n_test / n_train where the
split is resampled with each seed (see `statistics`), 0 where it is fixed: under resampling the standard error never falls below
sd * sqrt(test_ratio), because the same rows are split again and again, so there are questions that no number of seeds settles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from losscli.compare.result import Arena
from losscli.compare.statistics import unseen
from losscli.lazy import special
from losscli.looks import LEVEL, minimum_seeds

POWER = 0.8
MOST_SEEDS = 10_000
ADVISED = 10  # enough for an answer, and soon done


def advised_seeds(comparisons: int, test_ratio: float = 0.0) -> int:
    """How many seeds to train with where nothing is known of the spread: the one number that is told everywhere.

    >>> advised_seeds(1), advised_seeds(40)
    (10, 11)
    """
    return max(ADVISED, minimum_seeds(comparisons, test_ratio))


def power(
    seeds: int, effect: float, sd: float, test_ratio: float = 0.0, comparisons: int = 1, share: float = 1.0
) -> float:
    """How likely so many seeds find a true difference of `effect`, at the strictest level that Holm can ask for.

    `share` is that of the 5 % which may be spent, where it is one of several looks (see `losscli.looks`).

    >>> round(power(34, 0.5, 1.0), 2)  # the textbook's: about 34 pairs for half a standard deviation
    0.81
    """
    least = minimum_seeds(comparisons, test_ratio, share)
    if seeds < least:
        return 0.0
    error = sd * math.sqrt(1 / seeds + test_ratio)
    if error == 0:
        return 1.0 if effect else 0.0
    if seeds == least and not test_ratio:  # only differences that all have one sign reach the level
        return float(special.ndtr(abs(effect) / sd) ** seeds + special.ndtr(-abs(effect) / sd) ** seeds)
    critical = float(special.stdtrit(seeds - 1, 1 - LEVEL * share / comparisons / 2))
    away = abs(effect) / error
    if away > critical + 8:  # beyond doubt, and beyond what the series of nctdtr can do
        return 1.0
    # a verdict the wrong way round counts as one; further out it is too rare to matter
    wrong_side = float(special.nctdtr(seeds - 1, away, -critical)) if away < 2 else 0.0
    return float(1 - special.nctdtr(seeds - 1, away, critical)) + wrong_side


def seeds_for(
    effect: float,
    sd: float,
    test_ratio: float = 0.0,
    comparisons: int = 1,
    *,
    within: float | None = None,
    resolution: float = 0.0,
    share: float = 1.0,
) -> int | None:
    """The fewest seeds that find a true difference of `effect` four times in five; None where no number of them does.

    With `within`, those that show it to lie inside a region of so much on either side count too, whichever are fewer;
    `resolution` is the least that the metric can differ by (see `verdict`), `share` as in `power`.

    >>> seeds_for(0.5, 1.0), seeds_for(0.01, 0.1, test_ratio=0.2)
    (34, None)
    """
    question = _Question(effect, sd, test_ratio, comparisons, within, resolution, share)
    # without any spread it is the signs that are judged (see `statistics`)
    least, most = minimum_seeds(comparisons, test_ratio if sd else 0.0, share), MOST_SEEDS
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
    share: float

    def settled(self, seeds: int) -> bool:
        error = self.sd * math.sqrt(1 / seeds + self.test_ratio)
        tail = LEVEL * self.share / 2
        detectable = special.stdtrit(seeds - 1, 1 - tail / self.comparisons) + special.stdtrit(seeds - 1, POWER)
        if self.effect and detectable * error <= abs(self.effect):
            return True
        if self.within is None:
            return False
        room = self.within - abs(self.effect) - self.resolution * unseen(seeds, self.test_ratio, self.share)
        # the true difference may lie to either side, and both ends of the interval must be inside
        return bool(
            (special.stdtrit(seeds - 1, 1 - tail) + special.stdtrit(seeds - 1, (1 + POWER) / 2)) * error <= room
        )


@dataclass(frozen=True)
class Outlook:
    """Of so many comparisons with so many seeds. `visible_sd` is the smallest difference that they find four times in five,
    in units of the sd of the paired differences; the rest needs such an sd, and is None without one."""

    seeds: int
    comparisons: int
    minimum_seeds: int
    advised_seeds: int
    visible_sd: float | None  # None: too few seeds for anything
    margin: float | None = None
    sd: float | None = None
    power: float | None = None  # to find a difference of the margin
    seeds_for_power: int | None = None  # None: no number of seeds, or no sd


def outlook(
    seeds: int,
    comparisons: int,
    test_ratio: float,
    margin: float | None = None,
    sd: float | None = None,
    share: float = 1.0,
) -> Outlook:
    """What can be expected; `sd` is that of the paired differences, from an earlier record; `share` as in `power`.

    >>> expected = outlook(10, 5, 0.0, margin=0.005, sd=0.004)
    >>> expected.minimum_seeds, round(expected.visible_sd, 2), round(expected.power, 2), expected.seeds_for_power
    (8, 1.31, 0.74, 11)
    """
    least = minimum_seeds(comparisons, test_ratio, share)
    advised = advised_seeds(comparisons, test_ratio)
    visible_sd = _visible(seeds, comparisons, test_ratio, share) if comparisons and seeds >= least else None
    if not sd or margin is None or not comparisons:  # without any spread it would seem that a few seeds do
        return Outlook(seeds, comparisons, least, advised, visible_sd, margin, sd)
    likely = power(seeds, margin, sd, test_ratio, comparisons, share)
    return Outlook(
        seeds,
        comparisons,
        least,
        advised,
        visible_sd,
        margin,
        sd,
        likely,
        seeds_for(margin, sd, test_ratio, comparisons, share=share),
    )


def _visible(seeds: int, comparisons: int, test_ratio: float, share: float) -> float:
    quantiles = special.stdtrit(seeds - 1, 1 - LEVEL * share / comparisons / 2) + special.stdtrit(seeds - 1, POWER)
    return float(quantiles * math.sqrt(1 / seeds + test_ratio))


def experience(arenas: Sequence[Arena], task: str, headline: str) -> tuple[float, float] | None:
    """The median sd of the paired differences in an earlier comparison, and its reference's mean; None where it has none.

    Entries that are tied with the reference in every run have no spread to go by; the sd is 0 where all are.
    """
    for arena in arenas:
        deltas = [entry.delta for entry in arena.entries if entry.delta is not None and entry.verdict != "undefined"]
        finite = [delta.sd for delta in deltas if math.isfinite(delta.sd)]
        sds = [sd for sd in finite if sd > 0] or finite
        mean = arena.reference_entry.score(headline).mean
        if (arena.task, arena.headline) == (task, headline) and sds and math.isfinite(mean):
            return median(sds), mean
    return None
