"""Which runs are trained together: one stack is one matrix of parameters, and one thread's work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from losscli.looks import block_of
from losscli.losses.own import code_of
from losscli.stack import device as machine
from losscli.stack.job import Job
from losscli.stack.networks import costs_of, judging_of, specs_of
from losscli.stack.rows import Run
from losscli.tasks.phases import NetworkSpec


def stacks(runs: Sequence[Run], job: Job) -> Iterator[list[Run]]:
    """The runs, divided into stacks: equal outputs and equal sizes of splits together, at most as many as `device.width` says.

    Bits may depend on who shares a stack, so those of a CPU hold a block of seeds, however many seeds there are (see
    `losscli.looks`); not where there is one entry, which is never looked at twice. A GPU wants all runs at once. A loss of
    the user's own has stacks to itself, so that whatever becomes of it there is no other's trouble.
    """
    by_shape: dict[object, list[Run]] = {}
    places = {seed: place for place, seed in enumerate(dict.fromkeys(run.seed for run in runs))}
    in_blocks = job.device.type == "cpu" and len({run.entry for run in runs}) > 1
    for run in runs:
        sizes = tuple(part.rows for part in run.dataset.parts.values())
        own = run.loss.name if code_of(run.loss) else ""
        block = block_of(places[run.seed]) if in_blocks else 0
        by_shape.setdefault((block, _shape(run, job), sizes, own), []).append(run)
    for alike_runs in by_shape.values():
        cost, judging = costs_of(alike_runs, job), judging_of(alike_runs[0], job)
        machine.refuse_if_too_large(cost, job.device)
        judging.refuse_if_too_large(job.device)
        width = machine.width(cost, job.device, judging.cost())
        on_cores = job.device.type == "cpu"
        for start, stop in machine.chunks(len(alike_runs), width, even=on_cores):
            yield alike_runs[start:stop]


def _shape(run: Run, job: Job) -> tuple[NetworkSpec, ...]:
    """What runs must share of their networks; features are padded to those of the widest."""
    specs = specs_of(run, job)
    return tuple(spec if isinstance(spec.inputs, int) else replace(spec, inputs=0) for spec in specs)
