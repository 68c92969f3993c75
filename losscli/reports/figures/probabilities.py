"""Can the probabilities be believed? Reliability, and how scores are spread over the classes."""

from __future__ import annotations

import numpy as np

from losscli.compare.by_class import confused
from losscli.lazy import special
from losscli.reports.contents import ReportContents, Sample
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, rounded
from losscli.reports.titles import extreme, percent
from losscli.reports.traces import UNIT, axes, guide, mean_line
from losscli.tasks import tasks

CHAPTER = Chapter(50, "Can the probabilities be believed?")

BINS = 12
FEWEST = 5  # rows in a bin
BARS = 40
MOST_CLASSES = 7  # as many as there are colours
CLAIMED = {
    "positive": "Predicted is the positive class: below the diagonal it comes less often than was said, above it more often.",
    "every label": "Predicted is that a label holds, all labels together: below the diagonal labels hold less often than "
    "was said, above it more often.",
    "every class": "Predicted is the share of a class, all classes together: below the diagonal classes have less than was "
    "said, above it more.",
    "likeliest class": "Predicted is that the likeliest class is right: below the diagonal the model is too sure of itself, "
    "above it not sure enough.",
}


@figure(
    "reliability",
    title="Reliability",
    chapter=CHAPTER,
    fits=lambda task: task.has_classes and task.decides,
    predictions=True,
)
def reliability(contents: ReportContents) -> Chart | None:
    """Of the rows that got about this probability, so many were as it says. On the dotted diagonal probabilities mean
    what they say. Bins hold equally many rows; a band is one standard deviation over the seeds.
    """
    layout = axes("predicted", "observed", xaxis=UNIT, yaxis=UNIT)
    views = {}
    for title, scaled in (("as trained", False), ("after temperature scaling", True)):
        curves = {name: _reliability_curve(contents, name, scaled) for name in contents.samples}
        traces = [trace for trace in curves.values() if trace is not None]
        if traces:
            gaps = {name: _gap(trace) for name, trace in curves.items() if trace is not None}
            finding = extreme(contents, gaps, "gap between what is said and what holds", "smallest", alike=0.01)
            drawn = [guide([0, 1], [0, 1]), *traces]
            views[title] = View(
                drawn,
                layout,
                CLAIMED[_claimed(contents)],
                finding,
                "How often it holds, against how likely it was said to be",
            )
    return Chart(views, choice="probabilities") if views else None


def _gap(curve: Trace) -> float:
    """How far a curve lies from the diagonal, on average over its bins."""
    apart = [abs(y - x) for x, y in zip(curve["x"], curve["y"], strict=True) if x is not None and y is not None]
    return float(np.mean(apart)) if apart else float("nan")


def _reliability_curve(contents: ReportContents, name: str, scaled: bool) -> Trace | None:
    pairs = []
    for sample in contents.samples[name]:
        if sample.kind != "probabilities":
            continue
        temperature = contents.choice(name, sample.seed, "temperature") if scaled else 1.0
        if temperature is not None:
            pairs.append(claims(sample, cooled(sample.prediction, temperature)))
    if not pairs:
        return None
    # unique: where many rows share a probability, quantiles coincide, and would bound bins of no width
    edges = np.unique(np.quantile(np.concatenate([predicted for predicted, _ in pairs]), np.linspace(0, 1, BINS + 1)))
    predicted, observed = binned(pairs, edges)
    filled = np.isfinite(predicted).any(axis=0)
    if not filled.any():
        return None
    x, look = rounded(np.nanmean(predicted[:, filled], axis=0)), {"mode": "lines+markers", "marker": {"size": 6}}
    return mean_line(contents, name, x, observed[:, filled], 0.0, 1.0, **look)


def _claimed(contents: ReportContents) -> str:
    """What the probabilities are of, as `claims` takes them."""
    sample = next(
        sample for samples in contents.samples.values() for sample in samples if sample.kind == "probabilities"
    )
    width = sample.prediction.shape[1]
    if width > sample.truth.shape[1]:
        return "likeliest class"
    if tasks.get(contents.arena.task).outputs_compete:
        return "every class"
    return "positive" if width < len(contents.arena.labels) else "every label"  # of two labels, one has a column


def claims(sample: Sample, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What was claimed, and whether or how far it held: of the positive (every label, every share), or of the likeliest class."""
    if probabilities.shape[1] == sample.truth.shape[1]:
        return probabilities.ravel(), sample.truth.ravel()
    return probabilities.max(axis=1), (probabilities.argmax(axis=1) == sample.truth[:, 0]).astype(float)


def cooled(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities [N, K], or [N, L] of yes, whose logits are divided by a temperature.

    >>> cooled(np.array([[0.9, 0.1]]), 2.0).round(3).tolist()
    [[0.75, 0.25]]
    """
    if temperature == 1.0:
        return probabilities
    p = np.clip(probabilities, 1e-12, 1 - 1e-12)
    if np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-3) and probabilities.shape[1] > 1:
        # softmax(log p / temperature), as the logits are known up to a constant only
        powered = p ** (1 / temperature)
        return np.asarray(powered / powered.sum(axis=1, keepdims=True))
    return np.asarray(special.expit(special.logit(p) / temperature))


