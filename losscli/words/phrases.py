"""The phrases that the paragraph of a comparison is put together from: sizes, ranges, lists, and where they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping

from losscli.compare.result import Arena, Delta, EntryResult, Estimate
from losscli.direction import BETTER
from losscli.errors import counted

LARGE = 1e7  # numbers from here on are written with a power of ten


def by(delta: Delta) -> str:
    """`0.0131 higher`; of a metric with a target `0.0131 closer to its 90 %`."""
    size, (less, more) = magnitude(delta.mean, delta.margin), _comparatives(delta)
    if delta.target is None:
        return f"{size} {more if delta.mean >= 0 else less}"
    return f"{size} {f'{more} from' if delta.mean >= 0 else f'{less} to'} its {100 * delta.target:g} %"


def _comparatives(delta: Delta) -> tuple[str, str]:
    """What a negative and a positive difference are called."""
    return ("lower", "higher") if delta.target is None else ("closer", "farther")


def between(delta: Delta) -> str:
    """The interval: `from 0.0021 lower to 0.0130 higher`."""
    if delta.ci95 is None:
        return "at all"
    low, high = (magnitude(bound, delta.margin) for bound in delta.ci95)
    less, more = _comparatives(delta)
    if delta.ci95[0] < 0 < delta.ci95[1] and delta.target is not None:  # "closer to 0.01" would be another thing
        return f"between {low} closer and {high} farther"
    if delta.ci95[0] < 0 < delta.ci95[1]:
        return f"from {low} lower to {high} higher"
    if delta.ci95[0] >= 0:
        return f"from {low} to {high} {more}"
    return f"from {high} to {low} {less}"


def magnitude(value: float, margin: float | None) -> str:
    """The size of a difference, to a tenth of what matters.

    >>> magnitude(-0.01312, 0.005), magnitude(1234.5, 32.0), magnitude(0.25, None), magnitude(1.5e35, 2e33)
    ('0.0131', '1234', '0.25', '1.5e+35')
    """
    if not margin or not math.isfinite(margin) or abs(value) >= LARGE:
        return f"{abs(value):.3g}"
    places = min(12, max(0, 1 - math.floor(math.log10(margin))))
    return f"{abs(value):.{places}f}"


def corrections(arena: Arena) -> str:
    """What verdicts are corrected for, as the intervals beside them are not: an interval may leave out zero and prove nothing.

    Empty where there is one comparison in all.
    """
    others = sum(metric != arena.headline for entry in arena.entries for metric in entry.deltas)
    families = [f"{arena.comparisons} on {arena.headline}"] if arena.comparisons > 1 else []
    families += [f"{others} on other metrics"] if others > 1 else []
    if not families:
        return ""
    return f"each interval stands for itself; verdicts are corrected for all comparisons ({', '.join(families)})"


def facts(arena: Arena) -> list[str]:
    """What an arena was trained on and with: `rows: 700 train, 150 valid, 150 test` and `mlp 64-64`."""
    model = arena.spec.get("model") or {}
    rows = ", ".join(f"{count} {split}" for split, count in arena.rows.items())
    shape = " ".join([str(model.get("kind", "")), "-".join(map(str, model.get("hidden") or []))]).strip()
    return [fact for fact in (f"rows: {rows}" if rows else "", shape) if fact]


def some_of(score: Estimate) -> str:
    """`, over 8 of 30 seeds`, where not all of them have a value.

    >>> some_of(Estimate(0.5, 0.1, None, (0.4, 0.6, math.nan))), some_of(Estimate(0.5, 0.1, None, (0.4, 0.6)))
    (', over 2 of 3 seeds', '')
    """
    return f", over {score.n} of {score.of} seeds" if score.n < score.of else ""


def scored(arena: Arena, entry: EntryResult) -> Estimate | None:
    """The headline on the test rows, where there is one."""
    score = entry.score(arena.headline)
    return score if math.isfinite(score.mean) else None


def better(arena: Arena) -> str:
    """Which way the headline is better."""
    return BETTER[arena.directions[arena.headline]]


def tuned_options(entry: EntryResult) -> str:
    """What tuning chose for an entry, the most frequent first: `lr: 0.001 in 7 of 10 seeds, 0.003 in 3`."""
    return "; ".join(f"{name}: {_by_seeds(counts)}" for name, counts in entry.tuned.items())


def _by_seeds(counts: Mapping[str, int]) -> str:
    ranked = sorted(((value, count) for value, count in counts.items() if count), key=lambda pair: -pair[1])
    if not ranked:
        return f"nothing, as no run with any of {', '.join(counts)} finished"
    first, *others = ranked
    seeds = f"{first[0]} in {first[1]} of {counted(sum(counts.values()), 'seed')}"
    return ", ".join([seeds, *(f"{value} in {count}" for value, count in others)])
