"""What `losscli doctor` finds, in environments that lack something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from losscli.cli import health
from losscli.cli.app import run


def looked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    code = run(["doctor", "--format", "json", *arguments])
    return code, {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


def test_here_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, by_name = looked(capsys, "--out", str(tmp_path / "runs"))
    assert code == 0
    assert all(check["state"] != "wrong" for check in by_name.values())
    assert "torch " in by_name["packages"]["what"]
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    code, by_name = looked(capsys, "--out", str(tmp_path / "file" / "runs"))
    assert code == 5
    assert by_name["records"]["state"] == "wrong"
    assert "--out" in by_name["records"]["cure"]


def test_an_old_package_and_a_missing_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    has = health._version
    monkeypatch.setattr(health, "_version", lambda name: {"torch": "2.9.1+cpu", "onnx": None}.get(name, has(name)))
    code, by_name = looked(capsys)
    assert code == 5
    assert by_name["packages"]["state"] == "wrong"
    assert "torch>=2.10" in by_name["packages"]["cure"]
    assert by_name["extras"]["state"] == "note"
    assert "losscli[onnx]" in by_name["extras"]["cure"]


@pytest.mark.parametrize(
    ("variable", "value", "name"), [("LOSSCLI_WORKERS", "9000", "cores"), ("LC_ALL", "C", "terminal")]
)
def test_what_could_be_better(
    variable: str, value: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    code, by_name = looked(capsys)
    assert (code, by_name[name]["state"]) == (0, "note")


def test_a_value_that_is_none_is_said_and_not_raised(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOSSCLI_WORKERS", "many")
    code, by_name = looked(capsys)
    assert (code, by_name["cores"]["state"]) == (5, "wrong")


def test_on_the_screen_the_answer_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    assert capsys.readouterr().out.startswith("losscli can work here.")
