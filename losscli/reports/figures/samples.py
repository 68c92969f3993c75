"""Rows that were made up, over real ones."""

from __future__ import annotations

from typing import Any

from losscli.reports.contents import ReportContents
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, plain
from losscli.reports.traces import axes

CHAPTER = Chapter(64, "What is made up")
MOST_BESIDE = 4  # entries beside each other


@figure(
    "samples", title="Made up over real rows", chapter=CHAPTER, fits=lambda task: task.pictured and not task.has_target
)
def samples(contents: ReportContents) -> Chart | None:
    """Rows that the generator of the first seed makes, over real rows (grey) of the valid split, at moments of training. Lumps
    without a coloured dot have been dropped; coloured dots between lumps are rows that there are not. One column alone is drawn
    against the share of rows below it.
    """
    moments = contents.arena.why.get("moments") or {}
    if not moments:
        return None
    names = [name for name in contents.names if moments["entries"].get(name)][:MOST_BESIDE]
    views = {
        f"epoch {epoch}": View(*_beside(contents, moments, names, place))
        for place, epoch in enumerate(moments["epochs"])
    }
    return Chart(views, choice="moment", shown=list(views)[-1], wide=True) if views and names else None


def _beside(contents: ReportContents, moments: Any, names: list[str], place: int) -> tuple[list[Trace], Trace]:
    """A panel for each entry, all with the axes of the first."""
    traces: list[Trace] = []
    layout: Trace = {
        "grid": {"rows": 1, "columns": len(names), "pattern": "independent"},
        **axes(plain(moments["columns"][0], 24), plain(moments["columns"][1], 24)),
    }
    for at, name in enumerate(names):
        number = "" if at == 0 else str(at + 1)
        panel = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        if at:
            layout[f"xaxis{number}"] = {"matches": "x", "title": {"text": plain(moments["columns"][0], 24)}}
            layout[f"yaxis{number}"] = {"matches": "y", "showticklabels": False}
        pictures = moments["entries"][name]
        made = pictures[min(place, len(pictures) - 1)]
        look = {"type": "scatter", "mode": "markers", "hoverinfo": "skip"}
        traces.append({**look, **panel, **_xy(moments["real"]), "showlegend": False, "name": "real rows",
                       "marker": {"color": "$faint", "size": 4}})  # fmt: skip
        traces.append({**look, **panel, **_xy(made), "entry": contents.place(name), "stays": True, "showlegend": True,
                       "name": contents.called(name), "marker": {"size": 4}})  # fmt: skip
    return traces, layout


def _xy(dots: Any) -> Trace:
    return {"x": [dot[0] for dot in dots], "y": [dot[1] for dot in dots]}
