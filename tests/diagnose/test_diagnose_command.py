"""`losscli diagnose` from the command line: its fixed output, its picture, and that it needs no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from known_curves import samples

from losscli.cli.app import run

FIXED = {"cause", "confidence", "evidence", "cure", "rule"}


def write(path: Path, name: str) -> Path:
    history = samples()[name].history
    names = ["epoch", "train_loss", "valid_loss", *history.metrics]
    columns = [history.train.values, history.valid.values, *(series.values for series in history.metrics.values())]
    rows = [",".join(map(str, [at, *row])) for at, row in enumerate(zip(*columns, strict=True), 1)]
    path.write_text("\n".join([",".join(names), *rows]))
    return path


def test_the_machine_output_is_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.csv", "softmax 6")
    assert run(["diagnose", str(log), "--classes", "6", "--format", "json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert (output["schema_version"], output["healthy"]) == (1, False)
    assert all(set(candidate) == FIXED for candidate in output["candidates"])
    first = output["candidates"][0]
    assert (first["cause"], first["confidence"], first["rule"]) == ("softmax-before-cross-entropy", "certain", "LC001")


def test_health(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.csv", "learns 5")
    assert run(["diagnose", str(log), "--loss", "cross-entropy", "--classes", "5", "--format", "json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert (output["healthy"], output["candidates"]) == (True, [])
    assert run(["diagnose", str(log), "--classes", "5"]) == 0
    assert "healthy" in capsys.readouterr().out


def test_the_picture_has_the_floor_and_the_guide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.csv", "softmax 3")
    assert run(["diagnose", str(log), "--classes", "3"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for part in (
        "(certain)",
        "ln(1+2/e) = 0.5514",
        "losscli explain LC001",
        "does cross-entropy converge?",
        "not checked without",
    ):
        assert part in out
    assert "looks alike: a sigmoid" in out


@pytest.mark.parametrize("name", ["grows to NaN", "root", "hundred", "-1/+1", "far from 0", "ln N"])
def test_any_curve_can_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(["diagnose", str(write(tmp_path / "log.csv", name))]) == 0
    assert "loss" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "code"),
    [(["--priors", "0.5,x"], 2), (["--priors", "1"], 2), (["--positive-rate", "2"], 2), (["--train", "no"], 3)],
)
def test_wrong_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], code: int) -> None:
    log = write(tmp_path / "log.csv", "learns 5")
    assert run(["diagnose", str(log), *flags]) == code
    err = capsys.readouterr().err
    assert "error: " in err
    assert "Traceback" not in err


def test_a_log_of_one_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss\n1,0.5\n")
    assert run(["diagnose", str(log)]) == 3
    err = capsys.readouterr().err
    assert "at least 3 points" in err
    assert str(log) in err


def test_no_torch_is_loaded(tmp_path: Path) -> None:
    log = write(tmp_path / "log.csv", "softmax 3")
    code = f"import sys; from losscli.cli.app import run; run(['diagnose', {str(log)!r}]); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_what_was_guessed_or_is_not_known_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A curve is not called healthy without a word where its loss is a guess, or has no floors here."""
    log = tmp_path / "log.csv"
    log.write_text("epoch,foo\n" + "".join(f"{at},{1 + 1 / at}\n" for at in range(1, 20)))
    assert run(["diagnose", str(log), "--loss", "zzz", "--format", "json"]) in (0, 1)
    notes = " ".join(json.loads(capsys.readouterr().out)["notes"])
    assert "'foo' is taken for the loss" in notes
    assert "a loss called 'zzz'" in notes
    log.write_text(log.read_text().replace("foo", "loss"))
    assert run(["diagnose", str(log), "--loss", "nn.CrossEntropyLoss", "--format", "json"]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["notes"] == []
