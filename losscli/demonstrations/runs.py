"""What shows only when the code runs: values of targets, and gradients that are zero or no number."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.demonstrations.ground import CLASSES, Ground, mean
from losscli.demonstrations.stored import stored
from losscli.demonstrations.targets import binary, share_right
from losscli.lazy import Tensor, functional, torch

LOG_LOSS = "log-loss on the test rows"
IGNORED = -100  # torch's class of rows that do not count


def _log_loss(score: Tensor, truth: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(score, truth.float())


@stored("target-outside-domain", LOG_LOSS, "down")
def target_outside_domain(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    def loss_of(score: Tensor, yes: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(score, 2 * yes - 1 if wrong else yes)

    return binary(ground, loss_of, _log_loss)


@stored("cross-entropy-over-one")
def cross_entropy_over_one(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    def loss_of(score: Tensor, yes: Tensor) -> Tensor:
        if wrong:
            return functional.cross_entropy(score[:, None], torch.zeros(len(score), dtype=torch.long))
        return functional.binary_cross_entropy_with_logits(score, yes)

    return binary(ground, loss_of, share_right)


@stored("target-shares-not-one", LOG_LOSS, "down")
def target_shares_not_one(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    sums = torch.tensor([20.0, 1.0, 1.0]) if wrong else torch.ones(CLASSES)  # of the shares, by class

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        functional.cross_entropy(net(x), functional.one_hot(y, CLASSES) * sums[y, None]).backward()
        optimizer.step()

    def judge() -> tuple[float, float]:
        with torch.no_grad():
            shares = functional.one_hot(ground.y, CLASSES) * sums[ground.y, None]
            test = functional.cross_entropy(net(ground.test_x), ground.test_y)
            return functional.cross_entropy(net(ground.x), shares).item(), test.item()

    yield from ground.epochs(step, judge)


@stored("targets-all-ignored", "accuracy of the best epoch's model", shows="mean loss of an epoch")
def targets_all_ignored(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    """The batch of padding at the end has a gradient of 0, but its NaN is in the mean by which the best epoch is chosen."""
    net, best = ground.network(), ground.network()
    best.load_state_dict(net.state_dict())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    losses: list[float] = []
    lowest = float("inf")

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    def judge() -> tuple[float, float]:
        nonlocal lowest
        if wrong:
            step(ground.x[:4], torch.full_like(ground.y[:4], IGNORED))
        reported = mean(losses)
        losses.clear()
        if reported < lowest:
            lowest = reported
            best.load_state_dict(net.state_dict())
        return reported, ground.accuracy(best)

    yield from ground.epochs(step, judge)


@stored("gradient-zero")
def gradient_zero(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    if wrong:
        torch.nn.init.constant_(net[0].bias, -100.0)  # type: ignore[arg-type]  # every ReLU is off for every row
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        functional.cross_entropy(net(x), y).backward()
        optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(net))


@stored("gradient-not-finite")
def gradient_not_finite(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    ground.x[:, 0] = ground.test_x[:, 0] = 1.0  # a feature without spread

    def scaled(x: Tensor) -> Tensor:
        return (x - x.mean(0)) / (x.std(0) + (0.0 if wrong else 1e-6))

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        functional.cross_entropy(net(scaled(x)), y).backward()
        optimizer.step()

    yield from ground.epochs(step, lambda: ground.judged(lambda x: net(scaled(x))))
