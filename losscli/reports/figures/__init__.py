"""Figures of a report: each is one function that makes a chart of what a record holds, with a sentence on how to read it.

A chart has views, one of which is shown at a time (a metric, an entry). A view holds Plotly traces and a layout, as plain
data, with a few words of its own that the page understands:

- `entry` in a trace: the place of an entry in the arena. The page gives it the entry's colour and dash, and draws it only
  while the entry is chosen, unless the trace says `stays`.
- `band: [low, high]` in a trace: an area around the line, in the same colour.
- a colour that begins with `$` (`$ink`, `$faint`, `$line`, `$class0`): that of the page, light or dark. `$0` to `$6` are
  those of entries, and of nothing else.

Foreign text in a trace, a layout or a note must have passed `plain`, as Plotly reads a little HTML in texts.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from losscli.reports.contents import ReportContents
from losscli.reports.contents import plain as plain
from losscli.shelf import Shelf
from losscli.tasks import Task, tasks

Trace = dict[str, Any]
SEEN = 0.02  # of the longest bar: a smaller difference is none to the eye
HEIGHT = 400  # pixels of a chart that nothing makes higher


@dataclass(frozen=True, order=True)
class Chapter:
    """What stands together under a heading; chapters come by their `place`. `winning` is the title once there is a winner."""

    place: int
    title: str
    winning: str = ""


@dataclass(frozen=True)
class View:
    """One state of a chart: what Plotly draws."""

    traces: Sequence[Trace]
    layout: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""  # what holds of this view alone; the page says it after what the figure teaches
    title: str = ""  # what this view shows, as a sentence without a full stop; the figure's title where it is empty
    measure: str = ""  # what is measured, and how: the line below the title


@dataclass(frozen=True)
class Chart:
    """What a figure shows: views by the name under which the reader chooses them (`choice` says what is chosen)."""

    views: Mapping[str, View]
    choice: str = ""
    shown: str = ""  # the first view, unless this names another
    log: Literal["", "x", "y"] = ""  # the axis that a button makes logarithmic
    height: int = HEIGHT  # pixels
    wide: bool = False
    steps: Sequence[str] = ()  # what a slider goes through
    regions: Mapping[str, Any] | None = None  # what lies below the dots at each step: `side`, `box`, `range`, `panels`
    ends: bool = False  # whether lines are named where they end, and not in a legend

    @property
    def first(self) -> View:
        """The view that the page begins with."""
        return self.views[self.shown] if self.shown else next(iter(self.views.values()))


@dataclass(frozen=True)
class Figure:
    """A figure of the shelf. `draw` returns None where a record lacks what it needs."""

    name: str
    title: str
    chapter: Chapter
    reading: str
    draw: Callable[[ReportContents], Chart | None]


def tells(chart: Chart) -> bool:
    """Whether a chart shows anything: not where in every view the lines or bars of two entries and more are the same.

    >>> flat = [{"type": "scatter", "entry": entry, "x": [0, 1], "y": [1, 1]} for entry in range(2)]
    >>> tells(Chart({"": View(flat)})), tells(Chart({"": View([flat[0], {**flat[1], "y": [1, 0]}])}))
    (False, True)
    """
    return bool(chart.views) and any(_differs(view.traces) for view in chart.views.values())


def _differs(traces: Sequence[Trace]) -> bool:
    """One entry says what it says, and so do dots and heat; a bar must differ by what an eye can see."""
    bars = [trace for trace in traces if trace.get("type") == "bar"]
    lines = [
        trace for trace in traces if "entry" in trace and not trace.get("stays") and trace.get("type") == "scatter"
    ]
    for drawn, least in ((bars, SEEN), (lines, 0.0)):
        if len({trace["entry"] for trace in drawn}) > 1:
            first, *others = drawn
            return any(_apart(first[axis], other[axis]) > least for other in others for axis in ("x", "y"))
    return True


def _apart(one: Sequence[Any], other: Sequence[Any]) -> float:
    """How far two lists of numbers are apart at most, as a share of the largest; of other things, 1 where they differ."""
    if [*one] == [*other]:
        return 0.0
    numbers = [[value for value in values if isinstance(value, (int, float))] for values in (one, other)]
    if len(one) != len(other) or any(len(values) != len(one) for values in numbers):
        return 1.0
    first, second = (np.array(values, np.float64) for values in numbers)
    largest = float(np.abs([first, second]).max()) or 1.0
    return float(np.abs(first - second).max()) / largest


figures: Shelf[Figure] = Shelf(__name__, "figure")


def figure(
    name: str,
    *,
    title: str,
    chapter: Chapter,
    fits: Callable[[Task], bool] | None = None,
    predictions: bool = False,
) -> Callable[[Callable[[ReportContents], Chart | None]], Callable[[ReportContents], Chart | None]]:
    """Put the decorated function on the shelf; its docstring is what the page says below the chart.

    `fits` says for which tasks it is, of those that are known here; with `predictions`, only where the record keeps some.
    """

    def register(function: Callable[[ReportContents], Chart | None]) -> Callable[[ReportContents], Chart | None]:
        @functools.wraps(function)
        def draw(contents: ReportContents) -> Chart | None:
            task = contents.arena.task
            fitting = fits is None or (task in tasks and fits(tasks.get(task)))
            return function(contents) if fitting and (contents.samples or not predictions) else None

        reading = " ".join((inspect.getdoc(function) or "").split())
        figures.put(name, Figure(name, title, chapter, reading, draw))
        return draw

    return register


def rounded(values: Any, digits: int = 4) -> list[Any]:
    """Numbers, of any shape, with as many digits as an eye can use; null where they are not finite.

    >>> rounded([0.123456, float("nan"), 12345.678])
    [0.1235, None, 12350.0]
    """
    array = np.asarray(values, np.float64)
    if array.ndim > 1:
        return [rounded(row, digits) for row in array]
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in array.tolist()]
