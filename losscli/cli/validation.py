"""Whether a spec is right, without training: what is wrong with it, and where, for people, programs and GitHub."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from losscli.errors import Problem, UserError, counted, visible

if TYPE_CHECKING:
    from losscli.spec.model import Spec


@dataclass(frozen=True)
class Validation:
    """One spec: what it is, if it is right; else its problems and the exit code they mean."""

    file: str
    summary: str = ""
    problems: Sequence[Problem] = field(default=())
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "ok": not self.problems,
            "said": self.summary,
            "problems": [_json(problem) for problem in self.problems],
        }


def validate(path: Path, data: bool) -> Validation:
    """Load a spec; with `data`, also all that it names, up to where the training would begin."""
    from losscli.spec.entries import entries
    from losscli.spec.load import load_spec

    try:
        spec = load_spec(path)
        summary = f"{spec.task} · {_ies(len(entries(spec)))} x {counted(len(spec.seeds), 'seed')}"
        if data:
            summary += f" · {_rows(spec)}"
    except UserError as wrong:
        return Validation(str(path), problems=wrong.problems, exit_code=wrong.exit_code)
    return Validation(str(path), summary)


def _rows(spec: Spec) -> str:
    """The rows of each split, once the data of every arena that the spec makes are loaded."""
    from losscli.experiment import load
    from losscli.spec.arenas import by_level

    first, *others = [load(level).rows for level in by_level(spec)]
    levels = f", at each of {1 + len(others)} levels" if others else ""
    return ", ".join(f"{rows:,} {split}" for split, rows in first.items()) + f" rows{levels}"


def validate_all(names: Sequence[str], data: bool) -> list[Validation]:
    """The verdicts on all specs that paths and patterns name; a pattern that names none is one that is wrong."""
    from losscli.cli.outcome import files

    paths: dict[str, Path] = {}
    missing = []
    for name in names:
        try:
            for path in files([name], quiet=True):
                paths.setdefault(os.path.realpath(path), path)
        except UserError as wrong:
            missing.append(Validation(name, problems=wrong.problems, exit_code=wrong.exit_code))
    return [*missing, *(validate(path, data) for path in paths.values())]


def lines_of(validation: Validation) -> Iterator[RenderableType]:
    """A line for a spec; below it, what is wrong, with place and cure."""
    verdict = ("wrong", "bold red") if validation.problems else ("ok   ", "green")
    count = counted(len(validation.problems), "problem") if validation.problems else validation.summary
    yield Text.assemble(verdict, f" {visible(validation.file, 400)} · {count}")
    for problem in validation.problems:
        place = f"{visible(problem.place, 400)}: " if problem.place else ""
        yield Text(f"      {place}{visible(problem.message, 600)}")
        if problem.cure:
            yield Text(f"      try: {visible(problem.cure, 400)}", "dim")


def workflow_lines(validation: Validation) -> Iterator[str]:
    """Workflow commands of GitHub: https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    for problem in validation.problems:
        place = problem.place
        where = {"file": place.file if place and Path(place.file).exists() else validation.file}
        if place and place.line is not None:
            where |= {"line": str(place.line)} | ({"col": str(place.column)} if place.column is not None else {})
        message = f"{problem.message} (try: {problem.cure})" if problem.cure else problem.message
        properties = ",".join(f"{key}={_property(value)}" for key, value in where.items())
        yield f"::error {properties}::{_data(message)}"


def exit_code(validations: Sequence[Validation]) -> int:
    """The gravest: a wrong spec (2), then data that cannot be used (3), then the machine's (5)."""
    return min((validation.exit_code for validation in validations if validation.exit_code), default=0)


def _json(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {
        "message": problem.message,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "cure": problem.cure,
    }


def _data(text: str) -> str:
    r"""As a message of a workflow command.

    >>> _data("50 %\nnext")
    '50 %25%0Anext'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _ies(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
