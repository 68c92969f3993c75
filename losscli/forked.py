"""A process forked from this one: it has one thread, hears no signal that is meant for all, and ends with its parent."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar

from losscli.lazy import torch
from losscli.stdout import flush_c

LIMIT: ContextVar[float] = ContextVar(
    "LIMIT", default=600.0
)  # seconds that code of the user's may take to load and be tried; `--timeout` sets it
SIGNALS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])}
PR_SET_PDEATHSIG = 1  # of Linux
_exit = os._exit  # as it is now: where code of the user's replaces it, two processes would go on from here
COLLECTING = (700, 10, 10)  # as Python does by itself; a command's parent seldom collects
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def possible() -> bool:
    """Whether a process can be forked here that goes on with torch: on macOS, Accelerate and Metal forbid it."""
    return sys.platform == "linux"


def fork(life: Callable[[], int]) -> int:
    """A process that does `life`, whose result is its exit code, and nothing else; its number.

    It leaves by `os._exit`: what its parent has open and pending is not its own to close.
    """
    parent = os.getpid()
    # Neither may hear a signal before the child has said that it does not: the parent answers for all.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        with warnings.catch_warnings():
            # Other threads: none of them holds what a child needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            code = 1
            try:
                _settle(parent, before)
                code = life()
            finally:
                flush_c()
                _exit(code)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end(pid: int) -> int:
    """End a process of one's own, whatever it does; how it ended, as `os.waitpid` says it."""
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def how(status: int) -> str:
    """How a process ended, of what `os.waitpid` says.

    >>> how(7 << 8), how(11)
    ('exit code 7', 'signal 11 (SIGSEGV)')
    """
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}"
    memory = ", as the system does where memory runs out" if -code == signal.SIGKILL else ""
    return f"signal {-code} ({signal.Signals(-code).name}){memory}"


def _settle(parent: int, mask: set[int | signal.Signals]) -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before
        _exit(1)
    faulthandler.disable()  # how it ended is told in a sentence
    gc.freeze()  # what is of the parent is never garbage here, and to look through it would copy its pages
    gc.set_threshold(*COLLECTING)
    torch.set_num_threads(1)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].set_cpu_count(1)
    # Nobody is to answer a question here, and stdout is the parent's. Another thread of the parent may have been writing, and
    # then the streams of before stay locked here for good.
    nowhere = os.open(os.devnull, os.O_RDONLY)
    for stream, file in ((0, nowhere), (1, 2)):
        with suppress(OSError):  # where the parent has no streams either
            os.dup2(file, stream)
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = os.fdopen(  # type: ignore[misc]
        2, "w", buffering=1, closefd=False, errors="backslashreplace"
    )
