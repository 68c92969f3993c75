"""Tables in delimited text files, read strictly: every row as long as the header, every value of its column's kind."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from losscli.data.dataset import Table
from losscli.data.sources import Source, source
from losscli.errors import DataError, Finding, Place, Problem, counted, shown
from losscli.tasks import Column

MISSING = ("", "NA", "N/A", "#N/A", "n/a", "nan", "NaN", "NAN", "null", "NULL", "None", "<NA>")
FEW_LEVELS, MOST_LEVELS = 50, 1000  # a category of more levels than half the rows, within these bounds, is left out
LEAST_TO_TELL = 10  # rows, below which a column may equal the target by chance


@source("csv")
class Csv(Source):
    """A delimited text file. `path` is relative to the spec's folder; `target` is a column, or a list of columns.

    `types` says what a column is where it is not plain: number, category or ignore. `header: false` calls the columns
    x1, x2 ... `missing` lists the texts that mean that there is no value. `weight` is a column that says how much each row
    counts in the loss (metrics count all rows alike).
    """

    source: Literal["csv"] = "csv"
    path: Annotated[str, Field(min_length=1)]
    target: Annotated[str, Field(min_length=1)] | Annotated[list[str], Field(min_length=1)]
    drop: list[str] = Field(default_factory=list)
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    header: bool | None = None
    missing: list[str] = Field(default_factory=lambda: list(MISSING))
    missing_target: Literal["error", "drop"] = "error"
    types: dict[str, Literal["number", "category", "ignore"]] = Field(default_factory=dict)
    weight: str | None = None

    @field_validator("path")
    @classmethod
    def _is_local(cls, path: str) -> str:
        if "://" in path:
            raise ValueError(f"path must be a local file, got {shown(path)}: download it first")
        return path

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
            codecs.lookup(encoding)
        except (LookupError, ValueError):
            raise ValueError(f"there is no text encoding called {shown(encoding)}: try utf-8 or latin-1") from None
        return encoding

    @field_validator("delimiter")
    @classmethod
    def _divides(cls, delimiter: str) -> str:
        if not delimiter.isascii() or delimiter in '"\r\n\0':
            raise ValueError(f"delimiter must be one ASCII character that is no quote or line end, got {delimiter!r}")
        return delimiter

    @model_validator(mode="after")
    def _keeps_its_targets(self) -> Csv:
        ignored = {*self.drop, *(name for name, kind in self.types.items() if kind == "ignore")}
        lost = [name for name in self.targets if name in ignored]
        if lost:
            raise ValueError(f"the target {shown(lost[0])} is also to be left out (drop, types)")
        if len(set(self.targets)) < len(self.targets):
            raise ValueError("target names a column twice")
        if self.weight is not None and self.weight in {*self.targets, *ignored}:
            raise ValueError(f"the weight {shown(self.weight)} is also a target, or to be left out")
        if self.delimiter == self.decimal:
            raise ValueError(f"delimiter and decimal are both {self.decimal!r}: set data.delimiter")
        return self

    @property
    def targets(self) -> list[str]:
        return [self.target] if isinstance(self.target, str) else self.target

    def title(self) -> str:
        return Path(self.path).stem

    def read(self, folder: Path) -> Table:
        """The table, every value checked. Raises `DataError` with as many mistakes as one reading can find."""
        from losscli.data.delimited import parse
        from losscli.data.textfile import read_text

        data = read_text(folder / self.path, self.path, self.encoding)
        texts = parse(data, self.path, self.delimiter, self.header, self.missing)
        del data
        columns, findings = self._columns(texts)
        features = {name: column for name, column in columns.items() if name not in self.targets}
        targets = {name: columns[name] for name in self.targets}
        features, targets, dropped = self._whole(features, targets)
        weight = None if self.weight is None else _weights(self.weight, features.pop(self.weight))
        if texts.blank_lines:
            message = f"{texts.blank_lines} blank lines of {shown(self.path)} were skipped"
            findings.append(Finding("blank-lines", "info", message))
        findings += dropped + _row_numbers(features) + _copies(features, targets) + _repeated(columns)
        return Table(self.title(), features, targets, tuple(findings), weight)

    def _columns(self, texts: Any) -> tuple[dict[str, Column], list[Finding]]:
        """Each column that is kept, in the file's order, and what was noticed about them."""
        from losscli.data.delimited import choose_column
        from losscli.data.infer import TextColumn, infer

        weights = [self.weight] if self.weight is not None else []
        for key, names in (("target", self.targets), ("drop", self.drop), ("types", self.types), ("weight", weights)):
            for name in names:
                choose_column(name, texts.names, f"data.{key}", self.path)
        columns: dict[str, Column] = {}
        findings: list[Finding] = []
        problems: list[Problem] = []
        limit = max(FEW_LEVELS, min(len(texts.lines) // 2, MOST_LEVELS))
        for index, name in enumerate(texts.names):
            kind = self.types.get(name)
            if name in self.drop or kind == "ignore":
                continue
            most = None if name in (*self.targets, self.weight) or kind == "category" else limit
            text = TextColumn(name, texts.columns[index], texts.origin(index))
            try:
                column, noticed = infer(text, kind, self.decimal, self.missing, most)
            except DataError as refused:
                problems += refused.problems
                continue
            findings += noticed
            if column is not None:
                columns[name] = column
        if problems:
            raise DataError(problems)
        return columns, findings

    def _whole(
        self, features: dict[str, Column], targets: dict[str, Column]
    ) -> tuple[dict[str, Column], dict[str, Column], list[Finding]]:
        """The rows whose targets are all there; `DataError` with places if some are not, and may not be dropped."""
        missing = np.logical_or.reduce([column.missing for column in targets.values()])
        count = int(missing.sum())
        if not count:
            return features, targets, []
        if self.missing_target == "error":
            raise DataError(_missing_places(targets, count))
        if count == len(missing):
            raise DataError("every row lacks the target", place=Place(self.path))
        kept = np.flatnonzero(~missing)
        lack = "lacks the target and was" if count == 1 else "lack the target and were"
        message = f"{count} of {counted(len(missing), 'row')} {lack} left out"
        finding = Finding("missing-target", "info", message)
        return _rows_of(features, kept), _rows_of(targets, kept), [finding]


def _weights(name: str, column: Column) -> np.ndarray:
    """float32 [N], every one a number >= 0 and some of them above it."""
    if column.is_category:
        raise DataError(f"the weight {shown(name)} must be a column of numbers", cure="choose another data.weight")
    wrong = np.flatnonzero(~(column.values >= 0))
    if len(wrong):
        given = column.values[wrong[0]]
        told = "is missing" if np.isnan(given) else f"is {given:g}"
        place = column.origin.place(int(wrong[0])) if column.origin else None
        raise DataError(
            f"a weight must be a number >= 0, and one {told} ({counted(len(wrong), 'row')})",
            place=place,
            cure="mend it",
        )
    if not column.values.any():
        raise DataError(
            f"the weights {shown(name)} are all zero: no row would count", cure="choose another data.weight"
        )
    return column.values.astype(np.float32)


def _missing_places(targets: dict[str, Column], count: int) -> list[Problem]:
    from losscli.data.delimited import MOST_PLACES, first_of

    cure = "fill it in, or set data.missing_target: drop"
    problems: list[Problem] = []
    for name, column in targets.items():
        for row in np.flatnonzero(column.missing)[: MOST_PLACES - len(problems)]:
            place = column.origin.place(int(row)) if column.origin else None
            problems.append(Problem(f"the target {shown(name)} has no value in this row", place, cure))
    return first_of(problems, count)


def _rows_of(columns: dict[str, Column], rows: np.ndarray) -> dict[str, Column]:
    kept = {}
    for name, column in columns.items():
        origin = column.origin
        if origin is not None and origin.lines is not None:
            origin = type(origin)(origin.file, origin.column, origin.lines[rows])
        kept[name] = Column(column.values[rows], column.levels, origin)
    return kept


def _row_numbers(features: dict[str, Column]) -> list[Finding]:
    return [
        Finding("row-numbers", "warning", f"the feature {shown(name)} counts the rows", "list it under data.drop")
        for name, column in features.items()
        if not column.is_category and len(column.values) > FEW_LEVELS and (np.diff(column.values) == 1).all()
    ]


def _copies(features: dict[str, Column], targets: dict[str, Column]) -> list[Finding]:
    """Features that tell the target outright: the same numbers, or the same classes under other names."""
    if len(next(iter(targets.values())).values) < LEAST_TO_TELL:
        return []
    findings = []
    for wanted, target in targets.items():
        codes = _few_codes(target)
        for name, feature in features.items():
            if _is_copy(feature, target, codes):
                message = f"the feature {shown(name)} tells the target {shown(wanted)} exactly: is it known before it?"
                findings.append(Finding("leak", "warning", message, "leave it out with data.drop"))
    return findings


def _is_copy(feature: Column, target: Column, classes: np.ndarray | None) -> bool:
    """Whether the values are equal, or stand one to one for the target's `classes` (codes 0..k, None: too many)."""
    if not feature.is_category and not target.is_category and np.array_equal(feature.values, target.values):
        return True
    codes = _few_codes(feature) if classes is not None and classes.max() else None
    if codes is None or classes is None or codes.max() != classes.max():
        return False
    pairs = np.unique(codes.astype(np.int64) * (classes.max() + 1) + classes)
    return bool(len(pairs) == codes.max() + 1)


def _few_codes(column: Column) -> np.ndarray | None:
    """Codes 0..k of the different values, missing among them; None if there are more than a class target has."""
    values = column.values
    if not column.is_category and len(np.unique(values[:1000])) > FEW_LEVELS:
        return None
    different, codes = np.unique(values, return_inverse=True)
    return codes if len(different) <= MOST_LEVELS else None


def _repeated(columns: dict[str, Column]) -> list[Finding]:
    rows = np.zeros(len(next(iter(columns.values())).values), dtype=np.uint64)
    for column in columns.values():
        bits = column.values.astype(np.float64).view(np.uint64)
        rows = (rows ^ bits) * np.uint64(0x9E3779B97F4A7C15)  # multiplicative hashing (Knuth), wrapping at 2^64
        rows ^= rows >> np.uint64(29)
    count = len(rows) - len(np.unique(rows))
    if not count:
        return []
    repeat = "repeats" if count == 1 else "repeat"
    message = f"{counted(count, 'row')} of {len(rows)} {repeat} another row, and copies may stand in different splits"
    return [Finding("repeated-rows", "warning", message, "leave the copies out if they are not separate cases")]
