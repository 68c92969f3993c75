"""In processes beside this one, forked for each work: they share the data and the code, and what they send is all they leave.

Why not threads: a loss that hangs in C can be ended, one that ends its process ends no other's work, what a work takes of
memory is given back when it is done, and Python's lock is no one's to wait for (`tests/benchmarks/speed.py` times both).
"""

from __future__ import annotations

import math
import mmap
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe, wait
from pickle import dumps, loads
from typing import Any

from losscli import forked
from losscli.errors import UserError, said, theirs
from losscli.executors import Desk, Outcome, Progress, Tree, UnfitState, Work
from losscli.executors.cores import VARIABLE
from losscli.executors.execution import PATIENCE
from losscli.executors.perform import gave_up, perform
from losscli.record.tree import pack, unpack

ROUND = 0.1  # seconds after which stops and hangs are looked for
STOP, BEAT = 0, 1  # bytes that a worker and its parent share
ASKED, HEARD = 1, 2  # of a stop


def in_processes(desk: Desk, most: int, timeout: float) -> None:
    """At most so many works at once, each in a worker of its own."""
    workers: list[_Worker] = []
    try:
        while True:
            while len(workers) < most and (work := desk.take()) is not None:
                workers.append(_Worker(work))
            if not workers:
                return
            wait([worker.receiver for worker in workers], ROUND)
            for worker in list(workers):
                if _heard(worker, desk) or _gone(worker, desk, timeout):
                    worker.end()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.end()


def _heard(worker: _Worker, desk: Desk) -> bool:
    """Hear all that a worker has sent; whether it was the last."""
    try:
        while worker.receiver.poll():
            if worker.hear(desk):
                return True
    except (EOFError, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, ConnectionError):
            raise
        desk.died(worker.work, worker.how())
        return True
    return False


def _gone(worker: _Worker, desk: Desk, timeout: float) -> bool:
    """Pass a stop on; whether the worker is dead, though somebody holds its pipe, or has to be ended."""
    if desk.stopping:
        worker.ask()
    if worker.dead() and not worker.receiver.poll():
        desk.died(worker.work, worker.how())
        return True
    if worker.work.own and worker.silence() > timeout:
        desk.hung(worker.work, timeout)
        return True
    patience = max(PATIENCE, 2 * worker.longest)
    if worker.work.own and worker.deaf() > patience:
        desk.stuck(worker.work, patience)
        return True
    return False


class _Worker:
    """One work in a process of its own."""

    def __init__(self, work: Work):
        self.work = work
        self.shared = mmap.mmap(-1, 2)  # anonymous, so parent and child have the same
        self.receiver, sender = Pipe(duplex=False)
        self.status: int | None = None
        self.beat, self.heard_at, self.asked_at = 0, time.monotonic(), math.inf
        self.longest = 0.0  # seconds between two of its steps
        self.pid = forked.fork(lambda: _live(work, _PipeLink(sender, self.shared)))
        sender.close()

    def hear(self, desk: Desk) -> bool:
        """One message; whether it was the last."""
        kind, content = loads(self.receiver.recv_bytes())
        if kind == "progress":
            desk.progress(self.work, content)
        elif kind == "save":
            desk.save(self.work, lambda: unpack(content))
        elif kind == "unfit":
            raise desk.unfit(self.work, UnfitState(content))
        elif kind == "error":
            raise content
        elif kind == "gave up":
            desk.finish(self.work, gave_up(self.work, content))
        else:
            desk.finish(self.work, Outcome(**{**content, "states": unpack(content["states"])}))
        return kind in ("outcome", "gave up")

    def ask(self) -> None:
        """To stop at its next step."""
        if not self.shared[STOP]:
            self.shared[STOP], self.asked_at = ASKED, time.monotonic()

    def deaf(self) -> float:
        """Seconds for which it has not heard a stop; then it ends, and only what it has must still be saved."""
        return 0.0 if self.shared[STOP] == HEARD else time.monotonic() - self.asked_at

    def silence(self) -> float:
        """Seconds since it last began a step."""
        if self.shared[BEAT] != self.beat:
            now = time.monotonic()
            if self.beat:  # the first one came as late as it took to begin
                self.longest = max(self.longest, now - self.heard_at)
            self.beat, self.heard_at = self.shared[BEAT], now
        return time.monotonic() - self.heard_at

    def dead(self) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None

    def how(self) -> str:
        """How it ended by itself."""
        if self.status is None:
            _, self.status = os.waitpid(self.pid, 0)
        return forked.how(self.status)

    def end(self) -> None:
        """Whatever it does. An orphan it never becomes: the system ends it with its parent."""
        if not self.dead():
            self.status = forked.end(self.pid)
        self.receiver.close()


class _PipeLink:
    """From a worker to its parent."""

    def __init__(self, sender: Connection, shared: mmap.mmap):
        self.sender, self.shared = sender, shared

    def stopping(self) -> bool:
        shared = self.shared
        shared[BEAT] = (shared[BEAT] + 1) & 255
        if shared[STOP]:
            shared[STOP] = HEARD
        return shared[STOP] == HEARD

    def progress(self, progress: Progress) -> None:
        self.send("progress", progress)

    def save(self, state: Callable[[], Tree]) -> None:
        self.send("save", pack(state()))

    def send(self, kind: str, content: Any) -> None:
        self.sender.send_bytes(dumps((kind, content)))


def _live(work: Work, link: _PipeLink) -> int:
    """All that a worker does."""
    os.environ[VARIABLE] = "1"  # it starts no workers
    try:
        outcome = perform(work, link)
        link.send("outcome", {**vars(outcome), "states": pack(list(outcome.states))})
        return 0
    except UnfitState as error:
        link.send("unfit", str(error))
    except BaseException as error:
        if work.own and theirs(error) and not isinstance(error, UserError):  # it may have broken what sends its outcome
            link.send("gave up", f"training with it raises {said(error)}")
        else:
            link.send("error", _portable(error))
    return 1


def _portable(error: BaseException) -> BaseException:
    """The error, or where it cannot be sent, one that says the same."""
    try:
        copy = loads(dumps(error))
        return error if str(copy) == str(error) else RuntimeError(said(error))
    except BaseException:  # the class is the user's or a library's: its `__reduce__` or `__init__` may raise anything
        return RuntimeError(said(error))
