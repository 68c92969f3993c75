"""What losses cost in a step: the share of a step outside the matrix products and the optimizer, and a grid beside one call.

Run:  python tests/benchmarks/losses.py [--rounds 7]

A step of 8 losses x 5 seeds (batch 128, MLP 64-64) is timed as a whole; so are its bare matrix products (the same shapes,
forward and backward) and its optimizer. What is left is losses, activations, autograd and Python. Nothing here fails on time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from speed import BATCH, FEATURES, HIDDEN, LOSSES, jobs, table
from torch.profiler import ProfilerActivity, profile, record_function

from losscli.losses import find
from losscli.stack.device import one_thread
from losscli.stack.stacks import stacks
from losscli.stack.train import Training


def per_call(work: Callable[[], object], calls: int = 60) -> float:
    """Seconds of one call, over many."""
    for _ in range(5):
        work()
    began = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - began) / calls


def products(runs: int) -> Callable[[], None]:
    """The matrix products of one step, forward and backward, and nothing else."""
    shapes = [(FEATURES, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)]
    inputs = [torch.randn(runs, BATCH, rows) for rows, _ in shapes]
    weights = [torch.randn(runs, *shape) for shape in shapes]
    biases = [torch.randn(runs, 1, columns) for _, columns in shapes]
    gradients = [torch.randn(runs, BATCH, columns) for _, columns in shapes]

    def work() -> None:
        for x, weight, bias in zip(inputs, weights, biases, strict=True):
            torch.baddbmm(bias, x, weight)
        for layer, (x, weight, gradient) in enumerate(zip(inputs, weights, gradients, strict=True)):
            torch.bmm(x.transpose(1, 2), gradient)
            if layer:
                torch.bmm(gradient, weight.transpose(1, 2))

    return work


def step(rounds: int, console: Console) -> None:
    """Where the time of a step goes."""
    runs, job = jobs(table(4000), LOSSES, 5)
    trainings = [Training(part, job) for part in stacks(runs, job)]
    batches = [next(training.sampler.epoch()) for training in trainings]
    found: dict[str, list[float]] = {"whole step": [], "matrix products": [], "optimizer": []}
    for _ in range(rounds):
        whole = bare = moved = 0.0
        for training, batch in zip(trainings, batches, strict=True):
            with one_thread(job.device):
                whole += per_call(lambda t=training, b=batch: t._descend(t.phases[0], b))
                bare += per_call(products(len(training.states)))
                moved += per_call(lambda m=training.networks["model"]: m.optimizer.step(m.gradients, m.rates))
        for name, value in zip(found, (whole, bare, moved), strict=True):
            found[name].append(value)
    shown = Table("part", "ms per step of 8 losses x 5 seeds", "share")
    whole = statistics.median(found["whole step"])
    for name, values in found.items():
        shown.add_row(name, f"{1000 * statistics.median(values):.2f}", f"{statistics.median(values) / whole:.0%}")
    rest = [1 - (bare + moved) / whole for whole, bare, moved in zip(*found.values(), strict=True)]
    shown.add_row("the rest", "", f"{statistics.median(rest):.0%}")
    console.print(shown)


def profiled(console: Console) -> None:
    """The same question inside a running epoch, by torch's profiler, whose own cost falls on the many small operations."""
    runs, job = jobs(table(), LOSSES, 5)
    trainings = [Training(part, job) for part in stacks(runs, job)]
    for training in trainings:
        optimizer = training.networks["model"].optimizer
        move = optimizer.step

        def marked(*given: object, move: Callable[..., None] = move) -> None:
            with record_function("optimizer"):
                move(*given)

        optimizer.step = marked  # type: ignore[method-assign]
        training._epoch()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for training in trainings:
            training._epoch()
    events = {event.key: event for event in seen.key_averages()}
    whole = sum(event.self_cpu_time_total for event in events.values())
    products = sum(events[name].self_cpu_time_total for name in ("aten::bmm", "aten::baddbmm"))
    moved = events["optimizer"].cpu_time_total
    console.print(
        f"inside an epoch, by the profiler: products {products / whole:.0%}, optimizer {moved / whole:.0%}, "
        f"the rest {1 - (products + moved) / whole:.0%}"
    )


def grid(rounds: int, console: Console) -> None:
    """Twenty values of gamma in one call, beside one value, on the same 20 rows."""
    focal = find("focal", "binary").function
    prediction = torch.randn(20, BATCH, requires_grad=True)
    target = torch.randint(2, (20, BATCH)).float()
    gammas = torch.linspace(0.1, 5, 20)[:, None]

    def call(gamma: float | torch.Tensor) -> None:
        torch.autograd.grad(focal(prediction, target, gamma=gamma).mean(-1).sum(), prediction)

    ratios = [per_call(lambda: call(gammas), 300) / per_call(lambda: call(2.0), 300) for _ in range(rounds)]
    console.print(f"a grid of 20 gammas costs {statistics.median(ratios):.2f} times one call (forward and backward)")


def main() -> None:
    """Both figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    console = Console()
    step(rounds, console)
    profiled(console)
    grid(rounds, console)


if __name__ == "__main__":
    main()
