"""Curves over epochs or another axis, in braille, each with its name at its right end.

Where there are no colours a letter of its own rides on each curve and stands before its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, stdev

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from losscli.compare.result import RunResult
from losscli.errors import visible
from losscli.words.numbers import decimals, number

LETTERS = "abcdefgh"  # one for each colour
COLORS = ("cyan", "yellow", "magenta", "green", "blue", "red", "bright_cyan", "bright_yellow")
HEIGHT = 10
LONGEST_NAME = 40
APART = 12  # columns between two letters on a curve
SPARSE = 4  # dots from one dot of a band to the next, along and across
DRAWABLE = 1e300  # sizes of values below which a canvas can be computed

Curve = Sequence[tuple[float, float]]  # epoch or another place on the axis, value
Band = Sequence[tuple[float, float, float]]  # the same place, the lower and the upper end


def mean_curve(runs: Iterable[RunResult], split: str, metric: str) -> list[tuple[int, float]]:
    """The mean over the runs that reached an epoch, as far as half of them do; diverged runs count only where there is no
    other."""
    return [(epoch, fmean(values)) for epoch, values in _by_epoch(runs, split, metric)]


def band(runs: Iterable[RunResult], split: str, metric: str) -> list[tuple[int, float, float]]:
    """One standard deviation (n - 1) around the mean curve, at the epochs that several runs reached."""
    moments = [(epoch, fmean(values), stdev(values)) for epoch, values in _by_epoch(runs, split, metric) if values[1:]]
    return [(epoch, mean - sd, mean + sd) for epoch, mean, sd in moments]


def _by_epoch(runs: Iterable[RunResult], split: str, metric: str) -> list[tuple[int, list[float]]]:
    runs = list(runs)
    survivors = [run for run in runs if not run.lost] or runs
    values: dict[int, list[float]] = {}
    for run in survivors:
        for point in run.history:
            if (point.split, point.metric) == (split, metric) and abs(point.value) < DRAWABLE:
                values.setdefault(point.epoch, []).append(point.value)
    most = max(map(len, values.values()), default=0)
    # those few that go on would tell another story
    return [(epoch, reached) for epoch, reached in sorted(values.items()) if 2 * len(reached) >= most]


@dataclass
class Curves:
    """A renderable: at most as many named curves as there are colours; `widest` is the most columns without the names.

    `bands` are shaded behind the curves of the same names. The height shows all that comes after a `settling` share of the
    axis: a steep beginning would leave no room for what tells the curves apart, so they may come in through an edge.
    """

    title: str
    curves: Mapping[str, Curve]
    widest: int = 84
    axis: str = "epoch"
    bands: Mapping[str, Band] = field(default_factory=dict)
    settling: float = 0.0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawn = {name: _drawable(curve) for name, curve in list(self.curves.items())[: len(COLORS)]}
        drawn = {name: curve for name, curve in drawn.items() if curve}
        if not drawn:
            yield Text(f"{self.title}: no finite value to draw")
            return
        yield Text(self.title + self._left_out(len(drawn)), "bold")
        colored = console.color_system is not None and not console.no_color
        yield from _figure(drawn, self.bands, self._heights(drawn), options.max_width, self.widest, colored, self.axis)

    def _heights(self, drawn: Mapping[str, Curve]) -> tuple[float, float]:
        """The lowest and the highest that is shown."""
        first, last = _ends(place for curve in drawn.values() for place, _ in curve)
        values = [
            value
            for curve in drawn.values()
            for place, value in curve
            if place >= first + self.settling * (last - first)
        ]
        ends = [end for name in drawn if self.bands.get(name) for end in self.bands[name][-1][1:]]
        return _limits([*values, *ends])

    def _left_out(self, drawn: int) -> str:
        return f" ({drawn} of {len(self.curves)} drawn)" if drawn < len(self.curves) else ""


def _drawable(curve: Curve) -> list[tuple[float, float]]:
    # NaN and inf compare false
    return [(epoch, value) for epoch, value in curve if abs(value) < DRAWABLE and abs(epoch) < DRAWABLE]


def _figure(
    curves: Mapping[str, Curve],
    bands: Mapping[str, Band],
    heights: tuple[float, float],
    width: int,
    widest: int,
    colored: bool,
    axis: str,
) -> list[Text]:
    low, high = heights
    first, last = _ends(epoch for curve in curves.values() for epoch, _ in curve)
    places = decimals((low, high))
    ticks = {0: number(high, places), HEIGHT // 2: number((low + high) / 2, places), HEIGHT - 1: number(low, places)}
    margin = max(map(len, ticks.values())) + 1
    letters = [] if colored or len(curves) == 1 else list(LETTERS)
    names = {name: visible(name, min(LONGEST_NAME, max(4, width // 3))) for name in curves}
    if letters:
        names = {name: f"{letter} {label}" for letter, (name, label) in zip(letters, names.items(), strict=False)}
    columns = max(4, min(widest, width - margin - max(map(len, names.values())) - 4))
    rows = _canvas(curves, bands, columns, (first, last, low, high), colored, letters)
    labels = _labels(curves, low, high)
    lines = []
    for row, dots in enumerate(rows):
        edge = f"{ticks.get(row, ''):>{margin - 1}} {'┤' if row in ticks else '│'}"
        line = Text.assemble((edge, "dim"), dots)
        if row in labels:
            name = labels[row]
            line.append(f" {names[name]}", COLORS[list(curves).index(name)])
        lines.append(line)
    begin, end = f"{first:g}", f"{axis} {last:g}"
    epochs = f"{begin}{end:>{max(0, columns - len(begin))}}"
    return [*lines, Text(f"{'':>{margin}}└{'─' * columns}", "dim"), Text(f"{'':>{margin + 1}}{epochs}", "dim")]


def _canvas(
    curves: Mapping[str, Curve],
    bands: Mapping[str, Band],
    columns: int,
    limits: tuple[float, float, float, float],
    colored: bool,
    letters: Sequence[str],
) -> list[Text]:
    """The curves as lines of braille, in front of their bands; the first curve is drawn last, on top."""
    import plotille

    first, last, low, high = limits
    # plotille asserts xmin < xmax, which one epoch alone does not give.
    canvas = plotille.Canvas(columns, HEIGHT, first, low, last if last > first else first + 1, high, mode="names")
    for index, name in reversed(list(enumerate(curves))):
        for place, height in _shade(bands.get(name, ()), columns, limits):
            canvas.point(place, height, color=COLORS[index] if colored else None)
    for index, curve in reversed(list(enumerate(curves.values()))):
        color = COLORS[index] if colored else None
        points = [*curve[:: max(1, len(curve) // (4 * columns))], curve[-1]]
        canvas.point(*points[0], color=color)
        for begin, end in pairwise(points):
            if stretch := _stretch(begin, end, 2 * low - high, 2 * high - low):
                canvas.line(*stretch, color=color)
    for index, (letter, curve) in enumerate(zip(letters, curves.values(), strict=False)):
        for epoch in _stations(first, last, columns, (index + 0.5) / len(curves)):
            if curve[0][0] <= epoch <= curve[-1][0]:
                canvas.point(epoch, _value_at(curve, epoch), marker=letter)
    return [Text.from_ansi(row) for row in canvas.plot(linesep="\n").split("\n")]


def _stretch(
    begin: tuple[float, float], end: tuple[float, float], low: float, high: float
) -> tuple[float, float, float, float] | None:
    """The part of a line that lies between two heights: plotille walks all of it, dot by dot, however far it is outside.

    >>> _stretch((0.0, 0.0), (1.0, 8.0), -1.0, 2.0)
    (0.0, 0.0, 0.25, 2.0)
    """
    (left, start), (right, stop) = begin, end
    if max(start, stop) < low or min(start, stop) > high:
        return None
    ends = []
    for place, height in (begin, end):
        edge = min(max(height, low), high)
        share = (edge - start) / (stop - start) if edge != height else 0.0
        ends += [left + (right - left) * share if edge != height else place, edge]
    return ends[0], ends[1], ends[2], ends[3]


def _shade(band: Band, columns: int, limits: tuple[float, float, float, float]) -> Iterator[tuple[float, float]]:
    """Dots between the ends of a band, so far apart that they make no line; a cell has 2 x 4 dots."""
    first, last, low, high = limits
    if len(band) < 2:
        return
    lower, upper = [(at, start) for at, start, _ in band], [(at, end) for at, _, end in band]
    for column in range(0, 2 * columns, SPARSE):
        place = first + (last - first) * (column + 0.5) / (2 * columns)
        if not band[0][0] <= place <= band[-1][0]:
            continue
        bottom, top = _value_at(lower, place), _value_at(upper, place)
        for row in range(column // 2 % SPARSE, 4 * HEIGHT, SPARSE):
            height = low + (high - low) * (row + 0.5) / (4 * HEIGHT)
            if bottom <= height <= top:
                yield place, height


def _stations(first: float, last: float, columns: int, shift: float) -> list[float]:
    """Where the letters of a curve stand; `shift`, from 0 to 1, keeps those of different curves out of each other's way."""
    count = max(1, columns // APART)
    return [first + (last - first) * (step + shift) / count for step in range(count)]


def _value_at(curve: Curve, place: float) -> float:
    """The height of a curve, straight between its points."""
    after = next(index for index, (at, _) in enumerate(curve) if at >= place)
    (left, start), (right, end) = curve[max(0, after - 1)], curve[after]
    return start + (end - start) * ((place - left) / (right - left)) if right > left else end


def _labels(curves: Mapping[str, Curve], low: float, high: float) -> dict[int, str]:
    """The row at which each curve's name stands: where it ends, or a row near it that is free, from the highest down."""
    rows: list[int] = []
    ends = sorted(curves, key=lambda name: -curves[name][-1][1])
    for name in ends:
        ideal = round((high - curves[name][-1][1]) / (high - low) * (HEIGHT - 1))
        rows.append(min(set(range(HEIGHT)) - set(rows), key=lambda row: abs(row - ideal)))
    return dict(zip(sorted(rows), ends, strict=True))


def _limits(values: Iterable[float]) -> tuple[float, float]:
    """A little more than the range, so that no curve lies on the edge, but not past zero; a constant gets room around it."""
    heights = list(values)
    low, high = min(heights), max(heights)
    room = (high - low) * 0.02 or abs(low) * 0.1 or 1.0
    below, above = low - room, high + room
    return (max(0.0, below) if low >= 0 else below), (min(0.0, above) if high <= 0 and low < 0 else above)


def _ends(epochs: Iterable[float]) -> tuple[float, float]:
    places = list(epochs)
    return min(places), max(places)
