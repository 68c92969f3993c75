"""A gate: has a metric dropped by more than is allowed since an older record, beyond what chance explains?

Where both records have the same seeds on the same rows, seeds are paired and the drops beyond the limit are judged: by the
one-sided sign-flip test on a fixed split, by the corrected resampled t-test on resampled ones. Otherwise the records share
nothing but the metric, and Welch's t-test judges the two means, its variances widened likewise (see `statistics`).

Outcomes: `dropped` fails, and so does `vanished`, what the old record has and the new one has not. `not-proven` is a drop beyond
the limit by more than what is of no importance (`equivalence`), which chance may explain: more seeds would tell. Where not even
that much has changed, or for the better, it `held`. With `too-few-seeds` nothing could have failed, nor with `no-value`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from losscli.compare.equivalence import margin
from losscli.compare.power import LEVEL
from losscli.compare.signflip import sign_flip
from losscli.compare.statistics import estimate, holm

Outcome = Literal["held", "not-proven", "dropped", "vanished", "too-few-seeds", "no-value"]
Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Scores:
    """What one entry of one record has: by seed, NaN where a run diverged; `test_ratio` as in `statistics`."""

    values: Mapping[int, float]
    test_ratio: float = 0.0

    @property
    def finite(self) -> list[float]:
        return [value for value in self.values.values() if math.isfinite(value)]


@dataclass(frozen=True)
class Gated:
    """What the gate found of one entry; a positive drop means worse, whichever direction is better."""

    entry: str
    metric: str
    old: float
    new: float
    drop: float
    limit: float
    p: float | None  # one-sided, that the drop is larger than the limit; after Holm where several entries are judged
    test: str  # sign-flip | corrected-t | welch-t | diverged | none
    paired: bool
    seeds: tuple[int, int]  # that count: pairs twice, or those of the new and of the old record
    outcome: Outcome
    margin: float = 0.0  # how much more than the limit is of no importance
    damage: str = ""  # what was done to the training rows, by which the arenas of a breakdown differ

    @property
    def title(self) -> str:
        """The entry, and what was done to its data."""
        return f"{self.entry} ({self.damage})" if self.damage else self.entry


def gate(entry: str, metric: str, direction: Direction, old: Scores, new: Scores, limit: float, paired: bool) -> Gated:
    """Judge one entry; what it comes to is said by `concluded`, once all entries are judged.

    >>> old, new = ({seed: value for seed in range(6)} for value in (0.9, 0.85))
    >>> (found,) = concluded([gate("focal", "auprc", "up", Scores(old), Scores(new), 0.01, paired=True)])
    >>> found.outcome, round(found.drop, 3), found.p
    ('dropped', 0.05, 0.015625)
    """
    sign = 1 if direction == "up" else -1
    if paired:
        drops = [sign * (old.values[seed] - new.values[seed]) for seed in new.values if seed in old.values]
        drops = [drop for drop in drops if math.isfinite(drop)]
        drop, seeds = estimate(drops).mean, (len(drops), len(drops))
        test, p = _paired(drops, limit, new.test_ratio)
    else:
        drop = sign * (estimate(old.finite).mean - estimate(new.finite).mean)
        seeds = len(new.finite), len(old.finite)
        test, p = "welch-t", _welch(old, new, drop - limit)
    shared = [seed for seed in new.values if seed in old.values] if paired else []  # what is told is what is compared
    both = [seed for seed in shared if math.isfinite(new.values[seed] - old.values[seed])]
    each_of = [[each.values[seed] for seed in both] if both else each.finite for each in (old, new)]
    means = estimate(each_of[0]).mean, estimate(each_of[1]).mean
    without: Outcome = "held" if new.finite and old.finite else "vanished" if old.finite else "no-value"
    found = Gated(entry, metric, *means, drop, limit, p, test, paired, seeds, without, margin(direction, means[0]))
    lost = _diverged(old, new)
    return replace(found, p=lost, test="diverged") if lost < LEVEL else found


def vanished(entry: str, metric: str, old: Scores, limit: float) -> Gated:
    """What is said of an entry that the old record has, and the new one has not."""
    mean, count = estimate(old.finite).mean, len(old.finite)
    return Gated(entry, metric, mean, math.nan, math.nan, limit, None, "none", False, (0, count), "vanished")


def concluded(found: Sequence[Gated]) -> list[Gated]:
    """The outcomes of all entries together: p-values corrected for their number; a drop needs p < 0.05 then."""
    tested = [each for each in found if each.p is not None]
    corrected = iter(holm([each.p for each in tested if each.p is not None]))
    return [_unjudged(each) if each.p is None else _judged(each, next(corrected)) for each in found]


def _unjudged(each: Gated) -> Gated:
    return replace(each, outcome="too-few-seeds") if each.outcome == "held" else each


def _judged(each: Gated, p: float) -> Gated:
    doubtful: Outcome = "not-proven" if each.drop - each.limit > each.margin else "held"
    return replace(each, p=p, outcome="dropped" if p < LEVEL else doubtful)


def _paired(drops: Sequence[float], limit: float, test_ratio: float) -> tuple[str, float | None]:
    """Are the drops larger than the limit? None where so few pairs could never tell (1 / 2**n >= 0.05)."""
    test = "corrected-t" if test_ratio else "sign-flip"
    if 2.0 ** -len(drops) >= LEVEL:
        return test, None
    beyond = [drop - limit for drop in drops]
    found = estimate(beyond)
    error = found.sd * math.sqrt(1 / len(drops) + test_ratio)
    if not test_ratio or error <= 1e-9 * abs(found.mean):  # no variance to go by: the signs alone
        return test, sign_flip(beyond, "greater")
    return test, _upper(found.mean / error, len(drops) - 1)


def _welch(old: Scores, new: Scores, beyond: float) -> float | None:
    sizes = len(old.finite), len(new.finite)
    chance = 1 / math.comb(sum(sizes), sizes[0])  # that all of one record come out above all of the other
    if min(sizes) < 2 or chance >= LEVEL:
        return None
    parts = [estimate(each.finite).sd ** 2 * (1 / len(each.finite) + each.test_ratio) for each in (old, new)]
    error = math.sqrt(sum(parts))
    if error <= 1e-9 * abs(beyond):
        return chance if beyond > 0 else 1.0
    freedom = sum(parts) ** 2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    return _upper(beyond / error, freedom)


def _upper(t: float, freedom: float) -> float:
    from scipy.special import stdtr

    return float(stdtr(freedom, -t))


def _diverged(old: Scores, new: Scores) -> float:
    """How likely chance alone makes so many more runs diverge in the new record: McNemar's exact test, one-sided."""
    both = [seed for seed in new.values if seed in old.values]
    lost = sum(not math.isfinite(new.values[seed]) and math.isfinite(old.values[seed]) for seed in both)
    spared = sum(math.isfinite(new.values[seed]) and not math.isfinite(old.values[seed]) for seed in both)
    either = lost + spared
    return sum(math.comb(either, k) for k in range(lost, either + 1)) / float(2**either)
