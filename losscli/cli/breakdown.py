"""Breakdown curves in the terminal: the curves, the scores behind them, and the level at which each loss gives way."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from losscli.cli.curves import Curves
from losscli.cli.tables import below_each_other, slots
from losscli.compare.breakdown import LOST, Breakdown, BreakdownPoint
from losscli.direction import ARROWS
from losscli.errors import visible
from losscli.words.columns import Cell, Column
from losscli.words.damage import DAMAGE
from losscli.words.numbers import decimals, number, spread

LONGEST_NAME = 30


def pieces(breakdown: Breakdown, width: int) -> Iterator[RenderableType]:
    """All that there is to see of one breakdown, from the top."""
    seeds = max(len(line.fall.values) for line in breakdown.lines)
    axis = DAMAGE[breakdown.kind].axis
    averaged = f", mean of {seeds} seeds" if seeds > 1 else ""
    title = f"test {visible(breakdown.metric)} {ARROWS[breakdown.direction]} by {axis}{averaged}"
    curves = {
        line.entry: [(level, score.mean) for level, score in zip(breakdown.levels, line.scores, strict=True)]
        for line in breakdown.lines
    }
    over = ", median over seeds (first to last)" if seeds > 1 else ""
    yield Text(f"loses {100 * LOST:g} % of its own clean {visible(breakdown.metric)} at{over}", "bold")
    yield _falls(breakdown)
    yield Text()
    yield from _tables(breakdown, width)
    yield Text(f"{axis}: {DAMAGE[breakdown.kind].meaning}; valid and test rows are as they were", "dim")
    yield Text()
    yield Curves(title, curves, axis=axis)


def _tables(breakdown: Breakdown, width: int) -> Iterator[RenderableType]:
    """A line per entry, a column per level."""
    names = [visible(line.entry, LONGEST_NAME) for line in breakdown.lines]
    places = decimals([*(score.mean for line in breakdown.lines for score in line.scores), breakdown.baseline])
    baseline = number(breakdown.baseline, places)
    headings = [f"{level:g}" for level in breakdown.levels]
    headings[0] = f"{DAMAGE[breakdown.kind].axis} {headings[0]}"
    columns = [
        # the baseline is that of the first level: of worse rows, nobody has asked it
        Column(
            "metric",
            heading,
            [Cell(spread(line.scores[at], places)) for line in breakdown.lines],
            "" if at else baseline,
        )
        for at, heading in enumerate(headings)
    ]
    for table in below_each_other(names, slots(columns), max(map(len, (*names, "baseline"))), width):
        yield table
        yield Text()


def _falls(breakdown: Breakdown) -> Table:
    grid = Table.grid(padding=(0, 2))
    for line in breakdown.lines:
        grid.add_row(Text(visible(line.entry, LONGEST_NAME)), Text(fall_text(line.fall, breakdown.levels[-1])))
    return grid


def fall_text(fall: BreakdownPoint, last: float) -> str:
    """Where an entry falls, in words, and no more than its seeds say.

    >>> fall_text(BreakdownPoint((0.1, 0.2, 0.3)), 0.4), fall_text(BreakdownPoint((math.inf,)), 0.4)
    ('0.20 (0.10 to 0.30)', 'not within the levels tried, up to 0.4')
    >>> fall_text(BreakdownPoint((0.1, math.inf, math.inf)), 0.4)
    'not within the levels tried, up to 0.4, but for 1 of 3 seeds (at 0.10)'
    """
    values, beyond = fall.levels, f"not within the levels tried, up to {last:g}"
    if not values:
        return "unknown: no seed has a clean score"
    first, final = fall.range
    if not fall.reached:
        return beyond
    if math.isinf(fall.median):
        later = " or later" if fall.reached > 1 else ""
        return f"{beyond}, but for {fall.reached} of {len(values)} seeds (at {first:.2f}{later})"
    if len(values) == 1:
        return f"{fall.median:.2f}"
    rest = (
        f"{final:.2f}"
        if math.isfinite(final)
        else f"beyond {last:g}, {len(values) - fall.reached} of {len(values)} seeds"
    )
    return f"{fall.median:.2f} ({first:.2f} to {rest})"
