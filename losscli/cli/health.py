"""What `losscli doctor` looks at: each check is one function that says what it saw, and what would work where that is bad."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from losscli.cli.variables import VARIABLES
from losscli.errors import MachineError, UserError, counted, visible

State = Literal["ok", "note", "wrong"]
STYLES = {"ok": "green", "note": "yellow", "wrong": "red"}
NEEDS = r"([A-Za-z0-9_.-]+)>=([0-9.]+)(?:;\s*extra == \"([a-z]+)\")?"
EXTRAS = ("onnx", "tensorboard", "ray")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `note` is worth knowing, `wrong` is what commands will fail by."""

    name: str
    what: str
    state: State = "ok"
    cure: str = ""

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "state": self.state, "what": self.what, "cure": self.cure}


def checks(runs: Path) -> list[Check]:
    """All of them; what fails in looking is a check that is wrong, not a command that stops."""
    looks: tuple[Callable[[], Check], ...] = (
        _python, _packages, _device, _cores, _memory, _terminal, lambda: _records(runs), _extras, _browser, _variables,
    )  # fmt: skip
    return [_looked(look) for look in looks]


def _looked(look: Callable[[], Check]) -> Check:
    try:
        return look()
    except UserError as error:
        problem = error.problems[0]
        return Check(look.__name__.strip("_"), problem.message, "wrong", problem.cure or "")


def _python() -> Check:
    system = (
        f"{platform.system()} {platform.release()} {platform.machine()}"  # `platform.platform` runs another program
    )
    return Check("losscli", f"{version('losscli')}, Python {platform.python_version()}, {system}")


def _packages() -> Check:
    """Every package that losscli cannot do without, against the oldest version that will do."""
    needed = [(name, least) for name, least, extra in _needs() if not extra]
    there = {name: _version(name) for name, _ in needed}
    bad = [f"{name}>={least}" for name, least in needed if (has := there[name]) is None or _parts(has) < _parts(least)]
    what = ", ".join(f"{name} {has or 'is missing'}" for name, has in there.items())
    cure = f"pip install --upgrade {' '.join(repr(name) for name in bad)}"
    return Check("packages", what, *(("wrong", cure) if bad else ()))


def _needs() -> list[tuple[str, str, str]]:
    """Name, oldest version and extra of each requirement."""
    matches = (re.match(NEEDS, text) for text in requires("losscli") or [])
    return [(match[1], match[2], match[3] or "") for match in matches if match]


def _parts(text: str) -> tuple[int, ...]:
    """A version as numbers: what follows them (`+cpu`, `rc1`) does not count.

    >>> _parts("2.13.0+cpu") >= _parts("2.10")
    True
    """
    parts = []
    for part in text.partition("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        parts.append(int(digits))
    return tuple(parts)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _device() -> Check:
    if _version("torch") is None:
        raise MachineError("torch is missing", cure="pip install torch")
    import torch

    from losscli.stack.device import CPU, choose, name_of

    count, best = torch.cuda.device_count(), choose("auto")
    built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built for CPUs alone"
    what = f"auto takes {best}: {name_of(best)}" + (f" (of {count})" if count > 1 else "")
    if best == CPU and torch.version.cuda:
        return Check("device", f"{what}; {built}, and no GPU is seen", "note", "nvidia-smi says whether the driver is")
    return Check("device", f"{what}; {built}")


def _cores() -> Check:
    from losscli.executors.cores import cores, workers

    count = cores()
    what = f"{counted(count, 'core')} may be used, {counted(workers(None), 'worker')} by default"
    if workers(None) > count:
        return Check("cores", what, "note", "workers beyond the cores wait for each other: unset LOSSCLI_WORKERS")
    return Check("cores", what)


def _memory() -> Check:
    from losscli.cli.records import size
    from losscli.data.store import memory

    folder = tempfile.gettempdir()
    room = f", {size(shutil.disk_usage(folder).free)} free in {folder}" if os.path.isdir(folder) else ""
    return Check("memory", f"{size(memory())}{room}")


def _terminal() -> Check:
    from losscli.cli import show

    console = show.screen(sys.stdout)
    kind = "a terminal" if sys.stdout.isatty() else "no terminal"
    colours = console.color_system if console.color_system and not console.no_color else "no"
    plain = show.is_plain(sys.stdout)
    what = f"{kind}, {console.width} columns, {colours} colours, {'ASCII' if plain else 'UTF-8'}"
    if plain:
        return Check("terminal", what, "note", "curves are drawn in ASCII; for finer ones set LC_ALL=C.UTF-8")
    return Check("terminal", what)


def _records(runs: Path) -> Check:
    from losscli.cli.records import size
    from losscli.record.cures import out
    from losscli.record.find import in_the_making, records
    from losscli.record.writer import ready

    there = runs.exists()
    try:
        ready(runs)
        room = size(shutil.disk_usage(runs).free)
        every = records(runs, unfinished=True)
    except MachineError as error:
        return Check("records", str(error), "wrong", "choose another folder: --out DIR, or LOSSCLI_RUNS")
    finally:
        if not there and runs.is_dir():
            runs.rmdir()
    unfinished = sum(map(in_the_making, every))
    what = f"{runs} can be written to, {room} free, {counted(len(every), 'record')}"
    if unfinished:
        return Check(
            "records", f"{what}, {unfinished} unfinished", "note", f"losscli resume{out(runs)} goes on with the last"
        )
    return Check("records", what)


def _extras() -> Check:
    by_extra = {extra: [name for name, _, of in _needs() if of == extra] for extra in EXTRAS}
    lacking = [extra for extra, names in by_extra.items() if not all(map(_version, names))]
    there = ", ".join(extra for extra in EXTRAS if extra not in lacking) or "none"
    if not lacking:
        return Check("extras", there)
    cure = f'pip install "losscli[{",".join(lacking)}]"'
    return Check("extras", f"{there}; without {', '.join(lacking)}", "note", cure)


def _browser() -> Check:
    from losscli.pages.chromium import CURE, find

    path = find()
    return Check("browser", path) if path else Check("browser", "none: report --png needs one", "note", CURE)


def _variables() -> Check:
    said = [f"{name}={os.environ[name]} ({use})" for name, use in VARIABLES.items() if os.environ.get(name)]
    return Check("variables", ", ".join(said) or f"none of {', '.join(VARIABLES)} is set")


def pieces(every: Sequence[Check]) -> Iterator[RenderableType]:
    """A sentence, and a line for each check."""
    wrong, notes = (sum(check.state == state for check in every) for state in ("wrong", "note"))
    yield Text(_answer(wrong, notes), STYLES["wrong"] if wrong else "")
    yield Text()
    grid = Table.grid(padding=(0, 2))
    for check in every:
        told = Text(visible(check.what, 400))
        if check.cure:
            told.append(f"\ntry: {visible(check.cure, 400)}", "dim")
        grid.add_row(Text(check.state, STYLES[check.state]), Text(check.name), told)
    yield grid


def _answer(wrong: int, notes: int) -> str:
    if wrong:
        return f"{counted(wrong, 'thing')} must be mended before losscli works here."
    return "losscli can work here." + (f" {counted(notes, 'thing')} could be better." if notes else "")
