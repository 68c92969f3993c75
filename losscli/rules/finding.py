"""A finding in somebody's code, as `lint` and `check` report it: which rule, where, and which other lines it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from losscli.rules import rules


@dataclass(frozen=True)
class Related:
    """Another line that a finding is about, as that where the wrong value was made; lines and columns count from 1."""

    file: str
    line: int
    message: str


@dataclass(frozen=True)
class CodeFinding:
    """A rule broken at a line. In a notebook `cell` counts its cells from 1, and lines are those of the cell."""

    code: str
    severity: str
    file: str
    line: int
    column: int
    message: str
    related: tuple[Related, ...] = ()
    cell: int | None = None
    text: str = ""  # the line as it is written, by which a finding is known again after lines moved

    @property
    def rule(self) -> str:
        return rules.get(self.code).name

    @property
    def cure(self) -> str:
        return rules.get(self.code).instead

    def to_json(self) -> dict[str, Any]:
        """The machine output, the same for `lint` and `check`."""
        cell = {} if self.cell is None else {"cell": self.cell}
        return {
            "code": self.code,
            "rule": self.rule,
            "severity": self.severity,
            "file": self.file,
            **cell,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "cure": self.cure,
            "related": [{"file": item.file, "line": item.line, "message": item.message} for item in self.related],
        }


def report_json(files: int, findings: Sequence[CodeFinding]) -> dict[str, Any]:
    """The one object that `--format json` prints.

    >>> report_json(3, [])
    {'schema_version': 1, 'files': 3, 'findings': []}
    """
    return {"schema_version": 1, "files": files, "findings": [finding.to_json() for finding in findings]}
