"""The tables: metrics of one entry by split, and the leaderboard of an arena. Only a verdict gives an entry a colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.table import Table
from rich.text import Text

from losscli.compare.result import Arena, EntryResult
from losscli.errors import visible
from losscli.words.columns import Column, columns, headed
from losscli.words.numbers import decimals, number, spread

STYLES = {"better": "green", "worse": "red"}  # by verdict: nothing else may look like praise or blame

NARROWEST = (
    14  # of names and verdicts, which are cut short or wrapped so that a verdict can stand beside its difference
)
TOGETHER = 3  # headline, difference and verdict


def score_table(arena: Arena, entry: EntryResult) -> Table:
    """Metrics down, splits across, beside what one would get without a model."""
    table = _table("metric", "train", "valid", "test", "baseline")
    for metric in arena.directions:
        estimates = [entry.score(metric, split) for split in ("train", "valid", "test")]
        baseline = arena.without_model(metric)
        places = decimals([*(estimate.mean for estimate in estimates), baseline])
        table.add_row(
            Text(headed(arena, metric)),
            *(Text(spread(estimate, places)) for estimate in estimates),
            Text(number(baseline, places), "dim"),
        )
    return table


def leaderboards(arena: Arena, width: int) -> Iterator[Table]:
    """One line per entry, on the test split; columns that do not fit beside the headline get a table below it."""
    names = ["entry", *(visible(entry.entry, 40) for entry in arena.entries), "baseline"]
    rest = [_Slot(column, _width(column)) for column in columns(arena)]
    left = max(map(len, names))
    if left + sum(slot.width for slot in rest[:TOGETHER]) > width:
        rest = _in_a_word(rest, width)
    short = left + sum(slot.width for slot in rest[:TOGETHER]) - width
    if short > 0:  # wrap the verdicts, then the names
        rest[TOGETHER - 1].width -= min(short, max(0, rest[TOGETHER - 1].width - NARROWEST - 2))
        left = min(left, max(NARROWEST, width - sum(slot.width for slot in rest[:TOGETHER])))
    while rest:
        fitting = max(1, _fitting(rest, width - left))
        yield _leaderboard(arena, names, rest[:fitting], left)
        rest = rest[fitting:]


def _in_a_word(rest: Sequence[_Slot], width: int) -> list[_Slot]:
    """The verdicts without what follows their comma, if they stand beside their difference then; the paragraph says it, too."""
    at = TOGETHER - 1
    column = replace(rest[at].column, cells=[replace(cell, aside="") for cell in rest[at].column.cells])
    short = [*rest[:at], _Slot(column, _width(column)), *rest[at + 1 :]]
    return short if NARROWEST + sum(slot.width for slot in short[:TOGETHER]) <= width else list(rest)


@dataclass
class _Slot:
    column: Column
    width: int  # with the room to its left


def _leaderboard(arena: Arena, names: Sequence[str], slots: Sequence[_Slot], left: int) -> Table:
    table = _table(names[0], *(slot.column.heading for slot in slots))
    for at, width in enumerate([left, *(slot.width - 2 for slot in slots)]):
        table.columns[at].max_width = width
    for row, entry in enumerate(arena.entries):
        cells = [
            Text(str(slot.column.cells[row]), STYLES.get(entry.verdict, "") if slot.column.kind == "verdict" else "")
            for slot in slots
        ]
        table.add_row(Text(names[row + 1]), *cells)
    table.add_row(Text("baseline", "dim"), *(Text(slot.column.baseline, "dim") for slot in slots))
    return table


def _width(column: Column) -> int:
    return max(len(column.heading), *map(len, column.lines), len(column.baseline)) + 2


def _fitting(slots: Sequence[_Slot], room: int) -> int:
    """How many of the columns, from the left, fit into `room` characters."""
    count = 0
    for slot in slots:
        room -= slot.width
        if room < 0:
            break
        count += 1
    return count


def _table(first: str, *headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(Text(first), overflow="fold")
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    return table
