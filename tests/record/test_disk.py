"""Numbers that nobody else has, whoever else is at it; manifests that vouch for themselves; records of every version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscli.errors import MachineError
from losscli.record import SCHEMA_VERSION, disk, reader
from losscli.record.manifest import STEPS, checksum, signed
from losscli.record.remove import removable, remove
from losscli.record.tree import pack, unpack
from losscli.reports.recall import recall

VERSIONS = Path(__file__).parent / "versions"
TAKE = "import sys; from pathlib import Path; from losscli.record import disk\n" + (
    "for number in range(25): print(disk.take(Path(sys.argv[1]), f'{sys.argv[2]}-{number}').name)"
)


def test_processes_at_once_have_numbers_of_their_own(tmp_path: Path) -> None:
    """Names differ, so that the folders alone would not clash."""
    command = [sys.executable, "-c", TAKE, str(tmp_path / "runs")]
    children = [subprocess.Popen([*command, f"n{child}"], stdout=subprocess.PIPE, text=True) for child in range(4)]
    names = [name for child in children for name in child.communicate(timeout=60)[0].split()]
    assert len(names) == 100
    assert sorted(int(name[:4]) for name in names) == list(range(1, 101))
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == sorted(names)


def test_a_number_that_somebody_claims_is_skipped(tmp_path: Path) -> None:
    (tmp_path / ".0001").mkdir()
    assert disk.take(tmp_path, "x").name.startswith("0002-")


def test_who_works_on_a_folder_is_known_until_it_ends(tmp_path: Path) -> None:
    hold = "import sys, time; from pathlib import Path; from losscli.record.disk import Lock\n" + (
        "lock = Lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    assert not disk.at_work(tmp_path)
    child = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    assert disk.at_work(tmp_path)
    with pytest.raises(BlockingIOError):
        disk.Lock(tmp_path)
    child.kill()
    child.wait(timeout=60)
    child.stdout.close()
    assert not disk.at_work(tmp_path)
    disk.Lock(tmp_path).free()


def test_what_is_in_place_is_whole_or_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    disk.put(path, b"before")

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        disk.put(path, b"after")
    assert path.read_bytes() == b"before"


def test_removing_what_another_has_removed_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "0001-20260131-154210-x"
    folder.mkdir()
    monkeypatch.setattr(os, "scandir", lambda path: (_ for _ in ()).throw(FileNotFoundError(2, "gone", str(path))))
    remove(tmp_path, folder)


def test_what_goes_while_it_is_looked_at_is_said_as_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "0001-20260131-154210-x"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    before, gone = Path.iterdir, folder / "results.json"
    monkeypatch.setattr(Path, "iterdir", lambda path: iter([*before(path), gone]) if path == folder else before(path))
    assert removable(tmp_path, "1") == folder

    def vanished(path: Path) -> Any:
        if path == folder:
            raise FileNotFoundError(2, "gone", str(path))
        return before(path)

    monkeypatch.setattr(Path, "iterdir", vanished)
    with pytest.raises(MachineError, match="there is no record"):
        removable(tmp_path, "1")


# Trees


def test_a_tree_comes_back_bit_by_bit() -> None:
    tree = {
        "float32": np.array([[1.5, -0.0], [np.inf, np.nan]], np.float32),
        "bool": np.array([[True], [False]]),
        "empty": np.zeros((3, 0), np.float32),
        "single": np.array(7, np.int64),
        "turned": np.arange(6).reshape(2, 3).T,
        "list": [None, True, 3, 0.1, float("-inf"), "ä", {"array": "a word", "dict": {}}],
    }
    again = unpack(pack(tree))
    for name in ("float32", "bool", "empty", "single", "turned"):
        assert again[name].dtype == tree[name].dtype  # type: ignore[union-attr]
        assert again[name].shape == tree[name].shape  # type: ignore[union-attr]
        assert again[name].tobytes() == np.ascontiguousarray(tree[name]).tobytes()  # type: ignore[arg-type]
    assert again["list"] == tree["list"]


def test_no_byte_of_a_tree_can_change_unseen() -> None:
    data = pack({"weights": np.arange(4, dtype=np.float32), "step": 3})
    unseen = []
    for place in range(len(data)):
        try:
            changed = unpack(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        except ValueError:
            continue
        if repr(changed) != repr(unpack(data)):
            unseen.append(place)
    assert unseen == []
    for length in range(len(data)):
        with pytest.raises(ValueError, match=r"."):
            unpack(data[:length])


# Manifests


@pytest.mark.parametrize("version", sorted(path.name for path in VERSIONS.iterdir()))
def test_records_of_every_version_are_read(version: str, tmp_path: Path) -> None:
    (folder,) = (VERSIONS / version).iterdir()
    recalled = recall(folder)
    (arena,) = recalled.comparison.arenas
    assert [entry.entry for entry in arena.entries] == ["bce-logits", "focal"]
    assert [len(run.history) > 0 for run in arena.runs] == [True] * 4
    assert {name.split("/")[1] for name in reader.read_weights(folder)} == {"bce-logits", "focal"}
    assert reader.read_predictions(folder).num_rows == 4 * 18
    assert reader.read(folder)["manifest"]["schema_version"] == SCHEMA_VERSION


def test_there_is_a_record_of_each_version_and_a_way_from_each() -> None:
    assert sorted(path.name for path in VERSIONS.iterdir()) == [str(number + 1) for number in range(SCHEMA_VERSION)]
    assert sorted(STEPS) == [number + 1 for number in range(SCHEMA_VERSION - 1)]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    (folder,) = (VERSIONS / str(SCHEMA_VERSION)).iterdir()
    copy = tmp_path / folder.name
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def test_nothing_that_a_manifest_says_can_change_unseen(record: Path) -> None:
    path = record / "manifest.json"
    said: dict[str, Any] = json.loads(path.read_bytes())
    reader.read(record)
    changes = [
        {**said, "created": "2020-01-01"},
        {**said, "losscli": "9"},
        {key: value for key, value in said.items() if key != "sha256"},
        {**said, "sha256": checksum(said).replace("0", "1")},
        {**said, "files": {name: fact for name, fact in said["files"].items() if name != "predictions.parquet"}},
        {**said, "extra": 1},
    ]
    for changed in changes:
        path.write_text(json.dumps(changed))
        with pytest.raises(MachineError, match="checksum mismatch"):
            reader.read(record)
    path.write_bytes(signed(said))
    reader.read(record)


@pytest.mark.parametrize("number", [0, 3, None, "1", 1.5, [1], True])
def test_a_version_that_is_not_known_is_refused(record: Path, number: Any) -> None:
    path = record / "manifest.json"
    path.write_bytes(signed({**json.loads(path.read_bytes()), "schema_version": number}))
    with pytest.raises(MachineError, match="this losscli reads 1 to 2"):
        reader.read(record)
