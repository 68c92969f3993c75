"""Rows as dots in braille: made-up ones over real ones, and vectors in the colours of their classes.

Both show the best entry by the headline and the reference, side by side where there is room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from losscli.compare.result import Arena
from losscli.errors import visible

Picture = TypeVar("Picture")

WIDTH, HEIGHT = 38, 14
GAP = 4
REAL, MADE = "bright_black", "cyan"
Dots = Sequence[Sequence[float]]
COLORS = (
    "blue", "yellow", "green", "red", "magenta", "cyan", "bright_blue", "bright_yellow", "bright_green", "bright_red",
    "bright_magenta", "bright_cyan",
)  # fmt: skip
LETTERS = 8  # of a class's name that stand in a picture


def _pair(arena: Arena, pictures: Mapping[str, Picture]) -> dict[str, Picture]:
    """Those of the best entry by the headline and of the reference, where there are any."""
    best = max(arena.entries, key=lambda entry: arena.goodness(entry, arena.headline)).entry
    return {name: pictures[name] for name in dict.fromkeys((best, arena.reference)) if name in pictures}


def _room(pictures: Mapping[str, Picture], options: ConsoleOptions) -> tuple[dict[str, Picture], int]:
    """As many pictures as there is room for side by side, at least one, and how wide each is."""
    width = min(WIDTH, options.max_width)
    return dict(list(pictures.items())[: max(1, (options.max_width + GAP) // (width + GAP))]), width


def beside(titles: Sequence[str], pictures: Sequence[Sequence[Text]], width: int) -> Iterator[Text]:
    """Pictures of equal size and width, each below its title."""
    yield Text((" " * GAP).join(f"{title:<{width}}" for title in titles))
    for lines in zip(*pictures, strict=True):
        yield Text(" " * GAP).join(lines)


def _lines(canvas: Any) -> list[Text]:
    return [Text.from_ansi(row) for row in canvas.plot(linesep="\n").split("\n")]


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
        pictures, width = _room(self.samples if colored else {"real rows": self.real, **self.samples}, options)
        limits = _limits([*self.real, *(dot for dots in self.samples.values() for dot in dots)], self.real)
        layers = [{REAL: self.real, MADE: dots} if colored else {"": dots} for dots in pictures.values()]
        yield Text(self.title, "bold")
        titles = [visible(name, width) for name in pictures]
        yield from beside(titles, [_canvas(own, width, limits) for own in layers], width)


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
    return _lines(canvas)


def scatters(arena: Arena) -> Iterator[RenderableType]:
    """The picture of the reference and of the best entry by the headline, as they were in the end."""
    moments: Mapping[str, Any] = arena.why.get("moments") or {}
    if not moments or not moments["real"]:
        return
    final = {name: pictures[-1] for name, pictures in moments["entries"].items() if pictures and pictures[-1]}
    if chosen := _pair(arena, final):
        across, up = moments["columns"]
        title = (
            f"made up over real rows: {visible(up, 20)} against {visible(across, 20)}, epoch {moments['epochs'][-1]}"
        )
        yield Scatter(title, moments["real"], chosen)
        yield Text()


@dataclass
class Maps:
    """Pictures side by side, as many as there is room for: by entry its dots and the class of each."""

    maps: Mapping[str, Mapping[str, Any]]
    labels: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        pictures, width = _room(self.maps, options)
        yield Text("vectors of test rows along their first two principal components (share of the variance)", "bold")
        titles = [f"{visible(name, width - 7)} ({100 * one['variance']:.0f} %)" for name, one in pictures.items()]
        yield from beside(titles, [self._canvas(one, width) for one in pictures.values()], width)

    def _canvas(self, one: Mapping[str, Any], width: int) -> list[Text]:
        import plotille

        across, up = zip(*one["dots"], strict=True)
        low, high, bottom, top = min(across), max(across), min(up), max(up)
        high, top = max(high, low + 1e-6), max(top, bottom + 1e-6)
        canvas = plotille.Canvas(width, HEIGHT, low, bottom, high, top, mode="names")
        places: dict[int, list[tuple[float, float]]] = {}
        for x, y, index in zip(across, up, one["classes"], strict=True):
            canvas.point(x, y, color=COLORS[index % len(COLORS)])
            places.setdefault(index, []).append((x, y))
        column, row = (high - low) / width, (top - bottom) / HEIGHT
        for index, dots in places.items():
            name = visible(self.labels[index], LETTERS) if index < len(self.labels) else str(index)
            x, y = (sorted(values)[len(values) // 2] for values in zip(*dots, strict=True))
            # A text that ends beyond the picture is an error of plotille's.
            x, y = max(low, min(x, high - (len(name) + 1) * column)), max(bottom + row, min(y, top - row))
            canvas.text(x, y, name, color=COLORS[index % len(COLORS)])
        return _lines(canvas)


def maps(arena: Arena) -> Iterator[RenderableType]:
    """The picture of the best entry by the headline, and of the reference."""
    if chosen := _pair(arena, arena.why.get("maps") or {}):
        yield Maps(chosen, arena.labels)
        yield Text()
