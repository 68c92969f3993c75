"""Progress on stderr: a live bar on a terminal, a quiet line now and then elsewhere, nothing if nobody wants it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from losscli.errors import visible
from losscli.stack.watch import Tick, Watch, unwatched
from losscli.words.numbers import duration, number

PAUSE = 10.0  # seconds between two lines, at least
PART = 0.1  # of the work between two lines, at least: so there are ten lines at most


@contextmanager
def progress(quiet: bool = False) -> Iterator[Watch]:
    """The watcher to hand to the engine, for as long as the block lasts."""
    if quiet:
        yield unwatched
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar() as watch:
            yield watch
    else:
        yield Lines(time.monotonic())


def status_text(tick: Tick) -> str:
    """The state of training in a few words."""
    metric = f"valid {visible(tick.metric, 30)} {number(tick.value)}"
    look = f"{tick.look}  " if tick.look else ""
    return f"{visible(tick.arena, 30)}  {look}epoch {tick.epoch}/{tick.epochs}  loss {number(tick.loss)}  {metric}"


@dataclass
class Lines:
    """Writes a line when both some time and some work have passed since the last one."""

    started: float
    last: float = 0.0
    share: float = 0.0

    def __call__(self, tick: Tick) -> None:
        from losscli.cli import show

        now, share = time.monotonic(), tick.done / max(1, tick.total)
        if now - max(self.last, self.started) < PAUSE or share - self.share < PART or share >= 1:
            return
        self.last, self.share = now, share
        used = now - self.started
        left = used * (1 - share) / share
        about = (
            f"{duration(used)} used, at most about" if tick.look else "about"
        )  # it may be settled before the last look
        show.progress_line(f"{status_text(tick)}  {share:.0%} done, {about} {duration(left)} left")


@contextmanager
def _bar() -> Iterator[Watch]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from losscli.cli.show import screen

    left = TextColumn("{task.fields[most]}", markup=False)
    text = TextColumn("{task.description}", markup=False)
    columns = (text, BarColumn(bar_width=20), TimeElapsedColumn(), left, TimeRemainingColumn())
    with Progress(*columns, console=screen(sys.stderr), transient=True) as bar:
        task = bar.add_task("reading the data", total=None, most="")

        def watch(tick: Tick) -> None:
            most = "used, at most" if tick.look else ""
            bar.update(task, description=status_text(tick), completed=tick.done, total=tick.total, most=most)

        yield watch
