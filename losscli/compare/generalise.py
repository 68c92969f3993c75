"""Entries that do not hold on new rows what training promises, and those that are worse there than no model at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

from losscli.compare.result import Arena, EntryResult
from losscli.direction import goodness
from losscli.errors import Finding, visible

KEPT = 0.5  # of the gain over no model on training rows, below which a test gain is another thing
LEARNED = 0.25  # of the way from no model to perfect, that training must have gone for a gap to say something
HONEST = (
    "log-loss",
    "brier",
    "rmse",
    "crps",
)  # what no model beats by being sure: worse than a constant is worse than nothing
MOST_NAMED = 4


@dataclass(frozen=True)
class Gap:
    """An entry's mean of a metric on training and test rows, and what no model gets on the test rows."""

    entry: str
    metric: str
    train: float
    test: float
    none: float


def overfitted(arena: Arena) -> list[Gap]:
    """Entries whose gain over no model on training rows is mostly gone on test rows, by the headline."""
    direction = arena.directions[arena.headline]
    if direction == "target":
        return []
    gaps = [_gap(arena, entry, arena.headline) for entry in arena.entries]
    perfect = 1.0 if direction == "up" else 0.0
    found = []
    for gap in gaps:
        if not all(map(math.isfinite, (gap.train, gap.test, gap.none))):
            continue
        promised = goodness(gap.train, direction) - goodness(gap.none, direction)
        kept = goodness(gap.test, direction) - goodness(gap.none, direction)
        if promised > LEARNED * abs(perfect - gap.none) and kept < KEPT * promised:
            found.append(gap)
    return found


def worse_than_none(arena: Arena) -> list[Gap]:
    """Entries whose honest scores on test rows are worse than those without any model."""
    return [
        gap
        for metric in dict.fromkeys([arena.headline, *arena.directions])
        if metric in HONEST and metric in arena.directions and arena.directions[metric] != "target"
        for entry in arena.entries
        if _is_worse(gap := _gap(arena, entry, metric), arena)
    ]


def _is_worse(gap: Gap, arena: Arena) -> bool:
    if not (math.isfinite(gap.test) and math.isfinite(gap.none)):
        return False
    direction = arena.directions[gap.metric]
    return goodness(gap.test, direction) < goodness(gap.none, direction) - 1e-9 * abs(gap.none)


def _gap(arena: Arena, entry: EntryResult, metric: str) -> Gap:
    train, test = entry.score(metric, "train").mean, entry.score(metric).mean
    return Gap(entry.entry, metric, train, test, arena.without_model(metric))


def told(arena: Arena) -> list[Finding]:
    """A finding for each of the two."""
    findings = []
    if gaps := overfitted(arena):
        each = [f"{visible(gap.entry)} {gap.train:.3g} on training rows, {gap.test:.3g} on test rows" for gap in gaps]
        message = f"overfitting by {arena.headline}: {_few(each)} ({gaps[0].none:.3g} without a model)"
        cure = "a smaller model, weight decay or dropout, fewer epochs (train.patience), or more rows"
        findings.append(Finding("overfitting", "warning", message, cure))
    if gaps := worse_than_none(arena):
        each = [f"{visible(gap.entry)} {gap.metric} {gap.test:.3g} (a constant: {gap.none:.3g})" for gap in gaps]
        message = f"worse on test rows than no model at all: {_few(each)}"
        cure = "do not use these numbers as they are: stop earlier, regularise, or calibrate on the valid rows"
        findings.append(Finding("worse-than-constant", "warning", message, cure))
    return findings


def _few(texts: list[str]) -> str:
    more = f", and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return ", ".join(texts[:MOST_NAMED]) + more
