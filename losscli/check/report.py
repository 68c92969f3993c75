"""What was noticed while code ran, as findings: each rule once for a line, unless a comment there silences it."""

from __future__ import annotations

import linecache
import os
from collections.abc import Sequence
from pathlib import Path

from losscli.check.sites import Site
from losscli.lint.files import Source
from losscli.rules import rules
from losscli.rules.finding import CodeFinding, Related


class Report:
    """Findings in the order in which they were made, by rule and line."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, str, int], CodeFinding] = {}

    def emit(
        self,
        name: str,
        site: Site,
        particulars: str = "",
        related: Sequence[tuple[Site | None, str]] = (),
        severity: str | None = None,
    ) -> None:
        """Report a rule broken at a place."""
        rule = rules.get(name)
        linecache.checkcache(site.file)
        file, line = file_name(site.file), site.line
        if (rule.code, file, line) in self._findings or not _allowed(site.file, rule.code, line):
            return
        others = [Related(file_name(other.file), other.line, text) for other, text in related if other is not None]
        self._findings[rule.code, file, line] = CodeFinding(
            rule.code,
            severity or rule.severity,
            file,
            line,
            site.column,
            f"{rule.what}{f' ({particulars})' if particulars else ''}",
            tuple(item for item in dict.fromkeys(others) if (item.file, item.line) != (file, line)),
            text=linecache.getline(site.file, line).strip(),
        )

    def has(self, *names: str) -> bool:
        """Whether one of these rules was broken."""
        codes = {rules.get(name).code for name in names}
        return any(code in codes for code, _, _ in self._findings)

    @property
    def findings(self) -> list[CodeFinding]:
        """By file and line."""
        return sorted(self._findings.values(), key=lambda item: (item.file, item.line, item.column, item.code))


def file_name(file: str) -> str:
    """A path as a user would write it: from the current folder, where it lies below."""
    path = Path(file)
    if not path.is_absolute():
        return file
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return os.fspath(path)


def _allowed(file: str, code: str, line: int) -> bool:
    """Whether no `# noqa` on the line silences the rule, as for lint."""
    text = linecache.getline(file, line)
    return "noqa" not in text or Source(file, Path(file), text).allows(code, 1, 1)
