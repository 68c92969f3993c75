"""Rows that were made up over real ones, in braille: one picture for each entry that tells most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from losscli.compare.result import Arena
from losscli.errors import visible

WIDTH, HEIGHT = 38, 14
GAP = 4
REAL, MADE = "bright_black", "cyan"
Dots = Sequence[Sequence[float]]


@dataclass
class Scatter:
    """Pictures side by side, as many as there is room for: samples over real rows, by entry.

    Where there are no colours, real rows and samples have pictures of their own.
    """

    title: str
    real: Dots
    samples: Mapping[str, Dots]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        colored = console.color_system is not None and not console.no_color
        width = min(WIDTH, options.max_width)
        pictures = dict(self.samples) if colored else {"real rows": self.real, **self.samples}
        count = max(1, min(len(pictures), (options.max_width + GAP) // (width + GAP)))
        limits = _limits([*self.real, *(dot for dots in self.samples.values() for dot in dots)], self.real)
        drawn = {
            name: _canvas({REAL: self.real, MADE: dots} if colored else {"": dots}, width, limits)
            for name, dots in list(pictures.items())[:count]
        }
        yield Text(self.title, "bold")
        yield Text((" " * GAP).join(f"{visible(name, width):<{width}}" for name in drawn))
        for lines in zip(*drawn.values(), strict=True):
            yield Text(" " * GAP).join(lines)


def _limits(dots: Dots, real: Dots) -> tuple[float, float, float, float]:
    """Twice the range of the real rows at most: a sample far off would leave no room for the others."""
    ends: list[float] = []
    for axis in (0, 1):
        low, high = min(dot[axis] for dot in real), max(dot[axis] for dot in real)
        room = (high - low) / 2 or 1.0
        inside = [dot[axis] for dot in dots if low - room <= dot[axis] <= high + room]
        ends += [min(inside), max(inside) if max(inside) > min(inside) else min(inside) + 1]
    return ends[0], ends[2], ends[1], ends[3]


def _canvas(layers: Mapping[str, Dots], width: int, limits: tuple[float, float, float, float]) -> list[Text]:
    """Lines of braille; a later layer lies on top. A cell has one colour, that of its last dot."""
    import plotille

    low, bottom, high, top = limits
    canvas = plotille.Canvas(width, HEIGHT, low, bottom, high, top, mode="names")
    for color, dots in layers.items():
        for x, y in dots:
            if low <= x <= high and bottom <= y <= top:
                canvas.point(x, y, color=color or None)
    return [Text.from_ansi(row) for row in canvas.plot(linesep="\n").split("\n")]


def scatters(arena: Arena) -> Iterator[RenderableType]:
    """The picture of the reference and of the best entry by the headline, as they were in the end."""
    moments: Mapping[str, Any] = arena.why.get("moments") or {}
    if not moments or not moments["real"]:
        return
    final = {name: pictures[-1] for name, pictures in moments["entries"].items() if pictures and pictures[-1]}
    best = max(arena.entries, key=lambda entry: arena.goodness(entry, arena.headline)).entry
    pair = {name: final[name] for name in dict.fromkeys((best, arena.reference)) if name in final}
    if pair:
        across, up = moments["columns"]
        title = (
            f"made up over real rows: {visible(up, 20)} against {visible(across, 20)}, epoch {moments['epochs'][-1]}"
        )
        yield Scatter(title, moments["real"], pair)
        yield Text()
