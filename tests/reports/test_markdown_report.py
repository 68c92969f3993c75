"""The Markdown report, read back by hand; a renderer (markdown-it, of rich) is the oracle of what is markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.errors import Finding
from losscli.reports.markdown import literal, to_markdown
from losscli.words.paragraph import paragraph
from losscli.words.view import View

MakeArena = Callable[..., Arena]
MakeComparison = Callable[..., Comparison]
SCORES = {"bce-logits": [0.80, 0.82, 0.84], "focal gamma=2": [0.81, 0.84, 0.84], "hinge": [0.7, 0.7, 0.7]}
GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def cells(text: str) -> list[list[str]]:
    """The rows of the first table, as a renderer sees them."""
    html = GITHUB.render(text)
    table = html[html.index("<table>") : html.index("</table>")]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.S)
    return [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd]>(.*?)</t[hd]>", row, re.S)] for row in rows]


def test_it_is_a_heading_the_paragraph_and_the_leaderboard(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    arena = arena_of(SCORES, findings=[Finding("x", "warning", "careful", "mend it")])
    text = to_markdown(comparison_of(arena, record="runs/0001-x", unmet=["test.auroc must be > 0.9"]))
    assert text.startswith("### titanic (binary), test auroc, 3 seeds\n\n")
    assert literal(paragraph(arena), 20_000) in text
    heading, *lines = cells(text)
    assert heading == ["entry", "verdict", "auroc ↑", "vs reference", "accuracy ↑", "log-loss ↓", "time share"]
    assert [line[0] for line in lines] == ["bce-logits", "focal gamma=2", "hinge", "baseline"]
    assert [line[2] for line in lines] == ["0.8200 ± 0.0200", "0.8300 ± 0.0173", "0.7000 ± 0.0000", "0.5000"]
    assert lines[0][1] == "reference"
    assert "- **warning**: careful" in text
    assert "- **unmet**: test.auroc must be > 0.9" in text.replace("\\", "")
    assert "Record: runs/0001-x" in text
    assert "**better**" not in text


def test_a_view_sorts_cuts_and_says_so(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    text = to_markdown(comparison_of(arena_of(SCORES)), View("auroc", ("accuracy",), 1))
    assert [line[0] for line in cells(text)] == ["entry", "focal gamma=2", "bce-logits", "baseline"]
    assert "2 of 3 entries shown, sorted by auroc, which is no ranking" in text
    assert "log-loss" not in text


@pytest.mark.parametrize(
    "foreign",
    [
        "a|b", "<script>alert(1)</script>", "*bold*", "_x_", "__x__", "`code`", "[link](http://x)", "![img](x)", "~~no~~",
        "a\n# heading", "$math$", "&amp;", "\\|", "<!-- hidden", "http://evil.example", "x <b>y</b>",
    ],
)  # fmt: skip
def test_foreign_text_is_never_markup(arena_of: MakeArena, comparison_of: MakeComparison, foreign: str) -> None:
    finding = Finding("x", "info", f"column {foreign}", "")
    text = to_markdown(comparison_of(arena_of({foreign: [0.8], "b": [0.7]}, data=foreign, findings=[finding])))
    table = cells(text)
    assert {len(row) for row in table} == {7}
    html = GITHUB.render(text)
    assert not re.search(r"<(script|em|code|a|img|s|b|math|h1)\b|<!--", html.replace("<strong>info</strong>", ""))
    assert html.count("<strong>") == 2  # of the answer and of the finding's severity
    rendered = foreign.replace("\n", "\\n").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert table[1][0] == rendered


def test_nobody_is_mentioned_and_no_issue_is_linked() -> None:
    assert literal("@everyone #12 :tada:") == "\\@everyone \\#12 \\:tada:"


def test_what_tuning_chose_is_told(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    arena = arena_of(SCORES)
    entries = [replace(arena.entries[0], tuned={"lr": {"0.1": 1, "0.01": 2}}), *arena.entries[1:]]
    text = to_markdown(comparison_of(replace(arena, entries=entries)))
    assert "- bce-logits: lr: 0.01 in 2 of 3 seeds, 0.1 in 1" in text
