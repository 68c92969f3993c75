"""Axes and sizes that do not fit."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.demonstrations.ground import BATCH, CLASSES, Ground
from losscli.demonstrations.stored import stored
from losscli.diagnose.floors import over_batch
from losscli.lazy import Tensor, functional, torch


def _over_batch(ground: Ground) -> tuple[str, float]:
    return "sum n_c/B ln n_c", over_batch([1 / CLASSES] * CLASSES, BATCH)


@stored("softmax-wrong-dim", floor=_over_batch)
def softmax_wrong_dim(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    total = 0.0

    def step(x: Tensor, y: Tensor) -> None:
        nonlocal total
        optimizer.zero_grad()
        loss = functional.nll_loss(functional.log_softmax(net(x), dim=0 if wrong else 1), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x) / len(ground.x)

    def judge() -> tuple[float, float]:
        nonlocal total
        loss, total = total, 0.0
        return loss, ground.accuracy(net)

    yield from ground.epochs(step, judge)


@stored("softmax-over-one")
def softmax_over_one(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network(1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def probability(x: Tensor) -> Tensor:
        return torch.softmax(net(x), dim=1) if wrong else torch.sigmoid(net(x))

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        functional.binary_cross_entropy(probability(x).squeeze(1), (y == 0).float()).backward()
        optimizer.step()

    def judge() -> tuple[float, float]:
        with torch.no_grad():
            loss = functional.binary_cross_entropy(probability(ground.x).squeeze(1), (ground.y == 0).float())
            right = (probability(ground.test_x).squeeze(1) > 0.5) == (ground.test_y == 0)
        return loss.item(), right.float().mean().item()

    yield from ground.epochs(step, judge)


def _target(x: Tensor) -> Tensor:
    """A number per row: x_0 + x_1 x_2 / 2."""
    return x[:, 0] + 0.5 * x[:, 1] * x[:, 2]


def _variance(ground: Ground) -> tuple[str, float]:
    return "Var(y)", _target(ground.x).var(correction=0).item()


@stored("broadcast-n1-n", "R2", floor=_variance)
def broadcast(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network(1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)

    def error(x: Tensor) -> Tensor:
        prediction = net(x) if wrong else net(x).squeeze(1)
        return (prediction - _target(x)).square().mean()  # [N, 1] - [N] is [N, N]

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        error(x).backward()
        optimizer.step()

    def judge() -> tuple[float, float]:
        with torch.no_grad():
            goal = _target(ground.test_x)
            missed = (net(ground.test_x).squeeze(1) - goal).square().mean() / goal.var(correction=0)
            return error(ground.x).item(), 1 - missed.item()

    yield from ground.epochs(step, judge)
