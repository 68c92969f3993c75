"""The tables: metrics of one entry by split, and the leaderboard of an arena. Only a verdict gives an entry a colour."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.table import Table
from rich.text import Text

from losscli.compare.result import Arena, EntryResult
from losscli.errors import visible
from losscli.words.columns import Column, columns, headed
from losscli.words.numbers import decimals, number, spread

STYLES = {"better": "green", "worse": "red"}  # by verdict: nothing else may look like praise or blame

NARROWEST = 14  # of names and verdicts, cut short or wrapped so that a verdict can stand beside its difference
TOGETHER = 3  # headline, difference and verdict


def score_table(arena: Arena, entry: EntryResult) -> Table:
    """Metrics down, splits across, beside what one would get without a model."""
    table = plain_table("metric", "train", "valid", "test", "baseline", *(one.name for one in arena.yardsticks))
    for metric in arena.directions:
        estimates = [entry.score(metric, split) for split in ("train", "valid", "test")]
        baseline = arena.without_model(metric)
        plain = [one.score(metric) for one in arena.yardsticks]
        places = decimals([*(estimate.mean for estimate in (*estimates, *plain)), baseline])
        table.add_row(
            Text(headed(arena, metric)),
            *(Text(spread(estimate, places)) for estimate in estimates),
            Text(number(baseline, places), "dim"),
            *(Text(spread(estimate, places), "dim") for estimate in plain),
        )
    return table


def leaderboards(arena: Arena, width: int) -> Iterator[Table]:
    """One line per entry, on the test split; columns that do not fit beside the headline get a table below it."""
    names = [visible(entry.entry, 40) for entry in arena.entries]
    rest = slots(columns(arena))
    plain = [one.name for one in arena.yardsticks]
    left = max(map(len, (*names, *plain, "baseline")))
    if left + sum(slot.width for slot in rest[:TOGETHER]) > width:
        rest = _in_a_word(rest, width)
    short = left + sum(slot.width for slot in rest[:TOGETHER]) - width
    if short > 0:  # wrap the verdicts, then the names
        rest[TOGETHER - 1].width -= min(short, max(0, rest[TOGETHER - 1].width - NARROWEST - 2))
        left = min(left, max(NARROWEST, width - sum(slot.width for slot in rest[:TOGETHER])))
    styles = [STYLES.get(entry.verdict, "") for entry in arena.entries]
    yield from below_each_other(names, rest, left, width, styles, ["baseline", *plain] if arena.baseline else [])


def _in_a_word(rest: Sequence[Slot], width: int) -> list[Slot]:
    """The verdicts without what follows their comma, if they stand beside their difference then; the paragraph says it, too."""
    at = TOGETHER - 1
    column = replace(rest[at].column, cells=[replace(cell, aside="") for cell in rest[at].column.cells])
    short = [*rest[:at], *slots([column]), *rest[at + 1 :]]
    return short if NARROWEST + sum(slot.width for slot in short[:TOGETHER]) <= width else list(rest)


@dataclass
class Slot:
    """A column, and how many characters it takes with the room to its left."""

    column: Column
    width: int


def slots(columns: Iterable[Column]) -> list[Slot]:
    """Columns as wide as they are."""
    return [
        Slot(column, max(len(column.heading), *map(len, column.lines), *map(len, column.beside)) + 2)
        for column in columns
    ]


def below_each_other(
    names: Sequence[str],
    rest: Sequence[Slot],
    left: int,
    width: int,
    styles: Sequence[str] = (),
    last: Sequence[str] = ("baseline",),
) -> Iterator[Table]:
    """Entries down, and last the baseline and the yardsticks where columns have them; columns that do not fit beside the first
    get a table below it.

    `left` is the room for the names, `styles` how the verdict of each entry looks; `last` names the rows below the entries.
    """
    while rest:
        room = itertools.accumulate(slot.width for slot in rest)
        fitting = max(1, sum(taken <= width - left for taken in room))
        yield _part(names, rest[:fitting], left, styles, last)
        rest = rest[fitting:]


def _part(names: Sequence[str], part: Sequence[Slot], left: int, styles: Sequence[str], last: Sequence[str]) -> Table:
    table = plain_table("entry", *(slot.column.heading for slot in part))
    for column, width in zip(table.columns, [left, *(slot.width - 2 for slot in part)], strict=True):
        column.max_width = width
    for row, name in enumerate(names):
        cells = [
            Text(str(slot.column.cells[row]), styles[row] if slot.column.kind == "verdict" else "") for slot in part
        ]
        table.add_row(Text(name), *cells)
    for place, name in enumerate(last):
        below = [slot.column.beside[place : place + 1] for slot in part]
        if any(below):
            table.add_row(Text(name, "dim"), *(Text(cell[0] if cell else "", "dim") for cell in below))
    return table


def plain_table(*headings: str, gap: int = 1) -> Table:
    """A table with a line below its headings and nothing else drawn, whose cells wrap; a `gap` beside the column's own."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, gap, 0, 0))
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    return table
