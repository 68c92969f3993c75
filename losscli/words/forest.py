"""Differences to the reference with their intervals, a line of text for each entry: what a forest plot of a report shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from losscli.compare.result import Arena, Delta, EntryResult
from losscli.errors import visible
from losscli.words.numbers import number

WIDEST = 64  # columns of the plot itself
NARROWEST = 16
LONGEST_NAME = 30


@dataclass(frozen=True)
class ForestLine:
    """One entry: `o` is the mean difference, `━` its 95 % interval, `╌` what makes no practical difference."""

    name: str  # as wide as all of them
    row: str
    verdict: str


@dataclass(frozen=True)
class ForestText:
    """The plot of an arena's headline."""

    title: str
    lines: list[ForestLine]
    axis: str


def forest(arena: Arena, width: int) -> ForestText | None:
    """The plot, at most so many characters wide where names leave room; None where nothing is compared."""
    compared = [(entry, entry.delta) for entry in arena.entries if entry.delta is not None]
    compared = [(entry, delta) for entry, delta in compared if math.isfinite(delta.mean)]
    if not compared:
        return None
    names = {entry.entry: visible(entry.entry, LONGEST_NAME) for entry, _ in compared}
    left = max(map(len, names.values()))
    columns = max(NARROWEST, min(WIDEST, width - left - 2)) // 2 * 2 + 1
    reach = _reach(compared)
    lines = [
        ForestLine(f"{names[entry.entry]:<{left}}", _row(delta, reach, columns), entry.verdict)
        for entry, delta in compared
    ]
    low, high, half = number(-reach, None, "+"), number(reach, None, "+"), columns // 2
    title = f"difference in {visible(arena.headline, 40)} to {visible(arena.reference, 40)}"
    return ForestText(title, lines, f"{'':<{left}} {low:<{half}}0{high:>{half}}")


def _reach(compared: list[tuple[EntryResult, Delta]]) -> float:
    """The largest size that has to be shown."""
    sizes = [abs(end) for _, delta in compared for end in delta.ci95 or (delta.mean,)]
    return 1.05 * max([*sizes, *(1.2 * (delta.margin or 0.0) for _, delta in compared)]) or 1.0


def _row(delta: Delta, reach: float, columns: int) -> str:
    """One line.

    >>> _row(Delta("auroc", 0.5, (0.0, 1.0), margin=0.2), 1.0, 21)
    '        ╌╌│━━━━o━━━━━'
    """

    def at(value: float) -> int:
        return round((min(max(value / reach, -1.0), 1.0) + 1) / 2 * (columns - 1))

    row = [" "] * columns
    if delta.margin:
        low, high = at(-delta.margin), at(delta.margin)
        row[low : high + 1] = "╌" * (high + 1 - low)
    if delta.ci95 is not None:
        low, high = map(at, delta.ci95)
        row[low : high + 1] = "━" * (high + 1 - low)
    row[columns // 2] = "│"
    row[at(delta.mean)] = "o"
    return "".join(row).rstrip()
