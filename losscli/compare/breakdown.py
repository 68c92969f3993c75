"""Breakdown curves: what each loss keeps of its clean score as the training rows get worse, level by level.

Arenas that differ in nothing but the level of one kind of damage make one breakdown. Every seed is followed by itself: its
score without damage is what it may lose 5 % of, and between two levels its score is taken to change in a straight line.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from losscli.compare.result import Arena, Estimate
from losscli.direction import LEVEL, Direction, goodness, target_of

LOST = 0.05  # the share of its own clean score that counts as broken down


@dataclass(frozen=True)
class BreakdownPoint:
    """The level at which an entry has lost 5 % of its own clean score.

    `values` holds that level for each seed: infinity where the levels tried do not reach it, NaN for a seed without a clean
    score. `median` is over the seeds, those that do not reach it counting as beyond every level; so it may be infinite, too.
    """

    values: tuple[float, ...]

    @property
    def levels(self) -> list[float]:
        """The levels of the seeds that have a clean score."""
        return [value for value in self.values if not math.isnan(value)]

    @property
    def reached(self) -> int:
        """How many seeds lose 5 % within the levels tried."""
        return sum(map(math.isfinite, self.values))

    @property
    def median(self) -> float:
        """Of an even number of seeds the lower middle one, so that a level that was reached is not averaged with infinity."""
        return statistics.median_low(self.levels) if self.levels else math.nan

    @property
    def range(self) -> tuple[float, float]:
        """The seed that falls first, and the one that falls last."""
        return (min(self.levels), max(self.levels)) if self.levels else (math.nan, math.nan)


@dataclass(frozen=True)
class Line:
    """One entry over the levels: its headline on the clean test split at each of them, and where it falls."""

    entry: str
    scores: tuple[Estimate, ...]
    fall: BreakdownPoint


@dataclass(frozen=True)
class Breakdown:
    """One kind of damage at several levels; `arenas` are the places of their arenas in the comparison."""

    kind: str
    task: str
    data: str
    metric: str
    direction: Direction
    levels: tuple[float, ...]
    arenas: tuple[int, ...]
    lines: tuple[Line, ...]
    baseline: float  # of the first level: what one would score without a model


def breakdowns(arenas: Sequence[Arena]) -> list[Breakdown]:
    """Every group of arenas that differ in the level of one kind of damage alone, one of them without it."""
    groups, used = [], set[int]()
    for place, arena in enumerate(arenas):
        if place in used:
            continue
        for kind in _kinds(arenas):
            alike = [
                at for at, other in enumerate(arenas) if at not in used and _rest(other, kind) == _rest(arena, kind)
            ]
            if len(alike) > 1 and any(not _level(arenas[at], kind) for at in alike):
                alike.sort(key=lambda at: _level(arenas[at], kind))
                groups.append(_breakdown(kind, {at: arenas[at] for at in alike}))
                used |= set(alike)
                break
    return groups


def _kinds(arenas: Sequence[Arena]) -> list[str]:
    """The kinds of damage that are numbers, in the order in which they occur."""
    return list(
        dict.fromkeys(
            kind for arena in arenas for kind, level in arena.corrupt.items() if isinstance(level, (int, float))
        )
    )


def _level(arena: Arena, kind: str) -> float:
    level = arena.corrupt.get(kind, 0.0)
    return float(level) if isinstance(level, (int, float)) else math.nan


def _rest(arena: Arena, kind: str) -> str:
    """All that an arena is but for the level, as text."""
    spec: dict[str, Any] = json.loads(json.dumps(arena.spec))  # a deep copy, as keys are taken out of it
    spec.get("data", {}).get("corrupt", {}).pop(kind, None)
    spec.pop("expect", None)
    others = {name: level for name, level in arena.corrupt.items() if name != kind}
    which = [entry.entry for entry in arena.entries]
    return json.dumps([arena.task, arena.data, arena.headline, which, others, spec], sort_keys=True)


def _breakdown(kind: str, arenas: Mapping[int, Arena]) -> Breakdown:
    of_level = list(arenas.values())
    clean = of_level[0]
    levels = tuple(_level(arena, kind) for arena in of_level)
    direction = clean.directions[clean.headline]
    lines = []
    for number, entry in enumerate(clean.entries):
        scores = tuple(arena.entries[number].score(clean.headline) for arena in of_level)
        by_seed = _by_seed(entry.entry, of_level, levels)
        target = target_of(next((run.calibration for run in clean.runs_of(entry.entry)), {}))
        fall = BreakdownPoint(tuple(crossing(*measured, direction, target) for measured in by_seed))
        lines.append(Line(entry.entry, scores, fall))
    baseline = clean.without_model(clean.headline)
    place = tuple(arenas)
    return Breakdown(kind, clean.task, clean.data, clean.headline, direction, levels, place, tuple(lines), baseline)


def _by_seed(entry: str, arenas: Sequence[Arena], levels: Sequence[float]) -> list[tuple[list[float], list[float]]]:
    """For each seed the levels at which it was run, and its scores there, NaN where it diverged."""
    by_seed: dict[int, tuple[list[float], list[float]]] = {}
    for arena, level in zip(arenas, levels, strict=True):
        for run in arena.runs_of(entry):
            seed_levels, seed_scores = by_seed.setdefault(run.seed, ([], []))
            seed_levels.append(level)
            seed_scores.append(run.value(arena.headline))
    return [measured for measured in by_seed.values() if measured[0][0] == levels[0]]


def crossing(levels: Sequence[float], values: Sequence[float], direction: Direction, target: float = LEVEL) -> float:
    """The first level at which one seed's score is 5 % worse than at the first level, straight between two levels.

    Infinity where no level gets there, NaN without a first score. A run that diverged has lost everything: it has fallen
    at its level, as nothing can be said of what lies before.

    >>> round(crossing([0, 0.1, 0.2], [1.0, 1.0, 0.9], "up"), 12), crossing([0, 0.2], [10.0, 10.4], "down")
    (0.15, inf)
    """
    clean = values[0]
    if not math.isfinite(clean):
        return math.nan
    floor = goodness(clean, direction, target) - LOST * abs(clean)
    for (left, before), (right, after) in pairwise(zip(levels, values, strict=True)):
        if not math.isfinite(after):
            return right
        high, low = goodness(before, direction, target), goodness(after, direction, target)
        if low <= floor < high:
            return left + (right - left) * (high - floor) / (high - low)
        if low < floor:  # it has been below before, which only a clean score of 0 makes possible
            return left
    return math.inf
