"""Why it wins: where the best entry and the reference part ways, what losses attend to, and which wrong labels they learn."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from losscli.errors import visible
from losscli.reports.contents import ReportContents, distinct
from losscli.reports.figures import HEIGHT, Chapter, Chart, Trace, View, figure, plain, rounded
from losscli.reports.titles import digits, extreme
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
    return Chart({"": View(traces, layout, title=_apart(contents, "difficulty", "part"), measure=_measured(contents))})


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
        "margin": {"t": 12, "r": 18, "b": 44, "l": 56},
    }
    view = View(traces, layout, title=_apart(contents, "classes", "class"), measure=_measured(contents))
    return Chart({"": view}, height=max(HEIGHT, 150 + 40 * len(traces[0]["y"])))


def _apart(contents: ReportContents, section: str, key: str) -> str:
    """Where best and reference differ most; empty where no line has a value of both."""
    why = contents.arena.why
    lines = [line for line in why[section] if line["reference"] is not None and line["best"] is not None]
    if not lines:
        return ""
    most = max(lines, key=lambda line: abs(line["best"] - line["reference"]))
    values = f"{digits(most['best'])} against {digits(most['reference'])}"
    of_class = key == "class" and tasks.get(contents.arena.task).has_classes
    where = f"{'class' if of_class else 'the'} {visible(most[key], 24)}"
    return f"{contents.name(why['best'])} differs most on {where}: {values}"


def _measured(contents: ReportContents) -> str:
    return _title(contents.arena.why["measure"], tasks.get(contents.arena.task)).replace("<br>", " ").capitalize()


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
            "yaxis": {"title": {"text": "share"}, "rangemode": "tozero"},
        }
        title = extreme(
            contents, _last(traces, contents), f"share of the gradient on the {word} rows at the end", alike=0.02
        )
        views[f"{word} ({limits[place]})"] = View(
            traces, layout, note, title, "Share of the gradient; thin: of the rows"
        )
    return Chart(views, choice="training rows", shown=list(views)[-1], ends=True)


def _last(traces: Sequence[Trace], contents: ReportContents) -> dict[str, float]:
    """Where the line of each entry ends."""
    lines = [trace for trace in traces if trace.get("showlegend", True) and trace["y"]]
    return {contents.names[trace["entry"]]: _nan_for_none(trace["y"][-1]) for trace in lines}


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
    layout = {"xaxis": {"title": {"text": "epoch"}}, "yaxis": {"title": {"text": "share"}, "range": [0, 1]}}
    views = {}
    for word, what in words.items():
        traces = [
            line(
                contents,
                name,
                data[name]["epochs"],
                rounded(list(map(_nan_for_none, data[name][word]))),
                "lines+markers",
            )
            for name in contents.names
            if name in data
        ]
        adjective = "smallest" if word == "memorised" else "largest"
        title = extreme(contents, _last(traces, contents), f"share of {what}", adjective, alike=0.02)
        views[what] = View(traces, layout, title=title, measure="Share of the training rows in question")
    return Chart(views, choice="share", ends=True) if data else None


def _nan_for_none(value: float | None) -> float:
    return float("nan") if value is None else value
