"""Critics of a Wasserstein distance: of two clouds of points whose distance is known."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.demonstrations.ground import HIDDEN, Ground
from losscli.demonstrations.stored import stored
from losscli.lazy import Tensor, torch

APART = 5.0  # how far the clouds are apart, which is their Wasserstein distance, as they are alike in shape
MISSED = "the error of the estimated distance"
PENALTY = (
    50.0  # a steepness of 1 + APART / (2 * PENALTY) is best, so 10 would make the right estimate a quarter too large
)


def _estimated(ground: Ground, bounded: bool = False, whole_batch: bool = False) -> Iterator[tuple[float, float]]:
    layers = [torch.nn.Linear(2, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1)]
    critic = torch.nn.Sequential(*layers, *([torch.nn.Sigmoid()] if bounded else []))
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.02)

    def clouds(rows: int) -> tuple[Tensor, Tensor]:
        return ground.normal(rows, 2) + torch.tensor([APART, 0.0]), ground.normal(rows, 2)

    def step(x: Tensor, y: Tensor) -> None:
        real, fake = clouds(len(x))
        share = torch.rand(len(x), 1, generator=ground.random)
        between = (share * real + (1 - share) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)  # [B, 2]
        size = slope.norm() if whole_batch else slope.norm(dim=1)
        optimizer.zero_grad()
        (critic(fake).mean() - critic(real).mean() + PENALTY * ((size - 1) ** 2).mean()).backward()
        optimizer.step()

    def judge() -> tuple[float, float]:
        real, fake = clouds(600)
        with torch.no_grad():
            loss = (critic(fake).mean() - critic(real).mean()).item()
        return loss, abs(-loss - APART)

    yield from ground.epochs(step, judge)


@stored(
    "wgan-critic-bounded", MISSED, "down", shows="minus the estimated distance", floor=lambda ground: ("0 - 1", -1.0)
)
def wgan_critic_bounded(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    return _estimated(ground, bounded=wrong)


@stored("gradient-penalty-norm", MISSED, "down", shows="minus the estimated distance")
def gradient_penalty_norm(ground: Ground, wrong: bool) -> Iterator[tuple[float, float]]:
    return _estimated(ground, whole_batch=wrong)
