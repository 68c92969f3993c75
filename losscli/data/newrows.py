"""New rows for a model that is there already: the columns that it needs, read as those that it was trained on.

What a column is, the model knows. Nothing is inferred, so a column that holds something else is an error with its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.data.encode import CategoryCode, Code, Encoder, OffsetCode
from losscli.data.exposure import exposure_of
from losscli.data.files import FileState, files_of
from losscli.data.gather import Raw
from losscli.data.infer import ColumnOptions, Kind, infer
from losscli.data.sources import PLAIN, Source, kinds_of, sources
from losscli.data.tabular import Dialect, Tabular
from losscli.errors import DataError, Finding, Place, Problem, counted, listed, nearest, shown
from losscli.tasks import Column
from losscli.tasks.labels import place_of

if TYPE_CHECKING:
    import pyarrow as pa

TARGET = "-"  # a source needs one; new rows do without
SHARED = ("types", "day_first", "drop", "missing_in")  # keys of every kind of table
MOST_UNKNOWN = 0.5  # of a category's values; beyond, predictions would be of the other columns only


@dataclass(frozen=True)
class NewRows:
    """The rows of a file: `table` as they were written, `features` as the model's encoder takes them."""

    table: pa.Table
    features: Mapping[str, Column]
    findings: tuple[Finding, ...] = ()
    dialect: Dialect = field(default_factory=Dialect)


def new_rows(source: Tabular, encoder: Encoder, set_apart: Sequence[str] = ()) -> NewRows:
    """The rows of the file or folder that `source` names (see `pointed`), relative to the working directory.

    `set_apart` are columns that may be there and mean nothing to the model, such as its target. Raises `DataError` for
    columns that are missing or hold something else.
    """
    needed = _needed(encoder, source)
    codes = {code.name: code for code in encoder.codes}
    files, findings = files_of(Path(), source.paths, source.endings)
    as_text = {name for name, kind in needed.items() if kind != "number"}
    gathered = source.gathered(files, set(), as_text, FileState())
    _refuse_missing(needed, gathered.names, files[0].name, source.pairs or ())
    features: dict[str, Column] = {}
    problems: list[Problem] = []
    for name, kind in needed.items():
        options = replace(source.column_options(name, gathered.rows), kind=kind, most_levels=None)
        try:
            if kind == "date":
                features |= infer(gathered.columns[name], _as_trained(options, name, encoder)).columns
            else:
                features[name] = _read(gathered.columns[name], options, codes[name], encoder.units.get(name))
        except DataError as refused:
            problems += refused.problems
    if problems := problems or _mostly_unknown(encoder, features):
        raise DataError(problems)
    expected = {*needed, *set_apart, *source.drop, *encoder.constant}
    findings += _extra([name for name in gathered.names if name not in expected])
    findings += _odd(encoder, features)
    if encoder.offset is not None:
        findings.append(_over(encoder.offset))
    return NewRows(source.as_written(files), features, tuple(findings), source.dialect())


def _as_trained(options: ColumnOptions, name: str, encoder: Encoder) -> ColumnOptions:
    """How a date is read: what the file's own flag says, or else what training found of day and month."""
    first = encoder.dates.get(name) if options.day_first is None else options.day_first
    return replace(options, day_first=first, hours=any(code.name == f"{name}.hour" for code in encoder.codes))


def _read(raw: Raw, options: ColumnOptions, code: Code, unit: str | None) -> Column:
    """One column as its code takes it. True and false are numbers where training had 0 and 1 only."""
    if isinstance(code, CategoryCode):
        return infer(raw, replace(options, spelling=code.spelling)).columns[code.name]
    if isinstance(code, OffsetCode):
        return exposure_of(code.name, infer(raw, options).columns[code.name], code.logarithms).column
    if raw.texts is None or not code.boolean:
        inferred = infer(raw, options)
        _refuse_other_unit(inferred.story.unit, unit, inferred.columns[code.name])
        return inferred.columns[code.name]
    truths = infer(raw, replace(options, kind="boolean")).columns[code.name]
    return Column(np.where(truths.missing, np.nan, truths.values), None, truths.origin)


def _refuse_other_unit(given: str | None, trained: str | None, column: Column) -> None:
    """Pounds are no kilograms; numbers without a unit are taken for those of training."""
    if given and trained and given != trained:
        message = f"the numbers are in {shown(given)}, and those of training were in {shown(trained)}"
        raise DataError(message, place=place_of(column, 0), cure=f"write them in {shown(trained)[1:-1]}")


def pointed(like: Source, path: str) -> tuple[type[Tabular], dict[str, Any]]:
    """What reads a file, and its keys: those of the source that a model was trained on, where the file is of its kind
    (delimiter, missing tokens, dates ...), and what a column is in any case.
    """
    kind = _kind(Path(path))
    if isinstance(like, kind):
        return kind, {**like.model_dump(exclude={"split", "corrupt", "encode"}), "path": path}
    shared = {key: getattr(like, key) for key in SHARED} if isinstance(like, Tabular) else {}
    return kind, {"path": path, "target": TARGET, **shared}


