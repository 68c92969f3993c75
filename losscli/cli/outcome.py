"""What `train` and `compare` do alike: read specs and flags, run the line, show the outcome, choose the exit code."""

from __future__ import annotations

import glob
import shlex
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from losscli.cli.endings import Terminated
from losscli.cli.flags import Format
from losscli.errors import SpecError, shown
from losscli.stack.watch import Stop

if TYPE_CHECKING:
    from losscli.compare.result import Comparison
    from losscli.spec.model import Spec
    from losscli.spec.overrides import Overrides

UNMET, DIVERGED = 1, 4
ENOUGH_SEEDS = 10  # what the hint suggests: enough for an answer, and soon done


@dataclass(frozen=True)
class Wishes:
    """How a command should run and be shown; what it trains is in its specs."""

    out: Path | None
    smoke: bool
    format: Format
    quiet: bool


def load(patterns: Sequence[str], overrides: Overrides, quiet: bool = False) -> list[Spec]:
    """Every spec that was asked for, or the one that flags alone make; all mistakes of all files in one `SpecError`."""
    from losscli.spec.load import build_spec, load_spec

    tell_plugins(quiet)
    if not patterns:
        return [build_spec(overrides)]
    specs, problems = [], []
    for path in _files(patterns, quiet):
        try:
            specs.append(load_spec(path, overrides))
        except SpecError as wrong:
            problems += wrong.problems
    if problems:
        raise SpecError(list(dict.fromkeys(problems)))
    return specs


def tell_plugins(quiet: bool) -> None:
    """Which installed packages failed to add their losses."""
    from losscli.cli import show
    from losscli.losses import losses

    losses.names()
    for finding in () if quiet else losses.findings:
        show.notice(f"{finding.message}; {finding.cure}")


def run(specs: Sequence[Spec], wishes: Wishes) -> int:
    """Train, show, and return the exit code. A signal ends the training early; what there is then is kept and shown."""
    from losscli import pipeline
    from losscli.cli import show
    from losscli.cli.progress import progress
    from losscli.record import writer
    from losscli.reports.json import to_json

    if wishes.out is not None:
        writer.ready(wishes.out)
    with _signals() as ears, progress(wishes.quiet) as watch:
        comparison = pipeline.run(specs, out=wishes.out, smoke=wishes.smoke, watch=watch, stop=ears.stop)
    if ears.heard:
        show.notice("stopped before the end; this is what there is so far")
    if wishes.format is Format.json:
        show.machine(to_json(comparison))
        show.unmet(comparison.unmet)
    else:
        show.outcome(comparison, "" if wishes.quiet else next_command(comparison))
    return 128 + ears.heard if ears.heard else exit_code(comparison)


def exit_code(comparison: Comparison) -> int:
    """4 if every run diverged, else 1 if an expectation was not met, else 0."""
    statuses = {run.status for arena in comparison.arenas for run in arena.runs}
    return DIVERGED if statuses == {"diverged"} else UNMET if comparison.unmet else 0


def next_command(comparison: Comparison) -> str:
    """What one would type next: the same spec against another loss, or with more seeds. Needs a record."""
    from losscli.losses.own import typed

    if comparison.record is None or len(comparison.arenas) != 1:
        return ""
    (arena,) = comparison.arenas
    command = f"losscli compare {shlex.quote(comparison.record + '/spec.yaml')}"
    if len(arena.entries) == 1:
        entry = arena.entries[0]
        return f"{command} --loss {shlex.quote(typed(entry.loss))} --loss {_rival(arena.task, entry.loss)} --seeds {ENOUGH_SEEDS}"
    few = any(entry.verdict == "too-few-seeds" for entry in arena.entries)
    named = [typed(entry.loss) for entry in arena.entries]
    own = [f" --loss {shlex.quote(name)}" for name in named] if named != [entry.loss for entry in arena.entries] else []
    return f"{command}{''.join(own)} --seeds {ENOUGH_SEEDS}" if few else ""  # a record does not hold code


def _rival(task: str, loss: str) -> str:
    from losscli.losses import for_task

    return next((name for name in for_task(task) if name != loss), loss)


def _files(patterns: Sequence[str], quiet: bool) -> list[Path]:
    """The files that paths and patterns name, each once. A pattern gets here where the shell does not expand it."""
    from losscli.cli import show

    found: dict[Path, Path] = {}
    for pattern in patterns:
        matches = sorted(glob.glob(pattern)) if glob.has_magic(pattern) and not Path(pattern).exists() else [pattern]
        if not matches:
            raise SpecError(f"no file matches {shown(pattern)}", cure="give the path of a YAML spec")
        for path in map(Path, matches):
            if path.resolve() in found and not quiet:
                show.notice(f"{path} is given twice, and taken once")
            found.setdefault(path.resolve(), path)
    return list(found.values())


@dataclass
class _Ears:
    """Which signal was heard while the training was listening."""

    stop: Stop
    heard: int = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not self.stop.listening or self.stop.requested:  # nobody would react in time, or twice means at once
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
        self.stop.requested, self.heard = True, number


@contextmanager
def _signals() -> Iterator[_Ears]:
    ears = _Ears(Stop())
    before = {number: signal.signal(number, ears) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ears
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
