"""All stacks of all experiments: handed out to an executor, kept on the way, put together in their order."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from losscli.compare.tuning import forget
from losscli.errors import MachineError
from losscli.executors import Outcome, Progress, Tree, Work, executors
from losscli.executors.execution import Execution
from losscli.executors.perform import gave_up
from losscli.experiment import Experiment
from losscli.losses.own import code_of
from losscli.record.checkpoint import Checkpoint, Key, file_of
from losscli.record.remains import damaged
from losscli.stack.job import epochs_of
from losscli.stack.rows import Run
from losscli.stack.run_state import RunState
from losscli.stack.stacks import stacks
from losscli.stack.watch import Stop, Tick, Watch, wants_lines
from losscli.words.numbers import duration


@dataclass
class Trained:
    """The runs of each experiment, and whether a stop has left something to do."""

    states: list[list[RunState]] = field(default_factory=list)
    done: int = 0  # run-epochs
    total: int = 0  # of all, if none stops early
    stopped: bool = False
    stacks: dict[tuple[int, tuple[str, ...]], Stack] = field(default_factory=dict)  # by arena and names of their runs

    @property
    def machines(self) -> Mapping[str, int]:
        """Of each kind, how many stacks were whole there."""
        return Counter(stack.machine for stack in self.stacks.values() if stack.states and stack.machine)

    def stack(self, arena: int, runs: Sequence[Run]) -> Stack:
        """That of these runs: of an earlier look where it had the same, else one with the next number."""
        number = sum(of == arena for of, _ in self.stacks)
        stack = self.stacks.setdefault((arena, tuple(names_of(runs))), Stack(number))
        for state, run in zip(stack.states, runs, strict=False):
            state.run = run  # of the data as they are loaded now, so that those of before go
        return stack


@dataclass
class Stack:
    """The number that its files have in a record in the making; its runs once they are trained, and by what they were."""

    number: int
    states: list[RunState] = field(default_factory=list)
    machine: str = ""


def train_all(
    experiments: Sequence[Experiment],
    watch: Watch,
    stop: Stop,
    checkpoint: Checkpoint | None = None,
    execution: Execution | None = None,
    earlier: Trained | None = None,
) -> Trained:
    """Every experiment's runs; after a stop was asked for, those that there are, as far as they are.

    Stacks that are the same as at an `earlier` look are taken from there: what is done is what one go would have done.
    Raises `MachineError` where a worker has died twice of the same stack; all that is whole is kept then.
    """
    execution = execution or Execution()
    desk = TrainingDesk(experiments, watch, stop, checkpoint, earlier)
    executors.get(execution.executor)(desk, execution)
    return desk.trained()


def epochs_in(experiments: Sequence[Experiment]) -> int:
    """Run-epochs of all of them, if none stops early; with all seeds that looks may ask for."""
    return sum(
        sum(map(experiment.epochs, experiment.runs())) * experiment.spec.most_seeds // len(experiment.spec.seeds)
        for experiment in experiments
    )


def with_earlier(trained: Trained, earlier: Trained) -> Trained:
    """What a stop has left of a look, with the runs of the look before that were to be trained anew with others."""
    for states, before in zip(trained.states, earlier.states, strict=True):
        present = set(names_of([state.run for state in states]))
        states += [state for state in before if not present & set(names_of([state.run]))]
    return trained


class TrainingDesk:
    """Hands out the works of some experiments, and gets what becomes of them: the `Desk` of an executor.

    Works that were kept whole are never handed out. The largest go first, so that no worker has one left when all others
    are done.
    """

    def __init__(
        self,
        experiments: Sequence[Experiment],
        watch: Watch,
        stop: Stop,
        checkpoint: Checkpoint | None,
        earlier: Trained | None = None,
    ):
        self.logged = wants_lines(watch)
        self.experiments, self.watch, self.stop, self.checkpoint = experiments, watch, stop, checkpoint
        self.total = epochs_in(experiments)
        self.done: dict[Key, int] = {}  # run-epochs
        self.result = Trained(total=self.total, stacks=earlier.stacks if earlier else {})
        self.stacks: dict[Key, Stack] = {}  # in the order of the experiments and their runs
        self.states: dict[Key, list[RunState]] = {}
        self.stopped, self.failure = False, ""
        works = [work for arena, experiment in enumerate(experiments) for work in self._works(arena, experiment)]
        self.works: deque[Work] = deque(sorted(works, key=_size, reverse=True))

    @property
    def stopping(self) -> bool:
        return self.stop.requested or self.failure != ""

    def take(self) -> Work | None:
        while self.works:
            work = self.works.popleft()
            if not self.stopping or work.state is not None:
                return work
            self.stopped = True
        return None

    def progress(self, work: Work, progress: Progress) -> None:
        self.done[work.key] = progress.epoch * len(work.runs)
        spec, headline = self.experiments[work.arena].spec, work.job.metrics[0].name
        numbers = (sum(self.done.values()), self.total, progress.loss, headline, progress.value)
        entries = tuple(dict.fromkeys(run.entry for run in work.runs))
        where = (spec.look, entries, list(self.stacks).index(work.key) + 1, len(self.stacks))
        self.watch(Tick(spec.name, progress.epoch, progress.epochs, *numbers, *where, work.arena, progress.lines))
        if self.checkpoint is not None:
            self.checkpoint.begin()

    def save(self, work: Work, state: Callable[[], Tree]) -> None:
        if self.checkpoint is not None:
            self.checkpoint.save(work.key, state, sum(self.done.values()))

    def finish(self, work: Work, outcome: Outcome) -> None:
        """Note what has become of a work, and keep it where it is whole."""
        states = _loaded(work.runs, outcome.states)
        self.stopped = self.stopped or outcome.stopped
        for run in work.runs:
            if outcome.left and outcome.left.get(run.loss.name):
                run.loss.function.left.update(dict.fromkeys(outcome.left[run.loss.name]))  # type: ignore[attr-defined]
        if not outcome.stopped:
            self._whole(work.key, states, outcome.machine)
            if self.checkpoint is not None:
                parts = {"runs": names_of(work.runs), "states": outcome.states, "machine": outcome.machine}
                self.checkpoint.save(work.key, lambda: parts, sum(self.done.values()), finished=True)
        else:
            self.done[work.key] = sum(state.epochs for state in states)
            self._put(work.key, [state for state in states if state.epochs or state.lost])

    def unfit(self, work: Work, error: Exception) -> Exception:
        return self._damaged("running", work.key, error)

    def died(self, work: Work, how: str) -> None:
        if work.own and work.tries:
            self.finish(work, gave_up(work, f"it ends its process: {how}"))
        elif work.tries:
            self.failure = how
        else:
            self.works.appendleft(replace(work, tries=1, state=self._running(work.key)))

    def hung(self, work: Work, seconds: float) -> None:
        self.finish(work, gave_up(work, f"one step takes longer than {duration(seconds)}, which --timeout allows"))

    def stuck(self, work: Work, seconds: float) -> None:
        reason = f"hangs: its step had not ended {duration(seconds)} after the stop"
        self.finish(work, replace(gave_up(work, reason), stopped=True))

    def trained(self) -> Trained:
        """What there is, in the order of the experiments and stacks."""
        if self.failure:
            message = f"a worker ended twice while it trained the same stack: {self.failure}"
            goes_on = self.checkpoint.going_on if self.checkpoint else ""
            cure = "free some memory, or take fewer --workers" + (
                f"; {goes_on} goes on with what is whole" if goes_on else ""
            )
            raise MachineError(message, cure=cure)
        states = [self._of_arena(arena) for arena in range(len(self.experiments))]
        return replace(self.result, states=states, done=sum(self.done.values()), stopped=self.stopped)

    def _works(self, arena: int, experiment: Experiment) -> Iterator[Work]:
        """Those of an arena that are not whole; what is, is taken up."""
        for runs in stacks(experiment.runs(), experiment.job):
            same = self.result.stack(arena, runs)
            key = (arena, same.number)
            self.stacks[key] = same
            if same.states:
                self._whole(key, same.states, same.machine)
            elif self.checkpoint is not None and self.checkpoint.has("finished", key):
                with self._reading("finished", key) as content:
                    if content["runs"] != names_of(runs):
                        raise ValueError("is of other runs")
                    self._whole(key, _loaded(runs, content["states"]), str(content.get("machine", "")))
            else:
                own = any(code_of(run.loss) for run in runs)
                kept = self.checkpoint is not None
                yield Work(*key, runs, experiment.job, own, self.logged, kept, self._running(key))

    def _running(self, key: Key) -> Tree | None:
        if self.checkpoint is None or not self.checkpoint.has("running", key):
            return None
        state: Tree = self.checkpoint.read("running", key)
        return state

    def _whole(self, key: Key, states: list[RunState], machine: str) -> None:
        experiment = self.experiments[key[0]]
        self.done[key] = sum(experiment.epochs(state.run) for state in states)
        self.stacks[key].states, self.stacks[key].machine = states, machine
        for state in states:
            state.machine = machine
        self._put(key, states)

    def _put(self, key: Key, states: list[RunState]) -> None:
        self.states[key] = states
        forget(self._of_arena(key[0]), self.experiments[key[0]].headline)

    def _of_arena(self, arena: int) -> list[RunState]:
        return [state for key in self.stacks if key[0] == arena for state in self.states.get(key, ())]

    @contextmanager
    def _reading(self, what: str, key: Key) -> Iterator[Any]:
        """What was kept; where that is not what losscli writes of these runs, it is told which file to remove."""
        assert self.checkpoint is not None
        content = self.checkpoint.read(what, key)
        try:
            yield content
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise self._damaged(what, key, error) from error

    def _damaged(self, what: str, key: Key, error: Exception) -> MachineError:
        assert self.checkpoint is not None
        return damaged((self.checkpoint.folder or self.checkpoint.root) / file_of(what, key), error)


def _loaded(runs: Sequence[Run], content: Sequence[Tree]) -> list[RunState]:
    states = [RunState(run) for run in runs]
    for state, own in zip(states, content, strict=True):
        state.load(own)
    return states


def names_of(runs: Sequence[Run]) -> list[str]:
    """What tells the runs from those of another stack."""
    return [f"{run.entry} {run.seed} {dict(run.tuned)}" for run in runs]


def _size(work: Work) -> int:
    """How many rows all runs of a work go through."""
    rows = work.runs[0].dataset.parts["train"].rows
    return len(work.runs) * rows * epochs_of(work.job.plan, rows)
