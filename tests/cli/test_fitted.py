"""Tables fit any terminal: columns go before letters, words stay whole, and what must not be lost is somewhere."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.text import Text

from losscli.cli.catalogue import loss_table
from losscli.cli.fitted import READABLE, Col, Fitted
from losscli.cli.records import _named_in_short, _number_alone, _without_time
from losscli.cli.rules import rule_table
from losscli.explain.catalogue import lines as catalogue
from losscli.rules import in_order

WIDTHS = (40, 60, 80, 100, 120)


def printed(renderables: object, width: int) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        for piece in renderables:  # type: ignore[attr-defined]
            console.print(piece)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_losses_are_all_there_in_whole_words(width: int) -> None:
    lines = catalogue()
    shown = printed(loss_table(lines), width)
    assert max(map(len, shown)) <= width
    words = {word for line in shown for word in line.split()}
    for line in lines:
        assert line.item.name in words
        assert set(line.item.summary.partition(": ")[2].split()[1:]) <= words or ": " not in line.item.summary
    beside = [line.index("what it is") for line in shown if "what it is" in line]
    assert all(place <= width - READABLE for place in beside)  # no prose in a narrow column at the right


@pytest.mark.parametrize("width", WIDTHS)
def test_the_rules_are_all_there_in_whole_words(width: int) -> None:
    shown = printed(rule_table(list(in_order())), width)
    assert max(map(len, shown)) <= width
    words = {word for line in shown for word in line.split()}
    for rule in in_order():
        assert {rule.code, rule.name, *rule.what.split()} <= words


def records_table() -> Fitted:
    columns = [Col("record", shorter=(_without_time, _named_in_short, _number_alone)), Col("task", drop=1)]
    table = Fitted([*columns, Col("size", drop=2)])
    table.add("0001-20261126-114027-binary-breakdown-compare-binary", "multiclass", "17 MB")
    table.add("0002-20261126-114116-moons", "binary", "4 KB")
    return table


@pytest.mark.parametrize(
    ("width", "first", "headings"),
    [
        (80, "0001-20261126-114027-binary-breakdown-compare-binary", ["record", "task", "size"]),
        (56, "0001 binary-breakdown-compare-binary", ["record", "task", "size"]),
        (45, "0001 binary-breakdown ...", ["record", "task", "size"]),
        (25, "0001", ["record", "task", "size"]),
        (18, "0001", ["record", "task"]),
        (8, "0001", ["record"]),
    ],
)
def test_ids_shorten_before_columns_go(width: int, first: str, headings: list[str]) -> None:
    heading, _, row, *_ = (line.plain for line in records_table().lines(width))
    assert heading.split() == headings
    assert row.startswith(first)
    assert len(row) <= width


@pytest.mark.parametrize("width", range(12, 60, 3))
def test_columns_that_may_not_go_stand_in_parts_below_each_other(width: int) -> None:
    table = Fitted([Col("entry"), Col("first"), Col("second"), Col("third")])
    table.add("huber", "0.1234", "0.5678", "0.9012")
    table.add("mae", "1.1234", "1.5678", "1.9012")
    lines = [line.plain for line in table.lines(max(width, 13))]
    assert max(map(len, lines)) <= max(width, 13)
    for cell in ("0.1234", "0.5678", "0.9012", "1.1234", "1.5678", "1.9012", "third"):
        assert sum(cell in line.split() for line in lines) == 1


def test_styles_stay_and_nothing_is_markup() -> None:
    table = Fitted([Col("name"), Col("what", prose=True)])
    table.add("[bold]x", Text("red words here", "red"))
    console = Console(width=14, color_system="standard", force_terminal=True)
    with console.capture() as capture:
        console.print(table)
    assert "[bold]x" in capture.get()
    assert capture.get().count("\x1b[31m") >= 2  # on each line that it wraps into
