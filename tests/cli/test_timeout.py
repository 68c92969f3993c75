"""`--timeout` of commands that try a loss of the user's own without training it: what hangs there is ended and told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from losscli import forked
from losscli.cli import app

HANGS = """\
import ctypes
calls = []

def loss(prediction, target):
    calls.append(1)
    if {when}:
        ctypes.PyDLL(None).sleep(1000)
    return (prediction - target) ** 2
"""
DATA = "--data friedman1 --set data.n_samples=60 --set data.n_features=5 --seeds 2 --epochs 9"
LINES = {
    "verify": ("verify {file}:loss --task regression", "len(calls) > 40"),
    "plan": (f"plan --task regression --loss {{file}}:loss --loss mse {DATA}", "len(calls) > 12"),
    "explain": ("explain {file}:loss --task regression", "True"),
}


@pytest.fixture(autouse=True)
def _limit() -> Iterator[None]:
    token = forked.LIMIT.set(600.0)
    yield
    forked.LIMIT.reset(token)


@pytest.mark.parametrize("command", LINES)
def test_what_hangs_is_ended_and_told(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line, when = LINES[command]
    file = tmp_path / "own.py"
    file.write_text(HANGS.format(when=when))
    code = app.run([*line.format(file=file).split(), "--timeout", "2"])
    told = "".join(capsys.readouterr())
    assert (code, "takes longer than 2 s, which is all that --timeout allows" in told) == (2, True), told


@pytest.mark.parametrize("command", ["verify", "plan"])
def test_what_does_not_hang_ends_as_without(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.py"
    file.write_text(HANGS.format(when="False"))
    assert app.run([*LINES[command][0].format(file=file).split(), "--timeout", "60"]) == 0
    assert capsys.readouterr().out
