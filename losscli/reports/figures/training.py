"""How they learn: what was followed per epoch."""

from __future__ import annotations

import numpy as np

from losscli.reports.contents import ReportContents
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, plain, rounded
from losscli.reports.traces import line, mean_line, middle

CHAPTER = Chapter(30, "How they learn")

MOST_POINTS = 120  # of a curve


@figure(
    "learning",
    title="Learning curves",
    chapter=CHAPTER,
)
def learning(contents: ReportContents) -> Chart | None:
    """Each line is the mean over the seeds on the valid split; a band, where several seeds give one, is one standard
    deviation to each side.
    """
    views = {}
    for metric in contents.followed():
        traces = [
            trace
            for name in contents.names
            for split in ("valid", "train")
            if (trace := _curve(contents, name, split, metric)) is not None
        ]
        if traces:
            title = "the entry's own loss" if metric == "loss" else plain(metric)
            few = {"dtick": 1} if max(len(trace["x"]) for trace in traces) <= 12 else {}  # there is no epoch 1.5
            layout = {"xaxis": {"title": {"text": "epoch"}, **few}, "yaxis": {"title": {"text": title}}}
            views[title] = View(
                traces, layout, _note(metric, any(trace["x"] and "opacity" in trace for trace in traces))
            )
    return Chart(views, choice="follow", log="y", height=430, wide=True) if views else None


def _note(metric: str, trained: bool) -> str:
    dotted = "The dotted line is the train split." if trained else ""
    scale = "Losses differ in scale: compare their shapes, never their heights." if metric == "loss" else ""
    return f"{dotted} {scale}".strip()


def _curve(contents: ReportContents, entry: str, split: str, metric: str) -> Trace | None:
    epochs, values = contents.curves(entry, split, metric)
    enough = np.isfinite(values).sum(axis=0) * 2 >= max(
        1, len(values)
    )  # later, those that go on would tell another story
    epochs, values = epochs[enough], values[:, enough]
    if not len(epochs):
        return None
    places = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), MOST_POINTS)).round().astype(int))
    epochs, values = epochs[places], values[:, places]
    mode = "lines" if len(epochs) > 1 else "markers"
    if split == "valid":
        return mean_line(contents, entry, epochs.tolist(), values, *contents.limits(metric), mode=mode)
    look = {"line": {"dash": "dot", "width": 1.4}, "opacity": 0.7, "hoverinfo": "skip", "showlegend": False}
    return line(contents, entry, epochs.tolist(), rounded(middle(values)[0]), mode, **look)
