"""What `losscli lint` does with its flags: choose the rules, make the edits, write the findings in the form asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from losscli.cli import show as screen
from losscli.cli.findings import lines, statistics, summary, write
from losscli.errors import visible
from losscli.lint import Result, lint
from losscli.lint.edits import apply, difference, rewrite
from losscli.lint.files import decoded
from losscli.lint.settings import settings

MOST_PASSES = 5  # an edit may overlap with another, which then waits


@dataclass(frozen=True)
class Choice:
    """Paths and flags."""

    paths: Sequence[str]
    select: Sequence[str]
    ignore: Sequence[str]
    everything: bool


def looked(choice: Choice) -> Result:
    """What is found in the paths."""
    scope = settings(choice.paths, choice.select, choice.ignore, choice.everything)
    return lint(choice.paths, scope.shows, scope.leaves_out)


def fixed(choice: Choice) -> Result:
    """What is left once the edits are made; how many files changed is told."""
    changed: set[str] = set()
    result = looked(choice)
    for _ in range(MOST_PASSES):
        if not result.edits:
            break
        for name, edits in result.edits.items():
            rewrite(name, edits)
            changed.add(name)
        result = looked(choice)
    for name in sorted(changed):
        screen.notice(f"edited {visible(name, 400)}")
    return result


def show(result: Result, form: str, diff: bool, counts: bool) -> None:
    """Write the findings to stdout, and notes on files that were left out to stderr."""
    for note in result.notes:
        line = f":{note.line}" if note.line else ""
        screen.notice(f"{visible(note.file, 400)}{line} {note.message}")
    if diff:
        screen.paper("".join(_differences(result)))
    else:
        notes = [(note.file, note.message) for note in result.notes]
        write(form, result.files, result.findings, notes, _text(result, counts))


def _text(result: Result, counts: bool) -> Iterator[str]:
    yield from statistics(result.findings) if counts else lines(result.findings)
    yield summary(result.files, result.findings, sum(note.left_out for note in result.notes))


def _differences(result: Result) -> Iterator[str]:
    for name, edits in result.edits.items():
        before = decoded(name)
        yield difference(visible(name, 400), before, apply(before, edits))
