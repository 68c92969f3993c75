"""Decision regions of two numeric features, in half blocks of the colour of the class that is decided on, with rows over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from losscli.cli.dots import GAP, HEIGHT, WIDTH, beside
from losscli.compare.regions import unpacked
from losscli.compare.result import Arena
from losscli.errors import visible

# Of each class the colour of its region and of its rows, which stand out from every region; without colours its sign and shade.
COLORS = (
    ("#1d4f8c", "#a8d1ff"), ("#8a5a00", "#ffd479"), ("#1f6b45", "#9df0c0"), ("#7a2f3a", "#ffb0ba"), ("#55408f", "#d0c0ff"),
    ("#0f6a73", "#9aeef5"), ("#5d6b1a", "#e2f08c"), ("#7d3c78", "#f5b5ef"), ("#4a4a4a", "#e0e0e0"), ("#6b4a33", "#eac7ad"),
)  # fmt: skip
SHADES = " ░▒▓"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MOST_DOTS = 60  # rows in a picture: more would hide the regions
HALF, DOT = "▀", "•"


@dataclass
class Regions:
    """Pictures side by side where there is room, else below each other.

    `decided` has by entry the class at each place, [side, side], the lowest row first; `rows` are features and class, [n, 3];
    `box` are the ends of both features.
    """

    title: str
    decided: Mapping[str, np.ndarray]
    box: Sequence[Sequence[float]]
    rows: np.ndarray
    labels: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        colored = console.color_system is not None and not console.no_color
        width = min(WIDTH, options.max_width)
        count = max(1, (options.max_width + GAP) // (width + GAP))
        yield Text(self.title, "bold")
        names = list(self.decided)
        for part in (names[at : at + count] for at in range(0, len(names), count)):
            pictures = [self._picture(self.decided[name], width, colored) for name in part]
            yield from beside([visible(name, width) for name in part], pictures, width)
        yield self._legend(colored)

    def _picture(self, classes: np.ndarray, width: int, colored: bool) -> list[Text]:
        """Lines of cells, from the highest; each has two places above each other, or a row of the data."""
        high = _sampled(classes, 2 * HEIGHT, width)[::-1]
        dots, lines = self._dots(width), []
        for line in range(HEIGHT):
            text = Text()
            for column in range(width):
                above, below = int(high[2 * line, column]), int(high[2 * line + 1, column])
                own = dots.get((line, column))
                if not colored:
                    text.append(SHADES[below % len(SHADES)] if own is None else LETTERS[own % len(LETTERS)])
                elif own is None:
                    text.append(HALF, f"{_region(above)} on {_region(below)}")
                else:
                    text.append(DOT, f"bold {COLORS[own % len(COLORS)][1]} on {_region(below)}")
            lines.append(text)
        return lines

    def _dots(self, width: int) -> dict[tuple[int, int], int]:
        """Line and column of some rows, with their class."""
        (left, right), (bottom, top) = self.box
        chosen = self.rows[:: max(1, len(self.rows) // MOST_DOTS)][:MOST_DOTS]
        places = {}
        for x, y, label in chosen.tolist():
            column = int((x - left) / (right - left) * width)
            line = HEIGHT - 1 - int((y - bottom) / (top - bottom) * HEIGHT)
            if 0 <= column < width and 0 <= line < HEIGHT:
                places[line, column] = int(label)
        return places

    def _legend(self, colored: bool) -> Text:
        """What the colours, or the signs, are."""
        shown = sorted(
            {*self.rows[:, 2].astype(int), *(int(index) for one in self.decided.values() for index in np.unique(one))}
        )
        legend = Text()
        for index in shown:
            name = visible(self.labels[index] if index < len(self.labels) else index, 16)
            if colored:
                legend.append(f" {DOT} ", f"bold {COLORS[index % len(COLORS)][1]} on {_region(index)}")
                legend.append(f" {name}   ")
            else:
                shade = SHADES[index % len(SHADES)]
                legend.append(f"{LETTERS[index % len(LETTERS)]} = {name}, on {shade.strip() or 'blank'}   ")
        legend.rstrip()
        return legend


def _region(index: int) -> str:
    return COLORS[index % len(COLORS)][0]


def _sampled(classes: np.ndarray, height: int, width: int) -> np.ndarray:
    """The nearest point of the lattice for each place of a picture.

    >>> _sampled(np.array([[0, 1], [2, 3]]), 4, 2).tolist()
    [[0, 1], [0, 1], [2, 3], [2, 3]]
    """
    down, across = (
        np.minimum(((np.arange(count) + 0.5) / count * len(classes)).astype(int), len(classes) - 1)
        for count in (height, width)
    )
    sampled: np.ndarray = classes[np.ix_(down, across)]
    return sampled


def regions(arena: Arena) -> Iterator[RenderableType]:
    """The pictures of the reference and of the best other entry by the headline, as they were in the end; of classes alone."""
    kept: Mapping[str, Any] = arena.why.get("regions") or {}
    final = {
        name: frames[-1] for name, frames in (kept.get("entries") or {}).items() if frames and frames[-1]["classes"]
    }
    others = [entry for entry in arena.entries if entry.entry != arena.reference and entry.entry in final]
    best = max(others, key=lambda entry: arena.goodness(entry, arena.headline)).entry if others else arena.reference
    names = [name for name in dict.fromkeys((arena.reference, best)) if name in final]
    if names:
        chosen = {name: unpacked(final[name]["classes"], kept["side"]) for name in names}
        across, up = (visible(name, 20) for name in kept["columns"])
        title = f"what is decided where: {up} against {across}, seed {arena.seeds[0]}; dots are training rows"
        rows = np.array(kept["rows"], np.float64).reshape(-1, 3)
        yield Regions(title, chosen, kept["box"], rows, arena.labels)
