"""Training until it has settled: which epoch is kept, when a run stops, and whom these defaults are for."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from losscli import pipeline
from losscli.experiment import load
from losscli.metrics import find
from losscli.spec.load import load_spec
from losscli.stack.head import constant_of
from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.plan import Plan
from losscli.stack.run_state import RunState
from losscli.stack.train import Training
from losscli.tasks import tasks


def followed(
    scores: list[float], losses: list[float], patience: int = 3, tolerance: float = 0.02, metric: str = "accuracy"
) -> RunState:
    """A run whose headline and own loss on the valid split are those, epoch by epoch."""
    run: Any = SimpleNamespace()
    state = RunState(run)
    task = "regression" if metric == "rmse" else "multiclass"
    for epoch, (score, loss) in enumerate(zip(scores, losses, strict=True), start=1):
        if state.moving:
            state.epochs = epoch
            state.judge(find(metric, task), {metric: score, "loss": loss}, patience, tolerance)
    return state


def test_among_epochs_that_the_headline_cannot_tell_apart_the_own_loss_decides() -> None:
    scores, losses = [0.80, 0.90, 0.89, 0.90, 0.85, 0.89], [0.50, 0.40, 0.30, 0.35, 0.20, 0.29]
    assert followed(scores, losses, patience=9).best_epoch == 6  # 0.85 is more than 2 % below 0.90, 0.89 is not
    assert followed(scores, losses, patience=9, tolerance=0.0).best_epoch == 2
    assert followed(scores[:5], losses[:5]).best_epoch == 3


def test_many_epochs_each_a_little_worse_do_not_lead_away_from_the_best() -> None:
    scores = [0.9 - 0.005 * epoch for epoch in range(20)]
    state = followed(scores, [1 - 0.01 * epoch for epoch in range(20)], patience=50)
    assert state.best_epoch == 4  # 0.885 >= 0.98 * 0.9 = 0.882 > 0.880


def test_a_run_stops_so_many_epochs_after_its_best_one() -> None:
    state = followed([0.5, 0.9, 0.9, 0.9, 0.9, 0.9], [0.5, 0.2, 0.3, 0.3, 0.3, 0.1])
    assert (state.status, state.epochs, state.best_epoch) == ("stopped", 5, 2)


def test_a_metric_that_is_better_when_lower_is_followed_alike() -> None:
    state = followed([5.0, 4.0, 4.05, 4.2], [0.5, 0.4, 0.3, 0.1], metric="rmse")
    assert state.best_epoch == 3


@pytest.mark.parametrize("seed", range(20))
def test_the_best_epoch_is_that_of_a_plain_search_over_the_whole_history(seed: int) -> None:
    """Of all epochs within the tolerance of the highest score there is, the one of the least loss, as long as none was left
    behind on the way: a rising score without a stop."""
    chance = np.random.default_rng(seed)
    scores = np.sort(chance.uniform(0.5, 1.0, 30))
    losses = chance.uniform(0.1, 1.0, 30)
    state = followed(scores.tolist(), losses.tolist(), patience=99)
    close = np.flatnonzero(scores >= 0.98 * scores.max())
    assert scores[state.best_epoch - 1] >= 0.98 * scores.max()
    assert losses[state.best_epoch - 1] <= losses[close[-1]]


def test_what_has_no_value_leaves_the_headline_alone_to_decide() -> None:
    state = followed([0.5, 0.9, 0.895], [math.nan, math.nan, math.nan], patience=9)
    assert state.best_epoch == 2


def test_a_state_that_was_kept_goes_on_as_if_nothing_had_happened() -> None:
    whole = followed([0.9, 0.89, 0.89, 0.895], [0.5, 0.4, 0.45, 0.3], patience=9)
    half = followed([0.9, 0.89], [0.5, 0.4], patience=9)
    kept = {name: getattr(half, name) for name in ("best", "best_epoch", "peak", "best_loss")}
    rest = RunState(half.run, **kept)
    for epoch, (score, loss) in enumerate([(0.89, 0.45), (0.895, 0.3)], start=3):
        rest.epochs = epoch
        rest.judge(find("accuracy", "multiclass"), {"accuracy": score, "loss": loss}, 9, 0.02)
    assert (rest.best_epoch, rest.best, rest.peak) == (whole.best_epoch, whole.best, whole.peak) == (4, 0.895, 0.9)


def plan_of_spec(folder: Path, text: str) -> Any:
    path = folder / "spec.yaml"
    path.write_text(text)
    return load_spec(path).train


@pytest.mark.parametrize("name", tasks.names())
def test_tables_with_a_target_train_until_they_have_settled_and_other_tasks_as_before(
    name: str, tmp_path: Path
) -> None:
    plan = plan_of_spec(tmp_path, f"task: {name}\n")
    settles = name in ("binary", "multiclass", "multilabel", "regression")
    assert (plan.epochs, plan.patience) == (("auto", "auto") if settles else (None, None))
    assert (plan.optimizer, plan.decay) == (("adamw", 0.3) if settles else ("adam", 0.0))


def test_a_spec_of_before_with_all_its_keys_means_what_it_meant(tmp_path: Path) -> None:
    text = "task: binary\ntrain: {epochs: null, optimizer: adam, lr: 0.001, weight_decay: 0.0, patience: null}\n"
    plan = plan_of_spec(tmp_path, text)
    assert (plan.epochs_for(8), plan.patience_for(38), plan.tolerance_for(100), plan.decay) == (38, None, 0.0, 0.0)


def test_a_patience_in_numbers_goes_by_the_headline_alone(tmp_path: Path) -> None:
    plan = plan_of_spec(tmp_path, "task: binary\ntrain: {patience: 7}\n")
    assert (plan.patience_for(100), plan.tolerance_for(100)) == (7, 0.0)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_only_the_decay_that_stands_apart_from_the_gradients_is_on_by_itself(optimizer: str, tmp_path: Path) -> None:
    """Added to the gradients, 0.3 would drown them, and more so those of a loss that is small."""
    plan = plan_of_spec(tmp_path, f"task: binary\ntrain: {{optimizer: {optimizer}}}\n")
    assert plan.decay == (0.3 if optimizer == "adamw" else 0.0)


def test_a_loss_times_a_hundred_takes_the_same_way() -> None:
    """By the default optimizer: no loss gains by its scale, its decay included."""
    plan = Plan(optimizer="adamw", weight_decay="auto")
    chance = torch.Generator().manual_seed(0)
    start = torch.randn(1, 6, generator=chance, dtype=torch.float64)
    ends = []
    for factor in (1.0, 100.0):
        weights, stream = start.clone(), torch.Generator().manual_seed(1)
        mover = OPTIMIZERS["adamw"](plan, weights)
        for _ in range(50):
            gradients = weights + torch.randn(1, 6, generator=stream, dtype=torch.float64)
            mover.step(factor * gradients, torch.full((1, 1), 2e-3, dtype=torch.float64))
        ends.append(weights)
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-5, atol=1e-7)
    assert not torch.allclose(ends[0], start)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_a_linear_model_has_further_to_go_and_no_decay(task: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(f"task: {task}\nmodel: {{kind: linear}}\n")
    plan = load_spec(path).train
    assert (plan.lr, plan.decay, plan.optimizer) == (2e-2, 0.0, "adamw")
    path.write_text(f"task: {task}\nmodel: {{kind: linear}}\ntrain: {{lr: 1e-3, weight_decay: 0.1}}\n")
    plan = load_spec(path).train
    assert (plan.lr, plan.decay) == (1e-3, 0.1)
    path.write_text(f"task: {task}\nmodel: {{kind: mlp}}\n")
    plan = load_spec(path).train
    assert (plan.lr, plan.decay) == (2e-3, 0.3)


def test_another_plan_than_that_of_tables_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("task: embedding\nmodel: {kind: linear}\n")
    linear = load_spec(path).train
    path.write_text("task: embedding\nmodel: {kind: mlp}\n")
    assert linear == load_spec(path).train


def test_logistic_regression_by_default_is_near_scikit_learns_where_a_class_is_rare(tmp_path: Path) -> None:
    """One in thirty: the intercept has to get to -3.5, which six hundred small steps cannot."""
    chance = np.random.default_rng(0)
    x = chance.normal(size=(2000, 3))
    y = chance.random(2000) < 1 / (1 + np.exp(4 - 1.2 * x[:, 0]))
    rows = "\n".join(f"{a:.5f},{b:.5f},{c:.5f},{int(yes)}" for (a, b, c), yes in zip(x, y, strict=True))
    (tmp_path / "rare.csv").write_text(f"a,b,c,y\n{rows}\n")
    data = "{source: csv, path: rare.csv, target: y, split: {seed: 0}}"
    (tmp_path / "spec.yaml").write_text(f"task: binary\ndata: {data}\nmodel: {{kind: linear}}\nseeds: 1\n")
    spec = load_spec(tmp_path / "spec.yaml")
    arena = pipeline.run([spec], out=None).arenas[0]
    parts = load(spec).datasets[0].parts
    oracle = LogisticRegression().fit(parts["train"].features, parts["train"].target)
    expected = log_loss(parts["test"].target, oracle.predict_proba(parts["test"].features))
    assert arena.runs[0].value("log-loss") == pytest.approx(expected, abs=0.01)
    assert expected < arena.baseline["test"]["log-loss"]


@pytest.mark.parametrize("classes", [2, 4])
def test_runs_that_settle_begin_at_the_shares_of_the_classes(classes: int, tmp_path: Path) -> None:
    """The bias is the drawn one and the log-odds, or the logarithms of the shares; a plan with other stops draws as before."""
    task = "binary" if classes == 2 else "multiclass"
    chance = np.random.default_rng(1)
    labels = chance.choice(classes, 400, p=[0.9, 0.1] if classes == 2 else [0.7, 0.2, 0.07, 0.03])
    rows = "\n".join(f"{value:.4f},{label}" for value, label in zip(chance.normal(size=400), labels, strict=True))
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}\n")
    head = f"task: {task}\ndata: {{source: csv, path: t.csv, target: y}}\nseeds: 1\n"

    def first(patience: str) -> tuple[np.ndarray, np.ndarray]:
        (tmp_path / "spec.yaml").write_text(f"{head}train: {{patience: {patience}}}\n")
        experiment = load(load_spec(tmp_path / "spec.yaml"))
        training = Training(experiment.runs(), experiment.job)
        (weights,) = training.networks.named()
        counts = np.bincount(experiment.datasets[0].parts["train"].target.astype(int))
        return weights["layers.4.bias"].ravel(), counts / counts.sum()

    bias, shares = first("auto")
    drawn = first("null")[0]
    expected = np.log(shares[1:] / shares[:1]) if classes == 2 else np.log(shares)
    np.testing.assert_allclose(bias - drawn, expected, atol=1e-5)


def test_labels_begin_at_their_shares_too(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((200, 3)) < [0.5, 0.1, 0.0]
    rows[7, 2] = True
    text = "".join(f"{at * at % 31},{','.join(map(str, labels.astype(int)))}\n" for at, labels in enumerate(rows))
    (tmp_path / "t.csv").write_text(f"x,a,b,c\n{text}")
    data = "data: {source: csv, path: t.csv, target: [a, b, c]}\n"
    (tmp_path / "spec.yaml").write_text(f"task: multilabel\nloss: [bce-logits]\nseeds: 1\n{data}")
    experiment = load(load_spec(tmp_path / "spec.yaml"))
    (run,) = experiment.runs()
    target = experiment.datasets[0].parts["train"].target
    shares = [sum(row[label] for row in target.tolist()) / len(target) for label in range(3)]
    least = 0.5 / len(target)
    expected = [np.log(max(share, least) / max(1 - share, least)) for share in shares]
    np.testing.assert_allclose(constant_of(run, experiment.job.task), expected, atol=1e-6)


def test_outputs_that_are_no_logits_begin_as_they_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("task: binary\nloss: [bce-logits, hinge, bce]\nseeds: 1\n")
    experiment = load(load_spec(path))
    said = [constant_of(run, experiment.job.task) is not None for run in experiment.runs()]
    assert said == [True, False, False]
