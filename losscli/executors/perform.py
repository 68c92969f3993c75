"""One work, performed: the same wherever that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from losscli.errors import MachineError, said, theirs
from losscli.executors import Link, Outcome, Progress, UnfitState, Work
from losscli.record.checkpoint import Pace
from losscli.stack.device import name_of
from losscli.stack.run_state import RunState, mean_of
from losscli.stack.train import Keeper, Training, train
from losscli.stack.watch import EpochOfRun


def perform(work: Work, link: Link) -> Outcome:
    """Train it, from its state if it has one. Raises `UnfitState` for one of other runs."""
    keeper = _Keeper(work, link)
    try:
        states = train(work.runs, work.job, keeper.report, keeper)
    except BaseException as error:
        ours = isinstance(error, (UnfitState, MachineError, MemoryError, torch.OutOfMemoryError))
        if not work.own or ours or not theirs(error):
            raise
        return gave_up(work, f"training with it raises {said(error)}")  # whatever it has done to what trains it
    left = {run.loss.name: list(getattr(run.loss.function, "left", ())) for run in work.runs}
    return Outcome([state.state() for state in states], keeper.stopped, left, name_of(work.job.device))


def gave_up(work: Work, reason: str) -> Outcome:
    """Its runs have failed, and there is nothing else of them."""
    job, states = work.job, [RunState(run) for run in work.runs]
    every = dict.fromkeys((metric.name for metric in (*job.metrics, *job.evaluation)), math.nan)
    short = dict.fromkeys((metric.name for metric in job.metrics), math.nan)
    for state in states:
        state.fail(f"{state.run.loss.name}: {reason}")
        state.scores = {"valid": every, "test": dict(every), "train": short}
    return Outcome([state.state() for state in states])


class _Keeper(Keeper):
    def __init__(self, work: Work, link: Link):
        self.work, self.link, self.stopped, self.pace = work, link, False, Pace()
        self.stopping = link.stopping  # type: ignore[method-assign]  # asked before every step

    def load(self, training: Training) -> None:
        if self.work.state is not None:
            try:
                training.load(self.work.state)
            except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
                raise UnfitState(str(error)) from error

    def report(self, epoch: int, epochs: int, states: Sequence[RunState]) -> bool:
        self.link.progress(_progress(self.work, epoch, epochs, states))
        return self.link.stopping()

    def save(self, state: Callable[[], dict[str, Any]], *, stopped: bool) -> None:
        self.stopped = stopped
        if stopped or (self.work.kept and self.pace.due):
            with self.pace.measured():
                self.link.save(state)


def _progress(work: Work, epoch: int, epochs: int, states: Sequence[RunState]) -> Progress:
    job = work.job
    last = [{(split, name): value for _, split, name, value in state.last()} for state in states]
    loss = mean_of([values["train", job.task.phases(job.plan)[0].kernel] for values in last])
    value = mean_of([values["valid", job.metrics[0].name] for values in last])
    return Progress(epoch, epochs, loss, value, _lines(epoch, states) if work.logged else ())


def _lines(epoch: int, states: Sequence[RunState]) -> list[EpochOfRun]:
    """Of the runs that went through this epoch: those that had enough stay where they are."""
    return [
        EpochOfRun(state.run.entry, state.run.seed, epoch, _values(state)) for state in states if state.epochs == epoch
    ]


def _values(state: RunState) -> dict[str, float]:
    return {f"{split}/{name}": value for _, split, name, value in reversed(state.last())}
