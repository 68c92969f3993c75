"""One contract for every figure on the shelf, on records of every kind: a new figure is tested by existing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from losscli.cli.app import run
from losscli.losses import Forecast, for_task
from losscli.reports.contents import ReportContents
from losscli.reports.figures import Chart, figures
from losscli.reports.html import contents_of
from losscli.reports.recall import recall
from losscli.tasks import tasks

QUICK = ("--epochs", "3", "--seeds", "3", "--quiet", "--set", "model.hidden=[8]")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[ReportContents]:
    """A comparison of every task, one with forecasts where a task has some, and one with levels of damage."""
    out = tmp_path_factory.mktemp("runs")
    for task in tasks.names():
        losses = [name for name, item in for_task(task).items() if not any(o.required for o in item.options.values())]
        first = tasks.get(task).default_loss
        sure = [name for name in losses if isinstance(for_task(task)[name].point, Forecast)][:1]
        chosen = [first, *(sure or [name for name in losses if name != first][:1])]
        asked = [word for name in chosen for word in ("--loss", name)]
        assert run(["compare", "--task", task, *asked, *QUICK, "--out", str(out)]) == 0
    damaged = ("--task", "binary", "--loss", "bce-logits", "--loss", "hinge", "--label-noise", "0.2,0.4")
    assert run(["stress", *damaged, *QUICK, "--out", str(out)]) == 0
    return [contents for folder in sorted(out.iterdir()) for contents in contents_of(recall(folder))]


def numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from numbers(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from numbers(inner)
    else:
        yield value


def sound(chart: Chart, contents: ReportContents) -> None:
    """The page can show every view of it."""
    assert chart.views
    assert chart.shown in (*chart.views, "")
    assert len(chart.views) == 1 or chart.choice  # else nobody knows what is chosen
    for view in chart.views.values():
        assert view.traces
        json.dumps([list(view.traces), dict(view.layout)], allow_nan=False)
        for trace in view.traces:
            assert 0 <= trace.get("entry", 0) < len(contents.names)
            if "band" in trace:
                low, high = trace["band"]
                assert len(low) == len(high) == len(trace["x"])
                ends = [pair for pair in zip(low, high, strict=True) if None not in pair]
                assert all(below <= above for below, above in ends)
            if "x" in trace and "y" in trace and trace.get("type", "scatter") == "scatter":
                assert len(trace["x"]) == len(trace["y"])
        drawn = [each for trace in view.traces for key in ("x", "y", "z", "r") for each in numbers(trace.get(key, ()))]
        assert any(each is not None for each in drawn)


@pytest.mark.parametrize("name", figures.names())
def test_it_is_drawn_of_some_record_and_soundly_of_all(name: str, records: list[ReportContents]) -> None:
    charts = [(figures.get(name).draw(contents), contents) for contents in records]
    drawn = [(chart, contents) for chart, contents in charts if chart is not None]
    assert drawn
    for chart, contents in drawn:
        sound(chart, contents)
    if len({contents.arena.task for _, contents in drawn}) == len(tasks.names()):
        return
    assert len(drawn) < len(records)  # what is for some tasks only stays away from others


@pytest.mark.parametrize("name", figures.names())
def test_it_stays_away_or_stands_where_a_record_keeps_little(name: str, record_of: Any) -> None:
    """One entry, one seed, no predictions, and words that Plotly would take for markup."""
    folder: Path = record_of(entries=("<b>bce</b>",), seeds=1, keep=False, data="<i>x</i>")
    (contents,) = contents_of(recall(folder))
    chart = figures.get(name).draw(contents)
    if chart is not None:
        sound(chart, contents)
        assert "<b>" not in json.dumps([list(view.traces) for view in chart.views.values()])


@pytest.mark.parametrize(("task", "measure"), [(task.name, one.name) for task in tasks for one in task.row_measures])
def test_every_measure_of_rows_can_stand_beside_an_axis(task: str, measure: str, records: list[ReportContents]) -> None:
    contents = next(one for one in records if one.arena.task == task and len(one.names) > 1)
    first, second = contents.names[:2]
    line = {"part": "hardest quarter", "class": "a", "rows": 5.0, "reference": 0.25, "best": 0.5}
    why = {"best": second, "reference": first, "measure": measure, "difficulty": [line], "classes": [line]}
    arena = replace(contents.arena, why=why)
    for name in ("difficulty", "class-by-class"):
        chart = figures.get(name).draw(replace(contents, arena=arena))
        assert chart is not None
        sound(chart, contents)
