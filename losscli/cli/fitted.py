"""Tables that fit a terminal: what does not is written shorter, below its row, left out, or in a further part; no word is cut."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

GAP = 2
READABLE = 36  # columns that prose needs beside others
INDENT = 2  # of prose that stands below its row


@dataclass(frozen=True)
class Col:
    """A column. `drop`: the higher, the sooner it is left out; 0 never. `prose` may wrap, or stand below its row.

    `shorter` are ways to write its cells, each shorter than the one before, which are tried before anything else.
    """

    heading: str
    drop: int = 0
    prose: bool = False
    shorter: Sequence[Callable[[str], str]] = ()


@dataclass
class Fitted:
    """A renderable with a line per row, as far as there is room; the first column is repeated in further parts.

    >>> table = Fitted([Col("name"), Col("size", drop=1), Col("what it is", prose=True)], indent=2)
    >>> table.add("mae", "7", "the absolute error")
    >>> [line.plain for line in table.lines(40)]
    ['name  size  what it is', '──────────────────────────────', 'mae   7     the absolute error']
    >>> [line.plain for line in table.lines(16)]
    ['name  size', '──────────', 'mae   7', '  the absolute', '  error']
    >>> [line.plain for line in table.lines(9)]
    ['name', '────', 'mae', '  the', '  absolute', '  error']
    """

    columns: Sequence[Col]
    rows: list[list[Text]] = field(default_factory=list)
    caption: str = ""
    indent: int = INDENT

    def add(self, *cells: str | Text) -> None:
        """A row; its cells are text, and never markup."""
        self.rows.append([Text(cell) if isinstance(cell, str) else cell for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self.lines(options.max_width)
        if self.caption:
            yield Text(self.caption, "dim")

    def lines(self, width: int) -> list[Text]:
        """The table as lines that are at most so wide, as long as no word is wider."""
        table = self._written_shorter(width)
        shown = list(range(len(table.columns)))
        below: list[int] = []
        prose = [at for at in shown if table.columns[at].prose]
        if table.least(shown) > width and len(shown) > len(prose):
            shown, below = [at for at in shown if at not in prose], prose
        while table.least(shown) > width and (dropped := max(shown, key=lambda at: table.columns[at].drop)) in shown:
            if not table.columns[dropped].drop:
                break
            shown.remove(dropped)
        return [line for part in table.parts(shown, width) for line in table.part(part, below, width)]

    def _written_shorter(self, width: int) -> Fitted:
        """With the cells of some columns in as few letters as it takes."""
        table = self
        for at, column in enumerate(self.columns):
            for write in column.shorter:
                if table.least(range(len(self.columns))) <= width:
                    return table
                rows = [[*row[:at], _rewritten(row[at], write), *row[at + 1 :]] for row in table.rows]
                table = replace(table, rows=rows)
        return table

    def natural(self, at: int) -> int:
        """The columns that a column would take."""
        cells = [row[at] for row in self.rows]
        return max([len(self.columns[at].heading), *(line.cell_len for cell in cells for line in cell.split("\n"))])

    def least(self, shown: Sequence[int]) -> int:
        """The width of the table with these columns, its prose as narrow as can be read."""
        widths = [min(self.natural(at), READABLE) if self.columns[at].prose else self.natural(at) for at in shown]
        return sum(widths) + GAP * (len(shown) - 1)

    def parts(self, shown: Sequence[int], width: int) -> Iterator[list[int]]:
        """Columns that fit beside each other; where not all of them do, the first is repeated."""
        first, *rest = shown
        while rest:
            count = sum(self.least([first, *rest[: taken + 1]]) <= width for taken in range(len(rest)))
            yield [first, *rest[: max(1, count)]]
            rest = rest[max(1, count) :]
        if len(shown) == 1:
            yield [first]

    def part(self, shown: Sequence[int], below: Sequence[int], width: int) -> Iterator[Text]:
        """The lines of some columns, those that stand below their row after it."""
        widths = {at: self.natural(at) for at in shown}
        for at in shown:
            if self.columns[at].prose or sum(widths.values()) + GAP * (len(shown) - 1) > width:
                others = sum(wide for place, wide in widths.items() if place != at)
                room = width - others - GAP * (len(shown) - 1)
                words = max((len(word) for row in self.rows for word in row[at].plain.split()), default=1)
                widths[at] = min(widths[at], max(room, words))
        yield _row([Text(self.columns[at].heading) for at in shown], list(widths.values()))
        yield Text("─" * (sum(widths.values()) + GAP * (len(shown) - 1)), "dim")
        for row in self.rows:
            wrapped = [wrap(row[at], widths[at]) for at in shown]
            for cells in itertools.zip_longest(*wrapped, fillvalue=Text()):
                yield _row(cells, list(widths.values()))
            for at in below:
                for line in wrap(row[at], max(1, width - self.indent)):
                    yield Text.assemble(" " * self.indent, line)


def _rewritten(cell: Text, write: Callable[[str], str]) -> Text:
    return Text(write(cell.plain), cell.style)


def wrap(text: Text, width: int) -> list[Text]:
    """Lines of whole words.

    >>> [line.plain for line in wrap(Text("one two three"), 8)]
    ['one two', 'three']
    """
    lines = []
    for line in text.split("\n"):
        current = Text()
        for word in line.split(" "):
            if current.plain and current.cell_len + 1 + word.cell_len > width:
                lines.append(current)
                current = Text()
            current = Text.assemble(current, " ", word) if current.plain else word
        lines.append(current)
    return lines


def _row(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        line.append_text(cell)
        if at < len(widths) - 1:
            line.append(" " * (width - cell.cell_len + GAP))
    line.rstrip()
    return line
