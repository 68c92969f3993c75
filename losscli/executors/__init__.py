"""Where stacks are trained: in this process, in workers beside it, on other machines. One file per executor.

| who          | does                                                                                              |
|--------------|---------------------------------------------------------------------------------------------------|
| `Desk`       | hands out works; gets progress, states and outcomes; owns checkpoint, watch and stop. One process  |
| `Executor`   | takes works from the desk until there is none, and has each performed somewhere                   |
| `perform`    | trains one work, wherever that is, and tells a `Link` how far it is (`losscli/executors/perform.py`)|

What comes back is put together in the order of the works, so nothing depends on who performed them, or was done first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from losscli.shelf import Shelf
from losscli.stack.watch import EpochOfRun

if TYPE_CHECKING:
    from losscli.executors.execution import Execution
    from losscli.stack.job import Job
    from losscli.stack.rows import Run

Tree = Mapping[str, Any]  # of lists, dicts, tensors or arrays, words and numbers: what `losscli.record.tree` packs


@dataclass(frozen=True, eq=False)
class Work:
    """One stack of one experiment: what is performed as a whole, by one thread."""

    arena: int
    stack: int
    runs: Sequence[Run]
    job: Job
    own: bool = False  # whether it runs code of the user's, which may hang or end its process
    logged: bool = False  # whether anybody wants each run's numbers of each epoch
    kept: bool = True  # whether anybody keeps its state on the way; if not, none need be sent
    state: Tree | None = None  # of its training, to go on from; None: it begins at the start
    tries: int = 0  # how often a worker has died of it

    @property
    def key(self) -> tuple[int, int]:
        return self.arena, self.stack


@dataclass(frozen=True)
class Progress:
    """One more epoch of a work is done."""

    epoch: int
    epochs: int
    loss: float  # the mean over the runs, as the next
    value: float  # of the headline on the valid split
    lines: Sequence[EpochOfRun] = ()  # where the work is logged


@dataclass(frozen=True)
class Outcome:
    """What a work has come to."""

    states: Sequence[Tree]  # `RunState.state()` of each run
    stopped: bool = False  # whether a stop came before its end
    left: Mapping[str, Sequence[str]] | None = None  # what each loss of the user's, by its name, has changed
    machine: str = ""  # what trained it, as its maker calls it: other kinds round otherwise


class Link(Protocol):
    """From a work that is performed to whoever had it performed."""

    def stopping(self) -> bool:
        """Whether to end: asked before every step, so it must be quick."""

    def progress(self, progress: Progress) -> None:
        """Told after every epoch."""

    def save(self, state: Callable[[], Tree]) -> None:
        """Told at most every ten seconds, and where a stop ends the training: what to go on from."""


class Desk(Protocol):
    """The other side of an executor, all of which is called from the thread that called the executor."""

    @property
    def stopping(self) -> bool:
        """Whether works should end at their next step, save their state, and come back with what there is."""

    @property
    def works(self) -> Collection[Work]:
        """Those that are to be taken, by now."""

    def take(self) -> Work | None:
        """The next work; None where none is left, or a stop lets nothing more begin."""

    def progress(self, work: Work, progress: Progress) -> None: ...

    def save(self, work: Work, state: Callable[[], Tree]) -> None: ...

    def finish(self, work: Work, outcome: Outcome) -> None: ...

    def unfit(self, work: Work, error: Exception) -> Exception:
        """The error to raise where the saved state of a work (`UnfitState`) is not one of its runs."""

    def died(self, work: Work, how: str) -> None:
        """A worker is gone, and `how` says why. The work can be taken once more, from its last saved state; the second time
        it has failed: code of the user's as an entry, any other as the whole command, once all else has come to an end.
        """

    def hung(self, work: Work, seconds: float) -> None:
        """Code of the user's has taken so long for one step: its runs have failed."""

    def stuck(self, work: Work, seconds: float) -> None:
        """Code of the user's has not ended its step so long after a stop: its runs have failed here, and whoever goes on with
        the work tries them again.
        """


Executor = Callable[[Desk, "Execution"], None]
executors: Shelf[Executor] = Shelf(__name__, "executor")


class UnfitState(ValueError):
    """The state that a work was to go on from is not one of its runs."""
