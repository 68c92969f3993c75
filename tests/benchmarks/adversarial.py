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
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from pairs import PAPERS, penalty, play
from rich.console import Console
from torch import nn

from losscli.experiment import load
from losscli.losses import for_task
from losscli.pipeline import run
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides
from losscli.stack.device import one_thread
from losscli.stack.stacks import stacks
from losscli.stack.train import Training
from losscli.words.paragraph import paragraph

SEEDS, STEPS, BATCH = 3, 60, 64
WITHOUT, WITH = ("gan-nonsaturating", "hinge", "lsgan"), ("r1", "wgan-gp", "r3gan")


def network(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, outputs)
    )


def drawn(rows: torch.Tensor) -> Iterator[dict[str, torch.Tensor]]:
    while True:
        real = rows[torch.randint(len(rows), (BATCH,))]
        yield {
            "real": real,
            "latent": torch.randn(BATCH, 2),
            "mix": torch.rand(BATCH, 1),
            "noise": torch.rand_like(real),
        }


def plain(rows: torch.Tensor) -> float:
    """Seconds of a step of all runs, one run after another, in the loop of a tutorial."""
    began = time.perf_counter()
    for loss, sides in PAPERS.items():
        for _ in range(SEEDS):
            networks, limit = (network(2, 2), network(2, 1)), 0.05 if loss == "wgan-clip" else None
            play(networks, sides, drawn(rows), (3e-4, 1e-3), STEPS, 1, partial(penalty, loss, {}), limit)
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
