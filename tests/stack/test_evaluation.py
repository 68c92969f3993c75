"""What is measured when training is over, what was chosen on the way, and what a run hands out for the record."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from losscli.metrics import evaluation_metrics, find, ranking
from losscli.stack import evaluate
from losscli.stack.baseline import baseline
from losscli.stack.plan import Plan
from losscli.stack.train import train
from losscli.tasks import tasks

COSTS = [[0, 1], [5, 0]]


@pytest.fixture(scope="module")
def finished(run_of, job_of):
    """Two losses and two seeds, judged by everything; the second loss has no probabilities."""
    job = job_of("binary", metrics=["auroc", "f1-tuned"])
    job = replace(job, evaluation=list(evaluation_metrics("binary", COSTS).values()), prediction_seeds=frozenset({0}))
    return train([run_of(loss, seed) for loss in ("bce-logits", "hinge") for seed in (0, 1)], job)


def test_all_evaluation_metrics_are_measured_on_test_and_valid_and_what_is_shown_on_train_too(finished):
    every = {"loss", *evaluation_metrics("binary", COSTS)}
    for state in finished:
        assert set(state.scores["test"]) == set(state.scores["valid"]) == every
        assert set(state.scores["train"]) == {"loss", "auroc", "f1-tuned"}
        missing = {name for name in every if math.isnan(state.scores["test"][name])}
        assert missing == ({"log-loss", "brier", "ece"} if state.run.loss.name == "hinge" else set())


def test_a_metric_of_calibration_is_followed_on_valid_while_training(finished):
    told = [value for epoch, split, name, value in finished[0].history if (split, name) == ("valid", "f1-tuned")]
    assert len(told) == finished[0].epochs == 3
    assert all(map(math.isfinite, told))


def test_what_was_tuned_is_at_least_as_good_on_valid(finished):
    for state in finished:
        valid = state.scores["valid"]
        assert valid["f1-tuned"] >= valid["f1"]
        assert valid["expected-cost-tuned"] <= valid["expected-cost"]
        assert not valid["log-loss-scaled"] > valid["log-loss"] + 1e-9


def test_predictions_are_those_that_the_scores_were_measured_on(finished):
    """From what a record keeps, scikit-learn and the thresholds told give the scores told."""
    kept = [state for state in finished if state.predictions is not None]
    assert [state.run.seed for state in kept] == [0, 0]
    for state in kept:
        told, dataset = state.predictions, state.run.dataset
        np.testing.assert_array_equal(told.truth[:, 0], dataset.target.values[dataset.parts["test"].index])
        truth, said = told.truth[:, 0], told.prediction[:, 0]
        assert told.kind == ("scores" if state.run.loss.name == "hinge" else "probabilities")
        assert state.scores["test"]["auroc"] == pytest.approx(sk.roc_auc_score(truth, said), rel=1e-6)
        cut = state.calibration["thresholds"]["f1"]
        assert state.scores["test"]["f1-tuned"] == pytest.approx(sk.f1_score(truth, said > cut), rel=1e-6)
        odds = np.log(said / (1 - said)) if told.kind == "probabilities" else said
        scaled = 1 / (1 + np.exp(-odds.astype(float) / state.calibration["temperature"]))
        assert state.scores["test"]["log-loss-scaled"] == pytest.approx(sk.log_loss(truth, scaled), rel=1e-4)


def test_small_fields_of_several_readouts_are_measured_in_one_call_and_nothing_changes(run_of, job_of, monkeypatch):
    """Logits, scores and probabilities, mixed: all are ranked, and the scores have no probabilities."""
    job = replace(job_of("binary", metrics=["auroc", "accuracy", "log-loss", "f1-tuned"]), prediction_seeds=frozenset())
    runs = [run_of(loss, seed) for seed in (0, 1) for loss in ("bce-logits", "hinge", "bce")]
    calls, area = [], ranking.area
    monkeypatch.setattr(ranking, "area", lambda *given: calls.append(len(given[0])) or area(*given))
    joined = train(runs, job)
    assert calls == [6] * (3 + 3)  # three epochs, three splits at the end
    calls.clear()
    monkeypatch.setattr(evaluate, "SMALL", 0)
    apart = train(runs, job)
    assert calls == [2, 2, 2] * (3 + 3)
    for one, other in zip(joined, apart, strict=True):
        assert (repr(one.history), repr(one.scores)) == (repr(other.history), repr(other.scores))
        assert one.calibration == other.calibration


def test_a_run_that_diverged_hands_out_nothing(run_of, job_of):
    job = replace(job_of("binary"), prediction_seeds=frozenset({0}))
    lost, sound = train([run_of("bce-logits", lr=1e30), run_of("bce-logits")], job)
    assert (lost.status, lost.predictions) == ("diverged", None)
    assert sound.predictions is not None


def test_losses_that_say_how_sure_they_are_have_intervals(run_of, job_of):
    job = job_of("regression", metrics=["rmse"])
    job = replace(job, evaluation=list(evaluation_metrics("regression").values()), prediction_seeds=frozenset({0}))
    losses = ("gaussian-nll", "multi-quantile", "mse")
    sure, quantiles, point = (train([run_of(loss, task="regression")], job)[0] for loss in losses)
    assert [state.calibration for state in (sure, quantiles, point)] == [{"level": 0.9}, {"level": 0.8}, {}]
    for state in (sure, quantiles):
        told, score = state.predictions, state.scores["test"]
        inside = (told.low <= told.truth) & (told.truth <= told.high)
        assert score["coverage"] == pytest.approx(inside.mean())
        assert score["interval-width"] == pytest.approx((told.high - told.low).mean(), rel=1e-5)
    assert point.predictions.low is None
    assert math.isnan(point.scores["test"]["coverage"])
    assert point.scores["test"]["crps"] == pytest.approx(point.scores["test"]["mae"], rel=1e-6)
    assert point.scores["test"]["pinball-50"] == pytest.approx(point.scores["test"]["mae"] / 2, rel=1e-6)


def test_the_baseline_says_the_better_of_yes_and_no(dataset):
    """One third is positive: no is right more often, and F1 asks for yes."""
    data = dataset("binary", 0)
    parts = {
        name: replace(part, target=(np.arange(part.rows) % 3 == 0).astype(np.float32))
        for name, part in data.parts.items()
    }
    chosen = [find(name, "binary") for name in ("accuracy-tuned", "f1", "f1-tuned")]
    found = baseline([replace(data, parts=parts)], tasks.get("binary"), chosen[:1], chosen)["test"]
    share = parts["test"].target.mean()
    assert found == pytest.approx({"accuracy-tuned": 1 - share, "f1": 0, "f1-tuned": 2 * share / (1 + share)}, rel=1e-6)


def test_rows_of_one_class_leave_out_what_needs_two(run_of, job_of):
    """A test split of one class: what needs two has no value, everything else has."""
    run = run_of("bce-logits")
    test = run.dataset.parts["test"]
    parts = {**run.dataset.parts, "test": replace(test, target=np.zeros_like(test.target))}
    job = replace(job_of("binary"), evaluation=list(evaluation_metrics("binary").values()))
    (state,) = train([replace(run, dataset=replace(run.dataset, parts=parts))], job)
    undefined = {name for name, value in state.scores["test"].items() if math.isnan(value)}
    assert {"auroc", "auprc", "recall"} <= undefined <= {"auroc", "auprc", "recall", "precision", "f1", "f1-tuned"}
    assert torch.isfinite(torch.tensor(state.scores["test"]["log-loss-scaled"]))


def inverted(data, split):
    """The dataset with the other class in every row of a split."""
    part = data.parts[split]
    return replace(data, parts={**data.parts, split: replace(part, target=1 - part.target)})


def test_nothing_is_chosen_by_the_test_split(run_of, job_of):
    """Thresholds and temperatures are the same whatever the test rows say, and right there becomes wrong."""
    job = replace(job_of("binary"), evaluation=list(evaluation_metrics("binary", COSTS).values()))
    run = run_of("bce-logits")
    told, other = (train([replace(run, dataset=data)], job)[0] for data in (run.dataset, inverted(run.dataset, "test")))
    assert told.calibration == other.calibration
    assert told.scores["test"]["accuracy-tuned"] + other.scores["test"]["accuracy-tuned"] == pytest.approx(1)
    assert told.scores["test"]["accuracy-tuned"] > 0.7


def test_the_baseline_chooses_nothing_by_the_test_split(dataset):
    data = dataset("binary", 0)
    rare = {
        name: replace(part, target=(np.arange(part.rows) % 3 == 0).astype(np.float32))
        for name, part in data.parts.items()
    }
    data = inverted(replace(data, parts=rare), "test")  # two thirds are positive, which nobody could know
    chosen = [find("accuracy-tuned", "binary")]
    found = baseline([data], tasks.get("binary"), chosen, chosen)["test"]["accuracy-tuned"]
    assert found == pytest.approx(1 - data.parts["test"].target.mean())
    assert found < 0.4


@pytest.mark.parametrize(
    ("loss", "options", "level"), [("student-t-nll", {"df": 1.0}, 0.9), ("multi-quantile", {}, 0.8)]
)
def test_patience_keeps_the_epoch_whose_coverage_is_closest_to_the_level(run_of, job_of, loss, options, level):
    job = job_of("regression", Plan(epochs=25, batch_size=32, patience=25), metrics=["coverage"])
    (state,) = train([run_of(loss, task="regression", lr=0.02, **options)], job)
    values = {epoch: value for epoch, split, name, value in state.history if (split, name) == ("valid", "coverage")}
    apart = {epoch: abs(value - level) for epoch, value in values.items()}
    assert apart[state.best_epoch] == min(apart.values())
    assert values[state.best_epoch] != max(values.values())  # the widest interval would have been another epoch's


def test_what_crossed_is_counted_and_the_score_is_of_what_is_kept(run_of, job_of):
    """Without a penalty and after a single epoch, quantiles cross; low and high do not, and the score is a plain loop's."""
    job = job_of("regression", Plan(epochs=1, batch_size=32), metrics=["interval-score"])
    job = replace(job, evaluation=list(evaluation_metrics("regression").values()), prediction_seeds=frozenset({0}))
    (state,) = train([run_of("multi-quantile", task="regression", taus=[0.45, 0.5, 0.55], crossing=0.0)], job)
    told = state.predictions
    assert 0 < state.calibration["crossed"] <= 1
    assert state.calibration["level"] == pytest.approx(0.1)
    assert (told.low <= told.high).all()
    assert ((told.low <= told.prediction) & (told.prediction <= told.high)).all()
    total = 0.0
    for low, high, truth in zip(told.low[:, 0], told.high[:, 0], told.truth[:, 0], strict=True):
        miss = max(float(low) - float(truth), 0.0) + max(float(truth) - float(high), 0.0)
        total += float(high) - float(low) + 2 / 0.9 * miss
    assert state.scores["test"]["interval-score"] == pytest.approx(total / len(told.truth), rel=1e-5)
    assert state.scores["test"]["interval-width"] >= 0
