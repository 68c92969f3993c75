"""What figures draw, against scikit-learn and numbers that one can count."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score, roc_auc_score

from losscli.compare.breakdown import Breakdown, BreakdownPoint, Line
from losscli.compare.by_class import confused
from losscli.compare.result import Estimate
from losscli.reports.contents import ReportContents, Sample, distinct, samples_of
from losscli.reports.figures import Chart, figures
from losscli.reports.figures.probabilities import binned, claims, cooled
from losscli.reports.figures.ranking import GRID
from losscli.reports.html import contents_of
from losscli.reports.recall import recall

MakeRecord = Callable[..., Path]


def drawn(name: str, contents: ReportContents) -> Chart:
    chart = figures.get(name).draw(contents)
    assert chart is not None
    return chart


@pytest.fixture
def contents(record_of: MakeRecord) -> ReportContents:
    return contents_of(recall(record_of(rows=200)))[0]


def test_every_figure_teaches_and_has_a_chapter() -> None:
    assert len(list(figures)) >= 14
    chapters = {figure.chapter for figure in figures}
    assert len({chapter.place for chapter in chapters}) == len({chapter.title for chapter in chapters}) == len(chapters)
    for figure in figures:
        assert figure.chapter.title
        assert figure.title
        assert len(figure.reading) > 60, figure.name
        assert figure.reading.endswith(".")


def test_roc_and_pr_hold_the_areas_of_scikit_learn(contents: ReportContents) -> None:
    for name, score in (("roc", roc_auc_score), ("pr", average_precision_score)):
        traces = [trace for trace in drawn(name, contents).views[""].traces if "entry" in trace]
        assert len(traces) == 3
        for trace, samples in zip(traces, contents.samples.values(), strict=True):
            expected = np.mean([score(each.truth[:, 0], each.prediction[:, 0]) for each in samples])
            assert np.trapezoid(trace["y"], trace["x"]) == pytest.approx(expected, abs=0.01)
            assert len(trace["x"]) == len(GRID)


def test_a_perfect_ranking_is_a_corner_and_a_band_is_the_spread_over_seeds(contents: ReportContents) -> None:
    truth = np.arange(40)[:, None] % 2.0
    right = [Sample(seed, np.arange(40), truth, truth, "probabilities") for seed in range(2)]
    mixed = [right[0], replace(right[1], prediction=1 - truth)]
    sure = replace(contents, samples={"bce-logits": right, "hinge": mixed})
    _, first, second = drawn("roc", sure).views[""].traces
    assert first["y"] == [0.0] + [1.0] * (len(GRID) - 1)
    assert first["band"] == [first["y"], first["y"]]
    middle = len(GRID) // 2
    assert second["y"][middle] == 0.5
    assert second["band"][0][middle] == 0.0  # 0.5 - 0.707, cut off


def test_one_versus_rest_is_the_macro_average(record_of: MakeRecord) -> None:
    found = contents_of(recall(record_of(tasks=("multiclass",), labels=("a", "b", "c"), rows=300)))[0]
    trace = drawn("roc", found).views[""].traces[1]
    areas = [
        roc_auc_score(each.truth[:, 0], each.prediction, multi_class="ovr", average="macro")
        for each in found.samples["bce-logits"]
    ]
    assert np.trapezoid(trace["y"], trace["x"]) == pytest.approx(np.mean(areas), abs=0.01)


def test_confusions_are_counted(contents: ReportContents, record_of: MakeRecord) -> None:
    sample = contents.pooled("hinge")
    assert sample is not None
    assert len(sample.row) == 600  # all three seeds
    expected = confusion_matrix(sample.truth[:, 0], sample.prediction[:, 0] > 0.5)
    assert confused(sample).tolist() == expected.tolist()
    views = drawn("confusion", contents).views
    assert list(views) == [
        "bce-logits", "focal gamma=2", "hinge", "focal gamma=2 minus the reference", "hinge minus the reference",
    ]  # fmt: skip
    heat = views["hinge"].traces[0]
    assert heat["customdata"] == expected.tolist()
    assert np.sum(heat["z"], axis=1) == pytest.approx([1.0, 1.0], abs=1e-3)
    assert np.sum(views["hinge minus the reference"].traces[0]["z"]) == pytest.approx(0.0, abs=1e-3)
    scores = replace(sample, prediction=sample.prediction - 0.5, kind="scores")
    assert confused(scores).tolist() == expected.tolist()


def test_f1_at_thresholds_and_of_labels(contents: ReportContents, record_of: MakeRecord) -> None:
    trace = drawn("threshold", contents).views[""].traces[0]
    for at in (0, 49, 98):
        values = [
            f1_score(each.truth[:, 0], each.prediction[:, 0] >= trace["x"][at])
            for each in contents.samples["bce-logits"]
        ]
        assert trace["y"][at] == pytest.approx(np.mean(values), abs=1e-3)
    several = contents_of(recall(record_of(tasks=("multilabel",), labels=("a", "b", "c"))))[0]
    trace = drawn("labels", several).views[""].traces[1]
    sample = several.pooled("focal gamma=2")
    assert sample is not None
    expected = f1_score(sample.truth, sample.prediction > 0.5, average=None)
    assert dict(zip(trace["y"], trace["x"], strict=True)) == pytest.approx(
        dict(zip("abc", expected, strict=True)), abs=1e-3
    )


def test_of_shares_the_largest_decides_and_every_one_is_claimed(record_of: MakeRecord) -> None:
    contents = contents_of(recall(record_of(tasks=("distribution",), labels=("a", "b", "c", "d"))))[0]
    trace = drawn("classes", contents).views[""].traces[1]
    sample = contents.pooled("focal gamma=2")
    assert sample is not None
    expected = f1_score(sample.truth.argmax(axis=1), sample.prediction.argmax(axis=1), average=None)
    assert dict(zip(trace["y"], trace["x"], strict=True)) == pytest.approx(
        dict(zip("abcd", expected, strict=True)), abs=1e-3
    )
    view = drawn("reliability", contents).views["as trained"]
    assert "share of a class" in view.note
    curve = view.traces[2]
    assert curve["y"] == pytest.approx(
        curve["x"], abs=0.05
    )  # truth and chance are alike, and what is said lies between


def test_reliability_by_hand() -> None:
    said = np.repeat([0.2, 0.8], 10)
    held = np.concatenate([np.ones(2), np.zeros(8), np.ones(5), np.zeros(5)])
    mean, share = binned([(said, held), (said[:12], held[:12])], np.array([0.0, 0.5, 1.0]))
    assert mean[0] == pytest.approx([0.2, 0.8])
    assert share[0] == pytest.approx([0.2, 0.5])
    assert np.isnan(share[1]).tolist() == [False, True]  # two rows tell nothing


def test_temperature_divides_logits() -> None:
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 0.1, 0.2]])
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    halved = np.exp(logits / 2) / np.exp(logits / 2).sum(axis=1, keepdims=True)
    assert cooled(softmax, 2.0) == pytest.approx(halved)
    assert cooled(1 / (1 + np.exp(-logits)), 2.0) == pytest.approx(1 / (1 + np.exp(-logits / 2)))
    assert cooled(np.array([[1e-9], [1 - 1e-9]]), 0.01).tolist() == [[0.0], [1.0]]


def test_of_several_classes_the_likeliest_is_claimed() -> None:
    sample = Sample(0, np.arange(2), np.array([[1.0], [0.0]]), np.array([[0.3, 0.7], [0.4, 0.6]]), "probabilities")
    said, held = claims(sample, sample.prediction)
    assert said.tolist() == [0.7, 0.6]
    assert held.tolist() == [1.0, 0.0]


def test_numbers_have_residuals_and_intervals(record_of: MakeRecord) -> None:
    found = contents_of(recall(record_of(tasks=("regression",), labels=("price",), rows=300)))[0]
    sample = found.pooled("bce-logits")
    assert sample is not None
    assert sample.low is not None
    assert sample.high is not None
    inside = ((sample.low <= sample.truth) & (sample.truth <= sample.high)).mean()
    view = drawn("intervals", found).views["bce-logits"]
    assert view.title.startswith(f"{inside:.1%} of the true values lie inside")
    assert view.measure.endswith("mean width is 3")
    curve = drawn("errors", found).views[""].traces[0]
    worst = [np.abs(each.truth - each.prediction).max() for each in found.samples["bce-logits"]]
    assert curve["y"][-1] == pytest.approx(np.mean(worst), rel=1e-3)
    dots = drawn("residuals", found).views["bce-logits"].traces[1]
    assert np.mean(dots["y"]) == pytest.approx(0.0, abs=0.2)


def test_learning_curves_leave_out_what_few_seeds_tell(contents: ReportContents) -> None:
    runs = [
        replace(run, history=[p for p in run.history if p.epoch < 5 or run.seed == 0]) for run in contents.arena.runs
    ]
    cut = replace(contents, arena=replace(contents.arena, runs=runs))
    trace = drawn("learning", cut).views["accuracy"].traces[0]
    assert trace["x"] == [1, 2, 3, 4]
    first = [point for run in runs if run.entry == "bce-logits" for point in run.history if point.epoch == 1]
    values = [point.value for point in first if (point.split, point.metric) == ("valid", "accuracy")]
    assert trace["y"][0] == pytest.approx(np.mean(values), abs=1e-3)
    assert trace["band"][1][0] == pytest.approx(np.mean(values) + np.std(values, ddof=1), abs=1e-3)


def test_the_forest_has_the_intervals_and_the_stripe(contents: ReportContents) -> None:
    view = drawn("forest", contents).views["accuracy"]
    assert view.layout["yaxis"]["ticktext"] == ["focal gamma=2", "hinge"]
    assert [trace["name"] for trace in view.traces[:2]] == ["focal gamma=2", "hinge"]
    assert view.traces[1]["x"] == [0.02]
    assert view.traces[1]["error_x"]["array"] == pytest.approx([0.01])
    assert (view.layout["shapes"][0]["x0"], view.layout["shapes"][0]["x1"]) == (-0.005, 0.005)
    low, high = view.layout["xaxis"]["range"]
    drawn_at = [value for trace in view.traces for value in trace["x"]]
    assert low < min(-0.005, *drawn_at)
    assert high > max(0.03, *drawn_at)


def test_the_forest_shows_every_seed(contents: ReportContents) -> None:
    """Below each mean, the differences to the reference of the same seed: a loop over the runs."""
    view = drawn("forest", contents).views["accuracy"]
    score = {(run.entry, run.seed): run.scores["test"]["accuracy"] for run in contents.arena.runs}
    seeds = contents.arena.seeds
    for trace, name in zip(view.traces[2:], ("focal gamma=2", "hinge"), strict=True):
        apart = [score[name, seed] - score["bce-logits", seed] for seed in seeds]
        assert trace["x"] == pytest.approx(apart, abs=1e-4)
        assert trace["customdata"] == seeds
    assert [trace["y"][0] for trace in view.traces] == pytest.approx([0, 1, 0.3, 1.3])


def test_the_arms_of_a_forest_reach_the_ends_of_the_interval(contents: ReportContents) -> None:
    """A skewed interval: as a plotter adds and subtracts the arms, they end at -0.01 and 0.07."""
    entries = [
        replace(each, delta=each.delta and replace(each.delta, mean=0.02, ci95=(-0.01, 0.07)))
        for each in contents.arena.entries
    ]
    view = drawn("forest", replace(contents, arena=replace(contents.arena, entries=entries))).views["accuracy"]
    for trace in view.traces[:2]:
        ends = trace["x"][0] - trace["error_x"]["arrayminus"][0], trace["x"][0] + trace["error_x"]["array"][0]
        assert ends == pytest.approx((-0.01, 0.07))


@pytest.mark.parametrize("direction", ["up", "down"])
def test_the_best_entries_come_first_whichever_way_is_better(contents: ReportContents, direction: str) -> None:
    arena = replace(contents.arena, directions={**contents.arena.directions, contents.arena.headline: direction})
    ordered = replace(contents, arena=arena).by_score
    means = [each.scores["test"][arena.headline].mean for each in ordered]
    assert len(set(means)) > 1
    assert means == sorted(means, reverse=direction == "up")


def test_what_was_cut_stays_apart(record_of: MakeRecord) -> None:
    long = [f"{'x' * 80} {number}" for number in range(3)]
    found = contents_of(recall(record_of(entries=long, labels=("y" * 40 + "1", "y" * 40 + "2"))))[0]
    assert len(drawn("histogram", found).views) == 3
    assert len({found.called(name, 28) for name in long}) == 3
    assert found.label(0) != found.label(1)
    assert distinct(["a", "a"]) == ["a", "a (2)"]


def test_a_record_without_predictions_has_no_samples(record_of: MakeRecord) -> None:
    (found,) = contents_of(recall(record_of(keep=False)))
    assert found.samples == {}
    assert figures.get("roc").draw(found) is None
    assert figures.get("forest").draw(found) is not None


def test_samples_belong_to_their_arena(record_of: MakeRecord) -> None:
    from losscli.record.reader import read_predictions

    folder = record_of(tasks=("binary", "regression"))
    table = read_predictions(folder)
    assert {each.kind for each in samples_of(table, 0)["hinge"]} == {"probabilities"}
    assert {each.kind for each in samples_of(table, 1)["hinge"]} == {"values"}
    assert [each.seed for each in samples_of(table, 1)["hinge"]] == [0, 1, 2]
    assert samples_of(table, 2) == {}


def test_damage_is_drawn_level_by_level(contents: ReportContents) -> None:
    falls = [BreakdownPoint((math.inf,)), BreakdownPoint((0.1,))]
    scores = [[Estimate(0.9, 0.01, None, ()), Estimate(mean, 0.02, None, ())] for mean in (0.89, 0.7)]
    lines = tuple(
        Line(name, tuple(each), fall) for name, each, fall in zip(("bce-logits", "hinge"), scores, falls, strict=True)
    )
    found = Breakdown("labels", "binary", "titanic", "accuracy", "up", (0.0, 0.2), (0, 1), lines, baseline=0.6)
    assert figures.get("breakdown").draw(contents) is None
    view = drawn("breakdown", replace(contents, breakdown=found)).views[""]
    assert [(trace["entry"], trace["x"], trace["y"]) for trace in view.traces] == [
        (0, [0.0, 0.2], [0.9, 0.89]),
        (2, [0.0, 0.2], [0.9, 0.7]),
    ]
    assert view.traces[1]["band"] == [[0.89, 0.68], [0.91, 0.72]]
    assert view.layout["shapes"][0]["y0"] == 0.6


def test_what_was_chosen_for_a_run_is_its_own(contents: ReportContents) -> None:
    """Every entry and seed has a temperature of its own."""
    runs = [replace(run, calibration={"temperature": 1.0 + at}) for at, run in enumerate(contents.arena.runs)]
    told = replace(contents, arena=replace(contents.arena, runs=runs))
    assert len({run.seed for run in runs}) > 1
    for at, run in enumerate(runs):
        assert told.choice(run.entry, run.seed, "temperature") == 1.0 + at
    assert told.choice(runs[0].entry, -1, "temperature") is None
