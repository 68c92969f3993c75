"""On this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from losscli.executors import Desk, Outcome, Progress, Tree, UnfitState, Work, executors
from losscli.executors.cores import workers
from losscli.executors.execution import Execution
from losscli.executors.perform import perform
from losscli.executors.processes import in_processes
from losscli.forked import possible


@executors.register("local")
def local(desk: Desk, execution: Execution) -> None:
    """Workers where there is more than one work to do at once, or code of the user's, which may hang; else in this process.

    There are as many at most as memory has room for, each with the largest work.

    A GPU is one, and its memory cannot be shared with a forked process.
    """
    works = list(desk.works)
    most = min(len(works), workers(execution.workers), _room(works))
    forked = possible() and all(work.job.device.type == "cpu" for work in works)
    if forked and (most > 1 or any(work.own for work in works)):
        in_processes(desk, most, execution.timeout)
    else:
        in_this_process(desk)


def _room(works: Sequence[Work]) -> int:
    from losscli.stack.device import room_for
    from losscli.stack.networks import bytes_of

    return min((room_for(bytes_of(work.runs, work.job), work.job.device) for work in works), default=1)


def in_this_process(desk: Desk) -> None:
    """One work after another."""
    while (work := desk.take()) is not None:
        desk.finish(work, performed(work, desk))


def performed(work: Work, desk: Desk) -> Outcome:
    """A work, here and now."""
    try:
        return perform(work, _DeskLink(work, desk))
    except UnfitState as error:
        raise desk.unfit(work, error) from error


class _DeskLink:
    """To the desk of the same process."""

    def __init__(self, work: Work, desk: Desk):
        self.work, self.desk = work, desk

    def stopping(self) -> bool:
        return self.desk.stopping

    def progress(self, progress: Progress) -> None:
        self.desk.progress(self.work, progress)

    def save(self, state: Callable[[], Tree]) -> None:
        self.desk.save(self.work, state)
