"""Stdout is for what losscli says itself: programs read it. What code of the user's writes there goes to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress


@contextmanager
def elsewhere() -> Iterator[None]:
    """What is written goes to stderr, by C and by processes that are begun here, too."""
    flush()
    copy = None
    with suppress(OSError):  # a process without streams
        copy = os.dup(1)
        os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        flush()
        if copy is not None:
            os.dup2(copy, 1)
            os.close(copy)


def give_up() -> None:
    """Nothing more is said here: what writes to stdout after this, as functions at the exit do, writes to stderr.

    What stdout would not take, as where `| head` has seen enough, is written nowhere.
    """
    _flush_python()
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _flush_python()
        os.dup2(2, 1)


def flush() -> None:
    """Write what is pending while the descriptor is the one that it was meant for."""
    _flush_python()
    flush_c()


def flush_c() -> None:
    """What code in C has printed and not yet written."""
    if os.name == "posix":
        import ctypes

        ctypes.CDLL(None).fflush(None)


def _flush_python() -> None:
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, full, or none
            stream.flush()  # type: ignore[union-attr]
