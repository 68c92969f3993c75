"""`losscli.check(model, loss, batch)`, as a test of somebody's model calls it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import losscli
from losscli.errors import CodeError, SpecError

BATCH = torch.randn(8, 4), torch.randint(0, 3, (8,))


def rules(*arguments: object, **options: object) -> list[str]:
    return [item.rule for item in losscli.check(*arguments, **options)]


def test_a_finding_stands_at_the_call() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))
    [found] = losscli.check(net, nn.CrossEntropyLoss(), BATCH)
    assert (found.rule, found.text) == (
        "softmax-before-cross-entropy",
        "[found] = losscli.check(net, nn.CrossEntropyLoss(), BATCH)",
    )
    assert found.file.endswith("test_model.py")


def test_a_right_model_has_none() -> None:
    assert losscli.check(nn.Linear(4, 3), nn.CrossEntropyLoss(), BATCH) == []
    batch = {"input": torch.randn(8, 4), "labels": torch.randn(8, 3)}
    assert losscli.check(nn.Linear(4, 3), nn.functional.mse_loss, batch) == []


def test_targets_shapes_and_gradients() -> None:
    x = torch.randn(8, 4)
    assert rules(nn.Linear(4, 1), nn.BCEWithLogitsLoss(), (x, torch.full((8, 1), 2.0))) == ["target-outside-domain"]
    assert rules(nn.Linear(4, 1), nn.PoissonNLLLoss(), (x, torch.ones(8))) == ["broadcast-n1-n"]
    dead = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1, bias=False))
    nn.init.constant_(dead[0].bias, -100.0)
    assert rules(dead, nn.MSELoss(), (x, torch.ones(8, 1))) == ["gradient-zero"]
    assert rules(nn.Linear(4, 1), lambda p, y: (p - p).sum().sqrt() + p.sum(), (x, x)) == ["gradient-not-finite"]
    assert rules(nn.Linear(4, 1), lambda p, y: p.round().mean(), (x, x)) == ["loss-not-differentiable"]


def test_an_optimizer_of_another_model_is_seen() -> None:
    net, head = nn.Linear(4, 4), nn.Linear(4, 3)
    model = nn.Sequential(net, head)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    assert rules(model, nn.CrossEntropyLoss(), BATCH, optimizer=optimizer) == ["parameters-not-in-optimizer"]
    assert rules(model, nn.CrossEntropyLoss(), BATCH, optimizer=torch.optim.SGD(model.parameters())) == []


def test_nothing_is_changed() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 3))
    model(torch.randn(8, 4)).sum().backward()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    gradients = [own.grad.clone() for own in model.parameters()]
    state = torch.random.get_rng_state()
    assert losscli.check(model, nn.CrossEntropyLoss(), BATCH) == []
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(own.grad, kept) for own, kept in zip(model.parameters(), gradients, strict=True))


def test_what_cannot_be_looked_at_is_said() -> None:
    with pytest.raises(SpecError, match="the model must be something to call, not a int"):
        losscli.check(3, nn.MSELoss(), BATCH)
    with pytest.raises(SpecError, match="a batch must be"):
        losscli.check(nn.Linear(4, 3), nn.MSELoss(), torch.ones(3))
    with pytest.raises(SpecError, match="must name its target, got x"):
        losscli.check(nn.Linear(4, 3), nn.MSELoss(), {"x": torch.ones(3)})
    with pytest.raises(CodeError, match="the model raises RuntimeError"):
        losscli.check(nn.Linear(5, 3), nn.MSELoss(), BATCH)
