"""What the terminal shows of an inspection: columns, target, what stands out, what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from losscli.advice.columns import ColumnFacts
from losscli.advice.heuristics import percent
from losscli.advice.inspect import Inspection, TargetFacts
from losscli.advice.numbers import figure
from losscli.cli.advice import again, noticed
from losscli.cli.picture import Bars, Steps
from losscli.errors import counted, listed, visible
from losscli.spec.overrides import Overrides

MOST_COLUMNS = 24  # shown of a wide table
MOST_NAMES = 6
UNBROKEN = "\xa0%"
READABLE = 24  # columns of a terminal for what a column holds, or a table of columns has no room
MOST_HISTOGRAMS = 3


def inspected(inspection: Inspection, every: bool = False) -> Iterator[RenderableType]:
    """All of it, from the whole table to its target."""
    yield from _head(inspection)
    yield Text()
    yield Columns(inspection.columns, every)
    yield Text()
    yield from _whys(inspection.columns)
    if inspection.target is not None:
        yield Text()
        yield from _target(inspection.target, inspection.rows)
    yield from noticed(inspection.findings)
    yield from _suggested(inspection)


def _head(inspection: Inspection) -> Iterator[RenderableType]:
    missing = sum(column.missing for column in inspection.columns)
    holed = sum(column.missing > 0 for column in inspection.columns)
    facts = [f"{inspection.rows:,} rows", counted(len(inspection.columns), "column")]
    facts.append(f"{missing:,} missing values in {counted(holed, 'column')}" if missing else "nothing missing")
    yield Text.assemble((visible(inspection.name), "bold"), " · ", " · ".join(facts))
    repeats = inspection.repeats
    left_out = [column.name for column in inspection.columns if column.role == "left out"]
    beside = f" ({_listed(left_out)} not looked at)" if left_out else ""
    one = repeats.duplicates == 1
    sentences = [f"{counted(repeats.duplicates, 'row')} {'repeats' if one else 'repeat'} an earlier one"]
    sentences = sentences if repeats.duplicates else []
    if inspection.target is not None and repeats.conflicting:
        sentences.append(f"{counted(repeats.conflicting, 'row')} with the features of another row and another target")
    text = "; ".join(sentences) or "no row repeats another"
    yield Text(text + beside, "dim")


@dataclass
class Columns:
    """The columns as a table, the target first; where there is no room for one, each on lines of its own."""

    columns: Sequence[ColumnFacts]
    every: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ordered = sorted(self.columns, key=lambda column: column.role != "target")
        shown = ordered if self.every else ordered[:MOST_COLUMNS]
        table = _table(shown)
        fixed = sum(Measurement.get(console, options, cell).maximum + 2 for cell in _widest(table))
        if options.max_width < fixed + READABLE:
            yield from _one_by_one(shown)
        else:
            yield table
        if len(shown) < len(ordered):
            yield Text(f"and {counted(len(ordered) - len(shown), 'more column')}: --all shows them", "dim")
        if any(column.missing and column.levels for column in shown):
            yield Text("shares are of the rows that have a value", "dim")


@dataclass
class Shares:
    """Text whose lines never end between a number and its %."""

    text: str
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = textwrap.wrap(self.text.replace(" %", UNBROKEN), max(8, options.max_width))
        yield Text("\n".join(lines).replace(UNBROKEN, " %"), self.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, Text(self.text))


def _table(shown: Sequence[ColumnFacts]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("column", no_wrap=True)
    table.add_column("type", no_wrap=True)
    holed = any(column.missing for column in shown)
    if holed:
        table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("distinct", justify="right", no_wrap=True)
    table.add_column("holds", overflow="fold")
    for column in shown:
        missing = [f"{column.missing:,}" if column.missing else ""] if holed else []
        cells = (visible(column.name, 34), _type(column), *missing, f"{column.distinct:,}")
        table.add_row(*(Text(cell, _style(column)) for cell in cells), Shares(_holds(column), _style(column)))
    return table


def _widest(table: Table) -> Iterator[RenderableType]:
    """The widest cell of each column but the last."""
    for column in table.columns[:-1]:
        yield max(
            [Text(str(column.header)), *column.cells], key=lambda cell: cell.cell_len if isinstance(cell, Text) else 0
        )


def _one_by_one(shown: Sequence[ColumnFacts]) -> Iterator[RenderableType]:
    for column in shown:
        missing = f", {column.missing:,} missing" if column.missing else ""
        yield Text(
            f"{visible(column.name, 34)}: {_type(column)}, {column.distinct:,} distinct{missing}", _style(column)
        )
        if contents := _holds(column):
            yield Padding(Shares(contents, "dim"), (0, 0, 0, 2))


def _style(column: ColumnFacts) -> str:
    return {"target": "bold", "left out": "dim"}.get(column.role, "")


def _type(column: ColumnFacts) -> str:
    return column.kind if column.role == "feature" else f"{column.kind} · {column.role}"


def _holds(column: ColumnFacts) -> str:
    """The range and median of a column of numbers; the most frequent levels, with their shares of the rows with a value."""
    if column.shape is not None:
        shape = column.shape
        low, median, high = (figure(value, shape.whole) for value in (shape.low, shape.median, shape.high))
        if shape.distinct > 2:
            return f"{low} to {high}, median {median}"
        return f"{low} or {high}" if shape.distinct == 2 else f"always {low}"
    if column.parts:
        return f"as {', '.join(visible(part, 40) for part in column.parts)}"
    truth = column.kind == "boolean"  # true and false, however a file spells them
    shares = [
        f"{visible(level.casefold() if truth else level, 20)} {percent(rows / column.present)}"
        for level, rows in column.levels[:3]
    ]
    return ", ".join(shares) + (" ..." if column.distinct > 3 else "")


def _whys(columns: Sequence[ColumnFacts]) -> Iterator[RenderableType]:
    """Why columns are what they are, once for all that are it for the same reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        grouped.setdefault((_type(column).replace(" · target", ""), column.why), []).append(column.name)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for (kind, why), names in grouped.items():
        grid.add_row(
            Text(kind, "dim"),
            Text(f"{visible(why, 200)}: {_listed(names)}", "dim"),
        )
    yield grid


