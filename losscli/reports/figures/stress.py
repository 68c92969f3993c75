"""What they withstand: the headline metric at each level of damage to the training rows."""

from __future__ import annotations

import math

import numpy as np

from losscli.errors import visible
from losscli.reports.contents import ReportContents
from losscli.reports.figures import Chapter, Chart, Trace, View, figure, plain, rounded
from losscli.reports.traces import axes, level, line
from losscli.words.damage import DAMAGE

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
    for of_entry in data.lines:
        means, spreads = ([getattr(score, part) for score in of_entry.scores] for part in ("mean", "sd"))
        spreads = [value if math.isfinite(value) else 0.0 for value in spreads]
        ends = [np.clip(np.add(means, sign * np.array(spreads)), *contents.limits(data.metric)) for sign in (-1, 1)]
        look: Trace = {"mode": "lines+markers", "band": rounded(ends)}
        traces.append(line(contents, of_entry.entry, list(data.levels), rounded(means), **look))
    baseline = level(data.baseline, [value for trace in traces for value in trace["y"]])
    layout = axes(plain(DAMAGE[data.kind].meaning), f"test {plain(data.metric)}", shapes=baseline)
    return Chart(
        {"": View(traces, layout, measure=f"Test {visible(data.metric, 40)}, against the {DAMAGE[data.kind].meaning}")},
        wide=True,
        ends=True,
    )
