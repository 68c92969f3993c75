"""What the figures of a report are put together from: lines of entries, bands over seeds, guides and axes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from losscli.reports.contents import ReportContents
from losscli.reports.figures import Trace, rounded

UNIT = {"range": [-0.02, 1.02], "constrain": "domain"}  # an axis of shares
DOTTED = {"color": "$faint", "width": 1, "dash": "dot"}


def line(contents: ReportContents, entry: str, x: Any, y: Any, mode: str = "lines", **more: Any) -> Trace:
    """An entry's values `y` over `x`, in its colour; `more` is Plotly's."""
    whose = {"entry": contents.place(entry), "name": contents.called(entry)}
    return {"type": "scatter", "mode": mode, **whose, "x": x, "y": y, **more}


def mean_line(
    contents: ReportContents,
    entry: str,
    x: Any,
    curves: np.ndarray,
    floor: float = -np.inf,
    top: float = np.inf,
    **more: Any,
) -> Trace:
    """The mean of `curves` [S, T] over the seeds, and with several a band of one standard deviation to each side."""
    mean, low, high = middle(curves, floor, top)
    band: Trace = {"band": [rounded(low), rounded(high)]} if len(curves) > 1 else {}
    return line(contents, entry, x, rounded(mean), **band, **more)


def middle(
    values: np.ndarray, floor: float = -np.inf, top: float = np.inf
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of [S, T]: the mean over seeds, and one standard deviation below and above, within floor and top.

    >>> [part.tolist() for part in middle(np.array([[1.0, 0.0], [3.0, 0.0]]))]
    [[2.0, 0.0], [0.5857864376269049, 0.0], [3.414213562373095, 0.0]]
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no spread of a single value
        mean = np.nanmean(values, axis=0)
        spread = np.nan_to_num(np.nanstd(values, axis=0, ddof=1)) if len(values) > 1 else np.zeros_like(mean)
    return mean, np.clip(mean - spread, floor, top), np.clip(mean + spread, floor, top)


def guide(x: list[float], y: list[float], width: float = 1) -> Trace:
    """A dotted line that is no entry's: where all would lie by chance, or if all were right."""
    look = {"line": {**DOTTED, "width": width}, "hoverinfo": "skip", "showlegend": False}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, **look}


def level(at: float, levels: list[float | None]) -> list[Trace]:
    """A dotted line across the chart, such as the baseline's, where it would leave room to see the values at `levels`."""
    points = [value for value in levels if value is not None]
    room = 2 * (max(points) - min(points)) if points else 0.0
    if not points or not min(points) - room <= at <= max(points) + room:  # so is NaN
        return []
    return [{"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": at, "y1": at, "line": DOTTED}]


def axes(x: str | None, y: str | None, **more: Any) -> Trace:
    """A layout with named axes, that tells the nearest point; `xaxis` and `yaxis` in `more` add to theirs."""
    names = {"xaxis": x, "yaxis": y}
    both = {axis: {**({"title": {"text": name}} if name else {}), **more.pop(axis, {})} for axis, name in names.items()}
    return {**both, "hovermode": "closest", **more}


def caption(text: str, x: float) -> Trace:
    """Words above a chart, over a place of its x axis."""
    place = {"x": x, "xref": "x", "y": 1, "yref": "paper", "yanchor": "bottom"}
    return {"text": text, **place, "showarrow": False, "font": {"size": 12, "color": "$faint"}}
