"""A record is whole or it is none: what was written comes back, what was changed or half-written is refused."""

from __future__ import annotations

import errno
import json
import math
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.errors import MachineError
from losscli.record import disk, writer
from losscli.record.manifest import signed
from losscli.record.reader import read, read_weights
from losscli.reports.json import to_json

WEIGHTS = {"0/focal gamma=2/3/0.weight": np.arange(6, dtype=np.float32).reshape(2, 3).T}
ENCODERS = {"0/3": {"age": {"mean": 29.5}, "Straße": ["ä", "\ud800"]}}
Write = Callable[..., Path]


@pytest.fixture
def comparison(arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]) -> Comparison:
    return comparison_of(arena_of({"bce": [0.8, 0.9], "hinge": [0.7, 0.6]}, diverged={"hinge": [1]}))


@pytest.fixture
def write(tmp_path: Path, comparison: Comparison) -> Write:
    def make(
        name: str = "titanic", root: Path = tmp_path / "runs", specs: tuple[str, ...] = ("task: binary\n",)
    ) -> Path:
        return writer.write(root, name, comparison, weights=WEIGHTS, encoders=ENCODERS, specs=specs, results=to_json)

    return make


def test_what_was_written_comes_back(write: Write, comparison: Comparison) -> None:
    folder = write(specs=("task: binary\n", "task: regression\n"))
    found = read(folder)
    assert found["specs"] == ["task: binary\n", "task: regression\n"]
    assert found["encoders"] == ENCODERS
    assert found["results"] == {**to_json(comparison), "record": folder.as_posix()}
    assert {path.name for path in folder.iterdir()} == {
        "spec.yaml",
        "spec2.yaml",
        "results.json",
        "history.parquet",
        "predictions.parquet",
        "weights.safetensors",
        "encoders.json",
        "manifest.json",
    }
    weights = read_weights(folder)
    assert list(weights) == list(WEIGHTS)
    np.testing.assert_array_equal(weights[next(iter(WEIGHTS))], [[0, 3], [1, 4], [2, 5]])


def test_history_has_a_row_per_number(write: Write, comparison: Comparison) -> None:
    table = parquet.read_table(write() / "history.parquet")
    assert table.column_names == ["arena", "entry", "seed", "epoch", "split", "metric", "value"]
    assert table.num_rows == sum(len(run.history) for run in comparison.arenas[0].runs) == 60
    assert str(table.schema.field("entry").type).startswith("dictionary")
    first, last = table.slice(0, 1).to_pylist()[0], table.slice(59, 1).to_pylist()[0]
    assert first == {
        "arena": 0,
        "entry": "bce",
        "seed": 0,
        "epoch": 1,
        "split": "train",
        "metric": "loss",
        "value": 1.0,
    }
    assert (last["entry"], last["seed"], last["metric"]) == ("hinge", 1, "auroc")
    assert math.isnan(last["value"])


def test_ids_are_sorted_and_never_shared(write: Write) -> None:
    folders = [write(name) for name in ("zebra", "ant", "ant")]
    assert sorted(folders) == folders
    assert len(set(folders)) == 3


def test_a_clock_set_back_does_not_confuse_the_order(write: Write, tmp_path: Path) -> None:
    (tmp_path / "runs" / "0041-29990101-000000-late").mkdir(parents=True)
    assert write().name.startswith("0042-")


def test_a_folder_that_another_process_has_just_taken_is_left_alone(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write()
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(()))  # as if we had looked before the other one wrote
    monkeypatch.setattr(disk, "datetime", _Clock(first.name))
    second = write()
    monkeypatch.undo()
    assert second.name.startswith("0002-")
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before


