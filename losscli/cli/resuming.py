"""What `resume` does: find what was stopped, go on with it, and show it as `compare` would have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from losscli.cli import outcome, show
from losscli.errors import MachineError, shown
from losscli.executors.execution import Execution
from losscli.record import cures
from losscli.record.disk import at_work
from losscli.record.find import find, in_the_making, records


def run(record: str | None, own: Sequence[str], display: outcome.DisplayOptions, execution: Execution) -> int:
    """Go on with the record that is meant, or show it where it is whole; the exit code is that of `compare`."""
    root = display.out or Path("runs")
    folder = _last(root) if record is None else find(root, record, outside=True, unfinished=True)
    if not in_the_making(folder):
        return _whole(folder, display)
    from losscli import pipeline

    if not display.quiet:
        show.notice(f"going on with {folder.name}")
    return outcome.follow(partial(pipeline.resume, folder, own=own, execution=execution), display)


def _whole(folder: Path, display: outcome.DisplayOptions) -> int:
    from losscli.reports.recall import recall

    comparison = recall(folder).comparison
    outcome.tell(comparison, display)
    outcome.end(comparison, display)
    return outcome.exit_code(comparison)


def _last(root: Path) -> Path:
    """The newest record in the making on which nobody works."""
    stopped = [folder for folder in records(root, unfinished=True) if in_the_making(folder) and not at_work(folder)]
    if not stopped:
        raise MachineError(
            f"nothing in {shown(root)} was stopped", cure=f"losscli runs ls{cures.out(root)} lists what there is"
        )
    return stopped[-1]
