"""Where the vectors of test rows lie, in braille: a colour for each class, and its first letters where most of it is."""

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
COLORS = (
    "blue", "yellow", "green", "red", "magenta", "cyan", "bright_blue", "bright_yellow", "bright_green", "bright_red",
    "bright_magenta", "bright_cyan",
)  # fmt: skip
LETTERS = 8  # of a class's name that stand in a picture


@dataclass
class Maps:
    """Pictures side by side, as many as there is room for: by entry its dots and the class of each."""

    maps: Mapping[str, Mapping[str, Any]]
    labels: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(WIDTH, options.max_width)
        count = max(1, min(len(self.maps), (options.max_width + GAP) // (width + GAP)))
        pictures = list(self.maps.items())[:count]
        yield Text("vectors of test rows along their first two principal components (share of the variance)", "bold")
        titles = [f"{visible(name, width - 7)} ({100 * one['variance']:.0f} %)" for name, one in pictures]
        yield Text((" " * GAP).join(f"{title:<{width}}" for title in titles))
        for lines in zip(*(self._canvas(one, width) for _, one in pictures), strict=True):
            yield Text(" " * GAP).join(lines)

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
        return [Text.from_ansi(row) for row in canvas.plot(linesep="\n").split("\n")]


def maps(arena: Arena) -> Iterator[RenderableType]:
    """The picture of the best entry by the headline, and of the reference."""
    pictures: Mapping[str, Any] = arena.why.get("maps") or {}
    best = max(arena.entries, key=lambda entry: arena.goodness(entry, arena.headline)).entry
    pair = {name: pictures[name] for name in dict.fromkeys((best, arena.reference)) if name in pictures}
    if pair:
        yield Maps(pair, arena.labels)
        yield Text()
