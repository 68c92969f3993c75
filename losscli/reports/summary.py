"""A record in Markdown, for a pull request: leaderboards and findings, then the command and the specs to repeat it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from losscli.errors import visible
from losscli.reports.html import command
from losscli.reports.markdown import to_markdown
from losscli.reports.recall import Recalled


def markdown_of(recalled: Recalled) -> str:
    """The whole text."""
    return "\n".join([to_markdown(recalled.comparison).rstrip(), *_repeated(recalled)]) + "\n"


def _repeated(recalled: Recalled) -> Iterator[str]:
    yield from ("", "To repeat it:", "", *fenced(command(recalled), "sh"))
    for number, spec in enumerate(recalled.specs, start=1):
        which = f" {number}" if len(recalled.specs) > 1 else ""
        yield from (
            "",
            f"<details><summary>The spec{which}, as it was resolved</summary>",
            "",
            *fenced(spec, "yaml"),
            "",
            "</details>",
        )


def fenced(text: str, language: str) -> list[str]:
    """Foreign text as a block of code that nothing in it can end.

    >>> fenced("a ``` b", "sh")
    ['````sh', 'a ``` b', '````']
    """
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return [f"{fence}{language}", *(visible(line, 400) for line in text.splitlines()), fence]
