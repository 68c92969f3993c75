"""How far they are off: predictions of numbers beside the truth, their errors, and their intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from losscli.reports.contents import ReportContents, Sample
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, rounded
from losscli.reports.titles import digits, extreme, percent
from losscli.reports.traces import axes, guide, mean_line

CHAPTER = Chapter(70, "How far they are off")

DOTS = 700  # of a scatter plot
BARS = 60  # intervals that are drawn
SHARES = np.concatenate([np.linspace(0, 0.9, 46), np.linspace(0.91, 1.0, 19)])
MOST_OUTPUTS = 4


@figure(
    "truth",
    title="Predicted and true",
    chapter=CHAPTER,
    fits=lambda task: task.has_target and not task.has_classes,
    predictions=True,
)
def truth(contents: ReportContents) -> Chart | None:
    """Each dot is a test row. On the dotted diagonal the prediction is right; a cloud that is flatter than the
    diagonal pulls extremes towards the middle.
    """

    def dots(true: np.ndarray, predicted: np.ndarray) -> View:
        ends = rounded([min(true.min(), predicted.min()), max(true.max(), predicted.max())])
        explained = 1 - np.mean((true - predicted) ** 2) / max(float(np.var(true)), 1e-300)
        title = (
            f"{percent(float(explained))} of the variance is predicted" if explained > 0 else "The mean predicts better"
        )
        dots = _dots(true, predicted)
        return View(
            [guide(ends, ends, 1.2), dots],
            axes("true", "predicted"),
            title=title,
            measure="Predicted value, against the true one",
        )

    return _by_entry(contents, dots)


@figure(
    "residuals",
    title="Residuals",
    chapter=CHAPTER,
    fits=lambda task: task.has_target and not task.has_classes,
    predictions=True,
)
def residuals(contents: ReportContents) -> Chart | None:
    """What the prediction left over: truth minus prediction. Dots should scatter evenly around the dotted line; a
    trend is something that the model missed, a funnel says that its errors grow with the value.
    """

    def dots(true: np.ndarray, predicted: np.ndarray) -> View:
        ends = rounded([predicted.min(), predicted.max()])
        layout = axes("predicted", "true minus predicted")
        usual, rare = np.quantile(np.abs(true - predicted), [0.5, 0.95])
        title = f"Half of the errors are below {digits(float(usual))}, one in twenty is above {digits(float(rare))}"
        dots = _dots(predicted, true - predicted)
        return View(
            [guide(ends, [0, 0], 1.2), dots],
            layout,
            title=title,
            measure="True minus predicted value, against the predicted one",
        )

    return _by_entry(contents, dots)


def _by_entry(contents: ReportContents, dots: Callable[[np.ndarray, np.ndarray], View]) -> Chart | None:
    """A view for each entry and output, of rows that are drawn evenly from all seeds."""
    views = {}
    for name in contents.samples:
        sample = contents.pooled(name)
        assert sample is not None
        few = sample.some(max(1, len(sample.row) // DOTS))
        outputs = min(few.truth.shape[1], MOST_OUTPUTS)
        for output in range(outputs):
            view = dots(few.truth[:, output], few.prediction[:, output])
            color = {"entry": contents.place(name), "stays": True}
            traces = [trace if "$faint" in str(trace) else {**trace, **color} for trace in view.traces]
            views[contents.called(name) + (f", {contents.label(output)}" if outputs > 1 else "")] = View(
                traces, view.layout, _left_out(outputs, few.truth.shape[1]), view.title, view.measure
            )
    first = contents.called(contents.by_score[0].entry)
    shown = next((name for name in views if name == first or name.startswith(f"{first}, ")), "")
    return Chart(views, choice="entry", shown=shown) if views else None


def _left_out(shown: int, count: int) -> str:
    return f"The first {shown} of {count} target columns are drawn." if shown < count else ""


def _dots(x: np.ndarray, y: np.ndarray) -> Trace:
    return {"type": "scatter", "mode": "markers", "x": rounded(x), "y": rounded(y), "showlegend": False,
            "marker": {"size": 5, "opacity": 0.55}}  # fmt: skip


@figure(
    "errors",
    title="Size of the errors",
    chapter=CHAPTER,
    fits=lambda task: task.has_target and not task.has_classes,
    predictions=True,
)
def errors(contents: ReportContents) -> Chart | None:
    """So large is the error of the row at this place, when rows are sorted by their error. The left half says how good
    an entry is on ordinary rows, the right end what it does on the worst: losses trade one for the other.
    """
    traces: list[Trace] = []
    for name, samples in contents.samples.items():
        curves = [np.quantile(np.abs(sample.truth - sample.prediction).mean(axis=1), SHARES) for sample in samples]
        traces.append(mean_line(contents, name, rounded(SHARES), np.array(curves), 0.0))
    layout = {
        "xaxis": {"title": {"text": "share of the test rows"}, "tickformat": ".0%"},
        "yaxis": {"title": {"text": "absolute error"}, "rangemode": "tozero"},
    }
    if not traces:
        return None
    medians = {contents.names[trace["entry"]]: trace["y"][int(np.searchsorted(SHARES, 0.5))] or 0.0 for trace in traces}
    title = extreme(contents, medians, "typical error", "smallest", alike=0.02 * max(medians.values()))
    view = View(traces, layout, title=title, measure="Absolute error, rows sorted by it; the typical row is at 50 %")
    return Chart({"": view}, log="y", ends=True)


@figure(
    "intervals",
    title="Prediction intervals",
    chapter=CHAPTER,
    fits=lambda task: task.has_target and not task.has_classes,
    predictions=True,
)
def intervals(contents: ReportContents) -> Chart | None:
    """Test rows sorted by their prediction: the bar is the interval that was promised, the dot the truth; a hollow dot
    lies outside. The title says how many of all rows lie inside, which should be what the loss was asked for.
    """
    views = {}
    for name in contents.samples:
        sample = contents.pooled(name)
        if sample is not None and sample.low is not None and sample.high is not None:
            level = contents.choice(name, sample.seed, "level")
            promise = f" ({level:.0%} asked for)" if level else ""
            views[contents.called(name)] = _intervals(
                contents.place(name), sample, sample.low[:, 0], sample.high[:, 0], promise
            )
    return Chart(views, choice="entry") if views else None


def _intervals(place: int, sample: Sample, low: np.ndarray, high: np.ndarray, promise: str) -> View:
    true, predicted = sample.truth[:, 0], sample.prediction[:, 0]
    inside = (low <= true) & (true <= high)
    rows = np.argsort(predicted, kind="stable")[np.unique(np.linspace(0, len(predicted) - 1, BARS).round().astype(int))]
    at = list(range(1, len(rows) + 1))
    up, down = rounded((high - predicted)[rows]), rounded((predicted - low)[rows])
    bars: Trace = {
        "type": "scatter", "mode": "markers", "entry": place, "stays": True, "name": "prediction, interval", "x": at,
        "showlegend": True,
        "y": rounded(predicted[rows]), "marker": {"size": 4},
        "error_y": {"symmetric": False, "array": up, "arrayminus": down, "thickness": 1.5, "width": 0},
    }  # fmt: skip
    signs = ["circle" if covered else "circle-open" for covered in inside[rows]]
    dots: Trace = {
        "type": "scatter", "mode": "markers", "name": "truth", "showlegend": True, "x": at, "y": rounded(true[rows]),
        "marker": {"size": 6, "color": "$ink", "symbol": signs},
    }  # fmt: skip
    width = float(np.mean(high - low))
    layout = axes(f"{len(rows)} of {len(true)} test rows, by prediction", "value")
    title = f"{inside.mean():.1%} of the true values lie inside{promise}"
    return View([bars, dots], layout, title=title, measure=f"Intervals and truth; the mean width is {width:.4g}")
