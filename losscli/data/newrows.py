"""New rows for a model that is there already: the columns that it needs, read as those that it was trained on.

What a column is, the model knows. Nothing is inferred, so a column that holds something else is an error with its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.data.encode import CategoryCode, Encoder
from losscli.data.files import Watched, files_of
from losscli.data.infer import Kind, infer
from losscli.data.sources import Source
from losscli.data.sources.csv import Csv
from losscli.data.sources.parquet import Parquet
from losscli.data.tabular import Tabular
from losscli.errors import DataError, Finding, Place, Problem, counted, listed, nearest, shown
from losscli.tasks import Column

if TYPE_CHECKING:
    import pyarrow as pa

TARGET = "-"  # a source needs one; new rows do without


@dataclass(frozen=True)
class Dialect:
    """How the texts of a file are written, so that what is added is written alike."""

    delimiter: str = ","
    decimal: str = "."
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewRows:
    """The rows of a file: `table` as they were written, `features` as the model's encoder takes them."""

    table: pa.Table
    features: Mapping[str, Column]
    findings: tuple[Finding, ...] = ()
    dialect: Dialect = Dialect()


def new_rows(source: Tabular, encoder: Encoder, set_apart: Sequence[str] = ()) -> NewRows:
    """The rows of the file or folder that `source` names (see `pointed`), relative to the working directory.

    `set_apart` are columns that may be there and mean nothing to the model, such as its target. Raises `DataError` for
    columns that are missing or hold something else.
    """
    needed = _needed(encoder, source)
    files, findings = files_of(Path(), source.paths, source.endings)
    as_text = {name for name, kind in needed.items() if kind != "number"}
    gathered = source.gathered(files, set(), as_text, Watched())
    _refuse_missing(needed, gathered.names, files[0].name)
    features: dict[str, Column] = {}
    problems: list[Problem] = []
    for name, kind in needed.items():
        wanted = replace(source.wanted(name, gathered.rows), kind=kind, most_levels=None)
        try:
            features |= infer(gathered.columns[name], wanted).columns
        except DataError as refused:
            problems += refused.problems
    if problems:
        raise DataError(problems)
    known = {*needed, *set_apart, *source.drop, *encoder.constant}
    findings += _extra([name for name in gathered.names if name not in known])
    findings += _odd(encoder, features)
    table = _as_written(source, gathered.names)
    return NewRows(table, features, tuple(findings), _dialect(source))


def pointed(like: Source, path: str) -> tuple[type[Tabular], dict[str, Any]]:
    """What reads a file, and its keys: those of the source that a model was trained on, where the file is of its kind
    (delimiter, missing tokens, dates ...), and what a column is in any case.
    """
    kind = _kind(Path(path))
    if isinstance(like, kind):
        return kind, {**like.model_dump(exclude={"split", "corrupt", "encode"}), "path": path}
    shared = {"types": like.types, "day_first": like.day_first, "drop": like.drop} if isinstance(like, Tabular) else {}
    return kind, {"path": path, "target": TARGET, **shared}


def _dialect(source: Tabular) -> Dialect:
    if not isinstance(source, Csv):
        return Dialect()
    return Dialect(source.delimiter_of(source.paths[0]), source.decimal, tuple(source.missing))


def _kind(path: Path) -> type[Tabular]:
    """By the file's ending; of a folder by those of its files."""
    names = [each.name for each in path.iterdir()] if path.is_dir() else [path.name]
    return Parquet if any(name.casefold().endswith(Parquet.endings) for name in names) else Csv


def _needed(encoder: Encoder, source: Tabular) -> dict[str, Kind]:
    """The columns of a file that the encoder needs, and their kinds; the parts of a date come from its one column."""
    found: dict[str, Kind] = {}
    for code in encoder.codes:
        whole = code.name.rpartition(".")[0]
        if source.types.get(whole) == "date":
            found[whole] = "date"
        elif source.types.get(code.name) == "boolean":
            found[code.name] = "boolean"
        else:
            found[code.name] = "number" if code.kind == "number" else "category"
    return found


def _refuse_missing(needed: Mapping[str, Kind], names: Sequence[str], file: str) -> None:
    """All in one message, with the columns that may be meant."""
    lacking = [name for name in needed if name not in names]
    if not lacking:
        return
    close = [f"{shown(found)} for {shown(name)}" for name in lacking if (found := nearest(name, names))]
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


def _odd(encoder: Encoder, features: Mapping[str, Column]) -> list[Finding]:
    """What the model was given in place of values that it has never seen, or that are missing."""
    holes = {code.name: int(features[code.name].missing.sum()) for code in encoder.codes}
    filled = [f"{shown(name)} {count}" for name, count in holes.items() if count]
    unknown = []
    for code in encoder.codes:
        column = features[code.name]
        if isinstance(code, CategoryCode) and column.levels is not None:
            strange = np.array([level not in code.levels for level in column.levels], dtype=bool)
            rows = np.append(strange, False)[column.values]
            if rows.any():
                first = column.levels[int(column.values[np.flatnonzero(rows)[0]])]
                unknown.append(f"{shown(code.name)} {int(rows.sum())} (such as {shown(first)})")
    findings = []
    if unknown:
        message = f"rows with a category that training never saw, which counts as unknown: {listed(unknown)}"
        findings.append(Finding("unknown-category", "warning", message))
    if filled:
        message = f"rows with a missing value, filled in as in training: {listed(filled)}"
        findings.append(Finding("missing-values", "info", message))
    return findings


def _as_written(source: Tabular, names: Sequence[str]) -> pa.Table:
    """The file's columns: texts as they stand in CSV, values as they are typed in Parquet."""
    import pyarrow as pa
    from pyarrow import parquet

    files, _ = files_of(Path(), source.paths, source.endings)
    if isinstance(source, Parquet):
        return pa.concat_tables([parquet.read_table(file.path) for file in files])
    verbatim = source.model_copy(update={"missing": []})  # "NA" is what is written there
    columns = verbatim.gathered(files, set(), set(names), Watched()).columns
    texts: dict[str, Any] = {name: columns[name].texts for name in names}  # all were asked for as text
    return pa.table({name: found.cast(pa.string()) for name, found in texts.items()})
