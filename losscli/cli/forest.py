"""Differences to the reference with their intervals, as the terminal shows them."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from losscli.compare.result import Arena
from losscli.words.forest import forest

STYLES = {"better": "green", "worse": "red"}  # as in the tables


@dataclass
class Forest:
    """The plot of an arena's headline, in the width that there is."""

    arena: Arena

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plot = forest(self.arena, options.max_width)
        if plot is None:
            return
        yield Text(plot.title, "bold")
        for line in plot.lines:
            yield Text.assemble(f"{line.name} ", (line.row, STYLES.get(line.verdict, "")))
        yield Text(plot.axis, "dim")
