"""Code of the user's own, loaded and tried in a process of its own first: what hangs there, or ends it, ends nothing else.

Whatever else happens there happens again here, and is told then. Where no process can be forked (not on Linux), nothing is
rehearsed, and code that hangs while it is loaded is ended by Ctrl-C alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from losscli import forked
from losscli.errors import CodeError
from losscli.lazy import torch

WHOLE = 113  # the exit code of a rehearsal that came to its end: code of the user's may end its process with any other
ROUND = 0.002  # seconds between two looks at it


def rehearse(label: str, act: Callable[[], object]) -> None:
    """Do something in a process of its own. Raises `CodeError` where that takes over `forked.LIMIT`, or ends the process."""
    if not forked.possible():
        return
    torch.get_num_threads()  # torch is loaded once, here, and not in the fork
    pid, limit = forked.fork(lambda: _life(act)), forked.LIMIT.get()
    status = _ended(pid, time.monotonic() + limit)
    if status is None:
        message = f"{label}: loading and trying it takes longer than {limit:g} s, which is all that --timeout allows"
        raise CodeError(message, cure="look for a loop that never ends, or raise --timeout")
    if os.waitstatus_to_exitcode(status) != WHOLE:
        message = f"{label}: it ends its process while it is loaded and tried: {forked.how(status)}"
        raise CodeError(message, cure="raise an error instead of leaving the process")


def _life(act: Callable[[], object]) -> int:
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what it prints is printed here, once
        os.dup2(silence, stream)
    with suppress(BaseException):
        act()
    return WHOLE


def _ended(pid: int, deadline: float) -> int | None:
    """How a process ended; None where it had to be ended."""
    try:
        while time.monotonic() < deadline:
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone:
                pid = 0
                return status
            time.sleep(ROUND)
        return None
    finally:
        if pid:
            forked.end(pid)
