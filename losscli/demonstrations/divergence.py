"""KLDivLoss with the wrong arguments: a student learns a teacher's probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from losscli.demonstrations.ground import CLASSES, FEATURES, Ground
from losscli.demonstrations.stored import stored
from losscli.lazy import Tensor, functional, torch

MISSED = "the divergence from the teacher on the test rows"


def teacher(x: Tensor) -> Tensor:
    """Log-probabilities [N, K], linear in the row."""
    weights = torch.linspace(-1, 1, FEATURES * CLASSES).view(FEATURES, CLASSES).cos()
    return functional.log_softmax(0.8 * x @ (weights - weights.mean(1, keepdim=True)) * 4, dim=1)


def _entropy(ground: Ground) -> tuple[str, float]:
    """-H(q) - sum of q p is least where p puts all on the likeliest class."""
    goal = teacher(ground.x)
    return "-H(q) - max q", ((goal.exp() * goal).sum(1) - goal.exp().amax(1)).mean().item()


def _distilled(ground: Ground, loss_of: Callable[[Tensor, Tensor], Tensor]) -> Iterator[tuple[float, float]]:
    net = ground.network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        loss_of(net(x), teacher(x)).backward()
        optimizer.step()

    def judge() -> tuple[float, float]:
        with torch.no_grad():
            student = functional.log_softmax(net(ground.test_x), dim=1)
            missed = functional.kl_div(student, teacher(ground.test_x), reduction="batchmean", log_target=True)
            return loss_of(net(ground.x), teacher(ground.x)).item(), missed.item()

    yield from ground.epochs(step, judge)


@stored("kldiv-input-not-log", MISSED, "down", floor=_entropy)
def kldiv_input_not_log(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    form = torch.softmax if wrong else torch.log_softmax
    return _distilled(
        ground, lambda scores, goal: functional.kl_div(form(scores, 1), goal.exp(), reduction="batchmean")
    )


@stored("kldiv-log-target", MISSED, "down")
def kldiv_log_target(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    def loss_of(scores: Tensor, goal: Tensor) -> Tensor:
        student = functional.log_softmax(scores, 1)
        return functional.kl_div(student, goal, reduction="batchmean", log_target=not wrong)

    return _distilled(ground, loss_of)


@stored("kldiv-mean", MISSED, "down")
def kldiv_mean(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    def loss_of(scores: Tensor, goal: Tensor) -> Tensor:
        total = functional.kl_div(functional.log_softmax(scores, 1), goal.exp(), reduction="sum")
        return total / (goal.numel() if wrong else len(goal))  # `mean`, without torch's warning; `batchmean`

    return _distilled(ground, loss_of)
