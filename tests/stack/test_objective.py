"""The objective: rows that share a loss are judged in one call, each with its own options, weights and units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from losscli.data.dataset import Part
from losscli.metrics import find as find_metric
from losscli.stack.baseline import baseline
from losscli.stack.objective import Objective
from losscli.stack.output import Outlet, outputs_of
from losscli.stack.plan import Plan
from losscli.stack.train import train
from losscli.tasks import tasks

CPU = torch.device("cpu")
B = 40


def judged(runs, task: str, output: torch.Tensor, target: torch.Tensor, weight=None) -> torch.Tensor:
    return Objective(runs, tasks.get(task), CPU)(output, target, weight)


def outputs(runs: int, width: int) -> torch.Tensor:
    return torch.randn(runs, B, width, generator=torch.Generator().manual_seed(3))


def test_a_grid_of_options_is_one_call_and_equals_separate_ones(run_of):
    runs = [run_of("focal", gamma=gamma) for gamma in (0.5, 1.0, 2.0, 5.0)]
    objective = Objective(runs, tasks.get("binary"), CPU)
    assert len(objective.groups) == 1
    assert objective.groups[0].options["gamma"].shape == (4, 1)
    output, target = outputs(4, 1), torch.randint(2, (4, B)).float()
    alone = [judged([run], "binary", output[row][None], target[row][None]) for row, run in enumerate(runs)]
    torch.testing.assert_close(objective(output, target), torch.cat(alone))
    assert len(set(objective(output, target).tolist())) == 4


def test_a_grid_over_labels_broadcasts_too(run_of):
    runs = [run_of("focal", task="multilabel", gamma=gamma) for gamma in (0.0, 3.0)]
    output, target = outputs(2, 5), torch.randint(2, (2, B, 5)).float()
    found = judged(runs, "multilabel", output, target)
    # gamma 0 is the mean over rows and labels of torch's binary cross-entropy
    torch.testing.assert_close(found[0], functional.binary_cross_entropy_with_logits(output[0], target[0]))
    assert found[1] < found[0]


def test_weighted_cross_entropy_is_torchs_weighted_mean(run_of, dataset):
    runs = [run_of("cross-entropy", seed, "multiclass", weight="balanced") for seed in (0, 1)]
    output, target = outputs(2, 3), torch.randint(3, (2, B))
    found = judged(runs, "multiclass", output, target)
    for row, seed in enumerate((0, 1)):
        train_target = dataset("multiclass", seed).parts["train"].target
        counts = np.bincount(train_target, minlength=3)
        weight = torch.tensor(len(train_target) / (3 * counts), dtype=torch.float32)
        torch.testing.assert_close(found[row], functional.cross_entropy(output[row], target[row], weight=weight))


def test_class_weights_serve_losses_without_such_an_option(run_of):
    """By hand: each sample's loss times the weight of its class, divided by the sum of those weights."""
    run = replace(run_of("hinge"), weight=[1.0, 3.0])
    output, target = outputs(1, 1), torch.randint(2, (1, B)).float()
    margin = (2 * target[0] - 1) * output[0, :, 0]
    values, weights = (1 - margin).clamp(min=0), torch.where(target[0] == 1, 3.0, 1.0)
    torch.testing.assert_close(judged([run], "binary", output, target)[0], (values * weights).sum() / weights.sum())


@pytest.mark.parametrize(("loss", "task"), [("bce-logits", "binary"), ("mse", "regression"), ("hinge", "binary")])
def test_weight_two_equals_a_row_twice(loss, task, run_of):
    run = run_of(loss, task=task)
    output, target = outputs(1, 1), torch.randint(2, (1, B)).float()
    weight = torch.ones(1, B)
    weight[0, :5] = 2.0
    twice = torch.cat([output, output[:, :5]], 1), torch.cat([target, target[:, :5]], 1)
    torch.testing.assert_close(judged([run], task, output, target, weight), judged([run], task, *twice))


