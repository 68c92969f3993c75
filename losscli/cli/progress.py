"""Progress on stderr: a live bar on a terminal, a quiet line now and then elsewhere, nothing if nobody wants it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from losscli.errors import joined, visible
from losscli.stack.watch import Tick, Watch, unwatched
from losscli.words.numbers import duration, number

PAUSE = 10.0  # seconds between two lines, at least
PART = 0.1  # of the work between two lines, at least: so there are ten lines at most
NAMED = 2  # losses of a stack
BAR = 20  # columns of the bar, where there is room
ROOMY = 100  # columns of a terminal that has it
BESIDE = 28  # columns of the spinner, the share and the times beside the text


@contextmanager
def progress(quiet: bool = False, first: str = "loading the data ...") -> Iterator[Watch]:
    """The watcher to hand to the engine, for as long as the block lasts; `first` is said until something is trained."""
    if quiet:
        yield unwatched
    elif is_live():
        with _bar(first) as watch:
            yield watch
    else:
        yield Lines(time.monotonic())


def is_live() -> bool:
    """Whether stderr is a terminal that can rewrite a line."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def busy(doing: str, quiet: bool = False) -> Iterator[None]:
    """Say what takes a moment, for as long as the block lasts, where stderr is a terminal."""
    if quiet or not is_live():
        yield
        return
    from rich.text import Text

    from losscli.cli.show import screen

    with screen(sys.stderr).status(Text(visible(doing, 200), overflow="ellipsis", no_wrap=True)):
        yield


def at_once(text: str) -> None:
    """Say a line on stderr in the middle of anything, as in the handler of a signal, where its stream may be in use."""
    clear = "\r\x1b[2K" if is_live() else ""  # the line of the bar, which comes back below
    with suppress(OSError):
        os.write(2, f"{clear}{text}\n".encode())


def status_text(tick: Tick, width: int = 400) -> str:
    """The state of training in as many words as a width holds: what, which losses, how far, how well.

    >>> tick = Tick("moons", 3, 20, 50, 100, 0.25, "auroc", 0.875, entries=("focal", "mae"), stack=2, stacks=4)
    >>> status_text(tick)
    'moons  focal and mae  stack 2/4  epoch 3/20  loss 0.2500  valid auroc 0.8750'
    >>> status_text(tick, 50)
    'moons  focal and mae  stack 2/4  epoch 3/20'
    """
    parts = [
        visible(tick.arena, 30),
        tick.look,
        joined([visible(name, 30) for name in tick.entries], NAMED) if tick.entries else "",
        f"stack {tick.stack}/{tick.stacks}" if tick.stacks > 1 else "",
        f"epoch {tick.epoch}/{tick.epochs}",
        f"loss {number(tick.loss)}",
        f"valid {visible(tick.metric, 30)} {number(tick.value)}",
    ]
    parts = [part for part in parts if part]
    while len(parts) > 1 and len("  ".join(parts)) > width:
        parts.pop()
    return "  ".join(parts)


@dataclass
class Furthest:
    """What is shown of stacks that are trained at once: that which began last, and never less than was done before.

    >>> arrived = [(1, 1, 7), (1, 2, 3), (2, 3, 7), (2, 3, 3)]  # epoch, done, and the number of a stack
    >>> ticks = [Tick("moons", epoch, 9, done, 18, 0.1, "auroc", 0.9, stack=stack) for epoch, done, stack in arrived]
    >>> furthest = Furthest()
    >>> [(tick.stack, tick.epoch, tick.done) for tick in map(furthest.of, ticks)]  # stacks are counted as they begin
    [(1, 1, 1), (2, 1, 2), (2, 1, 3), (2, 2, 3)]
    """

    begun: dict[tuple[str, str, int], int] = field(default_factory=dict)  # stack -> its place among those that began
    last: Tick | None = None

    def of(self, tick: Tick) -> Tick:
        """What to show now that a tick has come."""
        look = [key for key in self.begun if key[1] == tick.look]
        place = self.begun.setdefault((tick.arena, tick.look, tick.stack), len(look) + 1)
        last, now = self.last, replace(tick, stack=place)
        if last is not None:
            newer = (tick.look != last.look) or place >= last.stack
            shown = now if newer else last
            now = replace(shown, done=max(tick.done, last.done), total=max(tick.total, last.total))
        self.last = now
        return now


@dataclass
class Lines:
    """Writes a line when both some time and some work have passed since the last one."""

    started: float
    last: float = 0.0
    share: float = 0.0
    furthest: Furthest = field(default_factory=Furthest)

    def __call__(self, tick: Tick) -> None:
        from losscli.cli import show

        tick = self.furthest.of(tick)
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
def _bar(first: str) -> Iterator[Watch]:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from losscli.cli.show import screen

    console = screen(sys.stderr)
    share, left = (TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("share", "most"))
    text, bars = TextColumn("{task.description}", markup=False), [BarColumn(BAR)] if console.width >= ROOMY else []
    columns = (SpinnerColumn(), text, *bars, share, TimeElapsedColumn(), left, TimeRemainingColumn())
    room = console.width - BESIDE - (BAR + 1) * len(bars)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(visible(first, max(20, room)), total=None, share="", most="")
        yield Bar(lambda **facts: bar.update(task, **facts), room)


@dataclass
class Bar:
    """A watcher that changes a task of Rich's progress."""

    update: Callable[..., None]
    width: int  # of the text
    furthest: Furthest = field(default_factory=Furthest)

    def __call__(self, tick: Tick) -> None:
        tick = self.furthest.of(tick)
        most = "used, at most" if tick.look else ""
        text = status_text(tick, self.width - len(most))
        share = f"{tick.done / max(1, tick.total):.0%}"
        self.update(description=text, completed=tick.done, total=tick.total, share=share, most=most)

    def comparing(self) -> None:
        """Training is over; statistics have no share of which could be told how much is done."""
        self.update(description="comparing the runs ...", total=None, share="", most="")
