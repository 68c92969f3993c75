"""`--log`: what it says is what the record's history says, whatever trained it; it is there while the training goes on."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from losscli.cli.app import run
from losscli.record.reader import read_history

SPEC = (
    "task: binary\ndata: {source: synthetic, name: moons, n_samples: 90}\nloss: [bce, {name: focal, gamma: [1, 2]}]\n"
)
MORE = "train: {epochs: 6, patience: 1}\nseeds: 8\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(SPEC + MORE)
    return path


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_is_the_history_of_the_record(spec: Path, tmp_path: Path, workers: str) -> None:
    log, runs = tmp_path / "log.jsonl", tmp_path / "runs"
    assert run(["compare", str(spec), "--log", str(log), "--out", str(runs), "--quiet", "--workers", workers]) == 0
    told = {
        (line["entry"], line["seed"], line["epoch"], *key.split("/")): value
        for line in lines_of(log)
        for key, value in line.items()
        if "/" in key
    }
    history = read_history(next(runs.iterdir())).to_pylist()
    kept = {(row["entry"], row["seed"], row["epoch"], row["split"], row["metric"]): row["value"] for row in history}
    assert told == kept
    assert {line["arena"] for line in lines_of(log)} == {1}


def test_nobody_has_to_wait_for_the_end(spec: Path, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    first: list[str] = []

    def follow() -> None:
        with os.fdopen(reader) as file:
            first.extend(file)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        assert (
            run(["train", "--task", "binary", "--loss", "bce", "--log", f"/dev/fd/{writer}", "--no-record", "--quiet"])
            == 0
        )
    finally:
        os.close(writer)
        thread.join()
    assert json.loads(first[0])["epoch"] == 1


def test_nothing_is_written_over(spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("mine")
    assert run(["compare", str(spec), "--log", str(log), "--no-record", "--quiet"]) == 2
    assert "exists" in capsys.readouterr().err
    assert log.read_text() == "mine"


def test_a_full_disk_is_told_and_what_was_trained_is_kept(spec: Path, tmp_path: Path, capsys: Any) -> None:
    assert run(["compare", str(spec), "--log", "/dev/full", "--out", str(tmp_path / "runs"), "--quiet"]) == 5
    told = capsys.readouterr()
    assert "/dev/full" in told.err
    assert "focal gamma=2" in told.out  # the board is there all the same
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_diagnose_reads_the_entry_that_is_named(spec: Path, tmp_path: Path, capsys: Any) -> None:
    log = tmp_path / "log.jsonl"
    assert run(["compare", str(spec), "--log", str(log), "--no-record", "--quiet"]) == 0
    capsys.readouterr()
    assert run(["diagnose", str(log), "--entry", "focal gamma=2", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"][0] == "the entry 'focal gamma=2', mean of its seeds"
    assert run(["diagnose", str(log), "--entry", "nobody"]) == 3
    assert "focal gamma=1" in capsys.readouterr().err
