"""What is looked for: the rules that flags and `[tool.losscli.lint]` in pyproject.toml choose, and the files they leave out."""

from __future__ import annotations

import fnmatch
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from losscli.errors import Place, SpecError, choose_from, shown
from losscli.rules import in_order, rules
from losscli.rules.finding import CodeFinding

KEYS = ("select", "ignore", "exclude")


@dataclass(frozen=True)
class Settings:
    """Codes that are chosen (None: all but infos) and left out, and patterns of files that are."""

    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    exclude: tuple[str, ...] = field(default=())

    def shows(self, finding: CodeFinding) -> bool:
        """Whether a finding counts."""
        if finding.code in self.ignore:
            return False
        return finding.severity != "info" if self.select is None else finding.code in self.select

    def leaves_out(self, name: str) -> bool:
        """Whether a file is left out, by its name or that of a folder it is in."""
        parts = Path(name).parts
        return any(
            fnmatch.fnmatch(Path(name).as_posix(), pattern) or any(fnmatch.fnmatch(part, pattern) for part in parts)
            for pattern in self.exclude
        )


def settings(paths: Sequence[str], select: Sequence[str], ignore: Sequence[str], everything: bool) -> Settings:
    """Flags on top of the nearest pyproject.toml; `SpecError` for a code that no rule has."""
    file, table = project(Path(paths[0]))
    place = Place(str(file)) if file else None
    selection = codes(select, None) if select else codes(table["select"], place) if "select" in table else None
    if everything:
        selection = frozenset(rule.code for rule in in_order())
    left_out = codes(ignore, None) | codes(table.get("ignore", ()), place)
    return Settings(selection, left_out, tuple(table.get("exclude", ())))


def codes(words: Sequence[str], place: Place | None) -> frozenset[str]:
    """The codes that words mean: a code, the beginning of some, a rule's name; several may be joined by commas.

    >>> sorted(codes(["LC001,kldiv-mean"], None))
    ['LC001', 'LC010']
    """
    selection: set[str] = set()
    for word in (part.strip() for item in words for part in item.split(",")):
        if not word:
            continue
        begun = [rule.code for rule in in_order() if rule.code.startswith(word.upper()) or word.upper() == "ALL"]
        if not begun and word not in rules:
            names = [name for rule in in_order() for name in (rule.code, rule.name)]
            cure = choose_from(word, names).partition(" There are: ")[0].partition("there are: ")[0]
            raise SpecError(f"there is no rule {shown(word)}", place=place, cure=cure or "losscli rules lists them")
        selection |= set(begun) or {rules.get(word).code}
    return frozenset(selection)


def project(path: Path) -> tuple[Path | None, dict[str, Any]]:
    """The nearest pyproject.toml that has a table for lint, and that table."""
    start = Path(os.path.realpath(path))  # resolve() raises where links go round
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            table = _table(file)
            if table is not None:
                return file, table
    return None, {}


def _table(file: Path) -> dict[str, Any] | None:
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as wrong:
        raise SpecError(f"cannot be read: {wrong}", place=Place(str(file)), cure="mend the file") from wrong
    table = tool.get("losscli", {}).get("lint") if isinstance(tool.get("losscli", {}), dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise SpecError("tool.losscli.lint must be a table", place=Place(str(file)))
    for key, value in table.items():
        if key not in KEYS:
            raise SpecError(
                f"tool.losscli.lint: unknown key {shown(key)}", place=Place(str(file)), cure=choose_from(key, KEYS)
            )
        if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise SpecError(
                f"tool.losscli.lint.{key} must be a list of texts, got {shown(value)}",
                place=Place(str(file)),
                cure=f'{key} = ["..."]',
            )
    return table
