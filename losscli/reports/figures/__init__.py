"""Figures of a report: each is one function that makes a chart of what a record holds, with a sentence on how to read it.

A chart has views, one of which is shown at a time (a metric, an entry). A view holds Plotly traces and a layout, as plain
data, with a few words of its own that the page understands:

- `entry` in a trace: the place of an entry in the arena. The page gives it the entry's colour and dash, and draws it only
  while the entry is chosen, unless the trace says `stays`.
- `band: [low, high]` in a trace: an area around the line, in the same colour.
- a colour that begins with `$` (`$ink`, `$faint`, `$line`, `$good`, `$bad`): that of the page, light or dark.

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


@dataclass(frozen=True)
class Chart:
    """What a figure shows: views by the name under which the reader chooses them (`choice` says what is chosen)."""

    views: Mapping[str, View]
    choice: str = ""
    shown: str = ""  # the first view, unless this names another
    log: Literal["", "x", "y"] = ""  # the axis that a button makes logarithmic
    height: int = 380  # pixels
    wide: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure of the shelf. `draw` returns None where a record lacks what it needs."""

    name: str
    title: str
    chapter: Chapter
    reading: str
    draw: Callable[[ReportContents], Chart | None]


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
