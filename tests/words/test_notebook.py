"""What Python users see of a comparison: print() and notebooks; foreign text is text there, too."""

from __future__ import annotations

import re
from collections.abc import Callable

from losscli.compare.result import Arena
from losscli.comparison import Comparison
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
    assert set(re.findall(r"<(\w+)", text)) == {"h4", "p", "b", "table", "tr", "th", "td"}
    rows = re.findall(r"<tr>(.*)</tr>", text)
    assert len(rows) == 5
    assert {row.count("<t") for row in rows} == {7}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in rows[3]
    assert "<td>0.8200 ± 0.0200</td>" in rows[1]
