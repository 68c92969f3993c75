"""A few seconds of every fuzzer, and what fuzzers and people found before; `make fuzz` goes on for an hour.

Whatever a file, a record or a command line holds: no traceback, no exit code 70, no long call, no gigabytes, and nothing that
data must not cause. The same seed makes the same calls.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import corpus
import driver
import pytest
from watch import CANARY, WATCH, called

driver.load()


@pytest.mark.parametrize("name", sorted(driver.KINDS))
def test_no_case_ends_badly(name: str) -> None:
    tally = driver.Tally()
    assert [str(problem) for problem in driver.fuzz(name, range(15), tally)] == []
    assert tally.calls >= 15


@pytest.mark.parametrize("name", sorted(driver.KINDS))
def test_the_same_seed_makes_the_same_calls(name: str, tmp_path: Path) -> None:
    made = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        case = driver.KINDS[name](random.Random(7), tmp_path / place)
        files = sorted(path for path in (tmp_path / place).rglob("*") if path.is_file() and not path.is_symlink())
        made.append((case, [(path.relative_to(tmp_path / place), path.stat().st_size) for path in files]))
    assert made[0] == made[1]
    assert made[0][0].calls


@pytest.mark.parametrize("path", sorted(corpus.FOLDER.iterdir()), ids=lambda path: path.name)
def test_what_was_found_once(path: Path) -> None:
    assert [str(problem) for problem in corpus.replayed(path)] == []


def test_a_corpus_file_is_small() -> None:
    assert all(path.stat().st_size <= 2000 for path in corpus.FOLDER.iterdir())


ACTS: dict[str, Callable[[Path], object]] = {
    "import": lambda home: __import__(CANARY),
    "exec": lambda home: exec(compile("1", str(home / "x.py"), "exec")),
    "compile": lambda home: eval(f"'{CANARY}'"),
    "socket": lambda home: socket.create_connection(("127.0.0.1", 9), 1),
    "subprocess": lambda home: subprocess.run(["true"], check=False),
    "write": lambda home: (home.parent / "foreign").write_text(""),
    "remove": lambda home: (home.parent / "mine").unlink(),
    "rename": lambda home: os.rename(home / "own", home.parent / "foreign"),
}


@pytest.mark.parametrize("act", ACTS)
def test_the_hook_sees_what_data_must_not_cause(act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is done on purpose, within a call, and is forbidden and noted."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "mine").write_text("")
    (home / "own").write_text("")

    def acting(command: object) -> int:
        (home / "own").write_text("allowed")
        ACTS[act](home)
        return 0

    monkeypatch.setattr("watch.run", acting)
    with pytest.raises(PermissionError):
        called(["x"], home)
    assert len(WATCH.breaches) == 1
    assert WATCH.home is None
    assert (tmp_path / "mine").exists()
    assert not (tmp_path / "foreign").exists()


def test_a_call_that_is_wrong_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = iter([70, 0])
    monkeypatch.setattr("watch.run", lambda command: next(ends))
    driver.KINDS["broken"] = lambda chance, work: driver.Case(["c"], [["x"], ["y"]])
    try:
        (problem,) = driver.fuzz("broken", range(3, 4), driver.Tally())
    finally:
        del driver.KINDS["broken"]
    assert (problem.seed, problem.command) == (3, ["x"])
    assert "exit code 70" in problem.what


def test_a_process_is_told_of_as_well(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    driver.plant(tmp_path)
    ended = driver.process(["validate", "gone.yaml"], tmp_path)
    assert (ended.code, ended.wrong) == (2, None)
    assert "gone.yaml" in ended.text
    assert not (tmp_path / "ran").exists()


def test_the_driver_counts(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["driver.py", "logs", "scores", "--count", "2"])
    with pytest.raises(SystemExit) as ended:
        driver.main()
    lines = capfd.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert [line.partition(",")[0] for line in lines[:-1]] == ["logs (0): 2 cases", "scores (0): 2 cases"]
    assert json.loads(lines[-1]) == {"calls": 4, "problems": 0}
