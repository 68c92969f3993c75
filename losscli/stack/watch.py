"""What the engine tells a watcher after each epoch; no torch, so that the CLI can import it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EpochOfRun:
    """One epoch of one run: its values by split and metric, as `valid/auroc`."""

    entry: str
    seed: int
    epoch: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Tick:
    """One epoch of one stack is done. Counts are run-epochs over the whole command, so that an ETA can be made."""

    arena: str
    epoch: int
    epochs: int
    done: int
    total: int
    loss: float  # mean over the stack's runs of the training loss (over finite ones)
    metric: str  # the headline
    value: float  # its mean over the stack's runs on the valid split
    look: str = ""  # which of several looks it is for; `total` is that of the last one then
    entries: tuple[str, ...] = ()  # that have runs in the stack
    stack: int = 0  # which one of the command, and how many there are
    stacks: int = 0
    number: int = 0  # of the arena
    lines: Sequence[EpochOfRun] = ()  # what each run of the stack came to, where that is logged


@dataclass
class Stop:
    """How a signal asks the training to end: it finishes its epoch, keeps what there is, and starts nothing more.

    `listening` is true while somebody polls `requested`; outside of training a signal should end the command at once.
    `folder` says where there is something to go on from, by now.
    """

    requested: bool = False
    listening: bool = False
    folder: Callable[[], Path | None] = lambda: None

    @contextmanager
    def heard(self, folder: Callable[[], Path | None]) -> Iterator[None]:
        """For as long as somebody polls `requested`."""
        self.listening, self.folder = True, folder
        try:
            yield
        finally:
            self.listening = False


Watch = Callable[[Tick], None]


def wants_lines(watch: Watch) -> bool:
    """Whether a watcher takes what each run came to, which is not sent to others."""
    return getattr(watch, "takes_lines", False) is True


def unwatched(tick: Tick) -> None:
    """Nobody is looking."""


def comparing(watch: Watch) -> None:
    """Tell a watcher that all is trained, and statistics are made; one that is a plain function does not hear it."""
    getattr(watch, "comparing", lambda: None)()