class _Clock:
    """Stands still at the time in a record's name."""

    def __init__(self, name: str):
        from datetime import UTC, datetime

        self.time = datetime.strptime("-".join(name.split("-")[1:3]), "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    def now(self, zone: Any) -> Any:
        return self.time


@pytest.mark.parametrize("name", ["../x", "a/b", "CON", "", "n" * 300, "-rf", "a\nb", "\x1b[2J", "[/x]", "..", "ünï"])
def test_no_name_leads_out_of_the_root(write: Write, tmp_path: Path, name: str) -> None:
    folder = write(name)
    assert folder.parent == tmp_path / "runs"
    assert re.fullmatch(r"0001-\d{8}-\d{6}-[A-Za-z0-9_-]{1,60}", folder.name)


def test_a_file_that_was_changed_is_refused(write: Write) -> None:
    folder = write()
    checked = 0
    for path in sorted(folder.iterdir()):
        if path.name != "manifest.json":
            whole = path.read_bytes()
            path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
            with pytest.raises(MachineError, match="checksum mismatch"):
                read(folder)
            path.write_bytes(whole)
            checked += 1
    assert checked == 6
    read(folder)


@pytest.mark.parametrize("name", ["manifest.json", "results.json", "history.parquet", "spec.yaml"])
def test_a_missing_file_is_refused(write: Write, name: str) -> None:
    folder = write()
    (folder / name).unlink()
    with pytest.raises(MachineError, match="No such file") as failed:
        read(folder)
    assert failed.value.exit_code == 5
    assert str(folder / name) == str(failed.value.problems[0].place)


@pytest.mark.parametrize("name", ["../out.json", "/etc/passwd", "a/b.json", "..", ".hidden.json", "a\\b.json", ""])
def test_a_manifest_may_only_name_files_beside_it(write: Write, tmp_path: Path, name: str) -> None:
    folder = write()
    (tmp_path / "runs" / "out.json").write_text("{}")
    _edit(folder, lambda manifest: manifest["files"].update({name: {"bytes": 2, "sha256": "0"}}))
    with pytest.raises(MachineError, match="may only name files beside it"):
        read(folder)


def test_a_link_is_not_followed(write: Write, tmp_path: Path) -> None:
    folder = write()
    moved = (folder / "results.json").rename(tmp_path / "elsewhere.json")
    (folder / "results.json").symlink_to(moved)
    with pytest.raises(MachineError, match="links are not followed"):
        read(folder)


def test_pickle_is_refused(write: Write, tmp_path: Path) -> None:
    folder = write()
    (folder / "weights.pt").write_bytes(pickle.dumps([1]))
    _edit(folder, lambda manifest: manifest["files"].update({"weights.pt": {"bytes": 2, "sha256": "0"}}))
    with pytest.raises(MachineError, match="pickle is not loaded"):
        read(folder)
    with pytest.raises(MachineError, match="pickle is not loaded"):
        read(folder / "weights.pt")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"files": 3}', '{"files": {}}', "\x00" * 9])
def test_a_manifest_that_is_none_is_refused(write: Write, text: str) -> None:
    folder = write()
    (folder / "manifest.json").write_text(text)
    with pytest.raises(MachineError, match=r"manifest\.json"):
        read(folder)


def test_a_record_of_a_newer_losscli_is_refused(write: Write) -> None:
    folder = write()
    _edit(folder, lambda manifest: manifest.update(schema_version=3))
    with pytest.raises(MachineError, match="schema version 3, and this losscli reads 1 to 2"):
        read(folder)


def test_a_huge_manifest_is_not_read(write: Write) -> None:
    folder = write()
    (folder / "manifest.json").write_text(" " * (1 << 20) + "{}")
    with pytest.raises(MachineError, match="larger than"):
        read(folder)


@pytest.mark.parametrize("number", range(7))
def test_a_full_disk_leaves_nothing_behind(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    calls = iter(range(100))

    def full(descriptor: int) -> None:
        if next(calls) == number:
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="No space left on device") as failed:
        write()
    assert "free some space" in (failed.value.problems[0].cure or "")
    assert failed.value.exit_code == 5
    assert list((tmp_path / "runs").iterdir()) == []


def test_an_interrupt_leaves_nothing_behind(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write()
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_root_that_cannot_be_made_is_said(write: Write, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=r"Not a directory|File exists"):
        write(root=tmp_path / "file")
    with pytest.raises(MachineError, match="Not a directory"):
        write(root=tmp_path / "file" / "runs")


def test_specs_sort_as_a_pattern_expands_them(write: Write) -> None:
    folder = write(specs=("1", "2", "3"))
    assert [path.read_text() for path in sorted(folder.glob("spec*.yaml"), key=lambda path: path.name)] == [
        "1",
        "2",
        "3",
    ]


@pytest.mark.parametrize(("number", "space"), [(errno.EDQUOT, True), (errno.EACCES, False), (errno.ENOENT, False)])
def test_the_cure_fits_what_the_disk_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, space: bool
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(MachineError) as failed:
        writer.ready(tmp_path / "runs")
    cure = failed.value.problems[0].cure or ""
    assert ("free some space" in cure) is space
    assert "--out DIR" in cure


def test_a_root_that_vanishes_while_writing_is_said(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    take = disk.take

    def vanishing(root: Path, name: str) -> Path:
        folder = take(root, name)
        shutil.rmtree(root)
        return folder

    monkeypatch.setattr(disk, "take", vanishing)
    with pytest.raises(MachineError, match="No such file or directory"):
        write()
    assert not (tmp_path / "runs").exists()


def _edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_bytes(signed(manifest))  # whoever makes a record up can make its checksum, too
