"""What Python users see of a comparison: print() and notebooks; foreign text is text there, too."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from importlib.util import find_spec

import pytest

from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.errors import MachineError
from losscli.reports.csv import to_csv
from losscli.words.answer import answer
from losscli.words.paragraph import paragraph

SCORES = {"bce-logits": [0.80, 0.82, 0.84], "hinge": [0.7, 0.7, 0.7]}


def test_print_begins_with_the_answer_and_ends_with_the_paragraph(
    arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]
) -> None:
    arena = arena_of(SCORES)
    first, _, board, *_, empty, last = str(comparison_of(arena)).splitlines()
    assert first == answer(arena)
    assert board == "titanic (binary), test auroc, higher is better"
    assert (empty, last) == ("", paragraph(arena))


def test_a_notebook_gets_a_table_without_foreign_markup(
    arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]
) -> None:
    foreign = "<script>alert(1)</script>&"
    text = comparison_of(arena_of({**SCORES, foreign: [0.5] * 3}, data=foreign))._repr_html_()
    assert set(re.findall(r"<(\w+)", text)) == {"h4", "p", "b", "table", "tr", "th", "td", "pre"}
    rows = re.findall(r"<tr>(.*)</tr>", text)
    assert len(rows) == 5
    assert {row.count("<t") for row in rows} == {7}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in rows[3]
    assert "<td>0.8200 ± 0.0200</td>" in rows[1]


def test_a_notebook_shows_the_differences_as_text(
    arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]
) -> None:
    (plot,) = re.findall(r"<pre>(.*?)</pre>", comparison_of(arena_of(SCORES))._repr_html_(), re.S)
    title, line, axis = plot.splitlines()
    assert title == "difference in auroc to bce-logits"
    assert line.startswith("hinge")
    assert line.index("o") < line.index("\N{BOX DRAWINGS LIGHT VERTICAL}")  # hinge is lower: left of zero
    assert axis.split()[1] == "0"


def test_the_arrow_table_says_what_the_csv_says(
    arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]
) -> None:
    comparison = comparison_of(arena_of(SCORES))
    table, lines = comparison.to_arrow(), list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert table.column_names == list(lines[0])
    for name in table.column_names:
        for value, text in zip(table[name].to_pylist(), (line[name] for line in lines), strict=True):
            assert (value is None or value == "") == (text == "")
            if value not in (None, ""):
                assert str(value) == text or float(text) == value


def test_a_frame_takes_pandas(arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]) -> None:
    comparison = comparison_of(arena_of(SCORES))
    if find_spec("pandas") is None:
        with pytest.raises(MachineError, match="pandas is not installed"):
            comparison.to_pandas()
    else:
        assert comparison.to_pandas()["entry"].tolist() == list(SCORES)
