"""What the terminal shows of the rules: the table of all, and the page of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from losscli.rules import MARK, Rule
from losscli.severities import SEVERITIES


def rule_table(rules: Sequence[Rule]) -> Iterator[RenderableType]:
    """A line per rule."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("code", "rule", "severity", "what it sees"):
        table.add_column(Text(heading), overflow="fold", no_wrap=heading != "what it sees")
    for rule in rules:
        severity = Text(rule.severity, SEVERITIES[rule.severity].terminal)
        table.add_row(Text(rule.code), Text(rule.name), severity, Text(rule.what))
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
