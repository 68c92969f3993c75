"""Signals that end a command, and when one may: not in the middle of an import.

What is written in C++ calls Python while it is imported, and where that raises, as a handler of a signal does, the process
aborts: torch.distributed does so. Python itself drops what is raised in some places there. So a signal waits for the end of an
import, which is looked for again and again by an alarm.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from losscli.errors import Stopped

Handler = Callable[[int, FrameType | None], None]
PAUSE = 0.01  # seconds between two looks whether an import has ended
PATIENCE = 10.0  # seconds that a signal waits for one: it may be of code of the user's that hangs


class Interrupted(Stopped):
    """SIGINT came. Not KeyboardInterrupt, which Typer turns into an exit without a word."""


class Terminated(Stopped):
    """SIGTERM came."""


class HungUp(Stopped):
    """SIGHUP came: the terminal is gone."""


SIGNALS: Mapping[int, type[BaseException]] = {
    signal.SIGINT: Interrupted,
    signal.SIGTERM: Terminated,
    **({signal.SIGHUP: HungUp} if hasattr(signal, "SIGHUP") else {}),  # not on Windows
}
ALARMS = hasattr(signal, "setitimer")  # not on Windows, where no signal waits
_waiting: dict[int, float] = {}  # signals, and until when they wait


@contextmanager
def handling(handler: Handler) -> Iterator[None]:
    """Every signal of the table goes to the handler for as long as the block lasts; a hangup not where nohup ignores it."""
    numbers = [
        number for number in SIGNALS if SIGNALS[number] is not HungUp or signal.getsignal(number) != signal.SIG_IGN
    ]
    handlers: dict[int, Handler] = dict.fromkeys(numbers, _after_imports(handler))
    if ALARMS:
        handlers[signal.SIGALRM] = _look_again
    before = {number: signal.signal(number, own) for number, own in handlers.items()}
    try:
        yield
        _look_again(0, None)  # what still waits is heard now or never
    finally:
        _cease()
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _after_imports(handler: Handler) -> Handler:
    def handle(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if ALARMS and _importing(frame) and now < _waiting.setdefault(number, now + PATIENCE):
            signal.setitimer(signal.ITIMER_REAL, PAUSE)
        else:
            _cease()  # one is enough
            handler(number, frame)

    return handle


def _look_again(number: int, frame: FrameType | None) -> None:
    for waiting in list(_waiting):
        handler = signal.getsignal(waiting)
        if callable(handler):
            handler(waiting, frame)


def _cease() -> None:
    _waiting.clear()
    if ALARMS:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported that code of losscli has asked for."""
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] != "losscli":
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
