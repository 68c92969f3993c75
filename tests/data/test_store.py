"""Columns on disk and rows that are encoded later: the same values as in memory, and nothing left behind."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError

from losscli.data import store as module
from losscli.data.corrupt import Corruption
from losscli.data.encode import Encoder
from losscli.data.encoding import Encoding
from losscli.data.prepare import prepare_all
from losscli.data.sources import Split, sources
from losscli.data.store import Store, bytes_of, half_of_memory
from losscli.data.stream import Room, Stream
from losscli.errors import MachineError
from losscli.tasks import Column, tasks

NUMBERS = Column(np.array([1.5, np.nan, -3.0, 4.0]))
LEVELS = Column(np.array([1, -1, 0, 1], dtype=np.int32), ("a", "b"))


@pytest.fixture
def tmpdir_of_store(monkeypatch, tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


# Sizes


@pytest.mark.parametrize("text", ["2", "GB", "-1GB", "0MB", "1e3MB", "2 XB", "", "two GB"])
def test_a_size_is_a_number_and_a_unit(text: str) -> None:
    with pytest.raises(ValueError, match="500MB"):
        bytes_of(text)
    with pytest.raises(ValidationError):
        sources.get("parquet")(path="x", target="y", memory=text)


@pytest.mark.parametrize(
    ("own", "file"),
    [
        ("0::/", "memory.max"),  # a container that sees itself as the whole
        ("0::/user.slice/job-1", "user.slice/job-1/memory.max"),
        ("0::/user.slice/job-1", "user.slice/memory.max"),  # a limit of the group around it
        ("4:cpu,memory:/docker/ab12", "memory/docker/ab12/memory.limit_in_bytes"),  # version 1
        ("4:memory:/docker/ab12\n0::/", "memory/memory.limit_in_bytes"),  # the path is that of the machine outside
    ],
)
def test_a_container_may_have_less_than_the_machine(monkeypatch, tmp_path: Path, own: str, file: str) -> None:
    groups, limit = tmp_path / "self", tmp_path / "fs" / file
    groups.write_text(f"7:blkio:/\n{own}\n")
    limit.parent.mkdir(parents=True)
    monkeypatch.setattr(module, "OWN_GROUPS", groups)
    monkeypatch.setattr(module, "GROUPS", tmp_path / "fs")
    whole = half_of_memory()
    assert whole == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    limit.write_text("1000000\n")
    assert half_of_memory() == 500_000
    limit.write_text("max\n" if own.startswith("0") else "9223372036854771712\n")  # as each version says: none
    assert half_of_memory() == whole


def test_a_shell_may_allow_less_than_the_machine(monkeypatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda kind: (2_000_000, -1))
    assert half_of_memory() == 1_000_000


# Columns on disk


def test_columns_come_back_as_they_were_and_leave_nothing_behind(tmpdir_of_store: Path) -> None:
    store = Store(1000)
    kept = [store.keep(column) for column in (NUMBERS, LEVELS, NUMBERS)]
    for column, original in zip(kept, (NUMBERS, LEVELS, NUMBERS), strict=True):
        np.testing.assert_array_equal(column.values, original.values)
        assert column.values.dtype == original.values.dtype
        assert (column.levels, column.missing.tolist()) == (original.levels, original.missing.tolist())
        assert (column.resident, original.resident) == (0, original.values.nbytes)
    assert list(tmpdir_of_store.iterdir()) == []  # the file has no name, whatever ends the process
    with pytest.raises(ValueError, match="read-only"):
        kept[0].values[0] = 1.0


def test_a_column_made_of_one_on_disk_is_on_disk_too(tmpdir_of_store: Path) -> None:
    again = Store(1000).keep(LEVELS).holding(np.array([0, 0], dtype=np.int32))
    assert (again.resident, again.values.tolist(), again.levels) == (0, [0, 0], ("a", "b"))


def test_the_file_lives_as_long_as_its_columns(tmpdir_of_store: Path) -> None:
    store = Store(1000)
    file, column = store.file, store.keep(NUMBERS)
    del store
    gc.collect()
    assert not file.closed
    assert column.values[0] == 1.5
    del column
    gc.collect()
    assert file.closed


def test_a_disk_without_room_is_told_before_anything_is_written(monkeypatch, tmpdir_of_store: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=10**6))
    with pytest.raises(MachineError, match=r"takes 2.0 MB on disk, and '.*'…? has 1.0 MB left") as refused:
        Store(2 * 10**6)
    assert "TMPDIR" in (refused.value.problems[0].cure or "")
    monkeypatch.undo()
    monkeypatch.setenv("TMPDIR", str(tmpdir_of_store / "none"))
    with pytest.raises(MachineError, match="No such file"):
        Store(1)


def test_a_disk_that_fills_up_is_told(monkeypatch, tmpdir_of_store: Path) -> None:
    store = Store(10)
    full = SimpleNamespace(seek=lambda at: None, write=_full, close=lambda: None)
    monkeypatch.setattr(store, "file", full)
    with pytest.raises(MachineError, match="No space left on device"):
        store.keep(NUMBERS)


def _full(data: object) -> None:
    raise OSError(28, "No space left on device")


# Tables


def parquet_of(folder: Path, **options: object):
    rng = np.random.default_rng(0)
    for part in range(3):
        columns = {"x": rng.normal(size=100), "w": rng.normal(size=100), "c": rng.choice(["a", "b", ""], 100)}
        columns["y"] = [None if row == 7 else float(row % 5) for row in range(100)]
        parquet.write_table(pa.table(columns), folder / f"part-{part}.parquet")
    return sources.get("parquet")(path=".", target="y", missing_target="drop", **options)


def test_a_table_on_disk_is_the_table_in_memory(tmpdir_of_store: Path) -> None:
    held, stored = (parquet_of(tmpdir_of_store, memory=memory).read(tmpdir_of_store) for memory in ("1MB", "1KB"))
    assert (held.rows, list(held.features)) == (297, ["x", "w", "c"])
    for name, column in held.features.items():
        own = stored.features[name]
        assert (own.resident, own.levels) == (0, column.levels)
        np.testing.assert_array_equal(own.values, column.values)
        assert str(own.origin.place(150)) == str(column.origin.place(150))
    assert [finding.code for finding in stored.findings if finding not in held.findings] == ["on-disk"]


def test_a_csv_beyond_the_limit_is_held_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "1.5,0\n2.5,1\n" * 50)
    found = sources.get("csv")(path="t.csv", target="y", memory="1KB").read(tmp_path)
    assert found.features["x"].resident == 800
    assert [finding.code for finding in found.findings] == ["memory"]
    assert "write it as Parquet" in (found.findings[0].cure or "")


# Rows that are encoded later


def test_a_stream_gives_any_rows_as_the_encoder_does() -> None:
    columns = {"x": NUMBERS, "c": LEVELS}
    encoder = Encoder.fit(columns, np.arange(4), Encoding(indicator=True))
    index = np.array([3, 0, 2])
    stream = Stream(columns, index, encoder, window=2)
    whole = encoder.transform(columns, index)
    assert (stream.shape, len(stream)) == (whole.shape, 3)
    np.testing.assert_array_equal(stream[:], whole)
    np.testing.assert_array_equal(stream[1:3], whole[1:3])
    np.testing.assert_array_equal(stream[np.array([2, 0, 2, 1])], whole[[2, 0, 2, 1]])


def test_what_a_table_takes_is_not_there_for_encoded_rows() -> None:
    columns = {"x": Column(np.arange(100.0))}
    encoder = Encoder.fit(columns, np.arange(100))
    assert Room.beside(columns, 1200, 1).holds(100, encoder)  # 800 bytes of table, 400 of encoded rows
    assert not Room.beside(columns, 1199, 1).holds(100, encoder)
    assert not Room.beside(columns, 1200, 2).holds(100, encoder)


@pytest.mark.parametrize("how", [{}, {"feature_noise": 0.5}, {"missing": 0.3}, {"target_outliers": 0.1}])
def test_datasets_of_a_table_on_disk_are_those_of_one_in_memory(how, tmpdir_of_store: Path) -> None:
    made = []
    for memory in ("1MB", "1KB"):
        source = parquet_of(tmpdir_of_store, memory=memory, corrupt=Corruption(**how), split=Split(test=0.2))
        table, task = source.read(tmpdir_of_store), tasks.get("regression")
        made.append(prepare_all(table, task.decode(table.targets), task, source, [0, 1]))
    (held, said), (streamed, told) = made
    assert list(dict.fromkeys(finding.code for finding in told if finding not in said)) == ["on-disk", "streamed"]
    for seed in (0, 1):
        assert streamed[seed].encoder == held[seed].encoder
        for name, part in held[seed].parts.items():
            assert isinstance(streamed[seed].parts[name].features, Stream)
            np.testing.assert_array_equal(streamed[seed].parts[name].features[:], part.features)
            np.testing.assert_array_equal(streamed[seed].parts[name].target, part.target)
