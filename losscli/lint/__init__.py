"""Lint: misuse of losses found in source text. Nothing is imported or executed, and torch need not be there.

Python's own `ast` is followed by a small abstract interpreter (machine, statements, expressions, calls): one value per tensor,
the operation that made it. A call of a loss is held against the loss's contract; a second pass judges the events of training
loops. Unknown means silent, and branches merge only where they agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from losscli.lint.files import Source, Unreadable, read, walk
from losscli.rules.finding import CodeFinding


@dataclass(frozen=True)
class Note:
    """A file that could not be looked at, and why; or what is odd in one that was."""

    file: str
    message: str
    line: int | None = None
    left_out: bool = True


@dataclass
class Result:
    """What was found: findings in the order of files and lines, notes on files left out, and the edits that mend."""

    files: int = 0  # that were looked at
    findings: list[CodeFinding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    edits: dict[str, list[Any]] = field(default_factory=dict)


def lint(
    paths: Sequence[str],
    shown: Callable[[CodeFinding], bool] = lambda finding: True,
    excluded: Callable[[str], bool] = lambda name: False,
) -> Result:
    """Look at scripts, notebooks and folders; `SpecError` for a path that is not there.

    `shown` says which findings count, `excluded` which files are left out.
    """
    from losscli.lint.world import World
    from losscli.rules import in_order

    codes = {rule.code for rule in in_order()}
    names = {path: name for name, path in walk(paths) if not excluded(name)}
    world, result = World(names), Result()
    for path, name in names.items():
        try:
            source = read(name, path)
            _look(source, world, result, shown)
            result.files += 1
            for code, line in source.unknown_codes(codes):
                result.notes.append(Note(name, f"noqa: there is no rule {code}", line, left_out=False))
        except Unreadable as wrong:
            result.notes.append(Note(name, str(wrong), wrong.line))
        except Exception as bug:  # one odd file must not keep the others from being looked at
            result.notes.append(Note(name, f"could not be followed ({type(bug).__name__}: {bug}); please report it"))
    result.findings.sort(
        key=lambda finding: (finding.file, finding.cell or 0, finding.line, finding.column, finding.code)
    )
    return result


def _look(source: Source, world: Any, result: Result, shown: Callable[[CodeFinding], bool]) -> None:
    from losscli.lint.edits import edits_of
    from losscli.lint.machine import Report
    from losscli.lint.roots import follow_file, relevant

    tree = source.tree
    if not relevant(source.text):
        return
    report = Report()
    follow_file(source, world, report)
    new = [finding for key, finding in report.findings.items() if shown(finding) and finding not in result.findings]
    result.findings += new
    made = edits_of(source, tree, [edit for key, edit in report.edits.items() if shown(report.findings[key])])
    if made:
        result.edits[source.name] = made


def lint_text(text: str, name: str = "<text>") -> list[CodeFinding]:
    """The findings in one text.

    >>> [f.rule for f in lint_text("import torch.nn.functional as F\\nF.nll_loss(F.softmax(x, 1), y)")]
    ['softmax-before-nll']
    """
    from losscli.lint.machine import Report
    from losscli.lint.roots import follow_file
    from losscli.lint.world import World

    report = Report()
    path = Path(name)
    follow_file(Source(name, path, text), World({path: name}), report)
    return sorted(report.findings.values(), key=lambda finding: (finding.line, finding.column, finding.code))
