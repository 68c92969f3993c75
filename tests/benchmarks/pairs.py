"""A generator against a discriminator in plain loops of torch.nn and torch.optim: stacks are held against them, and timed beside.

What a loss says is written here once more, from the papers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from losscli.data.dataset import SPLITS, Dataset, Part
from losscli.tasks import Target, TargetScale

COLUMNS, ROWS = 3, 40
PLACES = (0, 2, 4)  # of the layers that have weights
Side = Callable[[Tensor, Tensor], Tensor]


def bce(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real) + softplus(fake)


# By loss: what the discriminator minimises of D(x) and D(g), and what the generator does, each sample by itself.
PAPERS: dict[str, tuple[Side, Side]] = {
    "gan-minimax": (bce, lambda real, fake: -softplus(fake)),
    "gan-nonsaturating": (bce, lambda real, fake: softplus(-fake)),
    "lsgan": (lambda real, fake: ((real - 1) ** 2 + fake**2) / 2, lambda real, fake: (fake - 1) ** 2 / 2),
    "hinge": (lambda real, fake: relu(1 - real) + relu(1 + fake), lambda real, fake: -fake),
    "wgan-clip": (lambda real, fake: fake - real, lambda real, fake: -fake),
    "wgan-gp": (lambda real, fake: fake - real, lambda real, fake: -fake),
    "dragan": (bce, lambda real, fake: softplus(-fake)),
    "r1": (bce, lambda real, fake: softplus(-fake)),
    "relativistic": (lambda real, fake: softplus(fake - real), lambda real, fake: softplus(real - fake)),
    "r3gan": (lambda real, fake: softplus(fake - real), lambda real, fake: softplus(real - fake)),
}


def norms(critic: nn.Module, at: Tensor, whole: bool = False) -> Tensor:
    """The norm of the gradient at each sample, [B]; `whole`: that of the batch, as a public library has it."""
    at = at.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    return gradient.flatten().norm()[None] if whole else gradient.norm(2, dim=1)


def penalty(
    loss: str, options: Mapping[str, float], critic: nn.Module, batch: Mapping[str, Tensor], fake: Tensor, bug: str = ""
) -> Tensor:
    real, whole = batch["real"], bug == "whole batch"
    mix = batch["mix"][:1] if bug == "one epsilon" else batch["mix"]
    if loss in ("wgan-gp", "dragan"):
        at = (1 - mix) * real + mix * fake if loss == "wgan-gp" else real + mix * 0.5 * (2 * batch["noise"] - 1)
        return options.get("weight", 0.1) * ((norms(critic, at, whole) - 1) ** 2).mean()
    points = {"r1": [real], "r3gan": [real, fake]}.get(loss, [])
    slopes = sum(((norms(critic, at, whole) ** 2).mean() for at in points), start=torch.zeros(()))
    return options.get("gamma", 0.1) / 2 * slopes


def play(
    networks: Sequence[nn.Module],
    sides: tuple[Side, Side],
    batches: Iterator[Mapping[str, Tensor]],
    rates: tuple[float, float],
    steps: int,
    critic_steps: int,
    addition: Callable[[nn.Module, Mapping[str, Tensor], Tensor], Tensor],
    limit: float | None = None,
) -> None:
    """The loop of a tutorial: one run, two optimizers whose rates fall to 0, the critic `critic_steps` times."""
    generator, critic = networks
    optimizers = [
        torch.optim.Adam(one.parameters(), rate, (0.0, 0.9)) for one, rate in zip(networks, rates, strict=True)
    ]
    for step in range(steps):
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        for _ in range(critic_steps):
            batch = next(batches)
            fake = generator(batch["latent"]).detach()
            value = sides[0](critic(batch["real"]), critic(fake)).mean() + addition(critic, batch, fake)
            _move(optimizers[1], value)
            for parameter in critic.parameters() if limit is not None else ():
                parameter.data.clamp_(-limit, limit)
        batch = next(batches)
        _move(optimizers[0], sides[1](critic(batch["real"]), critic(generator(batch["latent"]))).mean())


def batches(sampler: Any, epochs: int) -> Iterator[dict[str, Tensor]]:
    """Those that a stack of one run is given, one after the other."""
    for _ in range(epochs):
        yield from ({name: tensor[0] for name, tensor in batch.items()} for batch in sampler.epoch())


def _move(optimizer: torch.optim.Optimizer, value: Tensor) -> None:
    optimizer.zero_grad()
    value.backward()
    optimizer.step()


def modules(weights: Mapping[str, np.ndarray], latent: int, activation: nn.Module) -> list[nn.Sequential]:
    """An ordinary generator and discriminator, 6-5 units, with the weights of one run."""
    networks = []
    for name, sizes in (("generator", (latent, 6, 5, COLUMNS)), ("discriminator", (COLUMNS, 6, 5, 1))):
        pairs = zip(PLACES, sizes[:-1], sizes[1:], strict=True)
        layers = [nn.Linear(*pair, bias=f"{name}.layers.{place}.bias" in weights) for place, *pair in pairs]
        networks.append(nn.Sequential(layers[0], activation, layers[1], activation, layers[2]))
        for place, layer in zip(PLACES, layers, strict=True):
            layer.weight.data.copy_(torch.from_numpy(weights[f"{name}.layers.{place}.weight"]).T)
            if layer.bias is not None:
                layer.bias.data.copy_(torch.from_numpy(weights[f"{name}.layers.{place}.bias"])[0])
    return networks


def apart(weights: Mapping[str, np.ndarray], networks: Sequence[nn.Sequential]) -> float:
    """The largest difference of any weight."""
    pairs: Any = zip(("generator", "discriminator"), networks, strict=True)
    return max(
        float(np.abs(weights[f"{name}.layers.{place}.weight"] - network[place].weight.detach().numpy().T).max())
        for name, network in pairs
        for place in PLACES
    )


def real_rows() -> Dataset:
    """Real rows in the place of the target, standardised; no features."""
    chance, parts = np.random.default_rng(0), {}
    kind = np.float64 if torch.get_default_dtype() == torch.float64 else np.float32
    for split in SPLITS:
        units = chance.standard_normal((ROWS, COLUMNS)) @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
        parts[split] = Part(np.empty((ROWS, 0), kind), units.astype(kind), units=units)
    names = tuple(f"x{column}" for column in range(COLUMNS))
    scale = TargetScale(np.zeros(COLUMNS), np.ones(COLUMNS))
    return Dataset("pairs", 0, parts, Target(parts["train"].target, names), scale, {})
