"""SQLite: which table, what its loose types become, what is refused and where."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscli.data.sources.sqlite import Sqlite
from losscli.errors import DataError


def made(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "t.db")) as database, database:
        for statement in statements:
            database.execute(statement)


def read(folder: Path, **keys: Any) -> Any:
    return Sqlite(path="t.db", target="y", **keys).read(folder)


def rows_of(values: list[str]) -> tuple[str, str]:
    rows = ", ".join(f"({value}, {number}.5)" for number, value in enumerate(values))
    return "CREATE TABLE t (x, y)", f"INSERT INTO t VALUES {rows}"


def test_the_only_table_need_not_be_named(tmp_path: Path) -> None:
    made(tmp_path, *rows_of(["1", "2", "NULL", "5"]), "CREATE VIEW v AS SELECT 1 AS y")
    table = read(tmp_path)
    np.testing.assert_array_equal(table.features["x"].values, [1, 2, np.nan, 5])
    np.testing.assert_array_equal(table.targets["y"].values, [0.5, 1.5, 2.5, 3.5])


def test_of_several_one_is_named(tmp_path: Path) -> None:
    made(tmp_path, *rows_of(["1", "2"]), 'CREATE TABLE "odd "" name" (x, y)', 'INSERT INTO "odd "" name" VALUES (1, 7)')
    with pytest.raises(DataError, match="holds 2 tables: 'odd \" name', 't'") as refused:
        read(tmp_path)
    assert refused.value.problems[0].cure == "say which: --set data.table=NAME"
    assert read(tmp_path, table="t").rows == 2
    assert read(tmp_path, table='odd " name').targets["y"].values.tolist() == [7]
    with pytest.raises(DataError, match="no table called 'tt'"):
        read(tmp_path, table="tt")


@pytest.mark.parametrize("view", ["v", "sqlite_master"])
def test_what_is_no_plain_table_is_not_run(tmp_path: Path, view: str) -> None:
    endless = "WITH RECURSIVE n(y) AS (SELECT 1 UNION ALL SELECT y + 1 FROM n) SELECT y FROM n"
    made(tmp_path, *rows_of(["1"]), f"CREATE VIEW v AS {endless}")
    with pytest.raises(DataError, match=f"no table called '{view}'"):
        read(tmp_path, table=view)


def test_a_column_of_several_types_tells_what_it_is(tmp_path: Path) -> None:
    """Numbers, one of them written as a text, are numbers; with a word among them they are a category."""
    made(tmp_path, *rows_of(["1", "'2'", "3.5", "''"]))
    np.testing.assert_array_equal(read(tmp_path).features["x"].values, [1, 2, 3.5, np.nan])
    (tmp_path / "t.db").unlink()
    made(tmp_path, *rows_of(["'a'", "'b'", "'a'", "NULL"] * 9))
    column = read(tmp_path).features["x"]
    assert column.levels == ("a", "b")
    assert column.values[:4].tolist() == [0, 1, 0, -1]


@pytest.mark.parametrize(
    ("values", "message", "line"),
    [
        (["1", "x'00ff'"], "binary data", 2),
        (["1", "1e999", "2.0"], "finite number", 2),
        (["9007199254740993", "1"], "2\\^53", 1),
        (["9007199254740993", "0.5"], "2\\^53", 1),
    ],
)
def test_what_csv_would_refuse_is_refused_at_its_row(
    tmp_path: Path, values: list[str], message: str, line: int
) -> None:
    made(tmp_path, *rows_of(values))
    with pytest.raises(DataError, match=message) as refused:
        read(tmp_path)
    place = refused.value.problems[0].place
    assert place is not None
    assert (place.file, place.line, place.column) == ("t.db", line, 1)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    made(tmp_path, *rows_of(["1", "2"]))
    data = (tmp_path / "t.db").read_bytes()
    (tmp_path / "t.db").write_bytes(data[:2000] + b"\xff" * 3000)
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "t.db").write_text("x,y\n1,2\n")
    with pytest.raises(DataError, match="must be an SQLite database"):
        read(tmp_path)


def test_a_database_is_not_written_to(tmp_path: Path) -> None:
    made(tmp_path, *rows_of(["1", "2"]))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    source = Sqlite(path="t.db", target="y")
    source.read(tmp_path)
    assert source.changes() == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    made(tmp_path, "INSERT INTO t VALUES (3, 4)")
    assert [finding.code for finding in source.changes()] == ["data-changed"]
