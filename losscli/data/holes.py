"""Rows that lack a value: of the target, of which nothing can be learned, or of a feature, if it is not to be filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from losscli.data.dataset import Table
from losscli.data.delimited import MOST_PLACES, first_of
from losscli.data.files import FileOrigin
from losscli.errors import DataError, Finding, Place, Problem, counted, listed, setting, shown
from losscli.tasks import Column


def with_targets(table: Table, missing_target: str, file: str) -> Table:
    """The rows whose targets are all there; `DataError` with places if some are not, and may not be dropped."""
    missing = np.logical_or.reduce([column.missing for column in table.targets.values()])
    count = int(missing.sum())
    if not count:
        return table
    if count == len(missing):
        raise DataError("every row lacks the target", place=Place(file), cure="choose another target")
    if missing_target == "error":
        raise _without_target(table.targets, missing, count)
    lack = "lacks the target and was" if count == 1 else "lack the target and were"
    finding = Finding("missing-target", "info", f"{count} of {counted(len(missing), 'row')} {lack} left out")
    return _of_rows(table, ~missing, finding)


def _without_target(targets: Mapping[str, Column], missing: np.ndarray, count: int) -> DataError:
    """One sentence for all such rows, at the place of the first."""
    column = next(column for column in targets.values() if column.missing.any())
    lacking = [shown(name) for name, column in targets.items() if column.missing.any()]
    place = column.origin.place(int(np.flatnonzero(column.missing)[0])) if column.origin else None
    what = "the target" if len(lacking) == 1 else "the targets"
    message = f"{count} of {counted(len(missing), 'row')} {'has' if count == 1 else 'have'} no value of {what} {listed(lacking)}"
    cure = f"{setting('missing_target', 'drop')} leaves {'it' if count == 1 else 'them'} out"
    return DataError(message, place=place, cure=cure)


def with_features(table: Table, rows: Literal["keep", "drop", "error"], file: str) -> Table:
    """The rows that hold a value of every feature, or an error with the first places, as `data.encode.missing` says."""
    if rows == "keep" or not table.features:
        return table
    holes = {name: column.missing for name, column in table.features.items()}
    missing = np.logical_or.reduce(list(holes.values()))
    count = int(missing.sum())
    if not count:
        return table
    counts = {shown(name): int(mask.sum()) for name, mask in holes.items() if mask.any()}
    text = listed([f"{name} in {number}" for name, number in counts.items()])
    if rows == "error":
        cure = f"fill it in, or set {setting('encode.missing', 'drop')}, or leave that out: then they are filled in"
        raise DataError(_places(table.features, "feature", cure, sum(counts.values())))
    if count == len(missing):
        cure = "take the columns that hold the fewest values out (data.drop)"
        raise DataError(f"every row lacks a feature's value ({text})", place=Place(file), cure=cure)
    lack = "lacks" if count == 1 else "lack"
    were = "was" if count == 1 else "were"
    message = f"{count} of {counted(len(missing), 'row')} {lack} a feature's value and {were} left out: {text}"
    return _of_rows(table, ~missing, Finding("missing-rows", "info", message))


def _of_rows(table: Table, mask: np.ndarray, finding: Finding) -> Table:
    """The table with the rows where `mask`, bool [N], is true."""
    rows = np.flatnonzero(mask)
    return replace(
        table,
        features=_rows_of(table.features, rows),
        targets=_rows_of(table.targets, rows),
        keys=_rows_of(table.keys, rows),
        weight=None if table.weight is None else table.weight[rows],
        exposure=None if table.exposure is None else table.exposure.of_rows(rows),
        findings=(*table.findings, finding),
    )


def _places(columns: Mapping[str, Column], what: str, cure: str, count: int) -> list[Problem]:
    """The first places that hold no value, of `count`."""
    problems: list[Problem] = []
    for name, column in columns.items():
        for row in np.flatnonzero(column.missing)[: MOST_PLACES - len(problems)]:
            place = column.origin.place(int(row)) if column.origin else None
            problems.append(Problem(f"the {what} {shown(name)} has no value in this row", place, cure))
    return first_of(problems, count)


def _rows_of(columns: Mapping[str, Column], rows: np.ndarray) -> dict[str, Column]:
    parts = {}
    shared: FileOrigin | None = None  # columns of a table stand in the same lines
    for name, column in columns.items():
        if isinstance(column.origin, FileOrigin):
            shared = shared or column.origin.of_rows(rows)
        origin = replace(shared, column=column.origin.column) if shared and column.origin else None
        parts[name] = column.holding(column.values[rows], origin)
    return parts
