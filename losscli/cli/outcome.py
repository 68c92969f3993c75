"""What `train` and `compare` do alike: read specs and flags, run the line, show the outcome, choose the exit code."""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from losscli.cli import formats, job_summary
from losscli.cli.progress import at_once, busy
from losscli.cli.signals import SIGNALS, handling
from losscli.errors import MachineError, Place, SpecError, Stopped, choose_from, listed, shown
from losscli.stack.watch import Stop
from losscli.words.view import NAME, View

if TYPE_CHECKING:
    from losscli.comparison import Comparison
    from losscli.executors.execution import Execution
    from losscli.spec.document import Document
    from losscli.spec.model import Spec
    from losscli.spec.overrides import Overrides

Item = TypeVar("Item")
Result = TypeVar("Result")

UNMET, DIVERGED = 1, 4
NAMED = 2  # data that are said to be loaded
SPECS = (".yaml", ".yml")  # endings


@dataclass(frozen=True)
class DisplayOptions:
    """How a command should run and be shown; what it trains is in its specs."""

    out: Path | None
    smoke: bool
    format: str  # of `formats.comparisons`
    quiet: bool
    view: View = field(default_factory=View)
    job_summary: bool = False
    log: Path | None = None  # where a line for each epoch of each run goes


def load(patterns: Sequence[str], overrides: Overrides, quiet: bool = False) -> list[Spec]:
    """Every spec that was asked for, or the one that flags alone make; all mistakes of all files in one `SpecError`."""
    from losscli.spec.reader import read_spec

    paths = files(patterns, quiet)
    _refuse_data(paths)
    documents = _read_all(read_spec, paths)  # what is no YAML is told before torch is imported
    with busy(f"loading {_what(paths, documents, overrides)} ...", quiet):
        from losscli.spec.load import build_spec, load_spec  # imports torch, which takes a second or two

        tell_plugins(quiet)
        if not patterns:
            return [build_spec(overrides)]
        return _read_all(lambda item: load_spec(item[0], overrides, item[1]), list(zip(paths, documents, strict=True)))


def _refuse_data(paths: Sequence[Path]) -> None:
    """Data that stand where a spec belongs, before a table is read as YAML."""
    from losscli.spec.overrides import is_data

    for path in paths:
        if path.suffix not in SPECS and is_data(str(path)):
            cure = f"name it with --data: --data {shlex.quote(str(path))}"
            raise SpecError(f"{shown(str(path))} is data, not a spec", cure=cure)


def _what(paths: Sequence[Path], documents: Sequence[Document], overrides: Overrides) -> str:
    """The data that are asked for, as far as they are known before any spec is understood; else the specs."""
    blocks = [document.data.get("data") for document in documents]
    found = [(block.get("path") or block.get("name")) if isinstance(block, dict) else None for block in blocks]
    names = [name if isinstance(name, str) else path.name for name, path in zip(found, paths, strict=True)]
    every = dict.fromkeys([overrides.data] if overrides.data else names)
    return listed([Path(name).name for name in every], NAMED) or "losscli"


