"""What `losscli check` does: find out what the target is, run or read it, and write the findings in the form asked for."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losscli.cli import show as screen
from losscli.cli.findings import lines, write
from losscli.errors import SpecError, counted, foreign, shown
from losscli.lint.settings import settings
from losscli.rules.finding import CodeFinding

if TYPE_CHECKING:
    from losscli.check.script import Outcome

FUNCTION = re.compile(r"(?P<module>[A-Za-z_][\w.]*|.+\.py):(?P<function>[A-Za-z_]\w*)", re.DOTALL)
PARTS = ("model", "loss", "batch")


@dataclass(frozen=True)
class Limits:
    """How many steps and seconds code may take; where records are."""

    steps: int
    seconds: float
    out: Path


@dataclass(frozen=True)
class Choice:
    """Which rules count."""

    select: Sequence[str]
    ignore: Sequence[str]
    everything: bool


def look(target: str, arguments: Sequence[str], limits: Limits) -> Outcome:
    """Run a script or a function, or read a record; `SpecError` for what is none of them."""
    if Path(target).is_file():
        return _script(target, arguments, limits)
    if arguments:
        raise SpecError("arguments are for scripts", cure="losscli check train.py -- --epochs 1")
    if (match := FUNCTION.fullmatch(target)) is not None:
        return _function(match["module"], match["function"])
    if target.endswith(".py"):
        raise SpecError(f"there is no file {shown(target)}", cure="give a script that exists")
    return _record(target, limits.out)


def _script(path: str, arguments: Sequence[str], limits: Limits) -> Outcome:
    if path.endswith(".ipynb"):
        raise SpecError(f"{shown(path)} is a notebook, and a notebook is not run", cure=f"losscli lint {path}")
    if not path.endswith((".py", ".pyw")):
        raise SpecError(f"{shown(path)} is no Python script", cure="losscli check train.py")
    from losscli.check.script import run_script

    screen.notice(f"running {path}: this is your code")
    return run_script(path, arguments, limits.steps, limits.seconds)


def _function(module: str, name: str) -> Outcome:
    """What one step of the model shows that a function returns."""
    from losscli.check.model import check_model
    from losscli.check.script import Outcome
    from losscli.check.sites import Site, here
    from losscli.stdout import elsewhere

    with elsewhere(), _importable(), foreign(f"{module}:{name}"):
        function = getattr(_module(module), name)
        model, loss, batch, optimizer = _parts(function(), f"{module}:{name}")
        code = getattr(function, "__code__", None)
        found = check_model(model, loss, batch, optimizer, here() if code is None else Site(code, 0))
    return Outcome(findings=found, calls=1, steps=0)


def _parts(returned: Any, what: str) -> tuple[Any, Any, Any, Any]:
    """Model, loss and batch, and an optimizer if there is one."""
    if isinstance(returned, Mapping) and all(part in returned for part in PARTS):
        return (*(returned[part] for part in PARTS), returned.get("optimizer"))
    if isinstance(returned, tuple) and len(returned) in (3, 4):
        return (*returned, None)[:4]
    raise SpecError(
        f"{what} must return model, loss and batch, got {type(returned).__name__}",
        cure="return model, loss, (x, y), and the optimizer as a fourth if it is to be looked at",
    )


@contextmanager
def _importable() -> Iterator[None]:
    """The current folder is where modules are looked for first."""
    before = list(sys.path)
    sys.path.insert(0, os.getcwd())
    try:
        yield
    finally:
        sys.path[:] = before


def _module(name: str) -> Any:
    if not name.endswith(".py"):
        return importlib.import_module(name)
    from importlib.util import module_from_spec, spec_from_file_location

    if not Path(name).is_file():
        raise SpecError(f"there is no file {shown(name)}", cure="give a file that exists")
    sys.path.insert(0, str(Path(name).resolve().parent))
    spec = spec_from_file_location(Path(name).stem, name)
    module = module_from_spec(spec)  # type: ignore[arg-type]
    sys.modules[Path(name).stem] = module
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def _record(target: str, out: Path) -> Outcome:
    """What the rules say of the specs of a record; nothing is run."""
    from losscli.check.script import Outcome
    from losscli.record.find import find
    from losscli.reports.recall import recall
    from losscli.rules import rules

    folder = find(out, target, outside=True)
    recalled = recall(folder)
    found = []
    for number, arena in enumerate(recalled.comparison.arenas, start=1):
        file = str(folder / ("spec.yaml" if number == 1 else f"spec{number}.yaml"))
        found += [
            CodeFinding(rules.get(item.code).code, item.severity, file, 1, 1, item.message)
            for item in arena.findings
            if item.code in rules
        ]
    return Outcome(findings=found, files=len(recalled.specs), calls=len(found))


def show(outcome: Outcome, form: str, choice: Choice) -> int:
    """Write the findings to stdout and notes to stderr; the exit code."""
    from losscli.check.script import failed

    scope = settings(["."], choice.select, choice.ignore, choice.everything)
    found = [item for item in outcome.findings if scope.shows(item)]
    for note in outcome.notes:
        screen.notice(note)
    write(form, outcome.files, found, [], (*lines(found), _summary(outcome, found)))
    if outcome.interrupted:
        return 130
    if not found and (error := failed(outcome)) is not None:
        raise error
    if outcome.failure is not None:
        screen.problems([outcome.failure])
    return 1 if found else 0


def _summary(outcome: Outcome, found: Sequence[CodeFinding]) -> str:
    """The last line."""
    seen = f"{counted(outcome.calls, 'call')} of a loss, {counted(outcome.steps, 'step')}"
    if found:
        return f"Found {counted(len(found), 'problem')} ({seen}); losscli explain CODE shows a rule."
    return f"All clear: {seen}." if outcome.calls or outcome.steps else "Nothing to judge."
