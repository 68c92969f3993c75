"""`--format`, `--tune`, `--sort`, `--metrics` and `--top` from the command line, with the training replaced."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from losscli import pipeline
from losscli.cli import app
from losscli.cli.annotations import annotation, of
from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.errors import Finding

COMPARE = ["compare", "--task", "binary", "--loss", "bce-logits", "--loss", "focal", "--no-record"]


@pytest.fixture
def specs(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arena_of: Callable[..., Arena],
    comparison_of: Callable[..., Comparison],
) -> list[Any]:
    """What the pipeline is asked for; it answers with a finished comparison."""
    asked: list[Any] = []
    findings = [Finding("odd", "warning", "100 % odd\n::error::x", "look")]
    answer = comparison_of(
        arena_of({"bce-logits": [0.8, 0.9], "focal": [0.9, 0.95]}, findings=findings), unmet=["test.auroc must be > 1"]
    )

    def run(given: Sequence[Any], **display: Any) -> Comparison:
        asked.extend(given)
        return answer

    monkeypatch.setattr(pipeline, "run", run)
    monkeypatch.chdir(tmp_path)
    return asked


def test_tune_reaches_the_spec(specs: list[Any]) -> None:
    assert app.run([*COMPARE, "--tune", "lr=1e-3,1e-2", "--tune", "gamma=0,1"]) == 1
    assert specs[0].tune == {"lr": [1e-3, 1e-2], "gamma": [0, 1]}
    assert app.run(["train", "--task", "binary", "--tune", "lr", "--no-record"]) == 1
    assert specs[1].tune == {"lr": [2e-4, 6e-4, 2e-3, 6e-3, 2e-2]}


def test_csv_and_markdown_stand_alone_on_stdout(specs: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([*COMPARE, "--format", "csv", "--sort", "auroc", "--top", "1"]) == 1
    out, err = capsys.readouterr()
    assert [row["entry"] for row in csv.DictReader(io.StringIO(out))] == ["focal", "bce-logits"]
    assert "test.auroc must be > 1" in err
    app.run([*COMPARE, "--format", "md", "--metrics", "accuracy"])
    out, err = capsys.readouterr()
    assert out.startswith("### titanic (binary)")
    assert "| entry | verdict | auroc ↑ | vs reference | accuracy ↑ | time share |" in out
    assert "unmet" in err


def test_github_gets_the_text_and_annotations(specs: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([*COMPARE, "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("bce-logits ") for line in lines)
    assert [line for line in lines if line.startswith("::")] == [
        "::error title=expectation not met::test.auroc must be > 1",
        "::warning title=titanic%3A odd::100 %25 odd\\n::error::x",
    ]


def test_no_text_of_a_finding_begins_a_command_of_its_own() -> None:
    for foreign in ("a\r\n::set-output name=x::y", "\u2028::error::", "%0A::error::x"):
        line = annotation("notice", foreign, foreign)
        assert line.isprintable()
        assert "%0A" not in line
        assert line.startswith("::notice title=")


def test_infos_are_notices(arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]) -> None:
    arena = arena_of({"a": [0.8]}, findings=[Finding("x", "info", "said"), Finding("y", "error", "bad")])
    assert [line.split(" ")[0] for line in of(comparison_of(arena)).splitlines()] == ["::notice", "::error"]


@pytest.mark.parametrize(
    ("flag", "value", "cure"),
    [
        ("--sort", "aurok", "did you mean auroc?"),
        ("--metrics", "accuracy,aurok", "did you mean auroc?"),
        ("--top", "0", "--top 5"),
        ("--top", "many", "--top 5"),
        ("--tune", "gama=1,2", "did you mean gamma?"),
        ("--tune", "gamma", "--tune gamma=0.5,1,2"),
    ],
)
def test_a_wrong_wish_is_2_before_anything_is_trained(
    specs: list[Any], capsys: pytest.CaptureFixture[str], flag: str, value: str, cure: str
) -> None:
    assert app.run([*COMPARE, flag, value]) == 2
    err = capsys.readouterr().err
    assert f"at:  {flag}" in err
    assert cure in err
    assert specs == []