def _listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    return listed([visible(name, 40) for name in names], most)


def _target(target: TargetFacts, rows: int) -> Iterator[RenderableType]:
    yield Text.assemble(
        ("target ", "bold"), (_listed(target.names), "bold"), f" · {target.task}: {visible(target.reason, 300)}"
    )
    yield Text()
    if target.classes:
        yield Bars(target.classes, rows)
        yield Text()
    for name, shape, drawn in list(zip(target.names, target.numbers, target.histograms, strict=False))[
        :MOST_HISTOGRAMS
    ]:
        if len(target.numbers) > 1:
            yield Text(f"  {visible(name, 60)}", "bold")
        yield Steps(drawn)
        mean, sd, median = figure(shape.mean), figure(shape.sd), figure(shape.median, shape.whole)
        facts = f"mean {mean}, sd {sd}, median {median}, skewness {shape.skewness:.2g}"
        zeros = f", {100 * shape.zeros / shape.rows:.2g} % zeros" if shape.zeros else ""
        yield Text(f"  {facts}{zeros}")
        yield Text()
    grid = Table.grid(padding=(0, 1))
    for reason in target.measured.values():
        grid.add_row(Text("  -"), Text(visible(reason, 400)))
    yield grid


def _suggested(inspection: Inspection) -> Iterator[RenderableType]:
    if not inspection.suggestions:
        return
    yield Text()
    yield Text("might be the target", "bold")
    grid = Table.grid(padding=(0, 2, 0, 2))
    for suggestion in inspection.suggestions:
        names = _listed(suggestion.columns, 3)
        grid.add_row(Text(names), Text(visible(suggestion.reason, 200), "dim"))
    yield grid


def next_command(inspection: Inspection, data: str, overrides: Overrides) -> str:
    """What one would type next: with a target, recommend; without one, the same with the likeliest."""
    if inspection.target is None and inspection.suggestions and Path(data).exists():
        overrides = replace(overrides, target=list(inspection.suggestions[0].columns[:8]))
    return f"losscli {'recommend' if inspection.target else 'inspect'} {again(data, overrides)}"
