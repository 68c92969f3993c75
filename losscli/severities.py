"""How grave a finding is: one line each, the gravest first, with how it looks on a terminal, on a page, and to GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Severity:
    """`terminal` is a style of Rich, `page` a colour of CSS, `workflow` the command of a GitHub
    workflow that annotates it, `sarif` its level in SARIF 2.1.0."""

    name: str
    terminal: str
    page: str
    workflow: str
    sarif: str


SEVERITIES: Mapping[str, Severity] = {
    severity.name: severity
    for severity in (
        Severity("error", "bold red", "var(--bad)", "error", "error"),
        Severity("warning", "yellow", "light-dark(#8a6200, #f0c050)", "warning", "warning"),
        Severity("info", "cyan", "var(--accent)", "notice", "note"),
    )
}
