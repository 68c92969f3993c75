"""How they learn: what was followed per epoch."""

from __future__ import annotations

import numpy as np

from losscli.errors import counted, joined, visible
from losscli.reports.contents import ReportContents
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, plain, rounded
from losscli.reports.traces import line, mean_line, middle

CHAPTER = Chapter(30, "How they learn")

MOST_POINTS = 120  # of a curve
PASSED = 0.15  # of its range that a curve loses after its peak, to be called worse later
STILL = 0.05  # of its range that a curve gains in its last fifth, to be called unfinished


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
            note = _note(metric, any(trace["x"] and "opacity" in trace for trace in traces))
            views[title] = View(traces, layout, note, *_words(contents, metric))
    return Chart(views, choice="follow", log="y", wide=True, ends=True) if views else None


def _words(contents: ReportContents, metric: str) -> tuple[str, str]:
    """Title and measure: who has passed a peak, who is still getting better, or that all have levelled off."""
    seeds = f", mean over {counted(len(contents.arena.seeds), 'seed')}" if len(contents.arena.seeds) > 1 else ""
    direction = "down" if metric == "loss" else contents.arena.directions.get(metric)
    measure = f"{'Each own loss' if metric == 'loss' else visible(metric, 40)} on the valid split{seeds}"
    if direction not in ("up", "down"):
        return "", measure
    falls, rising = {}, []
    for entry in contents.names:
        epochs, curves = contents.curves(entry, "valid", metric)
        if len(epochs) < 5 or not np.isfinite(curves).all():
            continue
        mean = curves.mean(axis=0) if direction == "up" else -curves.mean(axis=0)
        reach = float(np.ptp(mean)) or 1.0
        if mean.max() - mean[-1] > PASSED * reach:
            falls[entry] = int(epochs[mean.argmax()])
        elif mean[-1] - mean[-max(2, len(mean) // 5)] > STILL * reach:
            rising.append(entry)
    if falls:
        last = max(falls.values())
        verb = "is" if len(falls) == 1 else "are"
        return (
            f"{joined([contents.name(one) for one in falls], 3)} {verb} best by epoch {last}, and worse later",
            measure,
        )
    if rising:
        return f"{joined([contents.name(one) for one in rising], 3)} had not levelled off at the end", measure
    return (
        f"{'All have' if len(contents.names) > 1 else contents.name(contents.names[0]) + ' has'} levelled off",
        measure,
    )


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
