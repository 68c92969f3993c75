"""A gate: has a metric dropped by more than is allowed since an older record, beyond what chance explains?

Where both records have the same seeds on the same rows, seeds are paired and the drops beyond the limit are judged: by the
one-sided sign-flip test on a fixed split, by the corrected resampled t-test on resampled ones. Otherwise the records share
nothing but the metric, and Welch's t-test judges the two means, its variances widened likewise (see `statistics`).

Where runs diverged, in either record, both that test and McNemar's, of how many more diverge now, may find a drop: each at half
the level (Bonferroni), as the better of two tests at 5 % each would err more often than one.

Outcomes: `dropped` fails, and so does `vanished`, what the old record has and the new one has not. `not-proven` is a drop beyond
the limit by more than the margin (`verdict.py`), which chance may explain: more seeds would tell. Where not even
that much has changed, or for the better, it `held`. With `too-few-seeds` nothing could have failed, nor with `no-value`. What
exists on some seeds only, though their runs finished (precision without a predicted positive), is `undefined`: the seeds where it
exists are no fair sample of all. So is a width of intervals that do not hold what they promise. Where values are gone on more
seeds than chance explains, they have `vanished`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from losscli.compare.signflip import sign_flip
from losscli.compare.statistics import estimate, holm
from losscli.compare.verdict import margin
from losscli.direction import LEVEL as LEVEL_OF_INTERVALS
from losscli.direction import Direction, goodness
from losscli.lazy import special
from losscli.looks import LEVEL

Outcome = Literal["held", "not-proven", "dropped", "vanished", "too-few-seeds", "no-value", "undefined"]


@dataclass(frozen=True)
class Scores:
    """What one entry of one record has: by seed, NaN where a run diverged, or, of the seeds in `undefined`, where it finished
    without a value; `test_ratio` as in `statistics`, `target` that of a metric which has one."""

    values: Mapping[int, float]
    test_ratio: float = 0.0
    target: float = LEVEL_OF_INTERVALS
    undefined: frozenset[int] = frozenset()

    @property
    def finite(self) -> list[float]:
        return [value for value in self.values.values() if math.isfinite(value)]

    def goodness(self, direction: Direction) -> Scores:
        """The same, by how good each value is."""
        return replace(
            self, values={seed: goodness(value, direction, self.target) for seed, value in self.values.items()}
        )


@dataclass(frozen=True)
class GateEntry:
    """What the gate found of one entry; a positive drop means worse, whichever direction is better."""

    entry: str
    metric: str
    old: float
    new: float
    drop: float
    limit: float
    p: float | None  # one-sided, that the drop is larger than the limit; after Holm where several entries are judged
    test: str  # sign-flip | corrected-t | welch-t | diverged | lost | none
    paired: bool
    seeds: tuple[int, int]  # that count: pairs twice, or those of the new and of the old record
    outcome: Outcome
    margin: float = 0.0  # how much more than the limit is of no importance
    reason: str = ""  # why it is `undefined`
    damage: str = ""  # what was done to the training rows, by which the arenas of a breakdown differ

    @property
    def title(self) -> str:
        """The entry, and what was done to its data."""
        return f"{self.entry} ({self.damage})" if self.damage else self.entry


def gate(
    entry: str,
    metric: str,
    direction: Direction,
    old: Scores,
    new: Scores,
    limit: float,
    paired: bool,
    reason: str = "",
) -> GateEntry:
    """Judge one entry; what it comes to is said by `concluded`, once all entries are judged.

    `reason` is why the metric cannot judge it, if there is one.

    >>> old, new = ({seed: value for seed in range(6)} for value in (0.9, 0.85))
    >>> (result,) = concluded([gate("focal", "auprc", "up", Scores(old), Scores(new), 0.01, paired=True)])
    >>> result.outcome, round(result.drop, 3), result.p
    ('dropped', 0.05, 0.015625)
    """
    before, now = old.goodness(direction), new.goodness(direction)
    if paired:
        drops = [before.values[seed] - now.values[seed] for seed in new.values if seed in old.values]
        drops = [drop for drop in drops if math.isfinite(drop)]
        drop, seeds = estimate(drops).mean, (len(drops), len(drops))
        test, p = _paired(drops, limit, new.test_ratio)
    else:
        drop = estimate(before.finite).mean - estimate(now.finite).mean
        seeds = len(new.finite), len(old.finite)
        test, p = "welch-t", _welch(before, now, drop - limit)
    means = _means(old, new, paired)
    without: Outcome = "held" if new.finite and old.finite else "vanished" if old.finite else "no-value"
    result = GateEntry(entry, metric, *means, drop, limit, p, test, paired, seeds, without, margin(direction, means[0]))
    reason = reason or _on_some_seeds(metric, old, new)
    return _undefined(result, reason, old, new) if reason and without == "held" else _with_diverged(result, old, new)


def _means(old: Scores, new: Scores, paired: bool) -> tuple[float, float]:
    """What is told is what is compared: of pairs, the means over the seeds that both have."""
    shared = [seed for seed in new.values if seed in old.values] if paired else []
    both = [seed for seed in shared if math.isfinite(new.values[seed] - old.values[seed])]
    values = [[scores.values[seed] for seed in both] if both else scores.finite for scores in (old, new)]
    return estimate(values[0]).mean, estimate(values[1]).mean


def _on_some_seeds(metric: str, old: Scores, new: Scores) -> str:
    """Which share of the seeds has a value, where a run finished without one."""
    if not old.undefined and not new.undefined:
        return ""
    counts = [f"{len(scores.finite)} of {len(scores.values)} seeds" for scores in (new, old)]
    return f"{metric} has a value in {counts[0]} of the new record, and in {counts[1]} of the old"


def _undefined(result: GateEntry, reason: str, old: Scores, new: Scores) -> GateEntry:
    """No verdict on the values; but they may be gone on more seeds than chance explains."""
    newly_missing, newly_present = _only_in(old, new, _without_value)
    p = _mcnemar(newly_missing, newly_present) if newly_missing > newly_present else None
    return replace(result, p=p, test="none" if p is None else "lost", outcome="undefined", reason=reason)


def _with_diverged(result: GateEntry, old: Scores, new: Scores) -> GateEntry:
    """With the test of how many runs diverge, where any do; each of the two at half the level."""
    if not any(_lost(scores) & set(other.values) for scores, other in ((old, new), (new, old))):
        return result
    diverged = _mcnemar(*_only_in(old, new, _lost))
    if result.p is None and 2 * diverged >= LEVEL:
        return result
    p, test = min([(diverged, "diverged"), *([] if result.p is None else [(result.p, result.test)])])
    return replace(result, p=min(1.0, 2 * p), test=test)  # the better of two tests, so twice its p (Bonferroni)


def vanished(entry: str, metric: str, old: Scores, limit: float) -> GateEntry:
    """What is said of an entry that the old record has, and the new one has not."""
    mean, count = estimate(old.finite).mean, len(old.finite)
    return GateEntry(entry, metric, mean, math.nan, math.nan, limit, None, "none", False, (0, count), "vanished")


def concluded(results: Sequence[GateEntry]) -> list[GateEntry]:
    """The outcomes of all entries together: p-values corrected for their number; a drop needs p < 0.05 then."""
    tested = [result for result in results if result.p is not None]
    corrected = iter(holm([result.p for result in tested if result.p is not None]))
    return [
        _without_test(result) if result.p is None else _with_corrected_p(result, next(corrected)) for result in results
    ]


def _without_test(result: GateEntry) -> GateEntry:
    return replace(result, outcome="too-few-seeds") if result.outcome == "held" else result


def _with_corrected_p(result: GateEntry, p: float) -> GateEntry:
    if result.outcome == "undefined":
        return replace(result, p=p, outcome="vanished" if p < LEVEL else "undefined")
    doubtful: Outcome = "not-proven" if result.drop - result.limit > result.margin else "held"
    return replace(result, p=p, outcome="dropped" if p < LEVEL else doubtful)


def _paired(drops: Sequence[float], limit: float, test_ratio: float) -> tuple[str, float | None]:
    """Are the drops larger than the limit? None where so few pairs could never tell (1 / 2**n >= 0.05)."""
    test = "corrected-t" if test_ratio else "sign-flip"
    if 2.0 ** -len(drops) >= LEVEL:
        return test, None
    beyond = [drop - limit for drop in drops]
    excess = estimate(beyond)
    error = excess.sd * math.sqrt(1 / len(drops) + test_ratio)
    if not test_ratio or error <= 1e-9 * abs(excess.mean):  # no variance to go by: the signs alone
        return test, sign_flip(beyond, "greater")
    return test, _upper(excess.mean / error, len(drops) - 1)


def _welch(old: Scores, new: Scores, beyond: float) -> float | None:
    sizes = len(old.finite), len(new.finite)
    chance = 1 / math.comb(sum(sizes), sizes[0])  # that all of one record come out above all of the other
    if min(sizes) < 2 or chance >= LEVEL:
        return None
    variances = [
        estimate(scores.finite).sd ** 2 * (1 / len(scores.finite) + scores.test_ratio) for scores in (old, new)
    ]
    error = math.sqrt(sum(variances))
    if error <= 1e-9 * abs(beyond):  # neither record varies: only the order of the two is left
        return chance if beyond > 0 else 1.0
    # Welch and Satterthwaite: degrees of freedom between the smaller sample's and those of both together
    freedom = sum(variances) ** 2 / sum(
        variance**2 / (size - 1) for variance, size in zip(variances, sizes, strict=True)
    )
    return _upper(beyond / error, freedom)


def _upper(t: float, freedom: float) -> float:
    return float(special.stdtr(freedom, -t))


def _lost(scores: Scores) -> set[int]:
    """The seeds whose runs diverged."""
    return _without_value(scores) - scores.undefined


def _without_value(scores: Scores) -> set[int]:
    return {seed for seed, value in scores.values.items() if not math.isfinite(value)}


def _only_in(old: Scores, new: Scores, which: Callable[[Scores], set[int]]) -> tuple[int, int]:
    """Of the seeds of both records, how many are such in the new one alone, and in the old one alone."""
    before, now, both = which(old), which(new), set(old.values) & set(new.values)
    return len((now - before) & both), len((before - now) & both)


def _mcnemar(worse: int, better: int) -> float:
    """How likely chance alone makes so many of the seeds that changed change for the worse: exact, one-sided (McNemar 1947)."""
    changed = worse + better
    return sum(math.comb(changed, k) for k in range(worse, changed + 1)) / float(2**changed)
