"""Is the difference real? Differences with their intervals, and the points of every seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from losscli.compare.result import Arena, Delta
from losscli.direction import BETTER
from losscli.reports.contents import ReportContents
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, plain, rounded
from losscli.reports.traces import axes, caption, level, line
from losscli.words.columns import described

CHAPTER = Chapter(20, "Is the difference real?")

ZERO = {
    "type": "line", "xref": "x", "yref": "paper", "x0": 0.0, "x1": 0.0, "y0": 0, "y1": 1,
    "line": {"color": "$ink", "width": 1.5}, "layer": "between",
}  # fmt: skip
OPEN = ("too-few-seeds", "undefined")  # verdicts that say that nothing may be said


@figure(
    "forest",
    title="Difference to the reference",
    chapter=CHAPTER,
)
def forest(contents: ReportContents) -> Chart | None:
    """Each dot is the mean difference to the reference over the same seeds, its bar, where seeds allow one, the 95 %
    interval. A bar that touches the vertical line leaves open which of the two is better.
    """
    arena = contents.arena
    metrics = dict.fromkeys([arena.headline, *(metric for entry in arena.entries for metric in entry.deltas)])
    views = {plain(metric): view for metric in metrics if (view := _forest(contents, metric)) is not None}
    if not views:
        return None
    height = 166 + 34 * max(len(view.traces) for view in views.values())
    shown = plain(arena.headline) if plain(arena.headline) in views else ""
    return Chart(views, choice="metric", shown=shown, height=height, wide=True)


@dataclass(frozen=True)
class _Difference:
    """What is drawn of an entry: its difference on one metric, and what may be said of it."""

    entry: str
    delta: Delta
    verdict: str
    words: str


def _differences(arena: Arena, metric: str) -> list[_Difference]:
    differences = []
    for entry in arena.entries:
        headline = metric == arena.headline
        delta = entry.delta if headline else entry.deltas.get(metric)
        if delta is not None and math.isfinite(delta.mean):
            verdict = entry.verdict if headline else delta.verdict or ""
            words = described(entry, arena) if headline else verdict.replace("-", " ")
            differences.append(_Difference(entry.entry, delta, verdict, words))
    return differences


def _forest(contents: ReportContents, metric: str) -> View | None:
    compared = _differences(contents.arena, metric)
    if not compared:
        return None
    with_verdict = [difference for difference in compared if difference.verdict not in OPEN]
    margin = with_verdict[0].delta.margin if with_verdict else None
    widest = max(abs(end) for difference in compared for end in difference.delta.ci95 or (difference.delta.mean,))
    reach = 1.08 * max(widest, 1.25 * (margin or 0.0)) or 1.0
    direction = contents.arena.directions.get(metric, "down")
    of = "distance from its target, of" if direction == "target" else "difference in"
    better = "closer is left" if direction == "target" else f"{BETTER[direction]} is better"
    layout = {
        "xaxis": {
            "title": {"text": f"{of} test {plain(metric)} <br>({better})"},
            "zeroline": False,
            "range": rounded([-reach, reach]),
        },
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category", "dtick": 1, "showgrid": False},
        "shapes": [*_stripe(margin), ZERO],
        "annotations": [caption(f"equivalent: up to ±{margin:.3g}")] if margin else [],
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"t": 28, "r": 12, "b": 44, "l": 56},
    }
    note = _note(margin, len(compared) - len(with_verdict))
    return View([_dot(contents, difference) for difference in compared], layout, note)


def _dot(contents: ReportContents, difference: _Difference) -> Trace:
    """A difference and its interval; hollow where no verdict can be given."""
    hollow = {"symbol": "circle-open", "line": {"width": 2}}
    trace = line(
        contents,
        difference.entry,
        rounded([difference.delta.mean]),
        [contents.called(difference.entry, 28)],
        "markers",
        stays=True,
        marker={"size": 11, **(hollow if difference.verdict in OPEN else {"symbol": "circle"})},
        customdata=[["", plain(difference.words)]],
        hovertemplate="%{x:+.3g} %{customdata[0]}<br>%{customdata[1]}",
    )
    if difference.delta.ci95 is None:
        return trace
    low, high = difference.delta.ci95
    trace["customdata"][0][0] = f"[{low:+.3g}, {high:+.3g}]"
    arms = {"array": rounded([high - difference.delta.mean]), "arrayminus": rounded([difference.delta.mean - low])}
    return {**trace, "error_x": {"symmetric": False, "thickness": 2.5, "width": 7, **arms}}


def _note(margin: float | None, few: int) -> str:
    """What else there is to see: a stripe, dots without a verdict."""
    stripe = "A bar within the shaded stripe says that the two are equivalent for all practical purposes."
    hollow = "A hollow dot has no verdict: too few seeds, no value in some of them, or nothing to compare."
    return " ".join([*([stripe] if margin else []), *([hollow] if few else [])])


def _stripe(margin: float | None) -> list[Trace]:
    if not margin:
        return []
    area = {"type": "rect", "xref": "x", "yref": "paper", "x0": -margin, "x1": margin, "y0": 0, "y1": 1}
    return [{**area, "fillcolor": "$stripe", "line": {"width": 0}, "layer": "below"}]


@figure(
    "seeds",
    title="Every seed",
    chapter=CHAPTER,
)
def seeds(contents: ReportContents) -> Chart | None:
    """A thin line joins what the entries made of one seed: the same rows, initial weights and order of batches. Where
    the lines run in parallel, seeds differ more than losses do, and only the paired difference can tell.
    """
    arena = contents.arena
    views = {plain(metric): view for metric in arena.directions if (view := _seeds_of(contents, metric)) is not None}
    return Chart(views, choice="metric", shown=plain(arena.headline), height=380, wide=True) if views else None


def _seeds_of(contents: ReportContents, metric: str) -> View | None:
    entries = [entry for entry in contents.arena.entries if metric in entry.scores.get("test", {})]
    values = {entry.entry: rounded(entry.scores["test"][metric].values, 5) for entry in entries}
    if not any(value is not None for column in values.values() for value in column):
        return None
    count = max(map(len, values.values()))
    numbers = contents.arena.seeds
    traces: list[Trace] = [
        {
            "type": "scatter", "mode": "lines", "line": {"color": "$line", "width": 1}, "hoverinfo": "skip",
            "x": [contents.called(name, 28) for name in values], "y": [_at(column, seed) for column in values.values()],
            "showlegend": False,
        }
        for seed in range(count)
    ]  # fmt: skip
    for name, column in values.items():
        x, look = (
            [contents.called(name, 28)] * len(column),
            {"marker": {"size": 8, "opacity": 0.85}, "showlegend": False},
        )
        hover = {"customdata": numbers[: len(column)], "hovertemplate": "%{y}<br>seed %{customdata}"}
        traces.append(line(contents, name, x, column, "markers", stays=True, **look, **hover))
    shapes = level(contents.arena.without_model(metric), [value for column in values.values() for value in column])
    names = {"type": "category", "automargin": True}
    return View(traces, axes(None, f"test {plain(metric)}", xaxis=names, shapes=shapes))


def _at(column: list[float | None], seed: int) -> float | None:
    return column[seed] if seed < len(column) else None
