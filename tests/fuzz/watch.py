"""One call of losscli in this process, and what it does besides its answer: time, memory, and acts that data must never cause.

The audit hook notes, and forbids, while a call is under way: a connection, a process, an unpickled class, a module or code that
comes of the data, a write outside of the call's own folder (https://peps.python.org/pep-0578/). Hooks cannot be taken back,
so there is one for the process, which sleeps between calls.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import typer

from losscli.cli import app as cli

CANARY = "losscli_canary"  # a module that lies beside the data; what names it came of the data
SLOWEST = 10.0  # seconds of a call
HANGS = 120  # seconds by the clock, after which a call is ended
MOST_MEMORY = 2 << 30  # bytes that a call may take at once, on top of what the process has
ENDINGS = (0, 1, 2, 3, 4, 5)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
PROCESSES = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "pty.spawn",
    "os.fork",
    "os.forkpty",
}
PATHS = {"os.remove": 1, "os.rename": 2, "os.mkdir": 1, "os.rmdir": 1, "os.link": 2, "os.symlink": 2, "os.truncate": 1,
         "os.chmod": 1, "os.chown": 1, "os.utime": 1}  # fmt: skip
WORKERS = os.path.join("losscli", "executors", "processes.py")
CORES = os.path.join("loky", "backend", "context.py")  # joblib counts them by lscpu
FORKS = os.path.join("losscli", "forked.py")  # workers, which are none of the data's


class Hang(BaseException):
    """A call did not end."""


@dataclass
class Watch:
    """The hook: what a call under way in the folder `home` did that it must not."""

    home: str | None = None
    breaches: list[str] = field(default_factory=list)

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if self.home is None:
            return
        breach = self._breach(event, given)
        if breach:
            self.breaches.append(f"{event}: {breach}"[:300])
            raise PermissionError(f"{event} is not for data to cause")

    def _breach(self, event: str, given: tuple[Any, ...]) -> str | None:
        if event == "open":
            return self._written(*given)
        if event in PATHS:
            inside = given[-1] != -1 and type(given[-1]) is int  # of a folder that is open already
            return None if inside else next(filter(None, map(self._outside, given[: PATHS[event]])), None)
        if event == "import":
            return given[0] if CANARY in str(given[0]) or self._own(given[1]) else None
        if event == "exec":
            return given[0].co_filename if self._own(given[0].co_filename) or _names_canary(given[0]) else None
        if event == "compile":
            return _compiled(given[0])
        if event in PROCESSES:
            own = _called_from(FORKS) if event == "os.fork" else _called_from(CORES, 12)
            return None if own else str(given)
        if event == "sqlite3.connect":
            return None if str(given[0]).startswith(("file:", ":memory:")) else self._outside(given[0])
        if (
            event == "pickle.find_class"
        ):  # what workers send each other is of losscli or of a library, and no file of the data
            return None if _called_from(WORKERS, 12) else str(given)
        return str(given) if event.startswith(("socket.", "sqlite3.load_extension")) else None

    def _written(self, path: Any, mode: Any, flags: Any) -> str | None:
        writing = set(mode) & set("wax+") if isinstance(mode, str) else isinstance(flags, int) and flags & WRITING
        return self._outside(path) if writing and not isinstance(path, int) else None

    def _outside(self, path: Any) -> str | None:
        """The path, if it is not in the folder of the call; a device that swallows everything is nobody's."""
        if self.home is None or not isinstance(path, str | bytes | os.PathLike):
            return None
        real = os.path.realpath(os.fsdecode(path))
        return None if real == "/dev/null" or real == self.home or self._own(real) else real

    def _own(self, path: Any) -> bool:
        return self.home is not None and isinstance(path, str) and path.startswith(self.home + os.sep)


def _names_canary(code: CodeType) -> bool:
    words = (*code.co_names, *(item for item in code.co_consts if isinstance(item, str)))
    return code.co_filename.startswith("<") and any(CANARY in word for word in words)


def _compiled(source: Any) -> str | None:
    """The text, where it came of the data and is more than parsed."""
    text = source.decode(errors="replace") if isinstance(source, bytes) else source
    return text[:80] if isinstance(text, str) and CANARY in text and not _called_from("ast.py") else None


def _called_from(name: str, depth: int = 6) -> bool:
    frame: FrameType | None = sys._getframe(2)
    for _ in range(depth):
        if frame is None:
            return False
        if frame.f_code.co_filename.endswith(name):
            return True
        frame = frame.f_back
    return False


WATCH = Watch()
sys.addaudithook(WATCH)
TREE: Any = typer.main.get_command(
    cli.app
)  # which is made once for all calls: it would take three quarters of the time


def run(command: Sequence[str]) -> int:
    """What `losscli` does, with the commands as they are made already."""
    whole, cli.app = cli.app, TREE
    try:
        return cli.run(command)
    finally:
        cli.app = whole


@dataclass(frozen=True)
class Ended:
    """How a call ended."""

    code: int
    text: str  # all that was printed
    seconds: float
    memory: int  # bytes at its peak, on top of what there was
    breaches: tuple[str, ...] = ()

    @property
    def wrong(self) -> str | None:
        """What is wrong with it, if anything."""
        if self.breaches:
            return f"it did what data must not cause: {self.breaches[0]}"
        if self.code not in ENDINGS or "Traceback (most recent call last)" in self.text:
            return f"exit code {self.code}: {self.text[-400:]}"
        if self.seconds > SLOWEST:
            return f"{self.seconds:.1f} s"
        return f"{self.memory / 1e9:.1f} GB" if self.memory > MOST_MEMORY else None


def called(command: Sequence[str], home: Path) -> Ended:
    """Run a command line in this process, as if it were typed in `home`."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    WATCH.breaches = []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), _limits(), _peak() as peak:
        began, WATCH.home = time.process_time(), str(home)
        try:
            code = run(list(command))
        finally:
            WATCH.home, seconds = None, time.process_time() - began
        out.flush()
    text = out.buffer.getvalue().decode(errors="replace")  # type: ignore[attr-defined]
    return Ended(code, text, seconds, peak[0], tuple(WATCH.breaches))


@contextlib.contextmanager
def _limits() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise Hang(f"no end after {HANGS} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(HANGS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _peak() -> Iterator[list[int]]:
    """One number, by the end of the block: the most memory that it had on top of what there was (man 5 proc, clear_refs)."""
    taken = [0]
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    yield taken
    taken[0] = max(0, _memory("VmHWM") - before)


def _memory(name: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(name)), 0)
