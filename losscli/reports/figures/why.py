"""Why it wins: where the best entry and the reference part ways, what losses attend to, and which wrong labels they learn."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from losscli.reports.contents import ReportContents, distinct
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, plain, rounded
from losscli.reports.traces import line
from losscli.tasks import Task, tasks

CHAPTER = Chapter(80, "Where they differ", winning="Why it wins")

WIDEST = 30  # letters of a line beside an axis
UNITS = {"sd off": "how many standard deviations of the target a prediction is off"}
HARDNESS = ("easiest", "easy", "middling", "hard", "hardest")  # of the five classes that training rows are looked at by


@figure(
    "difficulty",
    title="Easy rows and hard ones",
    chapter=CHAPTER,
)
def difficulty(contents: ReportContents) -> Chart | None:
    """What the entry with the best mean (called best) and the reference make of the same test rows, from those that all
    entries find easy to those that all find hard. Most losses agree on the easy ones. Bars are means; whether the entries
    differ at all, the verdict says.
    """
    if not (pair := _pair(contents, "difficulty", "part")):
        return None
    traces, measure = pair
    layout = {
        "barmode": "group",
        "xaxis": {"type": "category", "automargin": True, "tickangle": 0},
        "yaxis": {"title": {"text": measure}, "rangemode": "tozero"},
    }
    return Chart({"": View(traces, layout)}, height=360)


@figure(
    "class-by-class",
    title="Class by class",
    chapter=CHAPTER,
)
def classes(contents: ReportContents) -> Chart | None:
    """The same two entries in each class (of numbers: in each quarter of the truth, from the lowest). A better mean can
    hide a class that got worse.
    """
    if not (pair := _pair(contents, "classes", "class")):
        return None
    bars, measure = pair  # lying down, so that long names of classes have room
    traces = [{**bar, "x": bar["y"], "y": bar["x"], "orientation": "h", "hovertemplate": "%{x}"} for bar in bars]
    layout = {
        "barmode": "group",
        "xaxis": {"title": {"text": measure}, "rangemode": "tozero"},
        "yaxis": {"type": "category", "autorange": "reversed", "dtick": 1, "automargin": True, "showgrid": False},
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        "margin": {"t": 12, "r": 18, "b": 44, "l": 56},
    }
    return Chart({"": View(traces, layout)}, height=150 + 40 * len(traces[0]["y"]))


def _pair(contents: ReportContents, section: str, key: str) -> tuple[list[Trace], str] | None:
    """Reference and best, a bar of both for each line of the section, and what the bars measure."""
    why = contents.arena.why
    lines = why.get(section) or []
    if not lines or why["best"] == why["reference"]:
        return None
    names = distinct(f"{_short(line[key])}<br>{line['rows'] or 0:.0f} rows" for line in lines)
    traces = [_bars(contents, why[word], word, names, [line[word] for line in lines]) for word in ("reference", "best")]
    return traces, _title(why["measure"], tasks.get(contents.arena.task))


def _title(measure: str, task: Task) -> str:
    """What a measure of rows is, in lines that fit beside an axis; its name, where the task has it no more.

    >>> _title("rank", tasks.get("binary")), _title("of before", tasks.get("binary"))
    ('share of the other class<br>ranked on the right side', 'of before')
    """
    title = next((one.title for one in task.row_measures if one.name == measure), measure)
    return "<br>".join(textwrap.wrap(title, WIDEST))


def _short(name: str) -> str:
    """A name that fits beside a bar."""
    return plain(name.removesuffix(" quarter"), 24)


def _bars(
    contents: ReportContents, entry: str, word: str, names: Sequence[str], values: Sequence[float | None]
) -> Trace:
    numbers = [float("nan") if value is None else value for value in values]
    return {
        "type": "bar", "entry": contents.place(entry), "stays": True, "name": f"{contents.called(entry)} ({word})",
        "x": list(names), "y": rounded(numbers), "hovertemplate": "%{y}", "showlegend": True,
    }  # fmt: skip


@figure(
    "attention",
    title="What the gradient is spent on",
    chapter=CHAPTER,
)
def attention(contents: ReportContents) -> Chart | None:
    """The share of the gradient that comes from training rows as hard as chosen above; the thin line is their share of
    the rows. Above it, such rows pull more than their number says, below it less. A loss that is pulled by the hardest rows
    learns them first, and wrong labels with them; one that lets go of them gives rows up that look hopeless. Nine looks, at
    the marks, a sample of the training rows each; hardness goes by the label that was given, also where it was changed.
    """
    data = contents.arena.why.get("attention") or {}
    if not data:
        return None
    note = f"Hardness is {UNITS.get(data['unit'], plain(data['unit']))}; its limits stand beside the choice."
    limits = _limits(data["edges"], data["unit"])
    views = {}
    for place, word in enumerate(HARDNESS):
        traces = [
            trace for name in contents.names for trace in _share_lines(contents, data["entries"].get(name), name, place)
        ]
        layout = {
            "xaxis": {"title": {"text": "epoch"}},
            "yaxis": {"title": {"text": "share"}, "range": [0, 1]},
        }
        views[f"{word} ({limits[place]})"] = View(traces, layout, note)
    return Chart(views, choice="training rows", shown=list(views)[-1], height=400)


def _limits(edges: Sequence[float], unit: str) -> list[str]:
    """From where to where a class of hardness goes: a probability ends at 1, a number can be off by anything.

    >>> _limits([0.2, 0.8], "1 - p(given label)"), _limits([0.5, 2], "sd off")
    (['0 to 0.2', '0.2 to 0.8', '0.8 to 1'], ['0 to 0.5', '0.5 to 2', 'above 2'])
    """
    marks = ["0", *(f"{edge:g}" for edge in edges)]
    last = f"above {marks[-1]}" if unit in UNITS else f"{marks[-1]} to 1"
    return [*(f"{low} to {high}" for low, high in itertools.pairwise(marks)), last]


def _share_lines(contents: ReportContents, snapshots: Mapping[str, Any] | None, entry: str, place: int) -> list[Trace]:
    if snapshots is None:
        return []
    epochs = snapshots["epochs"]
    gradient, rows = (
        rounded([_nan_for_none(shares[place]) for shares in snapshots[word]]) for word in ("gradient", "rows")
    )
    thin: Trace = {"line": {"dash": "dot", "width": 1}, "showlegend": False, "hoverinfo": "skip"}
    return [line(contents, entry, epochs, gradient, "lines+markers"), line(contents, entry, epochs, rows, **thin)]


@figure(
    "memory",
    title="Wrong labels learned by heart",
    chapter=CHAPTER,
)
def memory(contents: ReportContents) -> Chart | None:
    """What becomes of training rows whose label was changed on purpose. A loss that withstands wrong labels learns few of
    them by heart, as they were changed, while it learns the other rows.
    """
    data = (contents.arena.why.get("memory") or {}).get("entries") or {}
    words = {
        "memorised": "wrong labels learned by heart",
        "resisted": "wrong labels predicted as before the change",
        "learned": "other rows predicted right",
    }
    views = {
        title: View(
            [
                line(contents, name, data[name]["epochs"], rounded(list(map(_nan_for_none, data[name][word]))), "lines+markers")
                for name in contents.names
                if name in data
            ],
            {"xaxis": {"title": {"text": "epoch"}}, "yaxis": {"title": {"text": "share"}, "range": [0, 1]}},
        )
        for word, title in words.items()
    }  # fmt: skip
    return Chart(views, choice="share", height=400) if data else None


def _nan_for_none(value: float | None) -> float:
    return float("nan") if value is None else value
