"""A comparison as a notebook shows it: answer, leaderboard, differences and paragraph of each arena, in plain HTML without
any script, so that it is there wherever the notebook is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from losscli.compare.result import Arena
from losscli.errors import visible
from losscli.words.answer import answer
from losscli.words.columns import columns, rows_beside
from losscli.words.forest import forest
from losscli.words.paragraph import paragraph
from losscli.words.view import View, select

WIDTH = 100  # characters of the plot, which a notebook scrolls where it has less room


def html_of(arenas: Iterable[Arena]) -> str:
    """One piece of HTML; whatever is foreign in it is escaped."""
    return "\n".join(line for arena in arenas for line in _arena(arena))


def _arena(arena: Arena) -> Iterator[str]:
    shown = select(arena, View())
    table = columns(shown)
    yield f"<h4>{_safe(shown.data)} ({shown.task}), test {_safe(shown.headline)}</h4>"
    yield f"<p><b>{_safe(answer(arena))}</b></p>"
    yield "<table>"
    yield _row(["entry", *(column.heading for column in table)], "th")
    for at, entry in enumerate(shown.entries):
        yield _row([entry.entry, *(str(column.cells[at]) for column in table)])
    for name, cells in rows_beside(shown, table):
        yield _row([name, *cells])
    yield "</table>"
    plot = forest(arena, WIDTH)
    if plot is not None:
        lines = [plot.title, *(f"{line.name} {line.row}" for line in plot.lines), plot.axis]
        yield f"<pre>{chr(10).join(map(_safe, lines))}</pre>"
    yield f"<p>{_safe(paragraph(arena))}</p>"


def _row(cells: Sequence[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{_safe(cell)}</{tag}>" for cell in cells) + "</tr>"


def _safe(text: str) -> str:
    return escape(visible(text, 20_000))
