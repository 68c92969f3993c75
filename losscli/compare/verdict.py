"""What may be said of an entry beside the reference, and how it is said in a table.

- better, worse: p < 0.05 after Holm, and the 95 % interval leaves out zero. The test alone would do where differences are
  symmetric; that the interval must agree makes skewed ones err less often, and no verdict contradicts the interval beside it.
- equivalent: the whole 95 % interval lies within the region of practical equivalence, also where the difference is
  significant: then it is real, and of no importance. Two one-sided tests at 5 % would ask for the 90 % interval only; the one
  that is shown is the one that is judged, and with few seeds an interval of any kind is a little too narrow.
- too-few-seeds: no result could have reached p < 0.05 after Holm (`power.minimum_seeds`).
- undefined: the metric says nothing of the two, for a `reason` that the difference names (`intervals.py`).
- inconclusive: everything else. So is a claim that diverged runs speak against: they are missing among the differences,
  and an entry must not win by losing its worst runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from losscli.compare.power import LEVEL, minimum_seeds, seeds_for
from losscli.compare.result import Arena, Delta, EntryResult
from losscli.direction import Direction
from losscli.errors import counted

Verdict = Literal["better", "worse", "equivalent", "inconclusive", "too-few-seeds", "undefined"]

OPPOSED: Mapping[str, int] = {"better": 0, "worse": 1}  # whose missing runs speak against the claim


def judge(delta: Delta | None, direction: Direction, comparisons: int, missing: tuple[int, int] = (0, 0)) -> Verdict:
    """The verdict on a difference whose p, p_holm and margin are known, one of `comparisons` in its arena.

    `missing` counts the seeds on which the entry alone, and on which the reference alone, diverged.

    >>> found = Delta("auroc", 0.02, (0.01, 0.03), p=0.001, p_holm=0.004, seeds=10, margin=0.005)
    >>> judge(found, "up", 4), judge(found, "down", 4), judge(found, "up", 4, missing=(1, 0))
    ('better', 'worse', 'inconclusive')
    """
    if delta is None or delta.ci95 is None or delta.seeds < minimum_seeds(comparisons):
        return "too-few-seeds"
    verdict = _of_pairs(delta, delta.ci95, direction)
    against = missing[OPPOSED[verdict]] if verdict in OPPOSED else sum(missing)
    return "inconclusive" if against else verdict


def _of_pairs(delta: Delta, interval: tuple[float, float], direction: Direction) -> Verdict:
    low, high = interval
    if max(-low, high) <= (delta.margin or 0.0):
        return "equivalent"
    if delta.p_holm is None or delta.p_holm >= LEVEL or low <= 0 <= high:
        return "inconclusive"
    return "better" if (delta.mean > 0) == (direction == "up") else "worse"


def with_need(delta: Delta, direction: Direction, comparisons: int, verdict: Verdict, test_ratio: float = 0.0) -> Delta:
    """The difference with about how many more seeds would settle it, were its true size and spread as observed.

    None where it is settled, where only diverged runs stand against it, and where no number of seeds would do.
    """
    if verdict == "too-few-seeds":
        return replace(delta, seeds_needed=max(1, minimum_seeds(comparisons) - delta.seeds))
    if verdict != "inconclusive" or judge(delta, direction, comparisons) != verdict:
        return delta
    needed = seeds_for(delta.mean, delta.sd, test_ratio, comparisons, within=delta.margin)
    return replace(delta, seeds_needed=None if needed is None else max(1, needed - delta.seeds))


def described(entry: EntryResult, arena: Arena) -> str:
    """The verdict in a few words, for a table: `better`, `inconclusive, about 12 more seeds`, `one seed, an anecdote`."""
    if entry.verdict in ("reference", "better", "worse", "equivalent"):
        return entry.verdict
    if entry.delta is None:
        return _without_pairs(entry, arena)
    if entry.verdict == "undefined":
        return f"undefined, {entry.delta.reason}"
    more = entry.delta.seeds_needed
    if entry.verdict == "too-few-seeds":
        return "one seed, an anecdote" if entry.delta.seeds == 1 else f"too few seeds, {more or 'some'} more"
    lost = max(diverged(arena, entry.entry), diverged(arena, arena.reference))
    if lost:
        return f"inconclusive, {counted(lost, 'run')} diverged"
    return f"inconclusive, about {counted(more, 'more seed')}" if more else "inconclusive, needs more rows"


def _without_pairs(entry: EntryResult, arena: Arena) -> str:
    """Why there is nothing to compare: no run that finished, or no value of the headline in any."""
    runs = sum(run.entry == entry.entry for run in arena.runs)
    if runs and diverged(arena, entry.entry) == runs:
        return "every run diverged"
    if runs and diverged(arena, arena.reference) == sum(run.entry == arena.reference for run in arena.runs):
        return "the reference diverged"
    if runs and _without_value(entry, arena.headline):
        return f"has no {arena.headline}"
    reference = next(each for each in arena.entries if each.entry == arena.reference)
    if runs and _without_value(reference, arena.headline):
        return f"the reference has no {arena.headline}"
    return "no seed in common"


def _without_value(entry: EntryResult, metric: str) -> bool:
    score = entry.scores.get("test", {}).get(metric)
    return score is None or not any(map(math.isfinite, score.values))


def diverged(arena: Arena, entry: str) -> int:
    """How many runs of an entry diverged."""
    return sum(run.entry == entry and run.status == "diverged" for run in arena.runs)
