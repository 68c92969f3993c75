"""A record is a foreign file, whatever its checksums say: what is wrong with it is said with its place, by every command."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from safetensors.numpy import load_file, save_file

from losscli.cli.app import run
from losscli.errors import MachineError
from losscli.record import reader
from losscli.record.listing import Filter, listed
from losscli.record.manifest import manifest_of, migrated, signed

VERSIONS = Path(__file__).parent / "versions"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    (whole,) = (VERSIONS / "2").iterdir()
    shutil.copytree(whole, tmp_path / "runs" / whole.name)
    return tmp_path / "runs" / whole.name


def sign(record: Path) -> None:
    files = {path.name: path.read_bytes() for path in record.iterdir() if path.name != "manifest.json"}
    (record / "manifest.json").write_bytes(manifest_of(files, {}))


def change(record: Path, name: str, *way: Any, to: Any) -> None:
    """Another value in a JSON file, which the manifest vouches for."""
    document = json.loads((record / name).read_bytes())
    part = document
    for key in way[:-1]:
        part = part[key]
    part[way[-1]] = to
    (record / name).write_text(json.dumps(document))
    sign(record)


ARENA = ("arenas", 0)
FIRST = (*ARENA, "entries", 0)
WRONG: list[tuple[tuple[Any, ...], Any, str]] = [
    (("schema_version",), True, "schema_version"),
    (("schema_version",), 2, "schema_version"),
    (("arenas",), [], "arenas"),
    (("arenas",), {}, "arenas"),
    ((*ARENA, "reference"), "nobody", r"arenas\[0\] a reference that is no entry"),
    ((*ARENA, "reference"), ["bce-logits"], r"arenas\[0\].reference"),
    ((*ARENA, "runs", 0, "seed"), 10**400, r"arenas\[0\].runs\[0\].seed"),
    ((*ARENA, "runs", 0, "seed"), True, r"arenas\[0\].runs\[0\].seed"),
    ((*ARENA, "runs", 0, "seed"), 1, r"two runs of one entry and seed"),
    ((*ARENA, "runs", 0, "entry"), "nobody", "a run of an entry that is not there"),
    ((*ARENA, "runs", 0, "status"), "fine", r"runs\[0\].status"),
    ((*ARENA, "runs", 0, "epochs"), -1, r"runs\[0\].epochs"),
    ((*ARENA, "runs", 0, "calibration"), {"level": 7}, r"calibration.level"),
    ((*FIRST, "test", "auroc", "mean"), "0.5", "test.auroc.mean"),
    ((*FIRST, "test", "auroc", "mean"), 10**400, "test.auroc.mean"),
    ((*FIRST, "test", "auroc", "values"), [0.5], "another number of values than of runs"),
    ((*FIRST, "test", "auroc", "ci95"), [0.5], "test.auroc.ci95"),
    ((*FIRST, "entry"), "focal", "two entries of one name"),
    ((*FIRST, "verdict"), "best", r"entries\[0\].verdict"),
    ((*ARENA, "rows", "train"), 1.5, "rows.train"),
    ((*ARENA, "labels"), [1], r"labels\[0\]"),
    ((*ARENA, "findings"), [{"code": "x", "severity": "fatal", "message": "", "cure": ""}], "severity"),
    ((*ARENA, "why", "best"), "nobody", "why one wins that is no entry"),
    ((*ARENA, "why", "attention", "edges"), [], "classes of rows"),
    ((*ARENA, "why", "attention", "entries", "focal", "rows"), [[1]], "other epochs"),
    (("timing", "train_seconds"), "1", "timing.train_seconds"),
]


@pytest.mark.parametrize(("way", "to", "place"), WRONG)
def test_results_that_no_record_has_are_refused_with_their_place(
    record: Path, way: tuple[Any, ...], to: Any, place: str
) -> None:
    change(record, "results.json", *way, to=to)
    with pytest.raises(MachineError, match=place):
        reader.read(record)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(record: Path, word: str) -> None:
    text = (record / "results.json").read_text().replace('"mean": 0.', f'"mean": {word}, "x": 0.', 1)
    (record / "results.json").write_text(text)
    sign(record)
    with pytest.raises(MachineError, match=r"JSON|finite"):
        reader.read(record)


def test_a_bad_record_is_one_line_of_the_list(record: Path, capfd: Any) -> None:
    for number, (way, to, _) in enumerate(WRONG, start=2):
        other = record.with_name(f"{number:04}-20260131-154210-bad")
        shutil.copytree(record, other)
        change(other, "results.json", *way, to=to)
    assert run(["runs", "ls", "--out", str(record.parent)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert sum("cannot be read" in line for line in lines) == len(WRONG)
    assert sum("bce-logits" in line for line in lines) == 1


@pytest.mark.parametrize(
    "name", ["results.json", "manifest.json", "weights.safetensors", "history.parquet", "spec.yaml"]
)
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), os.mkdir])
def test_only_regular_files_are_read(record: Path, name: str, make: Callable[[Path], None], capfd: Any) -> None:
    """Or a pipe would be waited for, and a device that has no end read to it."""
    (record / name).unlink()
    make(record / name)
    with pytest.raises(MachineError):
        reader.read(record)
    listed(record.parent, Filter())
    for command in ("show", "verify"):
        assert run(["runs", command, record.name, "--out", str(record.parent)]) in (1, 5)
    assert "bug" not in capfd.readouterr().err


def test_sizes_are_checked_before_reading(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (record / "weights.safetensors").open("ab") as file:
        file.truncate(1 << 40)  # a hole: no disk has so much room
    with pytest.raises(MachineError, match="changed after it was written"):
        reader.read_weights(record)


@pytest.mark.parametrize("version", [True, 2.0, "2", None, 3, [2]])
def test_a_version_is_a_whole_number(version: Any) -> None:
    manifest = json.loads(signed({"schema_version": version, "files": {}}))
    with pytest.raises(ValueError, match="schema version"):
        migrated(manifest)


def _weights(record: Path, value: float, of: str = "bce-logits/0") -> None:
    weights = {name: np.array(array) for name, array in load_file(record / "weights.safetensors").items()}
    name = next(name for name in weights if of in name)
    weights[name].reshape(-1)[0] = value
    save_file(weights, record / "weights.safetensors")
    sign(record)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_predict_nothing(record: Path, value: float, tmp_path: Path, capfd: Any) -> None:
    _weights(record, value)
    (tmp_path / "rows.csv").write_text("x1,x2\n0.5,1\n")
    which = ["--entry", "bce-logits", "--seed", "0", "--out", str(record.parent)]
    assert run(["predict", record.name, str(tmp_path / "rows.csv"), *which]) == 5
    assert run(["export", record.name, "--dir", str(tmp_path / "model"), *which]) == 5
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("no finite number") == 2
    assert not (tmp_path / "model").exists()
    other = ["--entry", "focal", "--seed", "0", "--out", str(record.parent)]
    assert run(["predict", record.name, str(tmp_path / "rows.csv"), *other]) == 0


def _history(record: Path, table: pa.Table) -> None:
    parquet.write_table(table, record / "history.parquet")
    sign(record)


def test_a_history_is_bounded_before_it_is_read(record: Path) -> None:
    """A few kilobytes can stand for as many rows as one likes, and for texts of any length."""
    table = parquet.read_table(record / "history.parquet")
    rows = 5_000_000
    columns = {
        name: pa.array(np.zeros(rows, np.int64)).cast(table.schema.field(name).type)
        if not pa.types.is_dictionary(table.schema.field(name).type)
        else pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x"]))
        for name in table.column_names
    }
    _history(record, pa.table(columns))
    assert (record / "history.parquet").stat().st_size < 1 << 20
    with pytest.raises(MachineError, match="5000000 rows"):
        reader.read_history(record)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.drop_columns(["seed"]), "no column 'seed' of int64"),
        (
            lambda table: table.set_column(1, "entry", table.column(1).cast(pa.string())),
            "no column 'entry' of dictionary",
        ),
        (lambda table: table.append_column("more", pa.array(["x" * 100] * len(table))), "column 'more' of string"),
        (lambda table: table.set_column(2, "seed", pa.nulls(len(table), pa.int64())), "no value in a row"),
    ],
)
def test_a_table_of_other_columns_is_refused(record: Path, change: Callable[[pa.Table], pa.Table], said: str) -> None:
    _history(record, change(parquet.read_table(record / "history.parquet")))
    with pytest.raises(MachineError, match=said):
        reader.read_history(record)


ENCODER = [
    (("columns", 0, "scale"), 0.0),
    (("columns", 0, "scale"), "x"),
    (("columns", 0, "kind"), "code"),
    (("columns",), {}),
    (("target", "labels"), [1, 2]),
    (("target", "labels"), ["0"]),
    (("target", "width"), 1 << 60),
]


@pytest.mark.parametrize(("way", "to"), ENCODER)
def test_an_encoder_that_no_record_has_is_refused(record: Path, way: tuple[Any, ...], to: Any, tmp_path: Path) -> None:
    from losscli.deploy.choose import RunChoice
    from losscli.deploy.restore import restore

    change(record, "encoders.json", "0/0", *way, to=to)
    with pytest.raises(MachineError, match="encoders"):
        restore(record, RunChoice(entry="focal", seed=0))
