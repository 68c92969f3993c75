"""One description of a leaderboard serves the terminal, Markdown, a notebook and the page of a report."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from losscli.cli.arena import pieces
from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.reports.html import html_of
from losscli.reports.json import to_json
from losscli.reports.markdown import to_markdown
from losscli.reports.recall import ComparisonRecord
from losscli.words.columns import Column, columns
from losscli.words.view import View

SCORES = {
    "bce-logits": [0.80, 0.82, 0.84, 0.81, 0.83, 0.80],
    "focal": [0.81, 0.83, 0.85, 0.82, 0.84, 0.82],
    "hinge": [0.70, math.nan, 0.71, 0.72, 0.70, 0.71],
    "mae <b>": [0.60, 0.60, 0.60, 0.60, 0.60, 0.60],
}


def in_terminal(comparison: Comparison) -> list[list[str]]:
    console = Console(width=300, color_system=None)
    with console.capture() as capture:
        for piece in pieces(comparison.arenas[0], View(verbose=True), 300, plain=True):
            console.print(piece)
    lines = capture.get().splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("entry "))
    shown = [re.split(r" {2,}", line.strip()) for line in [lines[start], *lines[start + 2 : start + 7]]]
    # the strips are drawn in the terminal alone
    return [[cell for cell in row if cell != "by seed" and not re.fullmatch("[▁-▇]+", cell)] for row in shown]


def in_markdown(comparison: Comparison) -> list[list[str]]:
    rows = [line for line in to_markdown(comparison).splitlines() if line.startswith("|")]
    return [
        [re.sub(r"\\(.)", r"\1", cell) for cell in re.split(r" ?(?<!\\)\| ?", row)[1:-1]]
        for row in rows
        if "---" not in row
    ]


def in_notebook(comparison: Comparison) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", comparison._repr_html_())
    return [[html.unescape(cell) for cell in re.findall(r"<t[hd]>(.*?)</t[hd]>", row)] for row in rows]


def in_page(comparison: Comparison) -> list[list[str]]:
    recalled = ComparisonRecord(
        Path("0001"), "", comparison, to_json(comparison), ["task: binary"] * len(comparison.arenas)
    )
    table = html_of(recalled).partition('<table class="board"')[2].partition("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>.*?</t[hd]>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)]
    return [[_read(cell) for cell in row] for row in rows]


def _read(cell: str) -> str:
    """What a reader sees of a cell of the page; a mark is read out by its label, after the text as elsewhere."""
    claim = re.search(r'aria-label="(\w+) than', cell)
    text = cell.replace("<small", " <small")
    seen = " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())  # as a browser sets blanks
    return seen + (f" {claim[1]}" if claim else "")


@pytest.fixture
def comparison(arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]) -> Comparison:
    arena = arena_of(SCORES, diverged={"mae <b>": [0]})
    cells = [cell for column in columns(arena) for cell in column.cells]
    assert {cell.claim for cell in cells} == {"", "better", "worse"}
    assert {column.kind for column in columns(arena)} == {"metric", "difference", "verdict", "finished", "time"}
    assert any(" of " in cell.aside for cell in cells)
    return comparison_of(arena)


@pytest.mark.parametrize("output", [in_terminal, in_markdown, in_notebook, in_page], ids=lambda output: output.__name__)
def test_every_output_shows_the_same_cells(
    comparison: Comparison, output: Callable[[Comparison], list[list[str]]]
) -> None:
    (arena,) = comparison.arenas
    table = columns(arena)
    heading, *rows = output(comparison)
    assert heading == ["entry", *(column.heading for column in table)]
    assert len(rows) == len(arena.entries) + 1
    for place, (entry, row) in enumerate(zip(arena.entries, rows, strict=False)):
        cells = [entry.entry, *(_said(column, place, output) for column in table)]
        assert [cell for cell in row if cell] == [cell for cell in cells if cell]
    assert [cell for cell in rows[-1][1:] if cell] == [column.baseline for column in table if column.baseline]


def _said(column: Column, place: int, output: Callable[[Comparison], list[list[str]]]) -> str:
    """A cell on one line; the page sets what is beside a verdict below it, without their comma."""
    cell = column.cells[place]
    return f"{cell.text} {cell.aside}".strip() if (column.kind, output) == ("verdict", in_page) else str(cell)
