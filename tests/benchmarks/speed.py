"""How fast the stack is beside the loop that tutorials show, in one process, as ratios; and whole commands beside `import torch`.

Run:  make bench        (python tests/benchmarks/speed.py [--rounds 5])

The tutorial loop is a DataLoader, an nn.Module and torch.optim.Adam, one run at a time. Both train the same MLP 64-64 with
batches of 128 on 20,000 rows of 20 features, an epoch a time, in turn; the table gives the medians and their ratio, and the
bar. More tables: the share of the machine's rate of products that a step reaches, what many runs take, and where the seconds
of a comparison of a minute go. What was tried
to make steps faster, and what it gave, is in STEPS.md.
Nothing here fails on time.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from losscli import pipeline
from losscli.data.dataset import Dataset, Part
from losscli.losses import find
from losscli.metrics import find as find_metric
from losscli.record.checkpoint import Checkpoint
from losscli.spec.load import load_spec
from losscli.stack.device import keep_freed_memory, one_thread
from losscli.stack.job import Job
from losscli.stack.models import models
from losscli.stack.plan import Plan
from losscli.stack.rows import Run
from losscli.stack.stacks import stacks
from losscli.stack.train import Training, train
from losscli.tasks import Target, tasks

CPU = torch.device("cpu")
CONFIGS = Path(__file__).parents[2] / "configs"
ROWS, FEATURES, HIDDEN, BATCH = 20_000, 20, 64, 128
LOSSES = ("bce-logits", "bce", "focal", "hinge", "squared-hinge", "brier", "soft-margin", "bce-logits")

TOGETHER = 4  # epochs
CROWDS = (
    ("8 losses x 5 seeds", LOSSES, 5, "16"),
    ("32 equal runs", LOSSES[:1], 32, "20"),
    ("40 mixed runs", LOSSES[::-1], 5, ""),
)


def table(rows: int = ROWS) -> Dataset:
    """Synthetic rows; the tiny valid and test splits keep evaluation out of what is timed."""
    chance = np.random.default_rng(0)
    features = chance.standard_normal((rows + 8, FEATURES)).astype(np.float32)
    target = (features[:, :3].sum(1) + chance.standard_normal(rows + 8) > 0).astype(np.float32)
    edges = {"train": slice(0, rows), "valid": slice(rows, rows + 4), "test": slice(rows + 4, rows + 8)}
    parts = {name: Part(features[rows], target[rows]) for name, rows in edges.items()}
    return Dataset("synthetic", 0, parts, Target(target, ("0", "1")), None, {})


def tutorial(dataset: Dataset, device: torch.device = CPU) -> Callable[[], None]:
    """The loop of every tutorial; one call is one epoch of one run."""
    part = dataset.parts["train"]
    rows = torch.utils.data.TensorDataset(torch.from_numpy(part.features), torch.from_numpy(part.target))
    loader = torch.utils.data.DataLoader(rows, batch_size=BATCH, shuffle=True)
    sizes = [(FEATURES, HIDDEN), (HIDDEN, HIDDEN)]
    hidden = [layer for pair in sizes for layer in (torch.nn.Linear(*pair), torch.nn.ReLU())]
    module = torch.nn.Sequential(*hidden, torch.nn.Linear(HIDDEN, 1)).to(device)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    criterion = torch.nn.BCEWithLogitsLoss()

    def epoch() -> None:
        for inputs, targets in loader:
            inputs, targets = inputs.to(device), targets.to(device)
            optimizer.zero_grad()
            criterion(module(inputs).squeeze(-1), targets).backward()
            optimizer.step()

    return epoch


def jobs(dataset: Dataset, losses: tuple[str, ...], seeds: int, device: torch.device = CPU) -> tuple[list[Run], Job]:
    """Every loss with every seed, and what they share."""
    task = tasks.get("binary")
    job = Job(
        task,
        models.get("mlp")(hidden=[HIDDEN, HIDDEN]),
        Plan(epochs=1000, batch_size=BATCH),
        [find_metric("accuracy", "binary")],
        device,
    )
    runs = []
    for name in losses:
        loss = find(name, "binary")
        link = task.links[loss.expects]
        chain = (link,) if link else ()
        runs += [Run(name, seed, loss, {}, chain, 1e-3, dataset) for seed in range(seeds)]
    return runs, job


def stacked(dataset: Dataset, losses: tuple[str, ...], seeds: int) -> Callable[[], None]:
    """Every loss with every seed; one call is one epoch of all of them, in stacks of the width that losscli chooses."""
    runs, job = jobs(dataset, losses, seeds)
    trainings = [Training(part, job) for part in stacks(runs, job)]

    def epoch() -> None:
        for training in trainings:
            with one_thread(job.device):
                training._epoch()

    return epoch


def seconds(work: Callable[[], None]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def engine(rounds: int, console: Console) -> None:
    """The engine against the tutorial loop, and against what the machine multiplies; in stacks of one thread."""
    dataset = table()
    baseline = tutorial(dataset)
    shown = Table(
        *("what", "s per run and epoch", "tutorial loop in the same rounds", "times faster", "bar"),
        title="the stack engine",
    )
    alone = ("1 run", LOSSES[:1], 1, "3")  # the bars of many runs are those of two cores: see `side_by_side`
    for title, losses, seeds, bar in (alone, *((*crowd[:3], "") for crowd in CROWDS[:2])):
        work = stacked(dataset, losses, seeds)
        runs = len(losses) * seeds
        work()  # warm up
        baseline()
        pairs = [(seconds(work) / runs, seconds(baseline)) for _ in range(rounds)]
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(slow / fast for fast, slow in pairs)
        shown.add_row(title, f"{ours:.4f}", f"{theirs:.4f}", f"{ratio:.1f}", bar)
    console.print(shown)


def products(rounds: int, console: Console) -> None:
    """The share of the machine's rate of products of matrices that a step reaches, where all layers are 128 wide."""
    dataset, square = table(4096), torch.randn(512, 512)
    per_row = FEATURES * 128 + 128 * 128 + 128
    operations = (
        4096 * 2 * (3 * per_row - FEATURES * 128)
    )  # forward and twice as much back, but for the slope by features
    shown = Table("width", "of the rate of a product of 512 x 512", "bar", title="hidden layers 128, 128; one thread")
    for width in (1, 5, 16, 32):
        runs, job = jobs(dataset, LOSSES[:1], width)
        training = Training(runs, replace(job, model=models.get("mlp")(hidden=[128, 128])))
        with one_thread(CPU):
            training._epoch()
            pairs = [(seconds(training._epoch), seconds(lambda: square @ square)) for _ in range(rounds)]
        share = statistics.median(width * operations / step / (2 * 512**3 / product) for step, product in pairs)
        shown.add_row(str(width), f"{share:.0%}", "50%" if width >= 16 else "")
    console.print(shown)


