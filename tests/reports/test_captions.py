"""What a report says beside its figures holds of what they draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscli.reports.contents import ReportContents, Sample
from losscli.reports.figures import Chart, View, figures
from losscli.reports.html import contents_of, html_of
from losscli.reports.recall import ComparisonRecord, recall
from losscli.reports.repeat import command
from losscli.reports.summary import markdown_of

MakeRecord = Callable[..., Path]
WHY = {
    "best": "hinge",
    "reference": "bce-logits",
    "measure": "accuracy",
    "classes": [{"class": name, "rows": 9.0, "best": 0.9, "reference": 0.8} for name in ("died", "survived")],
    "difficulty": [{"part": "easiest quarter", "rows": 9.0, "best": 0.9, "reference": 0.8}],
}


def drawn(name: str, contents: ReportContents) -> Chart:
    chart = figures.get(name).draw(contents)
    assert chart is not None
    return chart


@pytest.fixture(scope="module")
def recalled(record_of: MakeRecord) -> ComparisonRecord:
    return recall(record_of())


@pytest.fixture(scope="module")
def contents(recalled: ComparisonRecord) -> ReportContents:
    return contents_of(recalled)[0]


def told(recalled: ComparisonRecord, **facts: Any) -> ComparisonRecord:
    """The record with other facts in its arena."""
    arena = replace(recalled.comparison.arenas[0], **facts)
    return replace(recalled, comparison=replace(recalled.comparison, arenas=[arena]))


def judged(contents: ReportContents, verdict: str, **delta: Any) -> View:
    """The forest where every difference has this verdict."""
    entries = [
        replace(each, verdict=verdict, delta=replace(each.delta, **delta)) if each.delta else each
        for each in contents.arena.entries
    ]
    return drawn("forest", replace(contents, arena=replace(contents.arena, entries=entries))).views["accuracy"]


def test_one_seed_is_a_hollow_dot_without_a_bar_or_a_stripe(contents: ReportContents) -> None:
    view = judged(contents, "too-few-seeds", ci95=None, seeds=1)
    assert [trace["marker"]["symbol"] for trace in view.traces[:2]] == ["circle-open"] * 2
    assert not any("error_x" in trace for trace in view.traces)
    assert [shape["type"] for shape in view.layout["shapes"]] == ["line"]
    assert view.layout["annotations"] == []
    assert "hollow" in view.note
    assert "equivalent" not in view.note


def test_too_few_seeds_keep_their_bars_and_say_nothing_of_equivalence(contents: ReportContents) -> None:
    view = judged(contents, "too-few-seeds")
    assert all("error_x" in trace for trace in view.traces[:2])
    assert "equivalent" not in view.note
    whole = judged(contents, "inconclusive")
    assert [trace["marker"]["symbol"] for trace in whole.traces[:2]] == ["circle"] * 2
    assert [shape["type"] for shape in whole.layout["shapes"]] == ["rect", "line"]
    assert "equivalent" in whole.note
    assert "hollow" not in whole.note


def test_only_a_loss_has_a_train_line_and_a_scale_of_its_own(contents: ReportContents) -> None:
    views = drawn("learning", contents).views
    dotted = {
        name: any(trace.get("line", {}).get("dash") == "dot" for trace in view.traces) for name, view in views.items()
    }
    assert dotted == {"accuracy": False, "the entry's own loss": True}
    assert {name: "dotted" in view.note and "heights" in view.note for name, view in views.items()} == dotted
    assert views["accuracy"].note == ""


def test_bands_stay_within_the_range_of_the_metric(contents: ReportContents) -> None:
    values = {0: 1.0, 1: 1.0, 2: 0.7}  # mean 0.9, standard deviation 0.173
    runs = [
        replace(run, history=[replace(point, value=values[run.seed]) for point in run.history])
        for run in contents.arena.runs
    ]
    views = drawn("learning", replace(contents, arena=replace(contents.arena, runs=runs))).views
    tops = {name: max(view.traces[0]["band"][1]) for name, view in views.items()}
    assert tops == pytest.approx({"accuracy": 1.0, "the entry's own loss": 1.073}, abs=1e-3)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("binary", "less often than was said"),
        ("multilabel", "all labels together"),
        ("multiclass", "too sure of itself"),
    ],
)
def test_below_the_diagonal_means_what_the_task_makes_of_it(record_of: MakeRecord, task: str, words: str) -> None:
    found = contents_of(recall(record_of(tasks=(task,), labels=("a", "b", "c")[: 2 + (task != "binary")])))[0]
    note = drawn("reliability", found).views["as trained"].note
    assert words in note
    assert ("too sure" in note) == (task == "multiclass")


def test_of_many_classes_the_worst_are_drawn_and_the_others_told(contents: ReportContents) -> None:
    """Ten classes of ten rows: class 9 is always taken for class 0, class 8 half of the time, all others are right."""
    truth = np.repeat(np.arange(10), 10)
    decided = np.where(truth == 9, 0, np.where((truth == 8) & (np.arange(100) % 2 == 0), 1, truth))
    sample = Sample(0, np.arange(100), truth[:, None].astype(float), np.eye(10)[decided], "probabilities")
    arena = replace(contents.arena, task="multiclass", labels=[f"class {index}" for index in range(10)])
    view = drawn("histogram", replace(contents, arena=arena, samples={"hinge": [sample]})).views["hinge"]
    names = [trace["name"] for trace in view.traces]
    assert len(names) == 7  # the page has seven colours
    assert names[-2:] == ["class 8", "class 9"]
    assert "7 of 10 classes" in view.note
    assert "threshold" not in view.note
    few = drawn("histogram", contents).views["hinge"]
    assert len(few.traces) == 2
    assert "threshold" in few.note


@pytest.mark.parametrize(("count", "note"), [(24, ""), (30, "Drawn are the 24 commonest of 30.")])
def test_classes_that_are_left_out_are_told(contents: ReportContents, count: int, note: str) -> None:
    truth = np.repeat(np.arange(count), 2)
    decided = np.where(np.arange(2 * count) == 1, 2, truth)  # one mistake: a matrix without any is no picture
    sample = Sample(0, np.arange(2 * count), truth[:, None].astype(float), np.eye(count)[decided], "probabilities")
    arena = replace(contents.arena, task="multiclass", labels=[f"class {index}" for index in range(count)])
    many = replace(contents, arena=arena, samples={"hinge": [sample]})
    assert drawn("classes", many).views[""].note == note
    assert drawn("confusion", many).views["hinge"].note == note


def test_classes_lie_and_name_both_entries(contents: ReportContents) -> None:
    view = drawn("class-by-class", replace(contents, arena=replace(contents.arena, why=WHY))).views[""]
    assert [trace["name"] for trace in view.traces] == ["bce-logits (reference)", "hinge (best)"]
    assert all(trace["orientation"] == "h" and trace["showlegend"] for trace in view.traces)
    assert view.traces[0]["x"] == [0.8, 0.8]
    assert view.traces[0]["y"] == ["died<br>9 rows", "survived<br>9 rows"]
    same = replace(contents, arena=replace(contents.arena, why={**WHY, "best": "bce-logits"}))
    assert figures.get("class-by-class").draw(same) is None
    assert figures.get("difficulty").draw(same) is None


@pytest.mark.parametrize(("verdict", "title"), [("better", "Why it wins"), ("inconclusive", "Where they differ")])
def test_who_wins_is_explained_only_where_somebody_does(recalled: ComparisonRecord, verdict: str, title: str) -> None:
    text = html_of(told(recalled, why={**WHY, "verdict": verdict}))
    assert f"<h2>{title}</h2>" in text
    assert text.count("Why it wins") + text.count("Where they differ") == 1


def test_what_tuning_picked_stands_below_the_table(recalled: ComparisonRecord) -> None:
    first, *others = recalled.comparison.arenas[0].entries
    entries = [replace(first, tuned={"lr": {"0.001": 1, "0.003": 2}}), *others]
    text = html_of(told(recalled, entries=entries))
    assert "<dt>bce-logits</dt><dd>lr: 0.003 in 2 of 3 seeds, 0.001 in 1</dd>" in text
    assert text.index("Tuned on the valid split") < text.index("Is the difference real?")
    assert "Tuned on" not in html_of(recalled)


def test_a_loss_of_ones_own_is_asked_for(recalled: ComparisonRecord) -> None:
    first, *others = recalled.comparison.arenas[0].entries
    own = told(recalled, entries=[replace(first, loss="mine.tilted"), *others])
    assert command(own).endswith("spec.yaml --loss mine.py:tilted --loss focal --loss hinge")
    for text in (html_of(own), markdown_of(own)):
        assert "code in a file, which no record holds" in text
    assert command(recalled).endswith("spec.yaml")
    second = replace(others[0], options={"gamma": 2.0})
    optional = told(recalled, entries=[replace(first, loss="mine.tilted"), second, *others[1:]])
    assert command(optional).endswith("spec.yaml")  # no flag says an option
    assert "code in a file" in html_of(optional)


def test_every_metric_that_is_shown_has_its_own_forest_and_marks(recalled: ComparisonRecord) -> None:
    first, second, third = recalled.comparison.arenas[0].entries
    assert second.delta is not None
    better = replace(second.delta, verdict="better")
    worse = replace(second.delta, metric="f1", mean=-0.2, ci95=(-0.3, -0.1), verdict="worse")
    entries = [first, replace(second, deltas={"accuracy": better, "f1": worse}), third]
    several = told(recalled, entries=entries, spec={"metrics": ["accuracy", "f1"]})
    chart = drawn("forest", contents_of(several)[0])
    means = {name: [trace["x"] for trace in view.traces if "error_x" in trace] for name, view in chart.views.items()}
    assert means == {
        "accuracy": [[0.01], [0.02]],
        "f1": [[-0.2]],
    }
    assert chart.shown == "accuracy"
    text = html_of(several)
    assert [text.count(f'<span class="mark {verdict}"') for verdict in ("better", "worse")] == [0, 1]
    assert "▲ and ▼ mark another metric" in text
    assert "▲ and ▼" not in html_of(recalled)