def _kind(path: Path) -> type[Tabular]:
    """By the file's ending; of a folder by those of its files."""
    tables = [kind for name in kinds_of(path) if issubclass(kind := sources.get(name), Tabular)]
    plain = sources.get(PLAIN)
    assert issubclass(plain, Tabular)
    return tables[0] if tables else plain


def _needed(encoder: Encoder, source: Tabular) -> dict[str, Kind]:
    """The columns of a file that the encoder needs, and their kinds; the parts of a date come from its one column."""
    kinds: dict[str, Kind] = {}
    for code in encoder.codes:
        column = code.name.rpartition(".")[0]
        if column in encoder.dates or source.types.get(column) == "date":
            kinds[column] = "date"
        elif source.types.get(code.name) == "boolean":
            kinds[code.name] = "boolean"
        else:
            kinds[code.name] = "category" if code.kind == "category" else "number"
    return kinds


def _refuse_missing(needed: Mapping[str, Kind], names: Sequence[str], file: str, halves: Sequence[str]) -> None:
    """All in one message, with the columns that may be meant; `halves` are the prefixes where training rows were pairs."""
    lacking = [name for name in needed if name not in names]
    if not lacking:
        return
    if any(half + name in names for half in halves for name in lacking):
        raise DataError(
            f"the model takes one half of a pair in each row: {listed(list(map(shown, lacking)))}",
            place=Place(file),
            cure=f"write both halves below each other, without {' and '.join(map(shown, halves))} before the names",
        )
    close = [f"{shown(candidate)} for {shown(name)}" for name in lacking if (candidate := nearest(name, names))]
    meant = f"did you mean {listed(close)}? " if close else ""
    raise DataError(
        f"the model needs {counted(len(lacking), 'column')} more: {listed(list(map(shown, lacking)))}",
        place=Place(file),
        cure=f"{meant}{'The' if meant else 'the'} file has: {listed(list(map(shown, names)))}",
    )


def _extra(names: Sequence[str]) -> list[Finding]:
    if not names:
        return []
    message = f"the model knows nothing of {counted(len(names), 'column')}: {listed(list(map(shown, names)))}"
    return [Finding("extra-columns", "info", message)]


def _over(offset: OffsetCode) -> Finding:
    of = "the exposure whose logarithm is in" if offset.logarithms else "its"
    message = f"each row is predicted over {of} {shown(offset.name)}, as a count; rate is that for an exposure of 1"
    return Finding("exposure", "info", message)


@dataclass(frozen=True)
class Unknown:
    """The rows of a category whose values training never saw: how many of those that hold a value, and the first."""

    code: CategoryCode
    column: Column
    count: int
    values: int
    row: int

    @property
    def first(self) -> str:
        assert self.column.levels is not None
        return shown(self.column.levels[int(self.column.values[self.row])])

    def problem(self) -> Problem:
        """What must hold where most of the values are unknown."""
        name, levels = shown(self.code.name), listed([shown(level) for level in self.code.levels])
        if self.values == 1:
            sentence = f"the value of {name} is none that the model knows: {self.first}"
        elif self.count == self.values:
            sentence = f"none of the {self.values} values of {name} is one that the model knows, such as {self.first}"
        else:
            sentence = f"{self.count} of the {self.values} values of {name} are none that the model knows, such as {self.first}"
        cure = "write them as the training rows did, leave the cells empty where nothing is known, or train again with such rows"
        place = self.column.origin.place(self.row) if self.column.origin else None
        return Problem(f"{sentence}; it knows {levels}", place, cure)


def _unknown(encoder: Encoder, features: Mapping[str, Column]) -> list[Unknown]:
    unknown = []
    for code in encoder.codes:
        column = features[code.name]
        if isinstance(code, CategoryCode) and column.levels is not None:
            strange = np.append(code.places(column.levels) < 0, False)  # the last is read by code -1: missing
            rows = np.flatnonzero(strange[column.values])
            if len(rows):
                unknown.append(Unknown(code, column, len(rows), int((~column.missing).sum()), int(rows[0])))
    return unknown


def _mostly_unknown(encoder: Encoder, features: Mapping[str, Column]) -> list[Problem]:
    """Columns that say next to nothing to the model: they are written otherwise, or are of another world."""
    return [
        category.problem()
        for category in _unknown(encoder, features)
        if category.count > MOST_UNKNOWN * category.values
    ]


def _odd(encoder: Encoder, features: Mapping[str, Column]) -> list[Finding]:
    """What the model was given in place of values that it has never seen, or that are missing."""
    holes = {code.name: int(features[code.name].missing.sum()) for code in encoder.codes}
    filled = [f"{shown(name)} {count}" for name, count in holes.items() if count]
    unknown = [
        f"{shown(category.code.name)} {category.count} of {category.values} (such as {category.first})"
        for category in _unknown(encoder, features)
    ]
    findings = []
    if unknown:
        message = f"rows with a category that training never saw, which counts as unknown: {listed(unknown)}"
        findings.append(Finding("unknown-category", "warning", message))
    if filled:
        message = f"rows with a missing value, filled in as in training: {listed(filled)}"
        findings.append(Finding("missing-values", "info", message))
    return findings
