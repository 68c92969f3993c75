"""Optimizers that do not hold what is trained."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.demonstrations.ground import CLASSES, HIDDEN, Ground
from losscli.demonstrations.stored import stored
from losscli.lazy import Tensor, functional, torch


def _trained(ground: Ground, net: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[tuple[float, float]]:
    def step(x: Tensor, y: Tensor) -> None:
        net.zero_grad()
        functional.cross_entropy(net(x), y).backward()
        optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(net))


@stored("optimizer-of-other-model")
def optimizer_of_other_model(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    model = ground.network() if wrong else net
    return _trained(ground, net, torch.optim.SGD(model.parameters(), lr=0.1))


@stored("module-replaced-after-optimizer")
def module_replaced_after_optimizer(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    head = torch.nn.Linear(HIDDEN, CLASSES)
    if not wrong:
        net[2] = head
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    net[2] = head
    return _trained(ground, net, optimizer)


@stored("parameters-not-in-optimizer")
def parameters_not_in_optimizer(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    model = net[0] if wrong else net
    return _trained(ground, net, torch.optim.SGD(model.parameters(), lr=0.02))
