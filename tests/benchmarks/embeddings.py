"""How much faster a stack of embeddings trains than a loop over pytorch-metric-learning: 12 losses x 3 seeds on digits.

Run:  python tests/benchmarks/embeddings.py [--steps 60] [--rounds 3]

Both train an MLP 64-64-16 with Adam on batches of 5 classes x 16 rows, on one thread. The loop trains one run after the other
with torch.nn, torch.optim, the losses of pytorch-metric-learning and batches that lie ready. Its NT-Xent, which holds every
positive against every negative in a matrix of its own, is left out; so is evaluation. Nothing here fails on time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from pytorch_metric_learning import losses as pml
from pytorch_metric_learning import miners
from rich.console import Console
from torch import Tensor, nn

from losscli.experiment import load
from losscli.spec.load import load_spec
from losscli.stack.rows import Run
from losscli.stack.stacks import stacks
from losscli.stack.train import Training

SEEDS, CLASSES, SIZE = 3, 10, 16
OWN = {"num_classes": CLASSES, "embedding_size": SIZE}
LOSSES = {  # an entry of a spec, and what the loop makes of it
    "multi-similarity": lambda: pml.MultiSimilarityLoss(),
    "circle": lambda: pml.CircleLoss(),
    "sup-con": lambda: pml.SupConLoss(),
    "{name: triplet, mining: all}": lambda: pml.TripletMarginLoss(0.2),
    "{name: triplet, mining: hard}": lambda: pml.TripletMarginLoss(0.2),
    "{name: triplet, mining: semi-hard}": lambda: pml.TripletMarginLoss(0.2),
    "contrastive": lambda: pml.ContrastiveLoss(),
    "arcface": lambda: pml.ArcFaceLoss(**OWN),
    "cosface": lambda: pml.CosFaceLoss(**OWN),
    "normalized-softmax": lambda: pml.NormalizedSoftmaxLoss(**OWN),
    "proxy-nca": lambda: pml.ProxyNCALoss(softmax_scale=32, **OWN),
    "proxy-anchor": lambda: pml.ProxyAnchorLoss(**OWN),
}
MINERS = {
    "{name: triplet, mining: hard}": miners.BatchHardMiner,
    "{name: triplet, mining: semi-hard}": lambda: miners.TripletMarginMiner(0.2, type_of_triplets="semihard"),
}


def trainings() -> list[Training]:
    """The stacks of all losses and seeds, ready to go."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.yaml"
        path.write_text(
            f"task: embedding\ndata: {{source: builtin, name: digits}}\nloss: [{', '.join(LOSSES)}]\nseeds: {SEEDS}\n"
        )
        experiment = load(load_spec(path))
    return [Training(part, experiment.job) for part in stacks(experiment.runs(), experiment.job)]


def stacked(steps: int) -> float:
    """Seconds of so many steps of all runs, in stacks."""
    ready = trainings()
    began = time.perf_counter()
    for training in ready:
        done = 0
        while done < steps:
            for batch in training.sampler.epoch():
                training._descend(training.phases[0], batch)
                done += 1
                if done == steps:
                    break
    return time.perf_counter() - began


def loop(run: Run, entry: str, batches: list[tuple[Tensor, Tensor]]) -> float:
    """Seconds of one run by a plain loop."""
    torch.manual_seed(run.seed)
    features = batches[0][0].shape[1]
    net = nn.Sequential(nn.Linear(features, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, SIZE))
    judge, miner = LOSSES[entry](), MINERS[entry]() if entry in MINERS else None
    groups = [{"params": net.parameters(), "lr": 3e-3}]
    if own := list(judge.parameters()):
        groups.append({"params": own, "lr": 1e-2})
    optimizer = torch.optim.Adam(groups)
    began = time.perf_counter()
    for x, y in batches:
        vectors = net(x)
        value = judge(vectors, y) if miner is None else judge(vectors, y, miner(vectors, y))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return time.perf_counter() - began


def looped(steps: int) -> float:
    """Seconds of so many steps of all runs, one after the other."""
    total = 0.0
    for training in trainings():
        batches = []
        while len(batches) < steps:
            batches += list(training.sampler.epoch())
        for row, run in enumerate(training.states):
            ready = [(batch["inputs"][row], batch["target"][row]) for batch in batches[:steps]]
            total += loop(run.run, _entry_of(run.run), ready)
    return total


def _entry_of(run: Run) -> str:
    """The entry of the spec that a run is of."""
    mining = run.settings.get("mining")
    return run.loss.name if mining is None else f"{{name: {run.loss.name}, mining: {mining}}}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    looped(3)
    stacked(3)
    pairs = [(looped(options.steps), stacked(options.steps)) for _ in range(options.rounds)]
    plain, stack = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = sorted(one / other for one, other in pairs)
    runs = len(LOSSES) * SEEDS * options.steps
    console = Console()
    console.print(
        f"{len(LOSSES)} losses x {SEEDS} seeds, {options.steps} steps each, median of {options.rounds} rounds"
    )
    console.print(f"a loop over pytorch-metric-learning: {plain:.2f} s, {1e3 * plain / runs:.2f} ms per run and step")
    console.print(f"stacks: {stack:.2f} s, {1e3 * stack / runs:.2f} ms per run and step")
    console.print(f"times as fast: {plain / stack:.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})")


if __name__ == "__main__":
    main()
