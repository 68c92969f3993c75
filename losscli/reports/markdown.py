"""A comparison as Markdown, for a pull request: the answer, the leaderboard, a paragraph. Nothing foreign is markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.errors import Finding, by_gravity, counted, visible
from losscli.rules import rules
from losscli.words.answer import answer, breakdown_answer
from losscli.words.columns import columns, rows_beside
from losscli.words.looks import caption as looks_caption
from losscli.words.paragraph import paragraph
from losscli.words.phrases import tuned_options
from losscli.words.view import View, in_words, select

# What GitHub may take for more than text: emphasis, code, links, HTML, cells, formulas, mentions, references, emoji.
MARKS = re.compile(r"([\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])|@(?=\w)|#(?=\d)|:(?=[\w+-]+:|//))")
LONGEST = 200  # characters of a foreign name


def to_markdown(comparison: Comparison, view: View | None = None) -> str:
    """All arenas, one after another: a heading, the answer, the leaderboard of the test split, the paragraph and the findings."""
    parts = [f"**{literal(breakdown_answer(breakdown), 2000)}**\n" for breakdown in comparison.breakdowns]
    parts += [line for arena in comparison.arenas for line in _arena(arena, view or View())]
    if comparison.unmet:
        parts += ["", *(f"- **unmet**: {literal(message)}" for message in comparison.unmet)]
    if comparison.record:
        parts += ["", f"Record: {literal(comparison.record)}"]
    return "\n".join(parts).strip() + "\n"


def literal(text: object, longest: int = LONGEST) -> str:
    r"""Text that a renderer shows as it is: no markup, no cell of its own, no mention of anybody.

    >>> print(literal("a|b <b>*x*</b> @all"))
    a\|b \<b\>\*x\*\</b\> \@all
    >>> print(literal("log_loss: -0.5, #12, _x_, :smile:, https://x"))
    log_loss: -0.5, \#12, \_x\_, \:smile:, https\://x
    """
    return MARKS.sub(r"\\\1", visible(text, longest))


def _arena(arena: Arena, view: View) -> Iterator[str]:
    shown = select(arena, view)
    seeds = counted(len(arena.seeds), "seed")
    yield from ("", f"### {literal(arena.title)} ({arena.task}), test {literal(arena.headline)}, {seeds}", "")
    yield f"**{literal(answer(arena), 2000)}**"
    yield ""
    yield from _table(shown)
    yield ""
    ordered = in_words(arena, view)
    notes = (
        [f"reference: {literal(arena.reference)}", ordered] if ordered else [f"reference: {literal(arena.reference)}"]
    )
    notes += [looks] if (looks := looks_caption(arena)) else []
    several = len(arena.seeds) > 1
    caption = "Mean ± sd over the seeds, 95 % interval of the paired difference" if several else "One seed, test split"
    yield f"{caption}; {'; '.join(notes)}."
    if arena.yardsticks:
        yield "Below the baseline: plain models of scikit-learn on the same splits, no part of the comparison."
    yield from ("", literal(paragraph(arena), 20_000))
    tuned = [f"- {literal(entry.entry)}: {literal(tuned_options(entry))}" for entry in shown.entries if entry.tuned]
    if tuned:
        yield from ("", "Tuned on the valid split of each seed:", "", *tuned)
    findings = by_gravity(arena.findings)
    if findings:
        yield from ("", *map(_finding, findings))


def _finding(finding: Finding) -> str:
    page = f" (`losscli explain {finding.code}`)" if finding.code in rules else ""
    return f"- **{finding.severity}**: {literal(finding.message, 2000)}{page}"


def _table(arena: Arena) -> Iterator[str]:
    table = columns(arena)
    yield _row(["entry", *(column.heading for column in table)])
    yield _row(["---"] * (len(table) + 1), plain=True)
    for at, entry in enumerate(arena.entries):
        yield _row([visible(entry.entry, LONGEST), *(str(column.cells[at]) for column in table)])
    for name, cells in rows_beside(arena, table):
        yield _row([name, *cells])


def _row(cells: Sequence[str], plain: bool = False) -> str:
    return f"| {' | '.join(cells if plain else map(literal, cells))} |"