def test_a_row_of_weight_zero_teaches_nothing(run_of, job_of, dataset):
    """Training with zero weights equals training without those rows' labels mattering: flip them, and nothing changes."""
    part = dataset("binary", 0).parts["train"]
    weight = np.ones(part.rows, np.float32)
    weight[:30] = 0
    flipped = part.target.copy()
    flipped[:30] = 1 - flipped[:30]

    def trained(target):
        parts = dict(dataset("binary", 0).parts) | {"train": Part(part.features, target, weight)}
        for split in ("valid", "test"):
            other = parts[split]
            parts[split] = Part(other.features, other.target, np.ones(other.rows, np.float32))
        run = replace(run_of("bce-logits"), dataset=replace(dataset("binary", 0), parts=parts))
        return train([run], job_of("binary", Plan(epochs=2, batch_size=32)))[0].weights

    one, other = trained(part.target), trained(flipped)
    for name, tensor in one.items():
        np.testing.assert_array_equal(tensor, other[name])


def test_rows_of_different_losses_keep_their_order(run_of):
    runs = [run_of("mse", task="regression"), run_of("mae", task="regression"), run_of("mse", task="regression")]
    output, target = outputs(3, 1), torch.randn(3, B)
    found = judged(runs, "regression", output, target)
    error = output[..., 0] - target
    expected = torch.stack([error[0].square().mean(), error[1].abs().mean(), error[2].square().mean()])
    torch.testing.assert_close(found, expected)


def test_counts_are_judged_in_their_own_units_and_start_at_the_mean(run_of):
    """Oracle: torch's PoissonNLLLoss on the target in the user's units; raw output 0 predicts the training mean."""
    run = run_of("poisson-nll", task="regression")
    scale = run.dataset.scale
    center, slope = float(scale.center[0]), float(scale.scale[0])
    counts = torch.arange(B).float()[None]
    standard = (counts - center) / slope
    output = torch.zeros(1, B, 1)
    log_rate = torch.full((B,), np.log(center), dtype=torch.float64)
    expected = torch.nn.PoissonNLLLoss(log_input=True, full=False)(log_rate, counts[0])
    outlet = Outlet([run], tasks.get("regression"), CPU)
    torch.testing.assert_close(outlet.predict(output).values[0], torch.full((B,), center).double())
    torch.testing.assert_close(outlet.truth(standard)[0], counts[0].double(), rtol=1e-5, atol=1e-4)
    received = outlet.receive(output)
    torch.testing.assert_close(received[0], log_rate)
    found = judged([run], "regression", output, standard)[0]
    torch.testing.assert_close(
        found.double(), expected + torch.lgamma(counts + 1).mean(), rtol=1e-5, atol=1e-5
    )  # torch leaves out log y!


def test_two_heads_make_one_prediction_in_the_users_units(run_of, job_of):
    run = run_of("gaussian-nll", task="regression")
    contract = tasks.get("regression")
    assert outputs_of(run, contract) == 2
    output = outputs(1, 2)
    scale = run.dataset.scale
    mean = output[..., 0].double() * float(scale.scale[0]) + float(scale.center[0])
    torch.testing.assert_close(Outlet([run], contract, CPU).predict(output).values, mean)
    course = train([run, run_of("mse", task="regression")][:1], job_of("regression", Plan(epochs=30, batch_size=32)))[0]
    assert course.status == "ok"
    assert course.scores["train"]["r2"] > 0.5


def test_a_loss_over_the_batch_of_several_targets_is_the_mean_over_them(run_of, dataset):
    run = run_of("rmse", task="regression")
    parts = {name: Part(part.features, np.stack([part.target] * 2, 1)) for name, part in run.dataset.parts.items()}
    several = replace(run, dataset=replace(run.dataset, parts=parts))
    output, target = outputs(1, 2), torch.randn(1, B, 2)
    by_hand = (output - target).square().mean(1).sqrt().mean(1)
    torch.testing.assert_close(judged([several], "regression", output, target), by_hand, rtol=1e-5, atol=1e-6)


def test_the_baseline_of_regression_is_the_training_mean_in_the_users_units(dataset):
    """By hand: the RMSE of the training mean on the rows of each split."""
    found = dataset("regression", 0)
    center, scale = float(found.scale.center[0]), float(found.scale.scale[0])
    scores = baseline([found], tasks.get("regression"), [find_metric("rmse", "regression")])
    for split, part in found.parts.items():
        values = part.target.astype(np.float64) * scale + center
        assert scores[split]["rmse"] == pytest.approx(np.sqrt(np.mean((values - center) ** 2)), rel=1e-5)
