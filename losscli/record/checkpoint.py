"""A record in the making: the folder that a command owns from its first finished epoch, from which it can go on.

| file                    | holds                                                                            |
|-------------------------|----------------------------------------------------------------------------------|
| spec.yaml, spec2.yaml   | as in a record                                                                   |
| progress.json           | what was asked for and on which data, how far it is; with checksums over the     |
|                         | specs and over itself                                                            |
| finished-A-S.safetensors| every run of stack S of arena A, whole                                           |
| running-A-S.safetensors | what a stack was between two of its steps, so that it goes on bit by bit          |

Each file is written beside and then put in its place, so there is never half of one. The states of stacks say of which specs,
data and code they are, so those of one record never get into another. Once the record is whole its manifest is there, and these
files go.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losscli.errors import MachineError, shown
from losscli.record import MANIFEST, PROGRESS, cures, disk
from losscli.record.manifest import origin, signed
from losscli.record.remains import digest, identity, progress_of, state_of

if TYPE_CHECKING:
    from losscli.record.disk import Lock

PAUSE = 10.0  # seconds between two states of a running stack, at least
SHARE = 0.02  # of the time, at most, that goes into them


class Pace:
    """When the next state of something should be saved."""

    def __init__(self) -> None:
        self._due = 0.0

    @property
    def due(self) -> bool:
        """Whether by now; the first one is due a pause after it was asked for."""
        self._due = self._due or time.monotonic() + PAUSE
        return time.monotonic() >= self._due

    @contextmanager
    def measured(self) -> Iterator[None]:
        """The block saves a state, and how long that takes decides when the next one is due."""
        began = time.monotonic()
        try:
            yield
        finally:
            now = time.monotonic()
            self._due = now + max(PAUSE, (now - began) / SHARE)


Key = tuple[int, int]  # arena and stack
Described = tuple[Mapping[str, bytes], Mapping[str, Any]]  # files that stay as they are, and facts of the progress


@dataclass
class Checkpoint:
    """The folder is made by the first `save` or `begin`; `describe` says what it holds besides states.

    A disk that refuses does not stop the training: `trouble` is what it said last.
    """

    root: Path
    name: str
    describe: Callable[[], Described]
    folder: Path | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    trouble: OSError | None = None
    readonly: bool = False
    _lock: Lock | None = None
    _since: str = field(default_factory=lambda: origin()["created"])
    _pace: Pace = field(default_factory=Pace)

    @classmethod
    def open(cls, folder: Path, alone: bool = True) -> Checkpoint:
        """That of a folder, `alone` to go on with it, else only to read. `MachineError` where a process works on it."""
        facts = progress_of(folder)
        checkpoint = cls(folder.parent, folder.name, lambda: ({}, {}), folder, facts, readonly=not alone)
        if alone:
            try:
                checkpoint._lock = disk.Lock(folder)
            except BlockingIOError as error:
                process, since = (checkpoint.facts.get(key) for key in ("process", "since"))
                message = f"{shown(folder.name)} is being worked on by process {shown(process)}"
                message += f" since {shown(since)[1:-1]}" if since else ""
                raise MachineError(message, cure="wait for it, or end it first: it keeps what it has") from error
            with checkpoint._heeding():
                checkpoint._say(folder)
        return checkpoint

    @property
    def going_on(self) -> str:
        """The command that goes on with what is kept, for a message; empty where nothing is."""
        from losscli.losses.own import typed

        return "" if self.folder is None else cures.resume(self.folder, map(typed, self.facts.get("own", ())))

    def begin(self) -> None:
        """Own a folder, from now on; where the disk refuses, it is asked again when a state is due."""
        if self.folder is None and (self.trouble is None or self._pace.due):
            with self._heeding():
                contents, facts = self.describe()
                folder = disk.take(self.root, self.name)
                try:
                    self._lock = disk.Lock(folder)
                    for name, data in contents.items():
                        disk.put(folder / name, data)
                    self.facts = {**origin(), **facts, "specs": {name: digest(data) for name, data in contents.items()}}
                    self._say(folder)
                except BaseException:
                    shutil.rmtree(folder, ignore_errors=True)
                    raise
                disk.settle(self.root)
                self.folder = folder

    def read(self, what: str, key: Key) -> Any:
        """What was saved of a stack. `MachineError` where that is damaged, or of another record."""
        return state_of((self.folder or self.root) / file_of(what, key), self.facts)

    def has(self, what: str, key: Key) -> bool:
        """Whether a stack was saved, "finished" or "running"."""
        return self.folder is not None and (self.folder / file_of(what, key)).is_file()

    def save(self, key: Key, tree: Callable[[], Any], done: int, *, finished: bool = False) -> None:
        """Save what a stack is, when `done` run-epochs are done of all."""
        from losscli.record.tree import pack

        if self.readonly:
            return
        with self._pace.measured():
            self.begin()
            if self.folder is not None:
                with self._heeding():
                    self._save(self.folder, key, pack({"of": identity(self.facts), "state": tree()}), done, finished)

    def _save(self, folder: Path, key: Key, data: bytes, done: int, finished: bool) -> None:
        disk.put(folder / file_of("finished" if finished else "running", key), data)
        if finished:
            (folder / file_of("running", key)).unlink(missing_ok=True)
        self.facts["done"] = done
        self._say(folder)

    def close(self) -> None:
        """Let go of the folder; what only served to go on is removed where the record is whole."""
        if self.folder is not None and (self.folder / MANIFEST).exists():
            sweep(self.folder)
        if self._lock is not None:
            self._lock.free()
            self._lock = None

    def _say(self, folder: Path) -> None:
        disk.put(folder / PROGRESS, signed({**self.facts, "process": os.getpid(), "since": self._since}))
        disk.settle(folder)

    def _heeding(self) -> _Heeding:
        return _Heeding(self)


class _Heeding:
    """What the disk refuses in the block is noted, and the drafts that it left go: they take the room that is missing."""

    def __init__(self, checkpoint: Checkpoint):
        self.checkpoint = checkpoint

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, OSError):
            return False
        self.checkpoint.trouble = error
        with suppress(OSError):
            for draft in self.checkpoint.folder.glob("*.part") if self.checkpoint.folder else ():
                draft.unlink()
        return True


def sweep(folder: Path) -> None:
    """Remove what served to go on, of a record that is whole."""
    with suppress(OSError):
        for path in (folder / PROGRESS, *folder.glob("*-*-*.safetensors"), *folder.glob("*.part")):
            path.unlink(missing_ok=True)


def file_of(what: str, key: Key) -> str:
    """The file of a stack, "finished" or "running"."""
    return f"{what}-{key[0]}-{key[1]}.safetensors"
