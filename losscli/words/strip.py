"""The differences of the seeds as a strip of bars: whether all of them lean one way, and how far."""

from __future__ import annotations

import math
from collections.abc import Sequence

from losscli.compare.result import Arena
from losscli.direction import compared, target_of
from losscli.words.columns import Cell, Column

BARS = "▁▂▃▄▅▆▇"  # the middle one is no difference
MOST = 12  # of more seeds, so many that stand for all


def strips(arena: Arena) -> Column | None:
    """Of each entry the paired differences on the headline, the lowest first, on one scale for all of them; None for one seed."""
    reference = _by_seed(arena, arena.reference)
    differences = [
        sorted(value - reference[seed] for seed, value in _by_seed(arena, entry.entry).items() if seed in reference)
        for entry in arena.entries
        if entry.entry != arena.reference
    ]
    if len(arena.seeds) < 2 or not any(differences):
        return None
    reach = max(abs(value) for values in differences for value in values)
    drawn = iter(differences)
    cells = [Cell("" if entry.entry == arena.reference else strip(next(drawn), reach)) for entry in arena.entries]
    return Column("seeds", "by seed", cells)


def _by_seed(arena: Arena, entry: str) -> dict[int, float]:
    """The headline of each run that has it; of a metric with a target how far it is from it."""
    direction = arena.directions[arena.headline]
    values = {
        run.seed: compared(run.value(arena.headline), direction, target_of(run.calibration))
        for run in arena.runs_of(entry)
    }
    return {seed: value for seed, value in values.items() if math.isfinite(value)}


def strip(values: Sequence[float], reach: float) -> str:
    """A bar for each value, from -reach to reach; of many values, `MOST` that lie evenly among them.

    >>> strip([-1.0, -0.1, 0.1, 1.0], 1.0), len(strip(range(100), 99))
    ('▁▄▄▇', 12)
    """
    chosen = values
    if len(values) > MOST:
        chosen = [values[round(at * (len(values) - 1) / (MOST - 1))] for at in range(MOST)]
    middle = len(BARS) // 2
    return "".join(BARS[middle + round(middle * value / reach if reach else 0.0)] for value in chosen)
