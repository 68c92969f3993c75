"""What the terminal shows of the catalogue: the table of losses, and the page of one or the curves of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from losscli.cli.curves import Curves
from losscli.cli.fitted import Col, Fitted
from losscli.errors import visible
from losscli.explain.catalogue import Line
from losscli.explain.facts import MEANINGS

if TYPE_CHECKING:
    from losscli.explain.page import Page

TALLEST = 12.0  # a curve is cut off where it leaves what the others can be seen in


def loss_table(lines: Sequence[Line]) -> Iterator[RenderableType]:
    """One row per loss, under a heading for each task."""
    for task in dict.fromkeys(line.item.task for line in lines):
        members = [line for line in lines if line.item.task == task]
        table = Fitted([Col(task), Col("expects", drop=1), Col("tags", drop=2), Col("what it is", prose=True)])
        for line in members:
            cells = (line.item.name, line.item.expects, " ".join(line.tags), _without_name(line.item.summary))
            table.add(*(visible(cell, 400) for cell in cells))
        yield table
        yield Text()
    yield Text(f"{len(lines)} losses; losscli explain NAME tells all about one", "dim")


def _without_name(summary: str) -> str:
    """What a summary says after the name that it starts with.

    >>> _without_name("Mae: aims at the median."), _without_name("Bi-tempered: t1 < 1 bounds it.")
    ('Aims at the median.', 't1 < 1 bounds it.')
    """
    name, colon, rest = summary.partition(": ")
    if not colon or len(name) >= 40:
        return summary
    return rest[:1].upper() + rest[1:] if rest.split(" ")[0].isalpha() else rest  # t1 is a symbol, and not T1


def explained(pages: Sequence[Page]) -> Iterator[RenderableType]:
    """The whole page of one loss; of several, what tells them apart, over each other."""
    first = pages[0]
    if len(pages) == 1:
        yield from _head(first)
    yield from _drawn(pages)
    if len(pages) > 1:
        yield _beside(pages)
    yield from _sides(pages)
    yield from _read(pages)
    if len(pages) == 1:
        yield from _options(first)
        yield _facts(first)


def _head(page: Page) -> Iterator[RenderableType]:
    others = [task for task in page.serves if task != page.task]
    yield Text.assemble(
        (visible(page.name), "bold"), f" · {page.task}", f" (also {', '.join(others)})" if others else ""
    )
    yield _prose(page.summary)
    if page.use:
        yield _prose(f"Use: {page.use}")
    if page.avoid:
        yield _prose(f"Avoid: {page.avoid}")
    if page.asked:
        yield _prose(page.asked)
    if page.other_tasks:
        tasks = " and ".join(page.other_tasks)
        yield Text(f"A loss of the same name is for {tasks}: --task {page.other_tasks[0]}", "dim")
    yield Text()


def _drawn(pages: Sequence[Page]) -> Iterator[RenderableType]:
    curves = [curve for page in pages for curve in page.curves]
    axis = curves[0].axis
    for title, part in (("loss", "loss"), ("slope", "slope")):
        points = {curve.name: _cut(list(zip(curve.at, getattr(curve, part), strict=True))) for curve in curves}
        yield Curves(f"{title} against the {axis}", points, axis="")
        yield Text()


def _sides(pages: Sequence[Page]) -> Iterator[RenderableType]:
    """What is left of each slope where the discriminator wins."""
    from losscli.explain.curve import SURE

    rows = [(page, side) for page in pages for side in page.sides]
    if not rows:
        return
    table = Fitted([Col("slope at D(g)"), Col("0 (even)"), Col(f"{SURE:g} (the discriminator is sure)")])
    for page, side in rows:
        name = f"{page.name}, {side.name}" if len(pages) > 1 else side.name
        table.add(*(visible(cell) for cell in (name, f"{side.even:.4f}", f"{side.sure:.4f}")))
    yield table
    yield Text()


def _cut(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without what is so high that everything else would be flat."""
    inside = [point for point in points if abs(point[1]) <= TALLEST]
    return inside if len(inside) > 1 else points


def _read(pages: Sequence[Page]) -> Iterator[RenderableType]:
    """How predictions may be read, and the curve of what the cheapest prediction says."""
    readings = [reading for page in pages for reading in page.readings]
    for reading in readings:
        text = Text.assemble((f"{visible(reading.name)}: {reading.verdict}", "bold"), f" ({reading.meaning})")
        yield text
    drawn = {reading.name: reading.curve for reading in readings if reading.curve}
    if drawn:
        yield Text()
        yield Curves("probability read from the cheapest prediction, against the true one", drawn, axis="")
    yield Text()


def _options(page: Page) -> Iterator[RenderableType]:
    if not page.options:
        return
    table = Fitted([Col("option"), Col("default"), Col("takes", prose=True)])
    for option in page.options:
        table.add(*(visible(cell) for cell in (option.name, option.default or "required", option.takes)))
    yield table
    yield Text()


def _facts(page: Page) -> RenderableType:
    rows = {
        "formula": page.formula,
        "expects": page.expects,
        "target": page.target,
        "kin": page.kin,
        "source": page.source,
        "elsewhere": "; ".join(f"{library} {name}" for library, name in page.elsewhere),
        "also called": ", ".join(page.aliases),
        "tags": "\n".join(f"{tag}: {MEANINGS[tag]}" for tag in page.tags),
    }
    return _grid(rows)


def _beside(pages: Sequence[Page]) -> RenderableType:
    return _grid({page.name: f"{page.summary}\n{', '.join(page.tags)}".strip() for page in pages})


def _grid(rows: dict[str, str]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows.items():
        if text:
            grid.add_row(Text(visible(name), "bold"), _prose(text))
    return grid


def _prose(text: str) -> Text:
    return Text("\n".join(visible(line, 2000) for line in text.split("\n")))
