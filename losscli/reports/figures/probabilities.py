"""Can the probabilities be believed? Reliability, and how scores are spread over the classes."""

from __future__ import annotations

import numpy as np

from losscli.reports.evidence import Evidence, Sample
from losscli.reports.figures import Chart, Trace, View, figure, rounded
from losscli.reports.figures.training import middle

BINS = 12
FEWEST = 5  # rows in a bin
BARS = 40
MOST_CLASSES = 8


@figure(
    "reliability",
    title="Reliability",
    chapter="probabilities",
    tasks=("binary", "multiclass", "multilabel"),
    predictions=True,
)
def reliability(evidence: Evidence) -> Chart | None:
    """Of the rows that got about this probability, so many were positive (of several classes: were right). On the
    dotted diagonal the probabilities mean what they say; below it the model is too sure of itself. Bins hold
    equally many rows; the band is one standard deviation over the seeds.
    """
    guide: Trace = {
        "type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip", "showlegend": False,
        "line": {"color": "$faint", "dash": "dot", "width": 1},
    }  # fmt: skip
    inside = {"range": [-0.02, 1.02], "constrain": "domain"}
    layout = {
        "xaxis": {"title": {"text": "predicted"}, **inside},
        "yaxis": {"title": {"text": "observed"}, **inside},
        "hovermode": "closest",
    }
    views = {}
    for told, scaled in (("as trained", False), ("after temperature scaling", True)):
        traces = [trace for name in evidence.samples if (trace := _reliable(evidence, name, scaled)) is not None]
        if traces:
            views[told] = View([guide, *traces], layout)
    return Chart(views, choice="probabilities", height=420) if views else None


def _reliable(evidence: Evidence, name: str, scaled: bool) -> Trace | None:
    pairs = []
    for sample in evidence.samples[name]:
        if sample.kind != "probabilities":
            continue
        temperature = evidence.chosen(name, sample.seed, "temperature") if scaled else 1.0
        if temperature is not None:
            pairs.append(claims(sample, cooled(sample.prediction, temperature)))
    if not pairs:
        return None
    edges = np.unique(np.quantile(np.concatenate([said for said, _ in pairs]), np.linspace(0, 1, BINS + 1)))
    said, held = binned(pairs, edges)
    kept = np.isfinite(said).any(axis=0)
    if not kept.any():
        return None
    mean, low, high = middle(held[:, kept], 0.0, 1.0)
    trace: Trace = {
        "type": "scatter", "mode": "lines+markers", "entry": evidence.place(name), "name": evidence.called(name),
        "x": rounded(np.nanmean(said[:, kept], axis=0)), "y": rounded(mean), "marker": {"size": 6},
    }  # fmt: skip
    return {**trace, "band": [rounded(low), rounded(high)]} if len(pairs) > 1 else trace


def claims(sample: Sample, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What was claimed, and whether it held: of the positive (every label), or of the likeliest class."""
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
        powered = p ** (1 / temperature)
        return np.asarray(powered / powered.sum(axis=1, keepdims=True))
    return np.asarray(1 / (1 + np.exp(-np.log(p / (1 - p)) / temperature)))


def binned(pairs: list[tuple[np.ndarray, np.ndarray]], edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean claim and share that held, each [S, bins]; NaN where a bin has too few rows."""
    said, held = [], []
    for claimed, true in pairs:
        bins = np.clip(np.searchsorted(edges, claimed, side="right") - 1, 0, max(len(edges) - 2, 0))
        count = np.bincount(bins, minlength=max(len(edges) - 1, 1)).astype(float)
        count[count < FEWEST] = np.nan
        said.append(np.bincount(bins, claimed, len(count)) / count)
        held.append(np.bincount(bins, true, len(count)) / count)
    return np.array(said), np.array(held)


@figure(
    "histogram",
    title="Scores by class",
    chapter="probabilities",
    tasks=("binary", "multiclass"),
    predictions=True,
)
def histogram(evidence: Evidence) -> Chart | None:
    """How often a row of each class gets such a score (of several classes: such a probability for the class that it
    really is). Where the shapes overlap, no threshold can tell the classes apart.
    """
    views = {evidence.called(name): _histogram(evidence, name) for name in evidence.samples}
    return Chart(views, choice="entry", shown=evidence.called(evidence.by_score[0].entry), height=420)


def _histogram(evidence: Evidence, name: str) -> View:
    sample = evidence.pooled(name)
    assert sample is not None
    truth = sample.truth[:, 0].astype(int)
    several = sample.prediction.shape[1] > 1
    score = np.take_along_axis(sample.prediction, truth[:, None], 1)[:, 0] if several else sample.prediction[:, 0]
    probable = sample.kind == "probabilities"
    low, high = (0.0, 1.0) if probable else np.quantile(score, [0.005, 0.995])
    edges = np.linspace(low, high, BARS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    classes = np.argsort(-np.bincount(truth), kind="stable")[:MOST_CLASSES]
    traces: list[Trace] = []
    for color, index in enumerate(sorted(classes)):
        count = np.histogram(np.clip(score[truth == index], low, high), edges)[0]
        traces.append(
            {
                "type": "scatter", "mode": "lines", "line": {"color": f"${color}", "shape": "hvh", "width": 1.5},
                "fill": "tozeroy" if len(classes) <= 3 else "none", "name": evidence.label(index),
                "x": rounded((edges[1:] + edges[:-1]) / 2), "y": rounded(count / max(count.sum(), 1)),
                "hovertemplate": "%{y:.1%} at %{x}",
            }
        )  # fmt: skip
    what = "probability" if probable else "score"
    told = f"{what} of its own class" if several else f"{what} of {evidence.label(1)}"
    layout = {
        "xaxis": {"title": {"text": told}},
        "yaxis": {"title": {"text": "share of the class's rows"}, "rangemode": "tozero", "tickformat": ".0%"},
        "hovermode": "closest",
    }
    return View(traces, layout)
