"""Where decisions change: what each entry says of the plane of two numeric features, over the epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.compare.regions import unpacked
from losscli.reports.contents import ReportContents
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, plain
from losscli.reports.titles import digits, percent
from losscli.reports.traces import axes

CHAPTER = Chapter(15, "Where they decide")
MOST_PANELS = 4  # entries beside each other
SETTLED = 0.02  # of the plane that changes after an epoch, at most, to call the border settled


@figure("regions", title="Decision regions", chapter=CHAPTER, fits=lambda task: task.has_regions)
def regions(contents: ReportContents) -> Chart | None:
    """What the model of the first seed says at each place of the two features, epoch by epoch; of classes, the stronger the
    colour, the surer. Dots are training rows, as they were trained on. The slider moves through the epochs.
    """
    kept = contents.arena.why.get("regions") or {}
    names = [name for name in contents.drawn_first(MOST_PANELS) if (kept.get("entries") or {}).get(name)]
    if not names:
        return None
    rows = np.array(kept["rows"], np.float64).reshape(-1, 3)
    classes = bool(kept["entries"][names[0]][0]["classes"])
    layout = axes(
        plain(kept["columns"][0], 24), plain(kept["columns"][1], 24), xaxis=_axis(kept, 0), yaxis=_axis(kept, 1)
    )
    drawn = {
        **{key: kept[key] for key in ("side", "box", "range")},
        "panels": [
            {"entry": contents.place(name), "name": contents.called(name), "frames": kept["entries"][name]}
            for name in names
        ],
    }
    if classes:
        title, what = _agreement(kept, names) if len(names) > 1 else _border(kept, names[0]), "decide"
    else:
        title, what = _apart(kept, names), "predict"
    dots = _dots(contents, rows) if classes else [_numbers(rows, kept)]
    view = View(dots, layout, title=title, measure=f"What the models of the first seed {what}, epoch by epoch")
    return Chart({"": view}, wide=True, height=440, steps=[f"epoch {epoch}" for epoch in kept["epochs"]], regions=drawn)


def _axis(kept: Mapping[str, Any], place: int) -> Trace:
    return {"range": kept["box"][place], "showgrid": False, "zeroline": False}


def _dots(contents: ReportContents, rows: np.ndarray) -> list[Trace]:
    """Training rows, a colour for each class."""
    traces: list[Trace] = []
    for index in np.unique(rows[:, 2]).astype(int):
        own = rows[rows[:, 2] == index]
        look = {"size": 6, "color": f"$class{index % COLOURS}", "line": {"width": 1, "color": "$paper"}}
        traces.append({"type": "scatter", "mode": "markers", "name": contents.label(int(index)), "showlegend": True,
                       "x": own[:, 0].tolist(), "y": own[:, 1].tolist(), "marker": look, "hoverinfo": "name"})  # fmt: skip
    return traces


COLOURS = 7  # of classes, on a page


def _numbers(rows: np.ndarray, kept: Mapping[str, Any]) -> Trace:
    """Training rows, coloured by the number that is to be predicted, as the plane is."""
    low, high = kept["range"]
    look = {"size": 6, "color": rows[:, 2].tolist(), "cmin": low, "cmax": high, "showscale": True,
            "colorscale": [[0, "$class3"], [1, "$class0"]], "line": {"width": 1, "color": "$paper"}}  # fmt: skip
    return {"type": "scatter", "mode": "markers", "x": rows[:, 0].tolist(), "y": rows[:, 1].tolist(), "marker": look,
            "showlegend": False, "hovertemplate": "%{marker.color}<extra></extra>"}  # fmt: skip


def _agreement(kept: Mapping[str, Any], names: list[str]) -> str:
    """On how much of the plane the entries decide the same at the end."""
    last = [unpacked(kept["entries"][name][-1]["classes"], kept["side"]) for name in names]
    same = np.all([decided == last[0] for decided in last[1:]], axis=0).mean()
    return f"At the end they decide the same on {percent(float(same))} of the plane"


def _apart(kept: Mapping[str, Any], names: list[str]) -> str:
    """How far the predictions of the entries are apart at the end; of one, from where to where they go."""
    low, high = kept["range"]
    last = [unpacked(kept["entries"][name][-1]["strength"], kept["side"]) / 255 for name in names]
    if len(names) == 1:
        ends = [low + end * (high - low) for end in (last[0].min(), last[0].max())]
        return f"At the end predictions go from {digits(ends[0])} to {digits(ends[1])}"
    return f"At the end predictions are {digits(float(np.ptp(last, axis=0).mean() * (high - low)))} apart on average"


def _border(kept: Mapping[str, Any], name: str) -> str:
    """From which epoch on the border moves little."""
    frames = [unpacked(frame["classes"], kept["side"]) for frame in kept["entries"][name]]
    moved = [float((frame != frames[-1]).mean()) for frame in frames]
    settled = next(place for place, share in enumerate(moved) if max(moved[place:]) <= SETTLED)
    return f"From epoch {kept['epochs'][settled]} on the border moves little"
