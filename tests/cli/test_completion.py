"""What a shell is offered after TAB, asked for as bash, zsh and fish ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import losscli
from losscli.losses import catalogue
from losscli.tasks import tasks

LOANS = Path(__file__).parents[2] / "configs" / "data" / "loans.csv"
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from losscli.cli.app import app; app(prog_name='losscli')"


def offered(line: str, folder: Path, shell: str = "bash") -> list[str]:
    """The words for the last one of a line, made where torch cannot be imported."""
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    environment = {**os.environ, **asked, "_LOSSCLI_COMPLETE": f"complete_{shell}"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("losscli ex", "export"),
        ("losscli train --task ", "multilabel"),
        ("losscli train --task regression --loss hu", "huber"),
        ("losscli train --task binary --metric au", "auroc"),
        ("losscli compare --data mo", "moons"),
        ("losscli compare --data ./t", "t.csv"),
        ("losscli compare --data t.csv --target b", "b c"),
        ("losscli train --set train.cl", "train.clip="),
        ("losscli train --loss focal --set loss.ga", "loss.gamma="),
        ("losscli explain LC00", "LC008"),
        ("losscli verify foc", "focal"),
        ("losscli runs show 00", "0001-20260131-154210-x"),
        ("losscli report 00", "0001-20260131-154210-x"),
    ],
)
def test_a_word_is_offered(line: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b c,d\n1,2,3\n")
    record = tmp_path / "runs" / "0001-20260131-154210-x"
    record.mkdir(parents=True)
    (record / "manifest.json").write_text("{}")
    assert word in " ".join(offered(line, tmp_path))


def test_losses_are_those_of_the_task(tmp_path: Path) -> None:
    assert set(offered("losscli train --task binary --loss ", tmp_path)) == {item.name for item in catalogue("binary")}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(shell: str, tmp_path: Path) -> None:
    assert all(name in " ".join(offered("losscli train --task ", tmp_path, shell)) for name in tasks.names())


@pytest.mark.parametrize("line", ["losscli train --task nonsense --loss ", "losscli compare --data none.csv --target "])
def test_what_is_wrong_before_it_offers_nothing(line: str, tmp_path: Path) -> None:
    assert offered(line, tmp_path) == []


def test_the_environment_says_where_records_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOSSCLI_RUNS", str(tmp_path / "elsewhere"))
    from losscli.cli.app import run

    assert run(["train", "--task", "binary", "--loss", "bce", "--smoke", "--quiet"]) == 0
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1
    assert losscli.__doc__