def binned(pairs: list[tuple[np.ndarray, np.ndarray]], edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean claim and share that held, each [S, bins]; NaN where a bin has too few rows."""
    predicted, observed = [], []
    for claimed, true in pairs:
        bins = np.clip(np.searchsorted(edges, claimed, side="right") - 1, 0, max(len(edges) - 2, 0))
        count = np.bincount(bins, minlength=max(len(edges) - 1, 1)).astype(float)
        count[count < FEWEST] = np.nan  # what is divided by it is NaN, and left out of the curve
        predicted.append(np.bincount(bins, claimed, len(count)) / count)
        observed.append(np.bincount(bins, true, len(count)) / count)
    return np.array(predicted), np.array(observed)


@figure(
    "histogram",
    title="Scores by class",
    chapter=CHAPTER,
    fits=lambda task: task.decides_one_class,
    predictions=True,
)
def histogram(contents: ReportContents) -> Chart | None:
    """How often a row of each class gets such a score. Each class has a shape of its own, whose shares sum to 100 %."""
    shown, note = _classes_to_draw(contents)
    views = {contents.called(name): _histogram(contents, name, shown, note) for name in contents.samples}
    return Chart(views, choice="entry", shown=contents.called(contents.by_score[0].entry))


def _classes_to_draw(contents: ReportContents) -> tuple[list[int], str]:
    """The classes that are drawn, and what is to be said of them: where not all can be, those that are missed most."""
    matrices = [confused(sample) for name in contents.samples if (sample := contents.pooled(name)) is not None]
    if all(sample.prediction.shape[1] == 1 for samples in contents.samples.values() for sample in samples):
        return [0, 1], "Rows of both classes that get the same score are what no threshold can tell apart."
    size = max(map(len, matrices))
    counts = np.sum([np.pad(matrix, (0, size - len(matrix))) for matrix in matrices], axis=0)
    present = np.flatnonzero(counts.sum(axis=1))
    recall = np.diag(counts)[present] / counts.sum(axis=1)[present]
    shown = sorted(present[np.argsort(recall, kind="stable")[:MOST_CLASSES]].tolist())
    note = "The score is that of the class that the row really is: the further to the right, the better."
    if len(shown) < len(present):
        note += f" Drawn are the {len(shown)} of {len(present)} classes that all entries together miss most often."
    return shown, note


def _histogram(contents: ReportContents, name: str, shown: list[int], note: str) -> View:
    sample = contents.pooled(name)
    assert sample is not None
    truth = sample.truth[:, 0].astype(int)
    several = sample.prediction.shape[1] > 1
    score = np.take_along_axis(sample.prediction, truth[:, None], 1)[:, 0] if several else sample.prediction[:, 0]
    probable = sample.kind == "probabilities"
    low, high = (0.0, 1.0) if probable else np.quantile(score, [0.005, 0.995])
    bars = BARS if len(shown) <= 3 else BARS // 2  # many shapes over each other are seen better when coarse
    edges = np.linspace(low, high, bars + 1) if high > low else np.array([low - 0.5, low + 0.5])
    traces: list[Trace] = []
    for color, index in enumerate(shown):
        count = np.histogram(np.clip(score[truth == index], low, high), edges)[0]
        traces.append(
            {
                "type": "scatter", "mode": "lines", "line": {"color": f"$class{color}", "shape": "hvh", "width": 1.5},
                "fill": "tozeroy" if len(shown) <= 3 else "none", "showlegend": True, "name": contents.label(index),
                "x": rounded((edges[1:] + edges[:-1]) / 2), "y": rounded(count / max(count.sum(), 1)),
                "hovertemplate": "%{y:.1%} at %{x}",
            }
        )  # fmt: skip
    what = "probability" if probable else "score"
    title = f"{what} of its own class" if several else f"{what} of {contents.label(1)}"
    shares = {"rangemode": "tozero", "tickformat": ".0%"}
    own = score if several else np.where(truth == 1, score, 1 - score)
    finding = (
        f"{percent(float(np.mean(own < 0.5)))} of the rows get less than even odds for their own class"
        if probable
        else ""
    )
    layout = axes(title, "share of the class's rows", yaxis=shares)
    return View(
        traces, layout, note, finding, f"{what.capitalize()} that rows of each class get from {contents.name(name)}"
    )
