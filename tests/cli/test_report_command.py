"""`losscli report` as a user calls it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest

from losscli.cli.app import run
from losscli.pages import chromium
from losscli.pages.document import MARK

Captured = pytest.CaptureFixture[str]
SPEC = """task: binary
data: {source: synthetic, name: moons, n_samples: 120}
loss: [bce-logits, hinge]
model: {kind: linear}
train: {epochs: 2}
seeds: 2
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record that was really trained."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "moons.yaml").write_text(SPEC)
    assert run(["compare", str(folder / "moons.yaml"), "--out", str(folder / "runs"), "--quiet"]) == 0
    (record,) = (folder / "runs").iterdir()
    return record


@pytest.fixture
def record(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return made


def test_a_page_beside_the_record_which_stays_as_it_is(record: Path, tmp_path: Path, capsys: Captured) -> None:
    before = {path.name: path.read_bytes() for path in record.iterdir()}
    assert run(["report", str(record)]) == 0
    assert capsys.readouterr().out == f"{record.name}.html\n"
    text = (tmp_path / f"{record.name}.html").read_text(encoding="utf-8")
    for words in ("moons", "bce-logits", "What they decide", f"losscli compare {record}/spec.yaml", "n_samples: 120"):
        assert words in text, words
    assert len(text) < 3_000_000
    assert before == {path.name: path.read_bytes() for path in record.iterdir()}
    assert run(["report", str(record)]) == 0  # its own page it may replace
    assert (tmp_path / f"{record.name}.html").read_text(
        encoding="utf-8"
    ) == text  # and the same record makes the same page
    assert [path.name for path in tmp_path.iterdir()] == [f"{record.name}.html"]


def test_what_is_not_its_own_is_not_replaced(record: Path, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "mine.html"
    path.write_text("<p>mine</p>")
    assert run(["report", str(record), "--to", str(path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert path.read_text() == "<p>mine</p>"
    assert run(["report", str(record), "--to", str(path), "--force"]) == 0
    assert MARK in path.read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_to(record: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["report", str(record), "--to", str(tmp_path / "no" / "such.html")]) == 5
    assert "cannot be written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_markdown_for_a_pull_request(record: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["report", str(record), "--format", "md"]) == 0
    text = capsys.readouterr().out
    assert "| bce-logits |" in text.replace("\\", "")
    assert f"```sh\nlosscli compare {record}/spec.yaml\n```" in text
    assert "```yaml\n" in text
    assert run(["report", str(record), "--format", "md", "--to", "report.md"]) == 0
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == text
    assert run(["report", str(record), "--format", "md", "--to", "report.md"]) == 0  # its own it may replace
    (tmp_path / "mine.md").write_text("# Mine\n\n<!-- made by losscli and me -->\n")
    capsys.readouterr()
    assert run(["report", str(record), "--format", "md", "--to", "mine.md"]) == 2
    assert "losscli did not write it" in capsys.readouterr().err
    assert (tmp_path / "mine.md").read_text().startswith("# Mine")


def test_no_record_is_said(tmp_path: Path, capsys: Captured) -> None:
    assert run(["report", str(tmp_path / "nothing")]) != 0
    assert "nothing" in capsys.readouterr().err


def test_results_that_are_none_are_said(record: Path, tmp_path: Path, capsys: Captured) -> None:
    import hashlib
    import shutil

    from losscli.record.manifest import signed

    copy = shutil.copytree(record, tmp_path / record.name)
    (copy / "results.json").write_text('{"arenas": [{}], "timing": {}, "device": "cpu"}')
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["results.json"]["sha256"] = hashlib.sha256((copy / "results.json").read_bytes()).hexdigest()
    (copy / "manifest.json").write_bytes(signed(manifest))
    assert run(["report", str(copy)]) == 5
    assert "results.json" in capsys.readouterr().err


def test_without_a_browser_there_are_no_pictures(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(chromium, "find", lambda: None)
    assert run(["report", str(record), "--png", "figures"]) == 5
    err = " ".join(capsys.readouterr().err.split())
    assert "pictures need Chromium or Google Chrome" in err
    assert "since pip cannot: apt-get install chromium (Debian)" in err
    assert not Path("figures").exists()


def test_where_no_browser_can_be_driven_the_page_is_named(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.delattr("os.posix_spawn")
    assert run(["report", str(record), "--png", "figures"]) == 5
    assert "open the page" in capsys.readouterr().err


@pytest.mark.skipif(chromium.find() is None, reason="NO CHROMIUM on this machine: no pictures were made")
def test_pictures(record: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["report", str(record), "--png", "figures"]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert {"forest.png", "learning.png", "confusion.png"} <= {path.name for path in paths}
    for path in paths:
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", data[16:24])
        assert width > 800
        assert height > 300
        assert len(data) > 10_000
    assert not (tmp_path / f"{record.name}.html").exists()  # pictures were asked for, and no page
    assert run(["report", str(record), "--png", "figures"]) == 2
    assert "--force" in capsys.readouterr().err


@pytest.mark.skipif(chromium.find() is None, reason="NO CHROMIUM on this machine: no pictures were made")
def test_vectors(record: Path, capsys: Captured) -> None:
    """Whole documents, with the title and the names of entries as text, and nothing to press."""
    assert run(["report", str(record), "--svg", "figures"]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert {"forest.svg", "learning.svg", "confusion.svg", "regions.svg"} <= {path.name for path in paths}
    for path in paths:
        root = ElementTree.fromstring(path.read_bytes())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        words = " ".join(root.itertext())
        assert len(words) > 20
        assert "Save" not in words
    assert "Difference in test" in Path("figures/forest.svg").read_text()


def test_dark_is_for_pictures(record: Path, capsys: Captured) -> None:
    assert run(["report", str(record), "--dark"]) == 2
    assert "--png" in capsys.readouterr().err
