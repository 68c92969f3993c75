"""What a training will cost, measured on a few steps of the real stack before the rest is spent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from losscli.stack.job import Job, epochs_of, steps_of
from losscli.stack.networks import bytes_of
from losscli.stack.recording import AFTER
from losscli.stack.rows import Run, spans
from losscli.stack.stacks import stacks
from losscli.stack.train import is_recorded, train

WARM, MEASURED = 2, 32  # steps: those that only warm up, and those that count


@dataclass(frozen=True)
class Cost:
    """Of all runs of an arena: steps of each run, stacks, expected seconds, and bytes of memory at once."""

    steps: int
    stacks: int
    seconds: float
    bytes: int


def estimate_cost(runs: Sequence[Run], job: Job) -> Cost:
    """Train the first stack for a few steps, and reckon what all stacks take; runs that rest early take less.

    Each look at the valid split is reckoned as a share of what a very short training takes.
    """
    groups = list(stacks(runs, job))
    rows = groups[0][0].dataset.parts["train"].rows
    per_epoch = len(spans(rows, job.plan.batch_size))
    epochs = epochs_of(job.plan, rows)
    steps = steps_of(job.plan, rows, epochs)
    first = WARM + AFTER if is_recorded(groups[0], job) else WARM  # the next are as all others
    short = _seconds(groups[0], job, min(WARM, steps))
    before = short if first == WARM else _seconds(groups[0], job, min(first, steps))
    long = _seconds(groups[0], job, min(first + MEASURED, steps))
    step = max(0.0, long - before) / max(1, min(first + MEASURED, steps) - min(first, steps))
    looks = (
        short / 4 * epochs if per_epoch > first + MEASURED else 0.0
    )  # a stack looks four times at its shortest: once
    seconds = before + step * (steps - min(first, steps)) + looks  # after its epoch, and at three splits when it ends
    return Cost(steps, len(groups), seconds * len(runs) / len(groups[0]), max(_bytes(group, job) for group in groups))


def _seconds(runs: list[Run], job: Job, steps: int) -> float:
    began = time.perf_counter()
    train(runs, replace(job, plan=job.plan.model_copy(update={"max_steps": steps}), prediction_seeds=frozenset()))
    return time.perf_counter() - began


def _bytes(runs: Sequence[Run], job: Job) -> int:
    """What a stack works on, and the rows that it keeps on the device, once per dataset."""
    datasets = {id(run.dataset): run.dataset for run in runs}.values()
    return bytes_of(runs, job) + sum(
        part.features.nbytes + part.target.nbytes for dataset in datasets for part in dataset.parts.values()
    )
