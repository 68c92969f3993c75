"""Is the difference real? Differences with their intervals, and the points of every seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from losscli.compare.result import CLAIMS, Arena, Delta
from losscli.direction import compared as measured
from losscli.direction import target_of
from losscli.errors import counted, joined, visible
from losscli.reports.contents import ReportContents
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, plain, rounded
from losscli.reports.titles import digits
from losscli.reports.traces import axes, caption, level, line
from losscli.words.columns import described

CHAPTER = Chapter(20, "Is the difference real?")

ZERO = {
    "type": "line", "xref": "x", "yref": "paper", "x0": 0.0, "x1": 0.0, "y0": 0, "y1": 1,
    "line": {"color": "$ink", "width": 1.5}, "layer": "between",
}  # fmt: skip
ROW = 38  # pixels of an entry
BELOW = 0.3  # of a row: how far the dots of seeds lie below their mean
OPEN = ("too-few-seeds", "undefined")  # verdicts that say that nothing may be said


@figure(
    "forest",
    title="Difference to the reference",
    chapter=CHAPTER,
)
def forest(contents: ReportContents) -> Chart | None:
    """Each large dot is the mean difference to the reference over the same seeds, its bar, where seeds allow one, the 95 %
    interval; small dots below it are the seeds. A bar that touches the vertical line leaves open which of the two is better.
    """
    arena = contents.arena
    metrics = dict.fromkeys([arena.headline, *(metric for entry in arena.entries for metric in entry.deltas)])
    views = {plain(metric): view for metric in metrics if (view := _forest(contents, metric)) is not None}
    if not views:
        return None
    height = 76 + ROW * max(len(view.layout["yaxis"]["ticktext"]) for view in views.values())
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
    points = [_seeds_below(contents, difference, row) for row, difference in enumerate(compared)]
    rows = list(range(len(compared)))
    layout = {
        "xaxis": {"zeroline": False, "range": _range(compared, points, margin)},
        "yaxis": {
            "range": [len(rows) - 0.4, -0.6],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
            "tickvals": rows,
            "ticktext": [contents.called(difference.entry, 28) for difference in compared],
        },
        "shapes": [*_stripe(margin), ZERO],
        "annotations": [caption(f"equivalent: up to ±{margin:.3g}", 0.0)] if margin else [],
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"t": 28, "r": 18, "b": 28, "l": 56},
    }
    note = _note(margin, len(compared) - len(with_verdict))
    dots = [_dot(contents, difference, row) for row, difference in enumerate(compared)]
    return View(
        [*dots, *filter(None, points)], layout, note, _title(contents, metric, compared), _measure(contents, metric)
    )


def _range(compared: Sequence[_Difference], points: Sequence[Trace | None], margin: float | None) -> list[float | None]:
    """From the smallest to the largest of all that is drawn, zero and the stripe among them, with a little room."""
    reach = 1.25 * (margin or 0.0)
    ends = [end for difference in compared for end in difference.delta.ci95 or (difference.delta.mean,)]
    ends += [value for trace in points if trace for value in trace["x"]]
    low, high = min(*ends, -reach, 0.0), max(*ends, reach, 0.0)
    room = 0.05 * (high - low) or 1.0
    return rounded([low - room, high + room])


def _title(contents: ReportContents, metric: str, compared: list[_Difference]) -> str:
    """What the verdicts are; of the headline the page's first sentence says it."""
    if metric == contents.arena.headline:
        return ""
    reference, groups = contents.name(contents.arena.reference), {}
    for word in CLAIMS:
        groups[word] = [contents.name(difference.entry) for difference in compared if difference.verdict == word]
    parts = [
        f"{joined(names, 3)} {'is' if len(names) == 1 else 'are'} {word}" for word, names in groups.items() if names
    ]
    on = f"On {visible(metric, 40)}"
    return f"{on}, {' and '.join(parts)} than {reference}" if parts else f"{on} nothing is proven"


def _measure(contents: ReportContents, metric: str) -> str:
    """What is measured, against whom, on how many seeds, and which way is better."""
    direction = contents.arena.directions.get(metric, "down")
    better = {"up": "right is better", "down": "left is better", "target": "left is closer to its target, and better"}
    what = "Distance from its target of" if direction == "target" else "Difference in"
    of = f"{what} test {visible(metric, 40)} to {contents.name(contents.arena.reference)}"
    return f"{of}, {counted(len(contents.arena.seeds), 'seed')}; {better[direction]}"


def _seeds_below(contents: ReportContents, difference: _Difference, row: int) -> Trace | None:
    """The paired difference of every seed, in small dots below the mean; None where there is one, and so the mean."""
    arena, metric = contents.arena, difference.delta.metric
    direction = arena.directions.get(metric, "down")
    reference = {run.seed: run for run in arena.runs_of(arena.reference)}
    values, seeds = [], []
    for run in arena.runs_of(difference.entry):
        if (other := reference.get(run.seed)) is None:
            continue
        ours, theirs = (measured(one.value(metric), direction, target_of(one.calibration)) for one in (run, other))
        if math.isfinite(ours - theirs):
            values.append(ours - theirs)
            seeds.append(run.seed)
    if len(values) < 2:
        return None
    look = {"marker": {"size": 5, "opacity": 0.55, "symbol": "circle"}, "stays": True, "showlegend": False}
    hover = {"customdata": seeds, "hovertemplate": "%{x:+.3g}<br>seed %{customdata}"}
    return line(contents, difference.entry, rounded(values), [row + BELOW] * len(values), "markers", **look, **hover)


def _dot(contents: ReportContents, difference: _Difference, row: int) -> Trace:
    """A difference and its interval; hollow where no verdict can be given."""
    hollow = {"symbol": "circle-open", "line": {"width": 2}}
    trace = line(
        contents,
        difference.entry,
        rounded([difference.delta.mean]),
        [row],
        "markers",
        stays=True,
        showlegend=False,
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
    shown = plain(arena.headline) if plain(arena.headline) in views else ""
    return Chart(views, choice="metric", shown=shown, wide=True) if views and len(arena.seeds) > 1 else None


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
    layout = axes(None, f"test {plain(metric)}", xaxis=names, shapes=shapes)
    return View(traces, layout, title=_spreads(values), measure=f"Test {visible(metric, 40)}, a dot for each seed")


def _spreads(values: Mapping[str, list[float | None]]) -> str:
    """How much seeds vary, and how much the means of entries."""
    columns = [[value for value in column if value is not None] for column in values.values()]
    columns = [column for column in columns if column]
    between = max(max(column) - min(column) for column in columns)
    means = [sum(column) / len(column) for column in columns]
    seeds = f"seeds vary by up to {digits(between)}"
    if len(columns) == 1:
        return seeds.capitalize()
    return f"Between entries the means vary by {digits(max(means) - min(means))}, within one {seeds}"


def _at(column: list[float | None], seed: int) -> float | None:
    return column[seed] if seed < len(column) else None
