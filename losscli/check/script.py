"""Runs a script as Python would, and watches it until it has made its steps, ends, fails or takes too long."""

from __future__ import annotations

import gc
import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from losscli.check.failures import explain, place_of
from losscli.check.watch import Enough, Watch
from losscli.errors import CodeError, Place, Problem, Stopped, visible
from losscli.forked import COLLECTING
from losscli.rules.finding import CodeFinding
from losscli.stdout import elsewhere


class TooLong(Stopped):
    """The time is up."""


@dataclass
class Outcome:
    """What a run showed: findings, how much was seen, and how it ended if not by itself."""

    findings: list[CodeFinding] = field(default_factory=list)
    files: int = 1
    calls: int = 0
    steps: int = 0
    notes: list[str] = field(default_factory=list)
    failure: Problem | None = None
    interrupted: bool = False


def run_script(path: str, arguments: Sequence[str], steps: int, seconds: float | None) -> Outcome:
    """Run a script with these arguments, for this many steps of an optimizer and at most so many seconds."""
    watch, outcome = Watch(steps), Outcome()
    with _as_main(path, arguments), elsewhere():
        try:
            with _within(seconds), watch:
                runpy.run_path(path, run_name="__main__")
        except Enough:
            pass
        except TooLong:
            outcome.notes.append(f"the script was ended after {seconds:g} seconds and {watch.steps} steps")
        except KeyboardInterrupt:
            outcome.interrupted = True
        except SystemExit as end:
            if end.code not in (None, 0):
                outcome.failure = Problem(f"the script ended itself with exit code {visible(end.code)}", Place(path))
        except BaseException as error:  # whatever the user's code raises is told with its place, and nothing else
            explain(error, watch)
            outcome.failure = _problem(error, path)
    return seen(watch, outcome)


def seen(watch: Watch, outcome: Outcome) -> Outcome:
    """Put what was watched into the outcome."""
    outcome.findings = watch.findings
    outcome.calls, outcome.steps = watch.calls.number, watch.steps
    if not outcome.calls and not outcome.steps and not outcome.failure:
        outcome.notes.append("no loss of torch was called and no optimizer stepped, so there was nothing to judge")
    return outcome


def _problem(error: BaseException, path: str) -> Problem:
    first_line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    message = f"the script raises {type(error).__name__}{': ' if first_line else ''}{visible(first_line, 200)}"
    return Problem(message, place_of(error) or Place(path), "mend it there; --debug shows the whole traceback")


@contextmanager
def _as_main(path: str, arguments: Sequence[str]) -> Iterator[None]:
    """sys.argv, sys.path, Ctrl-C and the collector as a script finds them; what was before comes back."""
    argv, first, modules, threshold = sys.argv, list(sys.path), set(sys.modules), gc.get_threshold()
    handler = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    gc.set_threshold(*COLLECTING)  # its tensors may be in cycles
    sys.argv = [path, *arguments]
    sys.path[:1] = [str(Path(path).resolve().parent)]
    if handler is not None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        gc.set_threshold(*threshold)
        folder = sys.path[0]
        sys.argv, sys.path[:] = argv, first
        for name in set(sys.modules) - modules:  # the next script may have other modules of the same names
            file = getattr(sys.modules[name], "__file__", None)
            if file and file.startswith(folder + os.sep):
                del sys.modules[name]


@contextmanager
def _within(seconds: float | None) -> Iterator[None]:
    """End what takes longer; only where there are alarms, and in the main thread, which alone may set one."""
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again each second, for code that swallows it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def failed(outcome: Outcome) -> CodeError | None:
    """The error of a script that failed without a finding."""
    return None if outcome.failure is None else CodeError([outcome.failure])
