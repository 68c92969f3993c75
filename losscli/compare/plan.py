"""What a comparison can tell before it is made: the fewest seeds for a verdict, and what so many seeds can see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from losscli.compare.power import LEVEL, POWER, advised_seeds, minimum_seeds, power, seeds_for
from losscli.compare.result import Arena


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
    seeds: int, comparisons: int, test_ratio: float, margin: float | None = None, sd: float | None = None
) -> Outlook:
    """What can be expected; `sd` is that of the paired differences, from an earlier record.

    >>> expected = outlook(10, 5, 0.0, margin=0.005, sd=0.004)
    >>> expected.minimum_seeds, round(expected.visible_sd, 2), round(expected.power, 2), expected.seeds_for_power
    (8, 1.31, 0.74, 11)
    """
    least = minimum_seeds(comparisons, test_ratio)
    advised = advised_seeds(comparisons, test_ratio)
    visible_sd = _visible(seeds, comparisons, test_ratio) if comparisons and seeds >= least else None
    if not sd or margin is None or not comparisons:  # without any spread it would seem that a few seeds do
        return Outlook(seeds, comparisons, least, advised, visible_sd, margin, sd)
    likely = power(seeds, margin, sd, test_ratio, comparisons)
    return Outlook(
        seeds,
        comparisons,
        least,
        advised,
        visible_sd,
        margin,
        sd,
        likely,
        seeds_for(margin, sd, test_ratio, comparisons),
    )


def _visible(seeds: int, comparisons: int, test_ratio: float) -> float:
    from scipy.special import stdtrit

    quantiles = stdtrit(seeds - 1, 1 - LEVEL / comparisons / 2) + stdtrit(seeds - 1, POWER)
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
