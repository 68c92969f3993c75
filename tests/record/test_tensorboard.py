"""Event files, read back by TensorBoard's own reader and by losscli's diagnose."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import losscli
from losscli.cli.app import run
from losscli.record.reader import read_history

SPEC = (
    "task: binary\ndata: {source: synthetic, name: moons, n_samples: 90}\nloss: [bce, {name: focal, gamma: [1, 2]}]\n"
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("events")
    (folder / "a.yaml").write_text(SPEC + "train: {epochs: 3}\nseeds: 2\n")
    losscli.compare([folder / "a.yaml"], out=folder / "runs")  # type: ignore[operator]
    return folder


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events: Any = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_every_point_is_read_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert run(["runs", "export", "1", "--to", "tensorboard", "--force"]) == 0
    (record,) = (root / "runs").iterdir()
    folder = root / f"{record.name}-tensorboard"
    assert len(list(folder.rglob("events*"))) == 6
    assert {path.name for path in folder.iterdir()} == {"bce", "focal-gamma-1", "focal-gamma-2"}
    found = scalars(folder / "focal-gamma-2" / "seed-1")
    rows = [row for row in read_history(record).to_pylist() if (row["entry"], row["seed"]) == ("focal gamma=2", 1)]
    assert {(tag, step) for tag, points in found.items() for step, _ in points} == {
        (f"{row['split']}/{row['metric']}", row["epoch"]) for row in rows
    }
    for row in rows:
        assert dict(found[f"{row['split']}/{row['metric']}"])[row["epoch"]] == pytest.approx(row["value"], rel=1e-6)


def test_the_same_record_makes_the_same_bytes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    made = []
    for _ in range(2):
        assert run(["runs", "export", "1", "--to", "tensorboard", "--force"]) == 0
        made.append(sorted(path.read_bytes() for path in root.rglob("events*")))
    assert made[0] == made[1]


def test_diagnose_reads_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert run(["runs", "export", "1", "--to", "tensorboard", "--force"]) == 0
    run_folder = next(root.glob("*-tensorboard")) / "bce" / "seed-0"
    assert run(["diagnose", str(run_folder)]) == 0


def test_what_is_there_stays(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (record,) = (root / "runs").iterdir()
    there = tmp_path / f"{record.name}-tensorboard"
    there.mkdir()
    assert run(["runs", "export", str(record), "--to", "tensorboard"]) == 2
    assert "exists" in capsys.readouterr().err
    assert list(there.iterdir()) == []
    there.rmdir()
    there.symlink_to(root)
    assert run(["runs", "export", str(record), "--to", "tensorboard", "--force"]) == 2
    assert (root / "a.yaml").exists()


def test_without_the_extra_it_says_so(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    assert run(["runs", "export", str(next((root / "runs").iterdir())), "--to", "tensorboard"]) == 5
    assert "losscli[tensorboard]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
