"""What a file declares, or makes of a few bytes, is reckoned before it is made: no gigabytes out of kilobytes."""

import sqlite3
from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError

from losscli.data.delimited import LONGEST_FIELD
from losscli.data.sources import sources
from losscli.errors import DataError

ROWS = 40_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("declared")
    target = pa.array(["a", "b"] * (ROWS // 2))
    for name, length in (("wide", LONGEST_FIELD), ("long", LONGEST_FIELD + 1)):
        once = pa.DictionaryArray.from_arrays(pa.array(np.zeros(ROWS, np.int32)), pa.array(["x" * length]))
        table = pa.table({"t": once, "x": np.arange(ROWS) % 7, "y": target})
        parquet.write_table(table, place / f"{name}.parquet", compression="zstd")
    return place


def test_a_text_that_stands_in_every_row_is_kept_once(folder):
    """5 * 10^9 characters, from a file of a few thousand bytes."""
    assert (folder / "wide.parquet").stat().st_size < 10_000
    before = pa.total_allocated_bytes()
    pool = pa.default_memory_pool()
    table = sources.get("parquet")(path="wide.parquet", target="y", types={"t": "category"}).read(folder)
    assert table.features["t"].levels == ("x" * LONGEST_FIELD,)
    assert pool.max_memory() - before < 1 << 28


def test_a_text_is_as_long_as_a_field_may_be(folder):
    with pytest.raises(DataError, match=rf"a text of 't' has {LONGEST_FIELD + 1} bytes, and may have {LONGEST_FIELD}"):
        sources.get("parquet")(path="long.parquet", target="y").read(folder)
    assert list(sources.get("parquet")(path="long.parquet", target="y", drop=["t"]).read(folder).features) == ["x"]


def test_texts_are_written_out_only_where_memory_has_room(folder):
    source = sources.get("parquet")(path="wide.parquet", target="y", memory="1GB")
    with pytest.raises(DataError, match=r"take 5\.2 GB as texts, and data\.memory is 1\.0 GB"):
        source.as_written(source_files(source, folder))


def source_files(source, folder):
    from losscli.data.files import files_of

    return files_of(folder, source.paths, source.endings)[0]


def test_rows_are_reckoned_before_they_are_read(tmp_path):
    """3 * 10^7 rows of nothing in 140 kB; ten times as many took 5.5 GB before data.memory was looked at."""
    nothing = pa.table({"x": pa.nulls(1_000_000, pa.float64()), "y": pa.nulls(1_000_000, pa.float64())})
    with parquet.ParquetWriter(tmp_path / "nulls.parquet", nothing.schema, compression="zstd") as writer:
        for _ in range(30):
            writer.write_table(nothing)
    assert (tmp_path / "nulls.parquet").stat().st_size < 200_000
    says = r"a column of 30000000 rows takes about 720 MB of memory, and data\.memory is 500 MB"
    with pytest.raises(DataError, match=says):
        sources.get("parquet")(path="nulls.parquet", target="y", memory="500MB").read(tmp_path)


def test_what_a_column_declares_to_unpack_to_is_reckoned(tmp_path):
    table = pa.table({"t": pa.array(["x" * 100_000] * 4000), "y": ["a", "b"] * 2000})
    parquet.write_table(table, tmp_path / "plain.parquet", compression="zstd", use_dictionary=["y"])
    source = sources.get("parquet")
    with pytest.raises(DataError, match=r"the column 't' takes about 400 MB of memory, and data\.memory is 300 MB"):
        source(path="plain.parquet", target="y", memory="300MB").read(tmp_path)
    dropped = source(path="plain.parquet", target="y", memory="300MB", drop=["t"], encode={}).read(tmp_path)
    assert not dropped.features


def test_a_database_computes_nothing(tmp_path):
    with closing(sqlite3.connect(tmp_path / "made.db")) as database:
        database.execute("CREATE TABLE t (x, y)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(at % 7, "ab"[at % 2]) for at in range(100)])
        database.execute("PRAGMA writable_schema = ON")
        made = "CREATE TABLE t (x, y, z GENERATED ALWAYS AS (printf('%.*c', 1000000000, 'x')) VIRTUAL)"
        database.execute("UPDATE sqlite_master SET sql = ?", (made,))
        database.commit()
    with pytest.raises(DataError, match="the column 'z' is computed as it is read"):
        sources.get("sqlite")(path="made.db", target="y").read(tmp_path)


def test_a_cell_of_a_database_is_as_long_as_a_field_may_be(tmp_path):
    with closing(sqlite3.connect(tmp_path / "long.db")) as database:
        database.execute("CREATE TABLE t (x, y)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [("ab" * LONGEST_FIELD, "a"), ("x", "b")])
        database.commit()
    with pytest.raises(DataError, match=f"a text of 'x' has {2 * LONGEST_FIELD} characters"):
        sources.get("sqlite")(path="long.db", target="y").read(tmp_path)


@pytest.mark.parametrize(
    ("block", "key"),
    [
        ({"name": "classification", "n_classes": 10**9}, "n_classes"),
        ({"name": "blobs", "centers": 10**9}, "centers"),
        ({"name": "ring", "n_modes": 10**9}, "n_modes"),
        ({"name": "regression", "n_features": 10**8}, "n_features"),
        ({"name": "regression", "n_targets": 10_000, "n_samples": 10**5}, "n_samples"),
        ({"name": "multilabel_classification", "length": 10**9}, "length"),
    ],
)
def test_what_a_generator_counts_is_bounded(block, key):
    with pytest.raises(ValidationError) as refused:
        sources.get("synthetic")(**block)
    assert refused.value.errors()[0]["loc"] == (key,)


@pytest.mark.parametrize("head", [b"x" * (1 << 26), b'"' + b"x," * (1 << 25)])
def test_a_line_has_an_end(tmp_path, head):
    """A header of 100 MB took more than 40 s, in quotes 5 GB."""
    (tmp_path / "line.csv").write_bytes(head + b",y\n1,0\n")
    with pytest.raises(DataError, match="a row is longer than 32 MB"):
        sources.get("csv")(path="line.csv", target="y").read(tmp_path)


def test_rows_of_another_length_are_not_all_counted(tmp_path):
    (tmp_path / "short.csv").write_bytes(b"a,b,y\n" + b"1\n" * 300_000)
    with pytest.raises(DataError, match="the row must have 3 fields, and has 1") as refused:
        sources.get("csv")(path="short.csv", target="y").read(tmp_path)
    assert refused.value.problems[0].place.line == 2
