"""Targets and weights that a loss does not mean: a row is of class 0, or it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from losscli.demonstrations.ground import Ground
from losscli.demonstrations.stored import stored
from losscli.lazy import Tensor, functional, torch


def binary(
    ground: Ground,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    measure: Callable[[Tensor, Tensor], Tensor],
    rare: bool = False,
) -> Iterator[tuple[float, float]]:
    """One output is trained; `measure` takes the scores of the test rows and whether they are of class 0."""
    net = ground.network(1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    rows = torch.arange(len(ground.y))
    mask = (ground.y != 0) | (rows % 5 == 0) if rare else rows >= 0
    ground.x, ground.y = ground.x[mask], ground.y[mask]

    def step(x: Tensor, y: Tensor) -> None:
        rows = torch.randint(len(ground.y), (len(x),), generator=ground.random)
        optimizer.zero_grad()
        loss_of(net(ground.x[rows]).squeeze(1), (ground.y[rows] == 0).float()).backward()
        optimizer.step()

    def judge() -> tuple[float, float]:
        with torch.no_grad():
            loss = loss_of(net(ground.x).squeeze(1), (ground.y == 0).float()).item()
            return loss, measure(net(ground.test_x).squeeze(1), ground.test_y == 0).item()

    yield from ground.epochs(step, judge)


def share_right(score: Tensor, truth: Tensor) -> Tensor:
    """The accuracy of the scores' signs."""
    return ((score > 0) == truth).float().mean()


def _share_seen(score: Tensor, truth: Tensor) -> Tensor:
    return (score[truth] > 0).float().mean()


@stored("target-not-plus-minus-one")
def target_not_plus_minus_one(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    def loss_of(score: Tensor, yes: Tensor) -> Tensor:
        return functional.soft_margin_loss(score, yes if wrong else 2 * yes - 1)

    return binary(ground, loss_of, share_right)


@stored("hinge-embedding-as-hinge")
def hinge_embedding_as_hinge(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    def loss_of(score: Tensor, yes: Tensor) -> Tensor:
        sign = 2 * yes - 1
        return functional.hinge_embedding_loss(score, sign) if wrong else (1 - sign * score).clamp(min=0).mean()

    return binary(ground, loss_of, share_right)


@stored("weight-vs-pos-weight", "recall of the rare class")
def weight_vs_pos_weight(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    heavy = torch.tensor([10.0])

    def loss_of(score: Tensor, yes: Tensor) -> Tensor:
        weight, of_positives = (heavy, None) if wrong else (None, heavy)
        return functional.binary_cross_entropy_with_logits(score, yes, weight, pos_weight=of_positives) / 10

    return binary(ground, loss_of, _share_seen, rare=True)
