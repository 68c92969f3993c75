"""All stacks of all experiments, one after another: what is done of them is kept on the way, and what was kept is taken up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from losscli.compare.tuning import forget
from losscli.experiment import Experiment
from losscli.record.checkpoint import Checkpoint, Key, damaged, file_of
from losscli.stack.rows import Run
from losscli.stack.run_state import RunState, mean_of
from losscli.stack.train import Keeper, Training, stacks, train
from losscli.stack.watch import Stop, Tick, Watch


@dataclass
class Trained:
    """The runs of each experiment, and whether a stop has left something to do."""

    states: list[list[RunState]] = field(default_factory=list)
    done: int = 0  # run-epochs
    total: int = 0  # of all, if none stops early
    stopped: bool = False
    stacks: dict[tuple[int, tuple[str, ...]], Stack] = field(default_factory=dict)  # by arena and names of their runs

    def stack(self, arena: int, runs: Sequence[Run]) -> Stack:
        """That of these runs: of an earlier look where it had the same, else one with the next number."""
        number = sum(of == arena for of, _ in self.stacks)
        stack = self.stacks.setdefault((arena, tuple(names_of(runs))), Stack(number))
        for state, run in zip(stack.states, runs, strict=False):
            state.run = run  # of the data as they are loaded now, so that those of before go
        return stack


@dataclass
class Stack:
    """The number that its files have in a record in the making, and its runs once they are trained."""

    number: int
    states: list[RunState] = field(default_factory=list)


def train_all(
    experiments: Sequence[Experiment],
    watch: Watch,
    stop: Stop,
    checkpoint: Checkpoint | None = None,
    earlier: Trained | None = None,
) -> Trained:
    """Every experiment's runs; after a stop was asked for, those that there are, as far as they are.

    Stacks that are the same as at an `earlier` look are taken from there: what is done is what one go would have done.
    """
    trained = Trained(total=epochs_in(experiments), stacks=earlier.stacks if earlier else {})
    for arena, experiment in enumerate(experiments):
        states: list[RunState] = []
        trained.states.append(states)
        for runs in stacks(experiment.runs(), experiment.job):
            same = trained.stack(arena, runs)
            line = _Line(experiment, runs, (arena, same.number), checkpoint, stop, watch, trained.done, trained.total)
            stack = line.train(same.states)
            states += stack
            forget(states, experiment.headline)
            if stack and not line.stopped:
                line.keep(stack)
                same.states = stack
            trained.done += line.done
            trained.stopped = trained.stopped or line.stopped
    return trained


def with_earlier(trained: Trained, earlier: Trained) -> Trained:
    """What a stop has left of a look, with the runs of the look before that were to be trained anew with others."""
    for states, before in zip(trained.states, earlier.states, strict=True):
        present = set(names_of([state.run for state in states]))
        states += [state for state in before if not present & set(names_of([state.run]))]
    return trained


def epochs_in(experiments: Sequence[Experiment]) -> int:
    """Run-epochs of all of them, if none stops early; with all seeds that looks may ask for."""
    return sum(
        sum(map(experiment.epochs, experiment.runs())) * experiment.spec.most_seeds // len(experiment.spec.seeds)
        for experiment in experiments
    )


def names_of(runs: Sequence[Run]) -> list[str]:
    """What tells the runs of a stack from those of another."""
    return [f"{run.entry} {run.seed} {dict(run.tuned)}" for run in runs]


@dataclass
class _Line(Keeper):
    """One stack, on the line of all: where it begins, who is told how far it is, and what is kept of it."""

    experiment: Experiment
    runs: Sequence[Run]
    key: Key
    checkpoint: Checkpoint | None
    stop: Stop
    watch: Watch
    before: int  # run-epochs of the stacks before it
    total: int
    done: int = 0
    stopped: bool = False

    def train(self, same: list[RunState]) -> list[RunState]:
        """Its runs: the `same` of an earlier look, as they were kept, or trained; none of which a stop allows no epoch."""
        self.done = sum(map(self.experiment.epochs, self.runs))
        if same:
            return same
        if self._kept("finished"):
            return self._whole()
        if self.stop.requested and not self._kept("running"):
            self.done, self.stopped = 0, True
            return []
        states = train(self.runs, self.experiment.job, self.report, self)
        if self.stopped:
            self.done = sum(state.epochs for state in states)
        return [state for state in states if state.epochs or state.lost]

    def load(self, training: Training) -> None:
        if self._kept("running"):
            with self._reading("running") as kept:
                training.load(kept)

    def stopping(self) -> bool:
        return self.stop.requested

    def report(self, epoch: int, epochs: int, states: list[RunState]) -> bool:
        self.done = epoch * len(states)
        self.watch(self._tick(epoch, epochs, states))
        return self.stop.requested

    def save(self, state: Callable[[], dict[str, Any]], *, stopped: bool) -> None:
        self.stopped = stopped
        if self.checkpoint is not None:
            self.checkpoint.begin()
            if stopped or self.checkpoint.due:
                self.checkpoint.save(self.key, state, self.before + self.done)

    def keep(self, states: Sequence[RunState]) -> None:
        """Keep it, now that it is done."""
        self.done = sum(map(self.experiment.epochs, self.runs))
        if self.checkpoint is not None and not self._kept("finished"):
            parts = {"runs": names_of(self.runs), "states": [state.state() for state in states]}
            self.checkpoint.save(self.key, lambda: parts, self.before + self.done, finished=True)

    def _whole(self) -> list[RunState]:
        """The runs as they were kept when the stack was done."""
        states = [RunState(run) for run in self.runs]
        with self._reading("finished") as kept:
            if kept["runs"] != names_of(self.runs):
                raise ValueError("is of other runs")
            for state, own in zip(states, kept["states"], strict=True):
                state.load(own)
        return states

    def _kept(self, what: str) -> bool:
        return self.checkpoint is not None and self.checkpoint.has(what, self.key)

    @contextmanager
    def _reading(self, what: str) -> Iterator[Any]:
        """What was kept; where that is not what losscli writes of these runs, it is told which file to remove."""
        checkpoint = self.checkpoint
        assert checkpoint is not None
        kept = checkpoint.read(what, self.key)
        try:
            yield kept
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise damaged((checkpoint.folder or checkpoint.root) / file_of(what, self.key), error) from error

    def _tick(self, epoch: int, epochs: int, states: Sequence[RunState]) -> Tick:
        spec, job = self.experiment.spec, self.experiment.job
        headline = job.metrics[0].name
        last = [{(split, name): value for _, split, name, value in state.last()} for state in states]
        loss = mean_of([values["train", job.task.phases(job.plan)[0].kernel] for values in last])
        value = mean_of([values["valid", headline] for values in last])
        done = self.before + epoch * len(states)
        return Tick(spec.name, epoch, epochs, done, self.total, loss, headline, value, spec.look)
