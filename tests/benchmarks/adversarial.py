"""Ten adversarial losses: a stack beside plain loops, and what the losses make of eight lumps in a circle.

Run:  python tests/benchmarks/adversarial.py [--rounds 3]            (speed: about a minute)
      python tests/benchmarks/adversarial.py --ring [--seeds 6]      (quality: five minutes)

Speed: 10 losses x 3 seeds, networks 64-64, batch 64, one critic step: seconds of a step of all 30 runs, in a stack (losses of
differences are a stack of their own) and in the loop of a tutorial, one run after another. Nothing here fails on time.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from rich.console import Console
from torch import nn
from torch.nn.functional import relu, softplus

from losscli.experiment import load
from losscli.losses import for_task
from losscli.pipeline import run
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides
from losscli.stack.device import one_thread
from losscli.stack.train import Training, stacks
from losscli.words.paragraph import paragraph

SEEDS, STEPS, BATCH = 3, 60, 64
WITHOUT, WITH = ("gan-nonsaturating", "hinge", "lsgan"), ("r1", "wgan-gp", "r3gan")


def bce(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    return softplus(-real) + softplus(fake)


SIDES = {
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


def network(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, outputs)
    )


def slopes(critic: nn.Module, at: torch.Tensor) -> torch.Tensor:
    at = at.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    return gradient.norm(2, dim=1)


def penalty(loss: str, critic: nn.Module, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor | float:
    if loss == "wgan-gp":
        mix = torch.rand(len(real), 1)
        return 0.1 * ((slopes(critic, mix * real + (1 - mix) * fake) - 1) ** 2).mean()
    if loss == "dragan":
        return 0.1 * ((slopes(critic, real + 0.5 * (2 * torch.rand_like(real) - 1)) - 1) ** 2).mean()
    if loss == "r1":
        return 0.05 * (slopes(critic, real) ** 2).mean()
    if loss == "r3gan":
        return 0.05 * ((slopes(critic, real) ** 2).mean() + (slopes(critic, fake) ** 2).mean())
    return 0.0


def plain(rows: torch.Tensor) -> float:
    """Seconds of a step of all runs, one run after another, in the loop of a tutorial."""
    began = time.perf_counter()
    for loss, (discriminator, generator) in SIDES.items():
        for _ in range(SEEDS):
            maker, critic = network(2, 2), network(2, 1)
            of_maker = torch.optim.Adam(maker.parameters(), 3e-4, (0.0, 0.9))
            of_critic = torch.optim.Adam(critic.parameters(), 1e-3, (0.0, 0.9))
            for _ in range(STEPS):
                real = rows[torch.randint(len(rows), (BATCH,))]
                fake = maker(torch.randn(BATCH, 2)).detach()
                value = discriminator(critic(real), critic(fake)).mean() + penalty(loss, critic, real, fake)
                of_critic.zero_grad()
                value.backward()
                of_critic.step()
                if loss == "wgan-clip":
                    for parameter in critic.parameters():
                        parameter.data.clamp_(-0.05, 0.05)
                real = rows[torch.randint(len(rows), (BATCH,))]
                value = generator(critic(real), critic(maker(torch.randn(BATCH, 2)))).mean()
                of_maker.zero_grad()
                value.backward()
                of_maker.step()
    return (time.perf_counter() - began) / STEPS


def stacked() -> float:
    """The same of the stacks that losscli makes of them."""
    sets = (f"data.n_samples={(STEPS * BATCH * 100) // 70 + 1}",)
    spec = build_spec(Overrides(task="gan", data="ring", losses=[item.name for item in for_task("gan").values()],
                                seeds=SEEDS, sets=sets))  # fmt: skip
    experiment = load(spec)
    trainings = [Training(part, experiment.job) for part in stacks(experiment.runs(), experiment.job)]
    seconds = 0.0
    for training in trainings:
        with one_thread(experiment.job.device):
            training._epoch()  # what is made at the first step is not the step's
            began, first = time.perf_counter(), training.step
            training._epoch()
            seconds += (time.perf_counter() - began) / (training.step - first)
    return seconds


def speed(rounds: int, console: Console) -> None:
    rows = torch.randn(STEPS * BATCH, 2)
    pairs = [(stacked(), plain(rows)) for _ in range(rounds)]
    together, alone = (
        min(side) for side in zip(*pairs, strict=True)
    )  # on a busy machine the least is the program's own
    console.print(f"30 runs, a step of both sides: stacks {1000 * together:.1f} ms, plain loops {1000 * alone:.1f} ms")
    console.print(f"{alone / together:.1f} times as fast, the best of {rounds} rounds")


def quality(seeds: int, steps: int, console: Console) -> None:
    """Losses with a penalty beside those without, on the ring; the first of these is the reference."""
    sets = ("data.n_samples=12000", "data.split.valid=0.03", "data.split.test=0.1", "train.epochs=100000",
            f"train.max_steps={steps}")  # fmt: skip
    spec = build_spec(Overrides(task="gan", data="ring", losses=[*WITHOUT, *WITH], seeds=seeds, sets=sets))
    (arena,) = run([spec], out=None).arenas
    for entry in arena.entries:
        scores = {name: entry.scores["test"][name] for name in ("sliced-w1", "modes", "good-share")}
        told = ", ".join(f"{name} {score.mean:.3f}" for name, score in scores.items())
        covered = [int(value) for value in scores["modes"].values]
        console.print(f"{entry.entry:18} {entry.verdict:12} {told}, lumps by seed {covered}")
    console.print(paragraph(arena), style="dim")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ring", action="store_true")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=6000)
    given = parser.parse_args()
    console = Console(width=110)
    if given.ring:
        quality(given.seeds, given.steps, console)
    else:
        torch.set_num_threads(1)
        speed(given.rounds, console)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
