"""A record in Markdown, for a pull request: leaderboards and findings, then the command and the specs to repeat it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version

from losscli.errors import visible
from losscli.pages.document import MARKED
from losscli.reports.markdown import literal, to_markdown
from losscli.reports.recall import ComparisonRecord
from losscli.reports.repeat import command, needed, own_losses, take_home


def markdown_of(recalled: ComparisonRecord) -> str:
    """The whole text."""
    mark = f"{MARKED} {version('losscli')}; its next report may replace this file -->"
    return "\n".join([mark, "", to_markdown(recalled.comparison).rstrip(), *_repeated(recalled)]) + "\n"


def _repeated(recalled: ComparisonRecord) -> Iterator[str]:
    yield from ("", "To repeat it:", "", *fenced(command(recalled), "sh"))
    yield from (line for name, file in own_losses(recalled).items() for line in ("", literal(needed(name, file))))
    if home := take_home(recalled):
        yield from (
            "",
            "To take the loss home, as one nn.Module that needs torch alone:",
            "",
            *fenced("\n".join(home), "sh"),
        )
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
