"""What they withstand: the headline metric at each level of damage to the training rows."""

from __future__ import annotations

import math

import numpy as np

from losscli.reports.contents import ReportContents
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, plain, rounded
from losscli.reports.figures.difference import near

CHAPTER = Chapter(10, "What they withstand")


@figure("breakdown", title="Damage, level by level", chapter=CHAPTER)
def breakdown(contents: ReportContents) -> Chart | None:
    """How much of its score on clean test rows an entry keeps while the training rows get worse, with one standard
    deviation over the seeds. A line that stays level longer belongs to a more robust loss; the dotted line is what one
    would get without a model.
    """
    data = contents.breakdown
    if data is None:
        return None
    traces: list[Trace] = []
    for line in data.lines:
        means, spreads = ([getattr(score, part) for score in line.scores] for part in ("mean", "sd"))
        spreads = [value if math.isfinite(value) else 0.0 for value in spreads]
        ends = [np.clip(np.add(means, sign * np.array(spreads)), *contents.limits(data.metric)) for sign in (-1, 1)]
        traces.append(
            {
                "type": "scatter", "mode": "lines+markers", "entry": contents.place(line.entry),
                "name": contents.called(line.entry), "x": list(data.levels), "y": rounded(means), "band": rounded(ends),
            }
        )  # fmt: skip
    shapes = []
    means = [value for line in data.lines for value in rounded([score.mean for score in line.scores])]
    if math.isfinite(data.baseline) and near(data.baseline, means):
        across = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": data.baseline, "y1": data.baseline}
        shapes.append({**across, "line": {"color": "$faint", "width": 1, "dash": "dot"}})
    layout = {
        "xaxis": {"title": {"text": f"level of data.corrupt.{plain(data.kind)}"}},
        "yaxis": {"title": {"text": f"test {plain(data.metric)}"}},
        "shapes": shapes,
        "hovermode": "closest",
    }
    return Chart({"": View(traces, layout)}, height=430, wide=True)
