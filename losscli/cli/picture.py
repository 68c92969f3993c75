"""Pictures of a target in a terminal: bars for classes, a histogram for numbers, in block characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from losscli.advice.inspect import Histogram
from losscli.errors import visible

EIGHTHS = " ▁▂▃▄▅▆▇█"
LYING = " ▏▎▍▌▋▊▉█"
HEIGHT = 7
WIDEST = 60
LONGEST_NAME = 24
MOST_BARS = 15


@dataclass
class Bars:
    """A bar for each of some names, with its count and its share of `rows`; what is beyond `MOST_BARS` is counted."""

    counts: Sequence[tuple[str, int]]
    rows: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = list(self.counts[:MOST_BARS])
        names = [visible(name, LONGEST_NAME) for name, _ in shown]
        tails = [f"{count:,} ({_percent(count, self.rows)})" for _, count in shown]
        space = options.max_width - max(map(len, names)) - max(map(len, tails)) - 5
        most = max(count for _, count in self.counts) or 1
        for name, (_, count), tail in zip(names, shown, tails, strict=True):
            bar = lying(count / most * max(8, min(WIDEST - 12, space)), count > 0)
            yield Text.assemble(f"  {name:<{max(map(len, names))}} ", (bar, "cyan"), f" {tail}")
        if len(self.counts) > len(shown):
            yield Text(f"  and {len(self.counts) - len(shown)} more", "dim")


@dataclass
class Steps:
    """A histogram as tall as `HEIGHT` lines, its range below."""

    histogram: Histogram

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        counts = fitted(self.histogram.counts, min(WIDEST, options.max_width - 12))
        wide = max(1, min(3, (options.max_width - 12) // len(counts)))
        most = max(counts) or 1
        edge = f"{most:,}"
        for line in range(HEIGHT, 0, -1):
            tick = edge if line == HEIGHT else "0" if line == 1 else ""
            drawn = "".join(
                standing(count / most * HEIGHT - (line - 1), line == 1 and count > 0) * wide for count in counts
            )
            yield Text.assemble((f"{tick:>{len(edge) + 2}} │", "dim"), (drawn, "cyan"))
        low, high = f"{self.histogram.low:.5g}", f"{self.histogram.high:.5g}"
        middle = " (logarithmic)" if self.histogram.logarithmic else ""
        gap = max(1, len(counts) * wide - len(low) - len(middle) - len(high))
        yield Text(f"{'':>{len(edge) + 3}}└{'─' * len(counts) * wide}", "dim")
        yield Text(f"{'':>{len(edge) + 4}}{low}{middle}{' ' * gap}{high}", "dim")


def _percent(count: int, rows: int) -> str:
    share = 100 * count / rows if rows else 0.0
    return f"{share:.1f} %" if share >= 1 or not count else f"{share:.2g} %"


def lying(length: float, some: bool) -> str:
    """A bar of that many columns; where there is some, at least a sliver."""
    eighths = max(round(length * 8), int(some))
    return "█" * (eighths // 8) + LYING[eighths % 8].strip()


def standing(height: float, some: bool) -> str:
    """One cell of a standing bar that reaches `height` lines above the foot of this one."""
    return EIGHTHS[max(int(some), min(8, max(0, round(height * 8))))]


def fitted(counts: Sequence[int], columns: int) -> list[int]:
    """The counts of as many steps as there is room for: neighbours are added up."""
    together = -(-len(counts) // max(1, columns))
    return [sum(counts[at : at + together]) for at in range(0, len(counts), together)]
