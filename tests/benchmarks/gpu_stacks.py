"""What stacks take on a GPU and how fast they are, and how whole commands end there: the rest of the checks of gpu.py."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from gpu_checks import Line, Trial
from speed import LOSSES, jobs, table, tutorial

from losscli.stack import device as machine
from losscli.stack.job import Job
from losscli.stack.recording import Playback
from losscli.stack.rows import Run
from losscli.stack.train import Training

SECONDS = 330.0  # what the whole may take; the speed of stacks gets what the rest leaves
WIDTHS = (1, 4, 16, 64, 256, 1024, 4096)
ROUNDED = {"cuda": ("tf32", "bf16"), "cpu": ("bf16",)}  # precisions beside float32
WIDE = 256  # runs from which on what a process takes anyway (cuBLAS, the rows) is small beside the stack


def commands(trial: Trial) -> Iterator[Line]:
    """A whole command twice, in processes of their own; and one with too little memory."""
    if trial.small or trial.device.type == "standin":
        return
    named = ["--task", "multiclass", "--loss", "cross-entropy", "--seeds", "2", "--epochs", "20", "--format", "json"]
    told, weights = [], []
    for out in (trial.folder / "first", trial.folder / "second"):
        done = run(trial.folder, "", "train", *named, "--device", str(trial.device), "--out", str(out))
        found = json.loads(done.stdout)
        told.append(re.sub(r'"seconds": [^,}]+', "", json.dumps(found["arenas"])))
        weights.append(next(out.rglob("weights.safetensors")).read_bytes())
    same = [told[0] == told[1], weights[0] == weights[1]]
    yield Line("a command twice", all(same), f"results {same[0]}, weights {same[1]}", "the same bits")
    if trial.device.type == "cuda":
        few = "import torch; torch.cuda.set_per_process_memory_fraction(1e-4);"
        done = run(
            trial.folder, few, "train", *named, "--device", str(trial.device), "--out", str(trial.folder / "third")
        )
        last = " ".join(done.stderr.split())[-120:]
        fair = done.returncode == 5 and "memory" in done.stderr and "Traceback" not in done.stderr
        yield Line("a command without memory", fair, f"exit {done.returncode}: {last}", "exit 5, no traceback")


def run(folder: Path, before: str, *words: str) -> subprocess.CompletedProcess[str]:
    """losscli in a process of its own, which does something `before`."""
    named = folder / "losscli-0.dist-info" / "METADATA"  # a record tells the version, which an installation knows
    named.parent.mkdir(exist_ok=True)
    named.write_text("Metadata-Version: 2.1\nName: losscli\nVersion: 0\n")
    start = f"import sys; sys.path += {[*sys.path, str(folder)]!r}; {before}\nfrom losscli.cli.app import run"
    command = [sys.executable, "-c", f"{start}\nsys.exit(run({list(words)!r}))"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def stacks_of(trial: Trial) -> Iterator[Line]:
    """Memory and speed by the number of runs; the speed of the tutorial loop first."""
    dataset = table(2_000 if trial.small else 20_000)
    widths = WIDTHS[:2] if trial.small else WIDTHS
    loop = tutorial(dataset, trial.device)
    loop()
    rounds = 1 if trial.small else 5
    trial.wait()
    began = time.perf_counter()
    for _ in range(rounds):
        loop()
    trial.wait()
    base = rounds * dataset.parts["train"].rows / (time.perf_counter() - began)
    yield Line("speed of the tutorial loop", None, f"{base:,.0f} samples/s")
    left = SECONDS - (time.monotonic() - trial.began)
    rounded = ROUNDED.get(trial.device.type, ())
    stacks = [*((width, "float32") for width in widths), *((widths[-1], name) for name in rounded)]
    shares = 2 * (len(widths) + len(stacks))  # half of the time goes into making stacks
    seconds = 0.02 if trial.small else min(6.0, max(0.5, left / shares))
    for width, precision in stacks:
        runs, job = jobs(dataset, LOSSES[:width], math.ceil(width / len(LOSSES)), trial.device)
        job = replace(job, plan=job.plan.model_copy(update={"precision": precision}))
        try:
            yield from stack_of(trial, (runs, job), base, seconds)
            if precision == "float32":
                yield played_back(trial, (runs, job), base, seconds)
        except Exception as error:
            yield Line(f"stack of {width} in {precision}", False, f"{type(error).__name__}: {error}"[:200])


def stack_of(trial: Trial, made: tuple[list[Run], Job], base: float, seconds: float) -> Iterator[Line]:
    """One stack: what it takes, and how many samples of all its runs it trains on in a second."""
    runs, job = made
    what = f"{len(runs)} runs in {job.plan.precision}"
    cuda = trial.device.type == "cuda"
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(trial.device)
    before = torch.cuda.memory_allocated(trial.device) if cuda else 0
    with (
        machine.exact(trial.device),
        machine.products_of(job.plan.precision),
        machine.one_thread(trial.device),
    ):
        training = Training(runs, job)
        rate = speed_of(trial, training, seconds)
    cost = training.networks.cost
    if cuda:
        peak, most = torch.cuda.max_memory_allocated(trial.device) - before, cost / machine.GPU_SHARE
        passed = peak <= most if len(runs) >= WIDE else None
        figure = f"{peak / 1e6:,.1f} MB, reckoned {cost / 1e6:,.1f} MB ({peak / cost:.2f} times)"
        yield Line(f"memory of {what}", passed, figure, f"{most / 1e6:,.1f} MB, what `width` leaves room for")
    yield Line(f"speed of {what}", None, f"{rate:,.0f} runs x samples/s, {rate / base:,.1f} times the tutorial loop")


def played_back(trial: Trial, made: tuple[list[Run], Job], base: float, seconds: float) -> Line:
    """The same with steps that are recorded and played back, which the engine does on a CPU alone: whether bits are the same."""
    runs, job = made
    with machine.exact(trial.device), machine.one_thread(trial.device):
        training = Training(runs, job)
        (phase,) = training.phases
        training.playbacks[phase.kernel] = playback = Playback(after=0)
        long = partial(training._forth_and_back, phase)
        rate = speed_of(trial, training, seconds)
        batch = next(training.sampler.epoch())
        pairs = [(one, other) for one, other in zip(playback(long, batch), long(batch), strict=True) if one is not None]
    same = all(torch.equal(one, other) for one, other in pairs) and all(playback.plays.values())
    figure = f"{rate:,.0f} runs x samples/s, {rate / base:,.1f} times the tutorial loop"
    return Line(f"speed of {len(runs)} runs, played back", same, figure, "the same bits")


def speed_of(trial: Trial, training: Training, seconds: float) -> float:
    """Runs x samples per second, over as many steps as the time allows; the first few only warm up."""
    steps, samples, size = 0, 0, 4
    trial.wait()
    began = time.perf_counter()
    while True:
        for batch in training.sampler.epoch():
            training._descend(training.phases[0], batch)
            steps, samples = steps + 1, samples + len(training.states) * batch["target"].shape[1]
            if steps % size:
                continue
            trial.wait()
            spent = time.perf_counter() - began
            if steps == 4:
                samples, began = 0, time.perf_counter()
                size = 2
            elif spent >= seconds:
                return samples / spent
            elif spent < seconds / 8:
                size *= 2
