"""Annotations of a GitHub workflow: what was unmet and what was noticed, as GitHub shows it beside a pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from losscli.errors import visible
from losscli.severities import SEVERITIES

if TYPE_CHECKING:
    from losscli.comparison import Comparison

LONGEST = 2000


def of(comparison: Comparison) -> str:
    """A line for every unmet expectation (an error) and every finding."""
    lines = [annotation("error", "expectation not met", expectation) for expectation in comparison.unmet]
    for arena in comparison.arenas:
        lines += [
            annotation(SEVERITIES[finding.severity].workflow, f"{arena.data}: {finding.code}", finding.message)
            for finding in arena.findings
        ]
    return "".join(f"{line}\n" for line in lines)


def annotation(level: str, title: str, message: str) -> str:
    r"""One workflow command; nothing in its parts can end it or begin another.

    >>> annotation("error", "a: b, c", "50 % lost\n::error::x")
    '::error title=a%3A b%2C c::50 %25 lost\\n::error::x'
    """
    return f"::{level} title={_property(title)}::{_escaped(message)}"


def annotation_at(level: str, title: str, message: str, where: Mapping[str, str]) -> str:
    r"""A workflow command at a place of a file.

    >>> annotation_at("error", "LC001", "wrong", {"file": "a,b.py", "line": "3"})
    '::error file=a%2Cb.py,line=3,title=LC001::wrong'
    """
    parts = ",".join(f"{key}={_property(value)}" for key, value in {**where, "title": title}.items())
    return f"::{level} {parts}::{_escaped(message)}"


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return visible(text, LONGEST).replace("%", "%25")
