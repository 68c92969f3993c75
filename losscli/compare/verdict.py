"""What may be said of an entry beside the reference.

- same: both predict the same in every run, at any number of seeds: two names of one loss.
- better, worse: p < 0.05 after Holm, and the 95 % interval leaves out zero. The test alone would do where differences are
  symmetric; that the interval must agree makes skewed ones err less often, and no verdict contradicts the interval beside it.
- equivalent: the whole 95 % interval, widened by what the metric cannot resolve, lies within the region of practical
  equivalence, also where the difference is significant: then it is real, and of no importance. Two one-sided tests at 5 %
  would ask for the 90 % interval only; the one that is shown is the one that is judged, and with few seeds an interval of any
  kind is a little too narrow.
- undefined: the metric has no value for one of the two on some planned seed. The mean of the others is that of a choice of
  seeds: those on which an entry dared to predict a positive, say. So are widths of intervals where they cannot be compared
  (`intervals.py`).
- too-few-seeds: so few seeds were planned that no result could have been a verdict (`power.minimum_seeds`).
- inconclusive: everything else. So is a claim that lost runs speak against: they are missing among the differences, and an
  entry must not win by losing its worst runs.

Practical equivalence: without a word of the user a difference up to 0.005 is of no importance for a rate, which grows towards a
bound (accuracy, AUROC, R2) or has a target (coverage), and up to 1 % of the reference's mean for an error or a loss, which
shrinks towards zero (RMSE, log-loss, Brier): 0.005 would be a quarter of the Brier score of a problem with 2 % positives.

Resolution: on 30 test rows accuracy moves in steps of 1/30, so that equal values in six seeds do not exclude a difference of
half a percent. Where no row is judged otherwise, up to `unseen(n)` rows per seed may be; the interval is widened by so many.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from losscli.compare.pairs import Pairs
from losscli.compare.power import advised_seeds, seeds_for
from losscli.compare.result import Arena, Delta, Verdict
from losscli.compare.statistics import unseen
from losscli.direction import Direction
from losscli.errors import counted
from losscli.looks import LEVEL, minimum_seeds

OPPOSED: Mapping[str, int] = {"better": 0, "worse": 1}  # whose lost runs speak against the claim
RATE = 0.005  # of a rate: how small a difference is of no importance to anybody
SHARE_OF_ERROR = 0.01  # of an error, as a share of the reference's mean
BOTH = 2  # the place in `Pairs.lost` of the seeds that are lost for both


def margin(direction: Direction, reference: float, requested: float | str | None = None) -> float:
    """How large a difference may be and still count as none, in the metric's units.

    `reference` is the mean of the reference entry; `requested` is what the spec says, a number in the metric's units or a share
    of the reference's mean such as `2%`.

    >>> margin("up", 0.9), margin("down", 3.0), margin("down", 3.0, "2%"), margin("down", 3.0, 0.5)
    (0.005, 0.03, 0.06, 0.5)
    """
    if isinstance(requested, str):
        return abs(reference) * float(requested.strip().removesuffix("%")) / 100
    if requested is not None:
        return requested
    return SHARE_OF_ERROR * abs(reference) if direction == "down" else RATE


@dataclass(frozen=True)
class Terms:
    """What differences of a family are judged by: which way is better, how many comparisons there are, `test_ratio` as in
    `statistics`, by how much one test row moves the metric, and which share of the 5 % may be spent (see `losscli.looks`).
    """

    direction: Direction
    comparisons: int
    test_ratio: float = 0.0
    resolution: float = 0.0
    share: float = 1.0


def judge(delta: Delta | None, pairs: Pairs, terms: Terms) -> Verdict:
    """The verdict on a difference whose p, p_holm and margin are known.

    >>> difference = Delta("auroc", 0.02, (0.01, 0.03), p=0.001, p_holm=0.004, seeds=10, margin=0.005)
    >>> complete, halved = Pairs({}, {}, planned=10), Pairs({}, {}, planned=20, unmeasured=10)
    >>> [judge(difference, seeds, Terms("up", 4)) for seeds in (complete, halved)]
    ['better', 'undefined']
    >>> judge(difference, complete, Terms("down", 4))
    'worse'
    """
    if pairs.same:
        return "same"
    least = minimum_seeds(terms.comparisons, terms.test_ratio, terms.share)
    if delta is None or pairs.unmeasured or pairs.planned - pairs.impossible < min(least, pairs.planned):
        return "undefined"
    if delta.ci95 is None or delta.seeds < least:
        return "too-few-seeds" if pairs.planned < least else "inconclusive"
    blur = terms.resolution * unseen(delta.seeds, terms.test_ratio, terms.share)
    verdict = _of_pairs(delta, delta.ci95, terms.direction, blur)
    alone = pairs.lost[OPPOSED[verdict]] if verdict in OPPOSED else sum(pairs.lost[:BOTH])
    return "inconclusive" if alone or pairs.lost[BOTH] else verdict


def _of_pairs(delta: Delta, interval: tuple[float, float], direction: Direction, blur: float) -> Verdict:
    low, high = interval
    if max(-low, high) + blur <= (delta.margin or 0.0):
        return "equivalent"
    if delta.p_holm is None or delta.p_holm >= LEVEL or low <= 0 <= high:
        return "inconclusive"
    return "better" if (delta.mean > 0) == (direction == "up") else "worse"


def concluded(delta: Delta | None, pairs: Pairs, terms: Terms, reason: str = "") -> tuple[Delta | None, Verdict]:
    """The difference with its verdict, and with about how many more seeds would settle it or why nothing can be said.

    `reason` says why the metric does not compare the two at all, where it does not.
    """
    verdict = judge(delta, pairs, terms)
    if reason and verdict != "same":
        verdict = "undefined"
    if delta is None:
        return None, verdict
    difference = replace(delta, verdict=verdict, of=pairs.planned)
    if verdict == "undefined":
        return replace(difference, ci95=None, p=None, p_holm=None, reason=reason or _reason(delta, pairs)), verdict
    if verdict == "too-few-seeds":
        return replace(
            difference, seeds_needed=advised_seeds(terms.comparisons, terms.test_ratio) - pairs.planned
        ), verdict
    if verdict == "inconclusive" and not any(pairs.lost):
        pairs_needed = seeds_for(
            delta.mean,
            delta.sd,
            terms.test_ratio,
            terms.comparisons,
            within=delta.margin,
            resolution=terms.resolution,
            share=terms.share,
        )
        if pairs_needed is not None:  # of new seeds, too, some will compare nothing
            needed = math.ceil(pairs_needed * pairs.planned / delta.seeds)
            difference = replace(difference, seeds_needed=max(1, needed - pairs.planned))
    return difference, verdict


def _reason(delta: Delta, pairs: Pairs) -> str:
    if pairs.unmeasured:
        return f"both have {delta.metric} in {delta.seeds} of {counted(pairs.planned, 'seed')}"
    return f"{delta.metric} can be measured in {pairs.planned - pairs.impossible} of {counted(pairs.planned, 'seed')}"


def seeds_wanted(arena: Arena) -> int:
    """How many seeds in all would settle what is open on the headline, as far as seeds can; 0 where nothing is open.

    The one number that the table, the paragraph and the next command go by.
    """
    seeds = len(arena.seeds)
    others = [entry.verdict for entry in arena.entries if entry.entry != arena.reference]
    if others and all(verdict == "same" for verdict in others):
        return 0
    if not others or seeds == 1:
        return max(seeds, advised_seeds(max(1, len(others)), arena.resampled))
    more = [entry.delta.seeds_needed or 0 for entry in arena.entries if entry.delta is not None]
    return seeds + max(more) if any(more) else 0
