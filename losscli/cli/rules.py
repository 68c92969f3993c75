"""What the terminal shows of the rules: the table of all, and the page of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from losscli.cli.fitted import Col, Fitted
from losscli.rules import MARK, Rule
from losscli.severities import SEVERITIES


def rule_table(rules: Sequence[Rule]) -> Iterator[RenderableType]:
    """A line per rule."""
    table = Fitted([Col("code"), Col("rule"), Col("severity", drop=1), Col("what it sees", prose=True)])
    for rule in rules:
        table.add(rule.code, rule.name, Text(rule.severity, SEVERITIES[rule.severity].terminal), rule.what)
    yield table
    yield Text(f"{len(rules)} rules; losscli explain LC001 shows a page", "dim")


def rule_page(rule: Rule) -> Iterator[RenderableType]:
    """The whole page: what, why it hurts, what torch says, what to use instead, a wrong case and a right one."""
    yield Text.assemble((rule.code, "bold"), f" {rule.name} · ", (rule.severity, SEVERITIES[rule.severity].terminal))
    yield Text(f"{rule.what[:1].upper()}{rule.what[1:]}.")
    yield Text()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in (("why it hurts", rule.why), ("torch says", rule.torch), ("use instead", rule.instead)):
        grid.add_row(Text(name, "bold"), Text(text))
    yield grid
    for title, cases in (("wrong", rule.bad + rule.bad_runs), ("right", rule.good + rule.good_runs)):
        for case in cases[:1]:
            yield Text(f"\n{title}", "bold")
            yield Padding(Text(case.replace(f"  {MARK}", "").rstrip()), (0, 0, 0, 4))
