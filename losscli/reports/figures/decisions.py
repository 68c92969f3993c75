"""What they decide: confusions of classes, and every label of a multilabel task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from losscli.compare.by_class import confused
from losscli.reports.contents import ReportContents, Sample
from losscli.reports.figures import HEIGHT, Chapter, Chart, Trace, View, figure, rounded
from losscli.reports.titles import extreme, percent
from losscli.reports.traces import DOTTED, axes, line, mean_line
from losscli.tasks import tasks
from losscli.tasks.predictions import EVEN

CHAPTER = Chapter(60, "What they decide")

MOST_CLASSES = 24
READABLE = 12  # up to so many classes, cells hold their numbers


@figure(
    "confusion",
    title="Confusion matrix",
    chapter=CHAPTER,
    fits=lambda task: task.decides_one_class,
    predictions=True,
)
def confusion(contents: ReportContents) -> Chart | None:
    """A row holds the rows of one true class, all seeds together, and says what they were taken for: each row sums to
    100 %, and what is right lies on the diagonal. The views “minus the reference” show what changes: violet cells got
    more, brown cells fewer.
    """
    counts = {name: confused(sample) for name in contents.samples if (sample := contents.pooled(name)) is not None}
    size = max(len(matrix) for matrix in counts.values())
    shown = np.sort(
        np.argsort(-sum(_padded(matrix, size).sum(axis=1) for matrix in counts.values()), kind="stable")[:MOST_CLASSES]
    )
    matrices = {name: _padded(matrix, size)[np.ix_(shown, shown)] for name, matrix in counts.items()}
    if not any(_mistakes(matrix).any() for matrix in counts.values()):
        return None
    names = [contents.label(index) for index in shown]
    classes = [contents.class_name(index) for index in shown]
    reference = matrices.get(contents.arena.reference)
    views = {contents.called(name): _heat(_shares(matrix), matrix, names) for name, matrix in matrices.items()}
    note, measure = left_out(len(shown), size), "Share of each class's rows, by what they were taken for"
    views = {
        view: replace(views[view], note=note, title=_commonest_mistake(matrix, classes), measure=measure)
        for view, matrix in zip(views, matrices.values(), strict=True)
    }
    for name, matrix in matrices.items():
        if reference is not None and name != contents.arena.reference:
            change = _shares(matrix) - _shares(reference)
            views[f"{contents.called(name)} minus the reference"] = _heat(
                change, matrix - reference, names, signed=True
            )
    best = next((entry.entry for entry in contents.by_score if entry.entry in matrices), "")
    return Chart(
        views,
        choice="entry",
        shown=contents.called(best) if best else "",
        height=min(620, max(HEIGHT, 250 + 44 * len(names))),
    )


def _mistakes(matrix: np.ndarray) -> np.ndarray:
    wrong: np.ndarray = matrix * (1 - np.eye(len(matrix)))
    return wrong


def _commonest_mistake(matrix: np.ndarray, classes: list[str]) -> str:
    """Which class is taken for which other, of all the most."""
    wrong = _mistakes(_shares(matrix))
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    if not wrong[row, column]:
        return "No row is taken for another class"
    return f"The commonest mistake: {classes[column]} instead of {classes[row]}, in {percent(wrong[row, column])} of its rows"


def _padded(matrix: np.ndarray, size: int) -> np.ndarray:
    return np.pad(matrix, (0, size - len(matrix)))


def _shares(matrix: np.ndarray) -> np.ndarray:
    return np.asarray(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))


def _heat(shares: np.ndarray, counts: np.ndarray, names: list[str], signed: bool = False) -> View:
    sign = "+" if signed else ""
    widest = float(np.abs(shares).max()) or 1.0
    scale: dict[str, Any] = {"colorscale": [[0, "$paper"], [1, "$heat"]], "zmin": 0, "zmax": 1}
    if signed:
        scale = {"colorscale": [[0, "$cold"], [0.5, "$paper"], [1, "$heat"]], "zmin": -widest, "zmax": widest}
    trace: Trace = {
        "type": "heatmap", "z": rounded(shares), "x": names, "y": names, "customdata": counts.tolist(), **scale,
        "showscale": False, "xgap": 2, "ygap": 2, "hoverongaps": False,
        "hovertemplate": f"truth %{{y}}, decision %{{x}}<br>%{{z:{sign}.1%}}, %{{customdata:{sign}}} rows",
    }  # fmt: skip
    if len(names) <= READABLE:
        digits = 1 if len(names) <= 6 else 0
        nothing = 0.5 * 10 ** (-2 - digits)
        trace["text"] = [[f"{x:{sign}.{digits}%}" if abs(x) >= nothing else "" for x in row] for row in shares]
        trace |= {"texttemplate": "%{text}", "textfont": {"color": "$ink"}}
    names_of_classes = {"type": "category", "showgrid": False, "automargin": True}
    down = {**names_of_classes, "autorange": "reversed"}
    return View([trace], axes("decision", "truth", xaxis=names_of_classes, yaxis=down))


@figure(
    "threshold",
    title="Choice of the threshold",
    chapter=CHAPTER,
    fits=lambda task: task.yes_or_no and task.rows_have_one_class,
    predictions=True,
)
def threshold(contents: ReportContents) -> Chart | None:
    """F1 of the positive class when rows from this probability on are called positive. The dotted line is the usual
    threshold of 0.5: where an entry's hill lies elsewhere, another threshold, chosen on the valid split, may do as
    much for it as another loss would.
    """
    cuts = np.linspace(0.01, 0.99, 99)
    traces: list[Trace] = []
    for name, samples in contents.samples.items():
        curves = [_f1(sample, cuts) for sample in samples if sample.kind == "probabilities"]
        if curves:
            traces.append(mean_line(contents, name, rounded(cuts), np.array(curves), 0.0, 1.0))
    usual = {"type": "line", "yref": "paper", "x0": 0.5, "x1": 0.5, "y0": 0, "y1": 1, "line": DOTTED}
    layout = axes("threshold", "F1", xaxis={"range": [0, 1]}, yaxis={"rangemode": "tozero"}, shapes=[usual])
    if not traces:
        return None
    tops = {contents.names[trace["entry"]]: max(filter(None, trace["y"]), default=float("nan")) for trace in traces}
    title = extreme(contents, tops, "F1 at its best threshold")
    return Chart(
        {
            "": View(
                traces, layout, title=title, measure="F1, against the probability from which rows are called positive"
            )
        }
    )


def _f1(sample: Sample, cuts: np.ndarray) -> np.ndarray:
    """F1 at every threshold, from the sorted probabilities."""
    truth, score = sample.truth[:, 0], sample.prediction[:, 0]
    order = np.argsort(score, kind="stable")
    above = np.concatenate([np.cumsum(truth[order][::-1])[::-1], [0.0]])  # positives from this place on
    first = np.searchsorted(score[order], cuts, side="left")
    total = truth.sum() + len(score) - first  # F1 = 2 TP / (positives + rows that are called positive)
    return np.asarray(2 * above[first] / np.maximum(total, 1))


@figure("classes", title="Every class", chapter=CHAPTER, fits=lambda task: task.outputs_compete, predictions=True)
def classes(contents: ReportContents) -> Chart | None:
    """F1 of each class, all seeds together: 1 finds all of its rows and nothing else. The commonest class is on top. Of
    shares, a row is of the class with the largest.
    """
    return _f1_by_class(contents)


@figure(
    "labels",
    title="Every label",
    chapter=CHAPTER,
    fits=lambda task: task.yes_or_no and not task.rows_have_one_class,
    predictions=True,
)
def labels(contents: ReportContents) -> Chart | None:
    """F1 of each label at the usual threshold, all seeds together: 1 finds all of its rows and nothing else. The
    commonest label is on top.
    """
    return _f1_by_class(contents)


def _f1_by_class(contents: ReportContents) -> Chart | None:
    traces: list[Trace] = []
    note = ""
    for name in contents.samples:
        sample = contents.pooled(name)
        assert sample is not None
        true, decided = indicators(sample, tasks.get(contents.arena.task).outputs_compete)
        order = np.argsort(-true.sum(axis=0), kind="stable")[:MOST_CLASSES]
        note = left_out(len(order), true.shape[1])
        total = (decided.sum(axis=0) + true.sum(axis=0))[order]
        f1 = np.divide(2 * (decided & true).sum(axis=0)[order], total, out=np.full(len(order), np.nan), where=total > 0)
        look = {"marker": {"size": 10, "opacity": 0.8}, "hovertemplate": "%{y}: %{x}"}
        names = [contents.label(index) for index in order]
        traces.append(line(contents, name, rounded(f1), names, "markers", **look))
    layout = axes("F1", None, yaxis={"type": "category", "dtick": 1, "autorange": "reversed", "automargin": True})
    if not traces:
        return None
    means = np.array([trace["x"] for trace in traces], float).mean(axis=0)  # NaN where an entry has none
    title = ""
    if np.isfinite(means).any():
        hardest = int(np.nanargmin(means))
        title = f"{contents.class_name(int(order[hardest]))} is hardest: F1 {means[hardest]:.2f} on average"
    view = View(traces, layout, note, title, "F1, all seeds together")
    return Chart({"": view}, height=max(HEIGHT, 120 + 28 * len(traces[0]["y"])))


def left_out(shown: int, count: int) -> str:
    """What is said where not all classes are drawn.

    >>> left_out(24, 100), left_out(3, 3)
    ('Drawn are the 24 commonest of 100.', '')
    """
    return f"Drawn are the {shown} commonest of {count}." if shown < count else ""


def indicators(sample: Sample, one_of_all: bool) -> tuple[np.ndarray, np.ndarray]:
    """Truth and decision as booleans [N, classes or labels]; where outputs compete, one of them all: the likeliest."""
    truth, prediction = sample.truth, sample.prediction
    if not one_of_all:
        return truth > 0.5, prediction > EVEN[sample.kind]
    indices = np.arange(prediction.shape[1])
    right = truth.argmax(axis=1)[:, None] if truth.shape == prediction.shape else truth.astype(int)
    return right == indices, prediction.argmax(axis=1)[:, None] == indices
