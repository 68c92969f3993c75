"""The rows of a page from a user's own table: two columns of numbers and a target of a few classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from losscli.advice.reading import looked_at, resolved
from losscli.data.dataset import Table
from losscli.errors import DataError, Place, SpecError, choose_from, counted, listed, shown
from losscli.spec.overrides import Overrides
from losscli.tasks import Column, tasks
from losscli.tasks.guess import guess_task

FEWEST, MOST = 40, 300  # rows: half of them are trained on, and every one is a dot
MOST_CLASSES = 7  # as many as there are colours
DRAW = 0x91A7  # the stream that picks rows of a table that has more


def read(name: str, target: str | None, x: str | None, y: str | None) -> tuple[Table, list[str]]:
    """The table of a file, or of a data set, as a page takes it, and what was decided without being asked.

    Raises `SpecError` and `DataError` where there are not two columns of numbers, or no few classes to tell apart.
    """
    noticed = []
    if target is None and Path(name).exists():
        likely = looked_at(name, Overrides()).suggestions
        if likely:
            target = likely[0].columns[0]
            noticed.append(f"no --target is given: {target} it is ({likely[0].reason})")
    spec = resolved(name, Overrides(target=[] if target is None else [target]))
    table = spec.data.read(Path(spec.folder))
    _refuse_target(table)
    names = _axes(table, x, y)
    features = {column: table.features[column] for column in names}
    whole = np.flatnonzero(~np.logical_or.reduce([column.missing for column in features.values()]))
    rows = _drawn(whole)
    if len(rows) < FEWEST:
        raise DataError(
            f"{counted(len(whole), 'row')} of {shown(name)} have a value of {listed([shown(one) for one in names])}, and a page "
            f"needs {FEWEST}",
            place=table.place,
            cure="take a larger table, or choose other columns with --x and --y",
        )
    _refuse_constant(features, rows)
    if (x, y) == (None, None) and len(_numbers(table)) > 2:
        noticed.append(f"no --x and --y are given: the first two columns of numbers are {' and '.join(names)}")
    if len(rows) < len(whole):
        noticed.append(f"{len(rows)} of {len(whole)} rows, chosen at random, are shown: every row is a dot")
    return replace(
        table,
        features={column: _taken(values, rows) for column, values in features.items()},
        targets={column: _taken(values, rows) for column, values in table.targets.items()},
        weight=None,
        keys={},
        findings=(),
        exposure=None,
    ), noticed


def _numbers(table: Table) -> list[str]:
    """The columns that may be an axis: numbers that are not all alike."""
    return [name for name, column in table.features.items() if not column.is_category and _varies(column)]


def _varies(column: Column) -> bool:
    present = column.values[~column.missing]
    return len(present) > 0 and bool(present.min() < present.max())


def _axes(table: Table, x: str | None, y: str | None) -> tuple[str, str]:
    """The two columns that span the page."""
    numbers = _numbers(table)
    for flag, name in (("--x", x), ("--y", y)):
        if name is not None and name not in numbers:
            what = "is no column"
            if name in (*table.features, *table.targets):
                what = "is no column of numbers that vary"
            raise SpecError(f"{shown(name)} {what}", place=Place(flag), cure=choose_from(name, numbers))
    if x is not None and x == y:
        raise SpecError(f"--x and --y are both {shown(x)}", place=Place("--y"), cure="name two columns of numbers")
    if len(numbers) < 2:
        present = f"only {shown(numbers[0])}" if numbers else "none"
        raise DataError(
            f"a page has two axes, and besides the target {shown(table.name)} has {present} that holds numbers that vary",
            place=table.place,
            cure="take a table with two columns of numbers; losscli inspect shows what each column is",
        )
    rest = [name for name in numbers if name not in (x, y)]
    first = x if x is not None else rest.pop(0)
    return first, y if y is not None else rest.pop(0)


def _refuse_target(table: Table) -> None:
    name, column = next(iter(table.targets.items()))
    guess = guess_task(table.targets)
    if len(table.targets) > 1 or not tasks.get(guess.task).rows_have_one_class:
        raise DataError(
            f"losscli play shows classes, and the target is for task {guess.task} ({guess.reason})",
            place=table.place,
            cure="name a column of a few classes with --target",
        )
    classes = len(np.unique(column.values[~column.missing]))
    if not 2 <= classes <= MOST_CLASSES:
        raise DataError(
            f"a page tells 2 to {MOST_CLASSES} classes apart by their colours, and the target {shown(name)} has {classes}",
            place=table.place,
            cure="name another column with --target",
        )


def _refuse_constant(features: dict[str, Column], rows: Sequence[int] | np.ndarray) -> None:
    for name, column in features.items():
        values = column.values[np.asarray(rows)]
        if values.min() == values.max():
            raise DataError(
                f"{shown(name)} is {values[0]:g} in every row, which makes no axis",
                cure="choose another with --x or --y",
            )


def _drawn(rows: np.ndarray) -> np.ndarray:
    """At most `MOST` of the rows, in their order."""
    if len(rows) <= MOST:
        return rows
    return np.sort(np.random.default_rng(DRAW).choice(rows, MOST, replace=False))


def _taken(column: Column, rows: np.ndarray) -> Column:
    return column.holding(column.values[rows])
