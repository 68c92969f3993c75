"""Rows 58 to 68: the command line and the terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from losscli import pipeline
from losscli.cli.signals import SIGNALS

SPEC = "task: binary\nloss: bce-logits\n"
BINARY = "train --task binary --no-record"

REFUSED: dict[str, tuple[str, tuple[str, ...]]] = {
    "58 a command": ("trian", ("trian", "train", "losscli --help")),
    "58 a flag": (f"{BINARY} --lrr 1", ("--lrr", "--lr", "losscli train --help")),
    "58 a loss": (f"{BINARY} --loss focl", ("no loss called 'focl'", "at: --loss", "did you mean focal?")),
    "59 --lr nan": (f"{BINARY} --lr nan", ("at: --lr", "expected a number or a list, got the text 'nan'")),
    "59 --lr 1e999": (f"{BINARY} --lr 1e999", ("at: --lr", "expected a finite number")),
    "59 --epochs 0": (f"{BINARY} --epochs 0", ("at: --epochs", "expected >= 1", "got 0")),
    "59 --epochs 1e3": (f"{BINARY} --epochs 1e3", ("at: --epochs", "got 1000.0", "write 1000")),
    "60 no =": (f"{BINARY} --set train.lr", ("--set", "train.lr", "=")),
    "60 two =": (f"{BINARY} --set a.b=c=d", ("at: --set a.b", "unknown key 'a'")),
    "60 two dots": (f"{BINARY} --set train..lr=1", ("--set train..lr",)),
    "60 an open bracket": (f"{BINARY} --set loss.gamma=[1", ("at: --set loss.gamma", "this [ is not closed")),
    "61 no file matches": ("compare configs/*.yaml --no-record", ("configs/*.yaml", "no file matches")),
    "112 no worker": (f"{BINARY} --workers 0", ("--workers", "0")),
    "112 fewer than none": (f"{BINARY} --workers -1", ("--workers", "-1")),
    "112 many workers": (f"{BINARY} --workers many", ("--workers", "many")),
}


@pytest.mark.parametrize("row", REFUSED)
def test_refused(row: str, tmp_path: Path, call: Any) -> None:
    line, parts = REFUSED[row]
    call(line).says(2, *parts)
    assert list(tmp_path.iterdir()) == []


NAMES = {
    "63 another folder": "../x", "63 a folder": "a/b", "63 a device of Windows": "CON", "63 nothing": "",
    "63 300 characters": "a" * 300, "63 a flag": "-rf", "63 a line break": "a\nb", "63 an escape": "a\x1b[2J",
    "63 markup": "[/x]",
}  # fmt: skip


@pytest.mark.parametrize("row", NAMES)
def test_row_63_names_of_runs(row: str, tmp_path: Path, call: Any) -> None:
    quoted = '"' + NAMES[row].replace("\n", r"\n").replace("\x1b", r"\e") + '"'
    (tmp_path / "s.yaml").write_text(f"{SPEC}name: {quoted}\n")
    call("validate s.yaml").says(2, "s.yaml:3:7", "name")
    call(BINARY, "--set", f"name={quoted}").says(2, "at: --set name")


def test_row_60_the_first_equals_sign_splits(tmp_path: Path, call: Any) -> None:
    call(BINARY, "--set", "data.path=c=d", "--set", "data.source=csv", "--target", "y").says(3, "c=d")


def test_row_61_the_same_file_twice(tmp_path: Path, call: Any) -> None:
    (tmp_path / "s.yaml").write_text(SPEC)
    call("compare s.yaml s.yaml --no-record --smoke --loss bce --loss focal").says(0, "s.yaml", "twice")


def test_row_62_specs_of_two_tasks_are_two_tables(tmp_path: Path, call: Any) -> None:
    (tmp_path / "a.yaml").write_text("task: binary\nloss: [bce, focal]\n")
    (tmp_path / "b.yaml").write_text("task: regression\nloss: [mse, mae]\n")
    out = call("compare a.yaml b.yaml --no-record --smoke --quiet").says(0).out
    assert out.index("auroc") < out.index("reference: mse")


def test_row_64_records_get_numbers_of_their_own(tmp_path: Path, call: Any) -> None:
    for _ in range(2):
        call("train --task binary --smoke --set name=same").says(0)
    names = sorted(path.name for path in (tmp_path / "runs").iterdir() if path.is_dir())
    assert [(name[:4], name[-4:]) for name in names] == [("0001", "same"), ("0002", "same")]


FOREIGN = {"65 a closing tag": "[/foo]", "65 a tag": "[bold]", "65 an escape": "\x1b[31mred", "65 RTL": "\u202etxt",
           "65 emoji": "🙂"}  # fmt: skip


@pytest.mark.parametrize("row", FOREIGN)
def test_row_65_foreign_text_is_shown_as_it_is(row: str, tmp_path: Path, call: Any) -> None:
    word = FOREIGN[row]
    rows = "".join(f"{number},{word}{number % 2}\n" for number in range(40))
    (tmp_path / "t.csv").write_text(f"{word},y\n{rows}", encoding="utf-8")
    visible = word.replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")
    call("train --data t.csv --target y --smoke --no-record").says(0, f"0 = {visible}0, 1 = {visible}1")
    call("inspect t.csv --target y").says(0, f"\n{visible} ")


def alone(command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """losscli in a shell of its own, with other variables."""
    environment = {key: value for key, value in {**os.environ, **changes}.items() if value is not None}
    line = command.replace("losscli", f"{sys.executable} -m losscli")
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(
    ("row", "command", "code"),
    [
        ("66 closed", "losscli rules >&-", 0),
        ("66 head", "set -o pipefail; losscli rules | true", 141),
        ("66 full", "losscli rules > /dev/full", 5),
    ],
)
def test_row_66_where_output_goes(row: str, command: str, code: int) -> None:
    done = alone(command)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)


def test_row_66_a_narrow_terminal_that_knows_nothing_but_ascii() -> None:
    done = alone("losscli losses --task binary", COLUMNS="20", TERM="dumb", LC_ALL="C", PYTHONUTF8=None, NO_COLOR=None)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("row", "variables", "signs"),
    [
        ("67 NO_COLOR", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, {"bold"}),
        ("67 FORCE_COLOR", {"FORCE_COLOR": "1"}, {"bold", "colour"}),
        ("67 CI", {"CI": "1"}, set()),
    ],
)
def test_row_67_colour(
    row: str, variables: dict[str, str], signs: set[str], call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    outcome = call("train --task binary --smoke --no-record")
    assert outcome.code == 0
    codes = {int(code) for group in re.findall(r"\x1b\[([0-9;]*)m", outcome.out) for code in group.split(";") if code}
    assert {"bold" if code < 10 else "colour" for code in codes} == signs
    assert "\r" not in outcome.err


@pytest.mark.parametrize("row", ["68 while training", "68 while writing", "68 while loading"])
def test_row_68_ctrl_c(row: str, tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    call("train --task binary --smoke").says(0)
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    part = {"training": "train_all", "writing": "_written", "loading": "load"}[row.rpartition(" ")[2]]

    def interrupted(*given: Any, **options: Any) -> Any:
        raise SIGNALS[signal.SIGINT]

    monkeypatch.setattr(pipeline, part, interrupted)
    call("train --task binary --smoke").says(130, "interrupted")
    whole = {path for path in before if path.parts[:2] == before[-1].parts[:2]}
    assert whole <= {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    call("runs verify 1").says(0)
