"""Findings in code, as `lint` and `check` show them: lines for people, annotations for GitHub, SARIF for other programs."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from losscli.cli import show
from losscli.cli.annotations import annotation_at
from losscli.errors import counted, visible
from losscli.rules import Rule, in_order
from losscli.rules.finding import CodeFinding, report_json
from losscli.severities import SEVERITIES

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "losscliFinding/v1"


def write(
    form: str, files: int, findings: Sequence[CodeFinding], notes: Sequence[tuple[str, str]], text: Iterable[str]
) -> None:
    """Findings on stdout in the form asked for; `text` are the lines for people."""
    if form == "json":
        show.machine(report_json(files, findings))
    elif form == "sarif":
        show.machine(sarif(findings, notes))
    else:
        show.paper("".join(f"{line}\n" for line in (workflow_commands(findings) if form == "github" else text)))


def lines(findings: Sequence[CodeFinding]) -> Iterator[str]:
    """A finding in the manner of ruff: file, line, column, code and message; below it the other lines, and the cure."""
    for item in findings:
        yield f"{_place(item)}: {item.code} {visible(item.message, 400)}"
        for other in item.related:
            where = f"line {other.line}" if other.file == item.file else f"{visible(other.file, 400)}:{other.line}"
            yield f"    {where}: {other.message}"
        yield f"    try: {item.cure}"


def _place(item: CodeFinding) -> str:
    cell = "" if item.cell is None else f"cell {item.cell}:"
    return f"{visible(item.file, 400)}:{cell}{item.line}:{item.column}"


def summary(files: int, findings: Sequence[CodeFinding]) -> str:
    """The last line.

    >>> summary(3, [])
    'All clear: 3 files.'
    """
    if not findings:
        return f"All clear: {counted(files, 'file')}."
    return f"Found {counted(len(findings), 'problem')} in {counted(files, 'file')}; losscli explain CODE shows a rule."


def statistics(findings: Sequence[CodeFinding]) -> Iterator[str]:
    """How often each rule is broken, the most frequent first."""
    for (code, name), number in sorted(Counter((item.code, item.rule) for item in findings).items(), key=_by_number):
        yield f"{number:>6}  {code}  {name}"


def _by_number(item: tuple[tuple[str, str], int]) -> tuple[int, str]:
    return -item[1], item[0][0]


def workflow_commands(findings: Sequence[CodeFinding]) -> Iterator[str]:
    """Workflow commands of GitHub."""
    for item in findings:
        where = {"file": item.file, "line": str(item.line), "col": str(item.column)}
        yield annotation_at(
            SEVERITIES[item.severity].workflow, f"{item.code} {item.rule}", f"{item.message} (try: {item.cure})", where
        )


def sarif(findings: Sequence[CodeFinding], notes: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""
    from importlib.metadata import version

    rules = in_order()
    places = {rule.code: place for place, rule in enumerate(rules)}
    driver = {
        "name": "losscli",
        "version": version("losscli"),
        "rules": [_sarif_rule(rule) for rule in rules],
    }
    marks = fingerprints(findings)
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, places[item.code], mark) for item, mark in zip(findings, marks, strict=True)],
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": text}, "locations": [{"physicalLocation": _location(file)}]}
                    for file, text in notes
                ],
            }
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.what},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"torch says: {rule.torch}. Use instead: {rule.instead}."},
        "defaultConfiguration": {"level": SEVERITIES[rule.severity].sarif},
    }


def _result(item: CodeFinding, place: int, mark: str) -> dict[str, Any]:
    related = [
        {"id": number, "message": {"text": other.message}, "physicalLocation": _location(other.file, other.line)}
        for number, other in enumerate(item.related)
    ]
    return {
        "ruleId": item.code,
        "ruleIndex": place,
        "level": SEVERITIES[item.severity].sarif,
        "message": {"text": f"{item.message}; try: {item.cure}"},
        "locations": [{"physicalLocation": _location(item.file, item.line, item.column)}],
        "relatedLocations": related,
        "partialFingerprints": {FINGERPRINT: mark},
    }


def _location(file: str, line: int | None = None, column: int | None = None) -> dict[str, Any]:
    region: dict[str, int] = {} if line is None else {"startLine": line}
    region |= {} if column is None else {"startColumn": column}
    where: dict[str, Any] = {"artifactLocation": {"uri": quote(PurePath(file).as_posix())}}
    return where | ({"region": region} if region else {})


def fingerprints(findings: Sequence[CodeFinding]) -> list[str]:
    """By what a finding is known again when lines above it come or go: rule, file, the line's text, and which of its like."""
    seen: Counter[tuple[str, str, str]] = Counter()
    marks = []
    for item in findings:
        key = (item.code, PurePath(item.file).as_posix(), item.text)
        marks.append(hashlib.sha256("\0".join((*key, str(seen[key]))).encode()).hexdigest()[:32])
        seen[key] += 1
    return marks
