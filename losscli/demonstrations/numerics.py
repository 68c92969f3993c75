"""Right in exact arithmetic, wrong in floating point; and factors that are computed from the wrong number."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from losscli.demonstrations.ground import CLASSES, Ground
from losscli.demonstrations.stored import stored
from losscli.lazy import Tensor, functional, torch

UNSCALED = 60.0  # features in such units make scores of hundreds, whose probabilities are 0 in float32


def _trained(
    ground: Ground, loss_of: Callable[[Tensor, Tensor], Tensor], rate: float = 0.1
) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        loss_of(net(x), y).backward()
        optimizer.step()

    def judge() -> tuple[float, float]:
        with torch.no_grad():
            return loss_of(net(ground.x), ground.y).item(), ground.accuracy(net)

    yield from ground.epochs(step, judge)


@stored("log-of-softmax")
def log_of_softmax(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    ground.x, ground.test_x = UNSCALED * ground.x, UNSCALED * ground.test_x

    def loss_of(scores: Tensor, y: Tensor) -> Tensor:
        logs = torch.log(torch.softmax(scores, 1)) if wrong else torch.log_softmax(scores, 1)
        return functional.nll_loss(logs, y)

    return _trained(ground, loss_of, 1e-4)


@stored("log-of-sigmoid")
def log_of_sigmoid(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    ground.x, ground.test_x = UNSCALED * ground.x, UNSCALED * ground.test_x

    def loss_of(scores: Tensor, y: Tensor) -> Tensor:
        sign = 2 * functional.one_hot(y, CLASSES) - 1
        logs = torch.log(torch.sigmoid(sign * scores)) if wrong else functional.logsigmoid(sign * scores)
        return -logs.mean()

    return _trained(ground, loss_of, 1e-4)


@stored("focal-on-mean")
def focal_on_mean(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    def loss_of(scores: Tensor, y: Tensor) -> Tensor:
        each = functional.cross_entropy(scores, y, reduction="none")
        each = each.mean() if wrong else each
        return ((1 - torch.exp(-each)) ** 2 * each).mean()

    return _trained(ground, loss_of)


@stored("sqrt-without-eps")
def sqrt_without_eps(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    """Rows of a class are drawn together, others pushed apart; on the diagonal a row meets itself, at distance 0."""

    def loss_of(places: Tensor, y: Tensor) -> Tensor:
        squares = (places[:, None] - places[None]).square().sum(-1)  # [B, B]
        distance = torch.sqrt(squares + (0.0 if wrong else 1e-6))
        alike = y[:, None] == y[None]
        pulled = torch.where(alike, distance, (2 - distance).clamp(min=0)).mean()
        return pulled + functional.cross_entropy(places, y)

    return _trained(ground, loss_of, 0.05)
