"""One contract for every kind of source: what it reads is a whole table, the same each time, which can be encoded and split.

A new source is tested by one line in `MADE`: how a small table of it is made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from losscli.data.prepare import prepare
from losscli.data.sources import Source, sources
from losscli.errors import UserError
from losscli.tasks import tasks

ROWS = 120


def rows() -> pa.Table:
    chance = np.random.default_rng(0)
    kinds = np.array(["oak", "elm", "fir"])[chance.integers(0, 3, ROWS)]
    return pa.table({"x": chance.normal(size=ROWS), "kind": kinds, "y": chance.normal(5, 2, ROWS)})


def as_csv(folder: Path) -> dict[str, Any]:
    csv.write_csv(rows(), folder / "rows.csv")
    return {"path": "rows.csv", "target": "y"}


def as_parquet(folder: Path) -> dict[str, Any]:
    parquet.write_table(rows(), folder / "rows.parquet")
    return {"path": "rows.parquet", "target": "y"}


def as_sqlite(folder: Path) -> dict[str, Any]:
    table = rows()
    with closing(sqlite3.connect(folder / "rows.sqlite")) as database, database:
        database.execute("CREATE TABLE rows (x REAL, kind TEXT, y REAL)")
        database.executemany("INSERT INTO rows VALUES (?, ?, ?)", zip(*table.to_pydict().values(), strict=True))
    return {"path": "rows.sqlite", "target": "y"}


MADE: dict[str, Callable[[Path], dict[str, Any]]] = {
    "csv": as_csv,
    "parquet": as_parquet,
    "sqlite": as_sqlite,
    "synthetic": lambda _: {"name": "friedman1", "n_samples": ROWS},
    "builtin": lambda _: {"name": "diabetes"},
}
every_source = pytest.mark.parametrize("name", sources.names())


def source_of(name: str, folder: Path) -> Source:
    return sources.get(name)(source=name, **MADE[name](folder))


def test_every_source_is_tried() -> None:
    assert set(MADE) == set(sources.names())


@every_source
def test_a_table_is_whole_and_the_same_each_time(name: str, tmp_path: Path) -> None:
    source = source_of(name, tmp_path)
    table, again = source.read(tmp_path), source.read(tmp_path)
    assert table.rows >= ROWS
    assert table.features
    assert table.targets
    assert not set(table.features) & set(table.targets)
    for columns, others in ((table.features, again.features), (table.targets, again.targets)):
        assert list(columns) == list(others)
        for key, column in columns.items():
            assert len(column.values) == table.rows
            np.testing.assert_array_equal(column.values, others[key].values)
            assert column.levels == others[key].levels
            if column.levels is not None:
                assert column.values.min() >= -1  # of a missing value
                assert column.values.max() < len(column.levels)
    assert source.title()
    assert "/" not in source.title()
    assert source.changes() == []


@every_source
def test_its_table_is_encoded_and_split(name: str, tmp_path: Path) -> None:
    source, task = source_of(name, tmp_path), tasks.get("regression")
    table = source.read(tmp_path)
    dataset = prepare(table, task.decode(table.targets, source.target_options()), task, source.split, 0)
    index = np.concatenate([part.index for part in dataset.parts.values()])
    assert sorted(index.tolist()) == list(range(table.rows))
    for part in dataset.parts.values():
        assert np.isfinite(part.features).all()
        assert part.features.dtype == np.float32
        assert part.features.shape == (part.rows, dataset.features)


@every_source
def test_what_it_cannot_read_is_an_error_that_names_it(name: str, tmp_path: Path) -> None:
    given = {key: "no-such-thing" if key in ("path", "name") else value for key, value in MADE[name](tmp_path).items()}
    with pytest.raises((UserError, ValueError)) as refused:
        sources.get(name)(source=name, **given).read(tmp_path)
    problems = getattr(refused.value, "problems", ())
    said = [str(refused.value), *(str(problem.place) for problem in problems)]
    assert any("no-such-thing" in text for text in said)


def test_the_same_rows_are_the_same_table_in_every_kind_of_file(tmp_path: Path) -> None:
    tables = [source_of(name, tmp_path).read(tmp_path) for name in ("csv", "parquet", "sqlite")]
    for columns in zip(*({**table.features, **table.targets}.items() for table in tables), strict=True):
        (name, one), *others = columns
        assert len(others) == 2
        for other_name, other in others:
            assert name == other_name
            assert one.levels == other.levels
            np.testing.assert_allclose(one.values, other.values, rtol=1e-12)