def growth(console: Console) -> None:
    """Seconds and memory of 50 entries by their number of seeds: the first grow with the runs, the last stays."""
    dataset = table(2048)
    shown = Table("runs", "s per run and epoch", "MB at most so far", title="many runs, one stack after another")
    for seeds in (1, 5, 20):
        runs, job = jobs(dataset, LOSSES[:1] * 50, seeds)
        short = replace(job, plan=job.plan.model_copy(update={"epochs": 1}))
        taken = seconds(lambda runs=runs, short=short: [len(train(part, short)) for part in stacks(runs, short)])
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        shown.add_row(str(len(runs)), f"{taken / len(runs):.4f}", f"{most:.0f}")
    console.print(shown)


def side_by_side(rounds: int, console: Console) -> None:
    """The stacks of a comparison by one worker, by two threads and by two processes, in turn; so many epochs each that the
    start of a process does not count, as it does not in a training.
    """
    dataset = table()
    ways = {"1 worker": _in_turn, "2 threads": _in_threads, "2 processes": _in_processes}
    shown = Table("what", "stacks", "times the tutorial loop, by", *ways, "bar", title="stacks side by side")
    baseline = tutorial(dataset)
    for title, losses, seeds, bar in CROWDS:
        runs, job = jobs(dataset, losses, seeds)
        trainings = [Training(part, job) for part in stacks(runs, job)]
        ratios: dict[str, list[float]] = {way: [] for way in ways}
        with one_thread(job.device):
            _in_turn(trainings)  # warm up
            for _ in range(rounds):
                for way, work in ways.items():
                    ours = seconds(partial(work, trainings))
                    ratios[way].append(seconds(baseline) * len(runs) * TOGETHER / ours)
        medians = [f"{statistics.median(turns):.1f}" for turns in ratios.values()]
        shown.add_row(title, str(len(trainings)), "", *medians, bar)
    console.print(shown)


def _in_turn(trainings: Sequence[Training]) -> None:
    for training in trainings:
        for _ in range(TOGETHER):
            training._epoch()


def _in_threads(trainings: Sequence[Training]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda training: _in_turn([training]), trainings))


def _in_processes(trainings: Sequence[Training]) -> None:
    children = []
    for first in range(2):
        child = os.fork()
        if child == 0:
            _in_turn(trainings[first::2])
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


PARTS = {
    "loading": [(pipeline, "load")],
    "steps": [(Training, "_epoch")],
    "metrics": [(Training, "_look"), (Training, "finish")],
    "what losses attend to": [(Training, "_probe")],
    "kept on the way": [(Checkpoint, "save")],
    "statistics": [(pipeline, "_compared")],
    "record": [(pipeline, "_written")],
}