def _read_all(read: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """What `read` makes of every item; all mistakes of all of them in one `SpecError`."""
    results, problems = [], []
    for item in items:
        try:
            results.append(read(item))
        except SpecError as wrong:
            problems += wrong.problems
    if problems:
        raise SpecError(list(dict.fromkeys(problems)))
    return results


def tell_plugins(quiet: bool) -> None:
    """Which installed packages failed to add their losses."""
    from losscli.cli import show
    from losscli.losses import losses

    losses.names()
    for finding in () if quiet else losses.findings:
        show.notice(f"{finding.message}; {finding.cure}")


def run(specs: Sequence[Spec], display: DisplayOptions, execution: Execution) -> int:
    """Train, show, and return the exit code."""
    from losscli import pipeline
    from losscli.record import writer

    refuse_unknown(display.view, specs)
    if display.job_summary:
        job_summary.place()
    if display.out is not None:
        writer.ready(display.out)
    line = partial(pipeline.run, specs, out=display.out, smoke=display.smoke, execution=execution)
    return follow(
        line, display, f"loading {listed(list(dict.fromkeys(spec.data.title() for spec in specs)), NAMED)} ..."
    )


def follow(line: Callable[..., Comparison], display: DisplayOptions, first: str = "loading the data ...") -> int:
    """Run the line while its progress is shown and signals are heard, and return the exit code.

    One signal ends the training at its next step; what there is then is kept and shown. A second one ends at once. Either
    says how to go on.
    """
    from losscli.cli import hint, show
    from losscli.cli.log import Logged, log_file
    from losscli.cli.progress import progress

    with _signals() as ears, log_file(display.log) as log, ExitStack() as bar:
        shown: list[Comparison] = []

        def tell_first(comparison: Comparison) -> None:
            bar.close()
            if ears.heard and comparison.partial:
                show.notice("stopped before the end; this is what there is so far")
            shown.append(comparison)
            tell(comparison, display)

        watch = bar.enter_context(progress(display.quiet, first))
        watch = watch if log is None else Logged(watch, log)
        try:
            comparison = line(watch=watch, stop=ears.stop, show=tell_first)
        except MachineError as error:
            if ears.heard and not shown:  # in its first epoch
                command = _resume_command(ears.stop)
                raise SIGNALS[ears.heard](f"stopped: {error}{command and f'; {command} goes on'}") from error
            raise
        if not shown:
            tell_first(comparison)
        end(comparison, display)
        if display.job_summary:
            summarise(comparison, display.view)
        if ears.heard and comparison.partial and comparison.record:
            show.notice(f"to go on: {hint.resume_command(comparison)}")
    return 128 + ears.heard if ears.heard else exit_code(comparison)


def tell(comparison: Comparison, display: DisplayOptions) -> None:
    """The comparison on stdout, in the form that was asked for; programs get nothing else there."""
    formats.comparisons[display.format].write(comparison, display)


def end(comparison: Comparison, display: DisplayOptions) -> None:
    """What people are told when the record is written."""
    ended = formats.comparisons[display.format].end
    if ended is not None:
        ended(comparison, display)


def summarise(comparison: Comparison, view: View) -> None:
    """The comparison at the end of the job's summary."""
    from losscli.reports.markdown import to_markdown

    job_summary.append(to_markdown(comparison, view))


def refuse_unknown(view: View, specs: Sequence[Spec]) -> None:
    """`SpecError` for a metric that no task of the specs has, before anything is trained."""
    from losscli.metrics import for_task

    names = list(dict.fromkeys(name for spec in specs for name in for_task(spec.task)))
    for name in view.metrics:
        if name not in names:
            message = (
                f"there is no metric called {shown(name)} for {' and '.join(sorted({spec.task for spec in specs}))}"
            )
            raise SpecError(message, place=Place("--metrics"), cure=choose_from(name, names))
    if view.sort is not None and view.sort not in (NAME, *names):
        cure = choose_from(view.sort, [NAME, *names])
        raise SpecError(f"entries cannot be sorted by {shown(view.sort)}", place=Place("--sort"), cure=cure)


def exit_code(comparison: Comparison) -> int:
    """4 if every run diverged, else 1 if an expectation was not met, else 0."""
    statuses = {run.status for arena in comparison.arenas for run in arena.runs}
    return DIVERGED if statuses and statuses <= {"diverged", "failed"} else UNMET if comparison.unmet else 0


def files(patterns: Sequence[str], quiet: bool) -> list[Path]:
    """The files that paths and patterns name, each once. A pattern gets here where the shell does not expand it."""
    from losscli.cli import show

    paths: dict[str, Path] = {}  # by their real paths: resolve() raises where links go round
    for pattern in patterns:
        matches = sorted(glob.glob(pattern)) if glob.has_magic(pattern) and not Path(pattern).exists() else [pattern]
        if not matches:
            raise SpecError(f"no file matches {shown(pattern)}", cure="give the path of a YAML spec")
        for path in map(Path, matches):
            real = os.path.realpath(path)
            if real in paths and not quiet:
                show.notice(f"{path} is given twice, and taken once")
            paths.setdefault(real, path)
    return list(paths.values())


@dataclass
class _Ears:
    """Which signal was heard while the training was listening."""

    stop: Stop
    heard: int = 0
    times: int = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        kind = SIGNALS[number]
        self.times += 1
        if self.times > 2:  # somebody's code catches everything
            os._exit(128 + number)
        if self.stop.requested or not self.stop.listening:  # twice means at once, and so does once before any training
            raise kind
        self.stop.requested, self.heard = True, number
        at_once("notice: stopping after this step; once more ends at once")


@contextmanager
def _signals() -> Iterator[_Ears]:
    ears = _Ears(Stop())
    with handling(ears):
        try:
            yield ears
        except Stopped as error:
            if ears.times < 2:
                raise
            raise type(error)(f"stopped at once: {_left(ears.stop)}") from error


def _left(stop: Stop) -> str:
    """What is left of a command that ended at once."""
    if stop.folder() is None:
        return "nothing was kept"
    command = _resume_command(stop)
    return f"{command} goes on from what was saved last" if command else "the record is whole"


def _resume_command(stop: Stop) -> str:
    """How one goes on with what was stopped, if anything is left of it."""
    from losscli.cli import hint
    from losscli.record.find import in_the_making
    from losscli.record.remains import progress_of

    folder = stop.folder()
    return hint.resume_of(folder, progress_of(folder)["own"]) if folder and in_the_making(folder) else ""
