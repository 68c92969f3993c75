"""Code of the user's own, run in a process of its own: what it changes, prints, leaves open or ends there is nobody else's.

Only what it comes to returns, or what it raises. Where no process can be forked (not on Linux), it runs here, and code that
hangs is ended by Ctrl-C alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pickle import dumps, loads
from traceback import format_exception
from typing import Any, TypeVar, cast

from losscli import forked
from losscli.errors import CodeError, UserError, foreign
from losscli.lazy import torch
from losscli.stdout import elsewhere

ROUND = 0.02  # seconds between two looks at whether it is still there
Result = TypeVar("Result")


class Traceback(Exception):
    """How an error came about in another process: what `--debug` shows above it."""


def apart(label: str, act: Callable[[], Result]) -> Result:
    """What `act` returns. Raises what it raises, and `CodeError` where it takes over `forked.LIMIT` or ends its process."""
    if not forked.possible():
        with elsewhere(), foreign(label):
            return act()
    torch.get_num_threads()  # torch is loaded once, here, and not in the fork
    receiver, sender = Pipe(duplex=False)
    pid = forked.fork(lambda: _life(label, act, sender))
    sender.close()
    with receiver:
        error, result, text = _answer(label, pid, receiver)
    if error is not None:
        raise error from (Traceback(text) if text else None)
    return cast(Result, result)


def _life(label: str, act: Callable[[], Any], sender: Connection) -> int:
    try:
        with foreign(label):
            answer = dumps((None, act(), ""))
    except UserError as error:
        answer = dumps((error, None, "".join(format_exception(error.__cause__)) if error.__cause__ else ""))
    sender.send_bytes(answer)
    return 0


def _answer(label: str, pid: int, receiver: Connection) -> Any:
    """What a process has sent, which is ended then."""
    deadline, gone, status = time.monotonic() + forked.LIMIT.get(), 0, 0
    try:
        while True:
            if heard := receiver.poll(ROUND):
                try:
                    return loads(receiver.recv_bytes())
                except EOFError:
                    heard = False
                    time.sleep(ROUND)  # it is about to end, or has closed what is not its own
            if gone and not heard:  # the pipe may still be open: of whom it has begun
                raise _ended(label, status)
            if time.monotonic() > deadline:
                raise _late(label)
            gone, status = (gone, status) if gone else os.waitpid(pid, os.WNOHANG)
    finally:
        if not gone:
            forked.end(pid)


def _ended(label: str, status: int) -> CodeError:
    message = f"{label}: it ends its process while it is loaded and tried: {forked.how(status)}"
    return CodeError(message, cure="raise an error instead of leaving the process")


def _late(label: str) -> CodeError:
    limit = forked.LIMIT.get()
    message = f"{label}: loading and trying it takes longer than {limit:g} s, which is all that --timeout allows"
    return CodeError(message, cure="look for a loop that never ends, or raise --timeout")
