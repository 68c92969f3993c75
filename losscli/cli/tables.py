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
from losscli.words.strip import strips

STYLES = {"better": "green", "worse": "red"}  # by verdict: nothing else may look like praise or blame

NARROWEST = 14  # of names, wrapped so that a difference can stand beside its verdict
TOGETHER = 3  # verdict, headline and difference
EXTRAS = ("seeds", "time")  # kinds of columns that are no metrics


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


def leaderboards(arena: Arena, width: int, whole: bool = False) -> Iterator[Table]:
    """One line per entry, on the test split, its verdict beside its name; metrics that do not fit get a table below.

    What is no metric is left out where it does not fit, unless the `whole` is asked for.
    """
    names = [visible(entry.entry, 40) for entry in arena.entries]
    table = columns(arena)
    if strip := strips(arena):
        table.insert(next(at for at, column in enumerate(table) if column.kind == "difference") + 1, strip)
    rest, plain = slots(table), [one.name for one in arena.yardsticks]
    left = max(map(len, (*names, *plain, "baseline")))
    first = [slot for at, slot in enumerate(rest) if at < TOGETHER or (slot.column.kind == "seeds" and not whole)]
    if left + sum(slot.width for slot in first) > width:
        rest = _in_a_word(rest)
    words = max(len(word) for name in (*names, *plain, "baseline") for word in name.split() or [name])
    left = min(left, max(NARROWEST, words, width - sum(slot.width for slot in rest[:TOGETHER])))
    if not whole:
        rest = _without_extras(rest, width - left)
    styles = [STYLES.get(entry.verdict, "") for entry in arena.entries]
    yield from below_each_other(names, rest, left, width, styles, ["baseline", *plain] if arena.baseline else [])


def _in_a_word(rest: Sequence[Slot]) -> list[Slot]:
    """The verdicts without what follows their comma, which the sentence and the paragraph say, too."""
    verdict = rest[0].column
    return [*slots([replace(verdict, cells=[replace(cell, aside="") for cell in verdict.cells])]), *rest[1:]]


def _without_extras(rest: Sequence[Slot], width: int) -> list[Slot]:
    """All columns, but extras only in the first table: strips before other metrics, the time where room is left after them."""
    kept = list(rest[:TOGETHER])
    metrics = [slot for slot in rest[TOGETHER:] if slot.column.kind not in EXTRAS]
    strip, time = ([slot for slot in rest if slot.column.kind == kind] for kind in EXTRAS)

    def left() -> int:
        return width - sum(slot.width for slot in kept)

    kept += [slot for slot in strip if slot.width <= left()]
    while metrics and metrics[0].width <= left():
        kept.append(metrics.pop(0))
    return [*kept, *(slot for slot in time if slot.width <= left()), *metrics]


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
