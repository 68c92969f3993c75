"""Tables whose rows are pairs: two rows of the same columns side by side, and whether they belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from losscli.data.dataset import Table
from losscli.errors import DataError, listed, shown
from losscli.tasks import Column, Target


def in_pairs(table: Table, prefixes: Sequence[str]) -> Table:
    """The table with a row for each half of a pair, [2 N]: rows 2 i and 2 i + 1 are what columns of the first and of the second
    prefix hold in row i, under the names without it. Raises `DataError` where a column has no partner.

    >>> columns = {"a_x": Column(np.array([1.0, 2.0])), "b_x": Column(np.array([3.0, 4.0]))}
    >>> table = in_pairs(Table("two", columns, {"same": Column(np.array([1.0, 0.0]))}), ["a_", "b_"])
    >>> table.features["x"].values.tolist(), table.targets["same"].values.tolist()
    ([1.0, 3.0, 2.0, 4.0], [1.0, 1.0, 0.0, 0.0])
    """
    first, second = (_with_prefix(table.features, prefix) for prefix in prefixes)
    alone = [name for name in table.features if not name.startswith(tuple(prefixes))]
    alone += [f"{prefixes[0]}{name}" for name in first if name not in second]
    alone += [f"{prefixes[1]}{name}" for name in second if name not in first]
    if alone or not first:
        which = listed([shown(name) for name in alone]) if alone else "no column"
        message = f"data.pairs: {which} {'have' if len(alone) > 1 else 'has'} no partner"
        cure = f"columns come in twos, such as {prefixes[0]}size and {prefixes[1]}size; take others out with data.drop"
        raise DataError(message, place=table.place, cure=cure)
    features = {name: _interleaved(first[name], second[name]) for name in first}
    targets = {name: _interleaved(column, column) for name, column in table.targets.items()}
    keys = {name: _interleaved(column, column) for name, column in table.keys.items()}
    weight = None if table.weight is None else np.repeat(table.weight, 2)
    return replace(table, features=features, targets=targets, keys=keys, weight=weight)


def _with_prefix(columns: Mapping[str, Column], prefix: str) -> dict[str, Column]:
    return {name.removeprefix(prefix): column for name, column in columns.items() if name.startswith(prefix)}


def _interleaved(one: Column, other: Column) -> Column:
    """The values of both in turn; categories of either are categories of both."""
    if one.levels is None or other.levels is None:
        if one.is_category != other.is_category:
            raise DataError(
                "data.pairs: a column of numbers has a partner of categories",
                cure="say what both are with data.types",
            )
        return Column(np.stack([one.values, other.values], 1).reshape(-1))
    levels = tuple(dict.fromkeys((*one.levels, *other.levels)))
    codes = [
        np.where(column.values < 0, -1, np.array([levels.index(level) for level in column.levels or ()])[column.values])
        for column in (one, other)
    ]
    return Column(np.stack(codes, 1).reshape(-1).astype(np.int32), levels)


def halved(table: Table, target: Target) -> tuple[Table, Target]:
    """One row for each pair again, to be divided among splits."""

    def every(columns: Mapping[str, Column]) -> dict[str, Column]:
        return {name: Column(column.values[::2], column.levels) for name, column in columns.items()}

    small = replace(table, features=every(table.features), targets=every(table.targets), keys=every(table.keys))
    return small, replace(target, values=target.values[::2], paired=False)


def both(pairs: np.ndarray) -> np.ndarray:
    """The rows of both halves of these pairs.

    >>> both(np.array([0, 3])).tolist()
    [0, 1, 6, 7]
    """
    rows: np.ndarray = (2 * pairs[:, None] + np.arange(2)).reshape(-1)
    return rows
