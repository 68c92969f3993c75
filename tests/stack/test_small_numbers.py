"""Where numbers are so small, or so few, that a constant in the code decides: against torch, and by hand."""

from __future__ import annotations

from dataclasses import replace
from math import log
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from losscli.stack import cost as costs
from losscli.stack.head import Head
from losscli.stack.layers import BatchNorm, ForwardContext
from losscli.stack.network import Network
from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.plan import Plan
from losscli.tasks import TargetScale, tasks


@pytest.mark.parametrize("rows", [2, 3])
def test_the_variance_of_few_rows_is_torch_s(rows: int) -> None:
    """Kept is that of the population, n / (n - 1): twice the batch's own where there are two rows."""
    x = torch.randn(2, rows, 4, generator=torch.Generator().manual_seed(rows))
    net = Network([BatchNorm(4)])
    matrix, statistics = torch.stack([net.draw(0)] * 2), net.rest(2)
    bound = net.bind(matrix, statistics)
    references = [torch.nn.BatchNorm1d(4) for _ in range(2)]
    bound(x, ForwardContext(training=True))
    for run, reference in enumerate(references):
        reference(x[run])
    calm = torch.stack([reference.eval()(x[run]) for run, reference in enumerate(references)])
    torch.testing.assert_close(bound(x, ForwardContext()), calm, rtol=1e-5, atol=1e-6)


def test_one_row_has_no_variance_and_leaves_finite_statistics() -> None:
    net = Network([BatchNorm(3)])
    bound = net.bind(torch.stack([net.draw(0)]), net.rest(1))
    assert bound(torch.ones(1, 1, 3), ForwardContext(training=True)).tolist() == [[[0.0] * 3]]
    # 0.9 of the variance 1 is left, and 0.1 of the mean 1 is known: (1 - 0.1) / sqrt(0.9 + 1e-5)
    assert bound(torch.ones(1, 1, 3), ForwardContext())[0, 0, 0].item() == pytest.approx(
        0.9 / (0.9 + 1e-5) ** 0.5, rel=1e-6
    )


@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if name != "sgd"])
def test_gradients_of_the_size_of_epsilon_move_weights_as_with_torch(optimizer: str) -> None:
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}
    start = torch.zeros(1, 4, dtype=torch.float64)
    weights, theirs = start.clone(), start[0].clone().requires_grad_()
    ours = OPTIMIZERS[optimizer](Plan(optimizer=optimizer), weights)
    stepper = kinds[optimizer]([theirs], 0.1, weight_decay=0.0)
    gradients = torch.tensor([1e-10, 1e-9, 1e-8, 1e-7], dtype=torch.float64)
    for _ in range(3):
        theirs.grad = gradients.clone()
        stepper.step()
        ours.step(gradients[None].clone(), torch.full((1, 1), 0.1, dtype=torch.float64))
    torch.testing.assert_close(weights[0], theirs.detach(), rtol=1e-9, atol=0)
    assert (weights < 0).all()


def test_a_norm_just_below_the_bound_is_clipped_by_nothing() -> None:
    weights = torch.zeros(2, 2, dtype=torch.float64)
    ours = OPTIMIZERS["sgd"](Plan(optimizer="sgd", clip=5.0), weights)
    ours.step(torch.tensor([[3.0, 3.9], [3e-9, 4e-9]], dtype=torch.float64), torch.ones(2, 1, dtype=torch.float64))
    assert weights.tolist() == [[-3.0, -3.9], [-3e-9, -4e-9]]


@pytest.mark.parametrize("mean", [0.01, 0.5, 20.0])
def test_a_log_rate_of_zero_is_the_mean_of_the_training_rows(mean: float, run_of) -> None:
    run = run_of("poisson-nll", task="regression")
    scale = TargetScale(center=np.array([mean]), scale=np.array([3.0]))
    small = replace(run, dataset=replace(run.dataset, scale=scale))
    head = Head([small], tasks.get("regression"), torch.device("cpu"))
    assert head.receive(torch.zeros(1, 2, 1)).flatten().tolist() == pytest.approx([log(mean)] * 2, rel=1e-6)
    assert head.predict(torch.zeros(1, 2, 1)).values.flatten().tolist() == pytest.approx([mean] * 2, rel=1e-6)


def test_without_a_centre_a_log_rate_of_zero_is_one(run_of) -> None:
    run = run_of("poisson-nll", task="regression")
    plain = TargetScale(center=np.array([0.0]), scale=np.array([1.0]))
    head = Head([replace(run, dataset=replace(run.dataset, scale=plain))], tasks.get("regression"), torch.device("cpu"))
    assert head.receive(torch.zeros(1, 2, 1)).flatten().tolist() == [0.0, 0.0]


def test_the_plan_is_that_of_the_spec_s_documentation() -> None:
    plan = Plan()
    assert (plan.epochs, plan.max_steps, plan.batch_size, plan.optimizer) == (None, None, 128, "adam")
    assert (plan.lr, plan.momentum, plan.weight_decay, plan.schedule) == (1e-3, 0.0, 0.0, "constant")
    assert (plan.clip, plan.patience, plan.device) == (None, None, "auto")


@pytest.mark.parametrize(
    ("epochs", "batch_size", "steps", "looks"),
    [(30, 53, 60, 0), (1, 128, 1, 0), (3, 1, 318, 3), (3, 4, 81, 0)],  # of 106 training rows
)
def test_a_cost_is_reckoned_from_a_short_and_a_longer_training(
    epochs: int, batch_size: int, steps: int, looks: int, run_of, job_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each training is said to take 0.25 seconds and 0.01 for each step: what is left is arithmetic."""
    asked = []

    def seconds(runs: list[object], job: object, count: int) -> float:
        asked.append(count)
        return 0.25 + 0.01 * count

    monkeypatch.setattr(costs, "_seconds", seconds)
    runs = [run_of(seed=seed) for seed in (0, 1)]
    assert runs[0].dataset.parts["train"].rows == 106
    cost = costs.estimate_cost(runs, job_of(plan=Plan(epochs=epochs, batch_size=batch_size)))
    assert asked == [min(2, steps), min(34, steps), min(66, steps)]  # the first 32 are not played back
    assert (cost.steps, cost.stacks) == (steps, 1)
    assert cost.seconds == pytest.approx(0.25 + 0.01 * steps + looks * (0.25 + 0.01 * asked[0]) / 4)
    features = sum(part.features.nbytes + part.target.nbytes for run in runs for part in run.dataset.parts.values())
    assert cost.bytes > features


def test_the_short_training_is_as_short_as_it_is_said_to_be(run_of, job_of, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []
    monkeypatch.setattr(costs, "train", lambda runs, job: plans.append(job.plan))
    clock = SimpleNamespace(perf_counter=iter([1.0, 3.5]).__next__)
    monkeypatch.setattr(costs, "time", clock)
    assert costs._seconds([run_of()], job_of(), 7) == 2.5
    assert [plan.max_steps for plan in plans] == [7]


def test_the_cost_of_a_single_run_is_reckoned_too(run_of, job_of) -> None:
    cost = costs.estimate_cost([run_of()], job_of(plan=Plan(epochs=1, batch_size=32)))
    assert (cost.steps, cost.stacks) == (4, 1)
    assert cost.seconds > 0
