"""What the terminal shows of an inspection: columns, target, what stands out, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from losscli.advice.columns import ColumnFacts
from losscli.advice.inspect import Inspection, TargetFacts
from losscli.cli.picture import Bars, Steps
from losscli.cli.text import visible
from losscli.errors import Finding, counted

MOST_COLUMNS = 24  # shown of a wide table
MOST_NAMES = 6
MOST_HISTOGRAMS = 3
SEVERITY = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def inspected(found: Inspection, every: bool = False) -> Iterator[RenderableType]:
    """All of it, from the whole table to its target."""
    yield from _head(found)
    yield Text()
    yield from _columns(found.columns, every)
    yield Text()
    yield from _whys(found.columns)
    if found.target is not None:
        yield Text()
        yield from _target(found.target, found.rows)
    yield from _findings(found.findings)
    yield from _suggested(found)


def _head(found: Inspection) -> Iterator[RenderableType]:
    missing = sum(each.missing for each in found.columns)
    holed = sum(each.missing > 0 for each in found.columns)
    facts = [f"{found.rows:,} rows", counted(len(found.columns), "column")]
    facts.append(f"{missing:,} missing values in {counted(holed, 'column')}" if missing else "nothing missing")
    yield Text.assemble((visible(found.name), "bold"), " · ", " · ".join(facts))
    repeats = found.repeats
    told = [f"{counted(repeats.duplicates, 'row')} {'repeats' if repeats.duplicates == 1 else 'repeat'} an earlier one"]
    if found.target is not None and repeats.conflicting:
        told.append(f"{counted(repeats.conflicting, 'row')} with the features of another row and another target")
    yield Text("; ".join(told) if repeats.duplicates or len(told) > 1 else "no row repeats another", "dim")


def _columns(columns: Sequence[ColumnFacts], every: bool) -> Iterator[RenderableType]:
    """The target first, then the others in their order."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("column", no_wrap=True)
    table.add_column("type", no_wrap=True)
    holed = any(each.missing for each in columns)
    if holed:
        table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("distinct", justify="right", no_wrap=True)
    table.add_column("holds", overflow="fold")
    ordered = sorted(columns, key=lambda each: each.role != "target")
    shown = ordered if every else ordered[:MOST_COLUMNS]
    for each in shown:
        style = "bold" if each.role == "target" else "dim" if each.role == "left out" else ""
        missing = [f"{each.missing:,}" if each.missing else ""] if holed else []
        cells = (visible(each.name, 34), _type(each), *missing, f"{each.distinct:,}", _holds(each))
        table.add_row(*(Text(cell, style) for cell in cells))
    yield table
    if len(shown) < len(ordered):
        yield Text(f"and {counted(len(ordered) - len(shown), 'more column')}: --all shows them", "dim")


def _type(column: ColumnFacts) -> str:
    return column.kind if column.role == "feature" else f"{column.kind} · {column.role}"


def _holds(column: ColumnFacts) -> str:
    """The range and median of a column of numbers, or the most frequent levels with their shares."""
    if column.shape is not None:
        shape = column.shape
        if shape.distinct > 2:
            return f"{shape.low:.3g} to {shape.high:.3g}, median {shape.median:.3g}"
        return f"{shape.low:.3g} or {shape.high:.3g}" if shape.distinct == 2 else f"always {shape.low:.3g}"
    if column.parts:
        return f"as {', '.join(visible(part, 40) for part in column.parts)}"
    present = sum(rows for _, rows in column.levels)
    if not present:
        return ""
    told = [f"{visible(level, 20)} {100 * rows / present:.0f} %" for level, rows in column.levels[:3]]
    return ", ".join(told) + (" ..." if column.distinct > 3 else "")


def _whys(columns: Sequence[ColumnFacts]) -> Iterator[RenderableType]:
    """Why columns are what they are, once for all that are it for the same reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for each in columns:
        grouped.setdefault((_type(each).replace(" · target", ""), each.why), []).append(visible(each.name, 40))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for (kind, why), names in grouped.items():
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        listed = ", ".join(names[:MOST_NAMES]) + more
        grid.add_row(Text(kind, "dim"), Text(f"{visible(why, 200)}: {listed}", "dim"))
    yield grid


def _target(target: TargetFacts, rows: int) -> Iterator[RenderableType]:
    names = ", ".join(visible(name, 40) for name in target.names[:MOST_NAMES])
    more = f" and {len(target.names) - MOST_NAMES} more" if len(target.names) > MOST_NAMES else ""
    yield Text.assemble(("target ", "bold"), (names + more, "bold"), f" · {target.task}: {visible(target.reason, 300)}")
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
        facts = f"mean {shape.mean:.4g}, sd {shape.sd:.4g}, median {shape.median:.4g}, skewness {shape.skewness:.2g}"
        zeros = f", {100 * shape.zeros / shape.rows:.2g} % zeros" if shape.zeros else ""
        yield Text(f"  {facts}{zeros}")
        yield Text()
    grid = Table.grid(padding=(0, 1))
    for reason in target.measured.values():
        grid.add_row(Text("  -"), Text(visible(reason, 400)))
    yield grid


def _findings(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    if not findings:
        return
    yield Text()
    grid = Table.grid(padding=(0, 1))
    for each in sorted(findings, key=lambda found: list(SEVERITY).index(found.severity)):
        told = Text(visible(each.message, 600))
        if each.cure:
            told.append(f"\ntry: {visible(each.cure, 300)}", "dim")
        grid.add_row(Text(each.severity, SEVERITY[each.severity]), told)
    yield grid


def _suggested(found: Inspection) -> Iterator[RenderableType]:
    if not found.suggestions:
        return
    yield Text()
    yield Text("might be the target", "bold")
    grid = Table.grid(padding=(0, 2, 0, 2))
    for each in found.suggestions:
        more = f" and {len(each.columns) - 3} more" if len(each.columns) > 3 else ""
        names = ", ".join(visible(name, 40) for name in each.columns[:3]) + more
        grid.add_row(Text(names), Text(visible(each.reason, 200), "dim"))
    yield grid


def next_command(found: Inspection, data: str) -> str:
    """What one would type next: with a target, recommend; without one, the same with the likeliest."""
    chosen = found.target.names if found.target else found.suggestions[0].columns if found.suggestions else ()
    flags = "".join(f" --target {shlex.quote(name)}" for name in chosen[:8])
    if data.casefold().endswith((".yaml", ".yml")) or not Path(data).exists():  # they know their target
        flags = ""
    return f"losscli {'recommend' if found.target else 'inspect'} {shlex.quote(data)}{flags}"
