"""Each optimizer against its namesake in torch.optim, row by row."""

from __future__ import annotations

import pytest
import torch

from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.plan import Plan

RATES = (1e-3, 3e-2)


def namesake(plan: Plan, parameter: torch.Tensor, lr: float) -> torch.optim.Optimizer:
    decay = plan.weight_decay
    if plan.optimizer == "sgd":
        return torch.optim.SGD([parameter], lr, momentum=plan.momentum, weight_decay=decay)
    if plan.optimizer == "rmsprop":
        return torch.optim.RMSprop([parameter], lr, momentum=plan.momentum, weight_decay=decay)
    kind = torch.optim.Adam if plan.optimizer == "adam" else torch.optim.AdamW
    return kind([parameter], lr, tuple(plan.betas), weight_decay=decay)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize(("momentum", "betas"), [(0.0, [0.9, 0.999]), (0.8, [0.0, 0.9])])
def test_every_row_moves_as_with_torch_and_its_own_rate(optimizer, decay, momentum, betas):
    plan = Plan(optimizer=optimizer, weight_decay=decay, momentum=momentum, betas=betas)
    chance = torch.Generator().manual_seed(0)
    start = torch.randn(2, 7, generator=chance)
    weights = start.clone()
    ours = OPTIMIZERS[optimizer](plan, weights)
    theirs = [start[row].clone().requires_grad_() for row in range(2)]
    steppers = [namesake(plan, parameter, lr) for parameter, lr in zip(theirs, RATES, strict=True)]
    for _ in range(20):
        gradients = torch.randn(2, 7, generator=chance)
        for row, stepper in enumerate(steppers):
            theirs[row].grad = gradients[row].clone()
            stepper.step()
        ours.step(gradients, torch.tensor(RATES)[:, None])
    torch.testing.assert_close(weights, torch.stack([row.detach() for row in theirs]), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(weights, start)


def test_a_run_is_clipped_by_its_own_norm():
    weights = torch.zeros(3, 2)
    ours = OPTIMIZERS["sgd"](Plan(optimizer="sgd", clip=1.0), weights)
    ours.step(torch.tensor([[3.0, 4.0], [0.3, 0.4], [float("nan"), 1.0]]), torch.ones(3, 1))
    torch.testing.assert_close(weights[:2], -torch.tensor([[0.6, 0.8], [0.3, 0.4]]), rtol=1e-5, atol=0)
    assert weights[2].isnan().any()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_resting_row_stays_bit_equal_even_with_nan_gradients(optimizer):
    weights = torch.randn(2, 3)
    start = weights.clone()
    ours = OPTIMIZERS[optimizer](Plan(optimizer=optimizer, weight_decay=0.1), weights)
    bad = torch.tensor([[float("nan"), float("inf"), 1.0], [1.0, 1.0, 1.0]])
    ours.step(bad, torch.full((2, 1), 0.1), torch.tensor([[True], [False]]))
    assert torch.equal(weights[0], start[0])
    assert (weights[1] < start[1]).all()
