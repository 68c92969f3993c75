"""Columns that do not fit beside the first stand in a table below, and nothing is lost between them."""

from __future__ import annotations

import pytest
from rich.console import Console

from losscli.cli.tables import below_each_other, slots
from losscli.words.columns import Cell, Column

NAMES = ["mse", "huber delta=1"]
COLUMNS = [
    Column("metric", name, [Cell(f"{name}.1", "± 0.1"), Cell(f"{name}.2", "± 0.2")], baseline)
    for name, baseline in (("first", "0.5"), ("second", ""), ("third", ""), ("fourth", "0.7"))
]


def printed(width: int) -> list[list[str]]:
    """The lines of every table."""
    console = Console(width=width, color_system=None)
    tables = []
    for table in below_each_other(NAMES, slots(COLUMNS), len("huber delta=1"), width):
        with console.capture() as capture:
            console.print(table)
        tables.append([line.rstrip() for line in capture.get().splitlines()])
    return tables


@pytest.mark.parametrize("width", range(29, 90))
def test_every_cell_stands_in_one_table_on_a_line_of_its_own(width: int) -> None:
    lines = [line for table in printed(width) for line in table]
    assert max(map(len, lines)) <= width
    for column in COLUMNS:
        assert sum(column.name in line.split() for line in lines) == 1
        assert [sum(cell in line for line in lines) for cell in column.lines] == [1, 1]


def test_wide_enough_makes_one_table_and_a_row_without_a_baseline_is_left_out() -> None:
    assert len(printed(89)) == 1
    parts = printed(32)
    assert len(parts) == len(COLUMNS)
    assert ["baseline" in part[-1] for part in parts] == [True, False, False, True]
