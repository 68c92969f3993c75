"""What files and folders of others must not do to a terminal, a page or the interpreter."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from losscli.cli.app import run
from losscli.record.manifest import manifest_of

VERSIONS = Path(__file__).parent.parent / "record" / "versions"
SIGNS = "\x1b[31mred\u202etxt"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A record whose data, and one of whose labels, are called as nobody should call them."""
    (whole,) = (VERSIONS / "2").iterdir()
    folder = tmp_path / "runs" / whole.name
    shutil.copytree(whole, folder)
    results, encoders = (json.loads((folder / name).read_bytes()) for name in ("results.json", "encoders.json"))
    results["arenas"][0]["data"] = SIGNS
    for state in encoders.values():
        state["target"]["labels"] = [SIGNS, f"{SIGNS}2"]
    (folder / "results.json").write_text(json.dumps(results))
    (folder / "encoders.json").write_text(json.dumps(encoders))
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
    (folder / "manifest.json").write_bytes(manifest_of(files, {}))
    (tmp_path / "rows.csv").write_text(f"x1,x2,{SIGNS}\n0.5,1,a\tb\n")
    return folder


@pytest.mark.parametrize("terminal", [True, False])
def test_predictions_show_their_signs_on_a_terminal_only(
    record: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    rows = record.parent.parent / "rows.csv"
    assert run(["predict", record.name, str(rows), "--out", str(record.parent)]) == 0
    out = capfd.readouterr().out
    assert len(out.splitlines()) == 2
    assert "a\tb" in out
    if terminal:
        assert not set(out) & set("\x1b\u202e")
        assert out.count(r"\x1b[31mred\u202etxt") == 3  # the column, the label, and the name of its probability
    else:
        assert out.count(SIGNS) == 3


def test_markdown_shows_its_signs_on_a_terminal(record: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert run(["report", record.name, "--format", "md", "--out", str(record.parent)]) == 0
    assert not set(capfd.readouterr().out) & set("\x1b\u202e")


def test_no_sign_reaches_a_page_or_its_title(record: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run(["report", record.name, "--to", str(page), "--out", str(record.parent)]) == 0
    text = page.read_text()
    assert not set(text) & set("\x1b\u202e")
    title = re.search("<title>(.*)</title>", text)
    assert title is not None
    assert title[1].startswith(r"\x1b[31mred\u202etxt")


@pytest.mark.parametrize("flag", ["--to", "--png"])
def test_an_empty_name_is_none(record: Path, flag: str, capfd: Any) -> None:
    assert run(["report", record.name, flag, "", "--out", str(record.parent)]) == 2
    assert "the name of a file or folder is empty" in capfd.readouterr().err


FORGED = (
    "runs ls --out", "train --task binary --loss bce-logits --out", "report 1 --to", "report 1 --png", "export 1 --dir",
    "predict 1 rows.csv --to", "runs export 1 --to", "explain focal --html", "schema --write", "init --to",
    "judge scores.csv --out",
)  # fmt: skip


@pytest.mark.parametrize("command", FORGED)
def test_forged_names_are_refused_by_every_command(
    command: str, tmp_path: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*command.split(), "a\nb\x1b[2J"]) == 2
    assert "is no name to write to" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "start", [["-m", "losscli"], ["-mlosscli"], ["-c", "from losscli.cli.app import main; main()"]]
)
def test_nothing_is_imported_from_the_folder_one_stands_in(tmp_path: Path, start: list[str]) -> None:
    """A script has its own folder first on the path, and `-c` stands for it here: told so by -P."""
    for name in ("torch", "typer", "yaml", "rich", "numpy", "pathlib", "json"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'a').write(__name__)\n")
    safe = ["-P"] if start[0] == "-c" else []
    for words in (["rules"], ["verify", "bce-logits", "--task", "binary"]):
        done = subprocess.run(
            [sys.executable, *safe, *start, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "ran").exists()


def test_whoever_imports_losscli_keeps_the_folder(tmp_path: Path) -> None:
    """`python -m theirs` finds its own neighbours."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "__init__.py").write_text("import losscli\n")
    (tmp_path / "theirs" / "__main__.py").write_text("import beside\n")
    (tmp_path / "beside.py").write_text("print('here')\n")
    command = [sys.executable, "-m", "theirs", "losscli"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "here\n"