def overheads(console: Console, rows: int, epochs: int) -> None:
    """Where the seconds of a comparison of 40 runs go, in this process."""
    spent = dict.fromkeys(PARTS, 0.0)
    whole = partial(_compare_table, rows, epochs)
    with ExitStack() as patches:
        for part, calls in PARTS.items():
            for home, name in calls:
                patches.enter_context(patch.object(home, name, _timed(getattr(home, name), spent, part)))
        total = _processor_seconds(whole)
    rest = total - sum(spent.values())
    shown = Table(
        "part", "s of the processor", "share", title=f"40 runs x {epochs} epochs of {rows} rows: {total:.0f} s"
    )
    for part, seconds_ in {**spent, "all else": rest}.items():
        shown.add_row(part, f"{seconds_:.2f}", f"{seconds_ / total:.1%}")
    shown.add_row("all but steps (bar 15 %)", "", f"{1 - spent['steps'] / total:.1%}")
    console.print(shown)


def _compare_table(count: int, epochs: int) -> None:
    part = table(count).parts["train"]
    with tempfile.TemporaryDirectory() as folder:
        names = ",".join([*(f"x{place}" for place in range(FEATURES)), "y"])
        rows = np.column_stack([part.features, part.target])
        np.savetxt(f"{folder}/table.csv", rows, "%.6g", ",", header=names, comments="")
        train = f"{{epochs: {epochs}, batch_size: {BATCH}}}"
        losses = ", ".join([*LOSSES[:-1], "poly-1"])
        spec = Path(folder) / "spec.yaml"
        spec.write_text(
            f"task: binary\ndata: {{source: csv, path: table.csv, target: y}}\nloss: [{losses}]\n"
            f"model: {{kind: mlp, hidden: [{HIDDEN}, {HIDDEN}]}}\ntrain: {train}\nseeds: 5\n"
        )
        pipeline.run([load_spec(spec)], out=Path(folder) / "runs")


def _timed(call: Callable[..., Any], spent: dict[str, float], part: str) -> Callable[..., Any]:
    @wraps(call)
    def timed(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return call(*given, **named)
        finally:
            spent[part] += time.process_time() - began

    return timed


def _processor_seconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def commands(rounds: int, console: Console, csv: Path, target: str, drop: list[str]) -> None:
    """Whole commands against `import torch`, in turn."""
    python = [sys.executable, "-c", "import torch"]
    losscli = [sys.executable, "-m", "losscli"]
    losses = [word for name in ("bce-logits", "focal", "hinge", "brier") for word in ("--loss", name)]
    dropped = [word for name in drop for word in ("--drop", name)]
    with tempfile.TemporaryDirectory() as folder:
        compare = [
            *(*losscli, "compare", "--data", str(csv), "--target", target, "--task", "binary", *dropped, *losses),
            *("--seeds", "5", "--epochs", "20", "--out", folder, "--quiet"),
        ]
        shown = Table("command", "seconds", "import torch", "ratio", title="whole commands")
        moons = [*losscli, "train", "--task", "binary", "--loss", "bce-logits", "--no-record", "--quiet"]
        of_records = ("--out", folder)
        named = {
            "losscli --help": [*losscli, "--help"],
            f"losscli compare {csv.name}, 4 losses x 5 seeds x 20 epochs": compare,
            "losscli train, of moons": moons,
            "losscli losses": [*losscli, "losses"],
            "losscli schema": [*losscli, "schema"],
            "losscli validate loans.yaml": [*losscli, "validate", str(CONFIGS / "loans.yaml")],
            "losscli validate binary.yaml, of a generator": [*losscli, "validate", str(CONFIGS / "binary.yaml")],
            f"losscli inspect {csv.name}": [*losscli, "inspect", str(csv), "--target", target],
            "losscli runs ls": [*losscli, "runs", "ls", *of_records],
            "losscli runs show": [*losscli, "runs", "show", "1", *of_records],
            "losscli gate": [*losscli, "gate", "2", "--baseline", "1", *of_records],
            "losscli report": [*losscli, "report", "1", "--to", f"{folder}/page.html", "--force", *of_records],
        }
        for title, command in named.items():
            seconds(lambda command=command: _run(command))
            pairs = [(seconds(lambda c=command: _run(c)), seconds(lambda: _run(python))) for _ in range(rounds)]
            ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(fast / slow for fast, slow in pairs)
            shown.add_row(title, f"{ours:.2f}", f"{theirs:.2f}", f"{ratio:.2f}")
        console.print(shown)


def _run(command: list[str]) -> None:
    # A machine for tests may not keep bytecode; then a tenth of all seconds would go into compiling losscli again.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def main() -> None:
    """All tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--csv", type=Path, default=CONFIGS / "data/loans.csv")
    parser.add_argument("--target", default="default")
    parser.add_argument("--drop", action="append", default=[])
    parser.add_argument("--engine", action="store_true", help="no whole commands")
    given = parser.parse_args()
    console = Console()
    keep_freed_memory()  # as each training does
    engine(given.rounds, console)
    side_by_side(given.rounds, console)
    products(given.rounds, console)
    growth(console)
    overheads(console, rows=ROWS, epochs=100)  # about a minute, as the next
    overheads(console, rows=1000, epochs=1000)
    if given.engine:
        return
    commands(given.rounds, console, given.csv, given.target, given.drop)


if __name__ == "__main__":
    main()
