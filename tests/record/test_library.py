"""Records at hand: listed, compared, packed and removed; and nothing else is ever touched."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscli.cli.app import run
from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.errors import MachineError, SpecError
from losscli.record import writer
from losscli.record.archive import archive
from losscli.record.difference import changed, moved
from losscli.record.listing import Filter, listed
from losscli.record.reader import read
from losscli.record.remove import removable, remove
from losscli.reports.json import to_json

SPEC = "task: binary\ntrain: {lr: 0.001}\n"


@pytest.fixture
def root(tmp_path: Path, arena_of: Callable[..., Arena], comparison_of: Callable[..., Comparison]) -> Path:
    """Three records: bce and hinge, then focal alone, then bce alone with two seeds."""
    for scores in ({"bce": [0.8, 0.9, 0.7], "hinge": [0.7, 0.6, 0.5]}, {"focal": [0.5]}, {"bce": [0.6, 0.8]}):
        writer.write(
            tmp_path / "runs",
            "-".join(scores),
            comparison_of(arena_of(scores)),
            weights={"0/bce/0/w": np.zeros(2, np.float32)},
            encoders={"0/0": {}},
            specs=[SPEC.replace("0.001", "0.5") if "focal" in scores else SPEC],
            results=to_json,
        )
    return tmp_path / "runs"


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_a_listing_tells_what_is_in_each(root: Path) -> None:
    found = listed(root, Filter())
    assert [each.losses for each in found] == [("bce", "hinge"), ("focal",), ("bce",)]
    assert [each.seeds for each in found] == [3, 1, 2]
    assert found[0].reference == pytest.approx(0.8)
    sizes = [
        sum(path.stat().st_size for path in (root / each.id).iterdir() if path.name != "manifest.json")
        for each in found
    ]
    assert [each.bytes for each in found] == sizes


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Filter(loss="bce"), ["0001", "0003"]),
        (Filter(loss="f*"), ["0002"]),
        (Filter(task="multi*"), []),
        (Filter(name="hinge"), ["0001"]),
        (Filter(last=2), ["0002", "0003"]),
        (Filter(loss="bce", last=1), ["0003"]),
    ],
)
def test_filters(root: Path, wanted: Filter, numbers: list[str]) -> None:
    assert [each.id[:4] for each in listed(root, wanted)] == numbers


def test_a_record_that_cannot_be_read_is_listed_as_such(root: Path) -> None:
    (root / names(root)[1] / "results.json").write_text("{")
    assert [bool(each.broken) for each in listed(root, Filter())] == [False, True, False]


def test_the_difference_of_two_records(root: Path) -> None:
    first, second, third = (read(root / name)["results"] for name in names(root))
    assert [(each.entry, each.before, each.after) for each in moved(first, third)] == [
        ("bce", pytest.approx(0.8), pytest.approx(0.7)),
        ("hinge", pytest.approx(0.6), None),
    ]
    assert [each.entry for each in moved(first, second)] == ["bce", "hinge", "focal"]
    (key,) = changed([{"a": {"b": [1, 2]}, "c": 1}], [{"a": {"b": [1, 3]}, "c": 1}])
    assert (key.key, key.before, key.after) == ("a.b", "[1, 2]", "[1, 3]")


def test_an_archive_holds_the_record_and_nothing_else(root: Path, tmp_path: Path) -> None:
    folder = root / names(root)[0]
    (folder / "note.txt").write_text("mine")
    archive(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        packed.extractall(tmp_path / "out")
    assert read(tmp_path / "out" / folder.name) == read(folder)
    assert not (tmp_path / "out" / folder.name / "note.txt").exists()
    with pytest.raises(SpecError, match="exists"):
        archive(folder, tmp_path / "a.zip")


def test_removing_takes_that_record_only(root: Path) -> None:
    before = names(root)
    remove(root, removable(root, "2"))
    assert names(root) == [before[0], before[2]]


def test_what_an_interrupted_run_left_can_be_removed(root: Path) -> None:
    half = root / "0004-20260101-000000-half"
    half.mkdir()
    (half / "spec.yaml.part").write_text("")
    remove(root, removable(root, half.name))
    assert not half.exists()


@pytest.mark.parametrize("text", ["..", ".", "", "/", "../outside", "0001/../../outside", "README.md", "~"])
def test_nothing_outside_is_removable(root: Path, text: str) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "manifest.json").write_text("{}")
    (root / "README.md").write_text("")
    with pytest.raises((SpecError, MachineError)):
        removable(root, text)


def test_links_and_foreign_files_are_left_alone(root: Path) -> None:
    real = root / names(root)[0]
    link = root / "0009-20260101-000000-link"
    link.symlink_to(real, target_is_directory=True)
    with pytest.raises((SpecError, MachineError)):
        removable(root, link.name)
    (real / "thesis.docx").write_text("mine")
    with pytest.raises(MachineError, match=r"thesis\.docx"):
        removable(root, real.name)
    (real / "thesis.docx").unlink()
    (real / "more").mkdir()
    with pytest.raises(MachineError, match="more"):
        removable(root, real.name)


def test_a_link_that_is_called_like_half_a_record_is_left_alone(root: Path, tmp_path: Path) -> None:
    """It has no manifest, as what an interrupted run leaves; what it leads to is not below the root."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "spec.yaml").write_text("mine")
    link = root / "0009-20260101-000000-link"
    link.symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(MachineError, match="links are not followed"):
        removable(root, link.name)
    with pytest.raises(ValueError, match="only what removable"):
        remove(root, link)
    assert (elsewhere / "spec.yaml").read_text() == "mine"


def test_a_record_with_a_link_in_it_is_left_alone(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("mine")
    real = root / names(root)[0]
    (real / "more.json").symlink_to(tmp_path / "mine.json")
    with pytest.raises(MachineError, match=r"holds what losscli did not write: 'more\.json'"):
        removable(root, real.name)


def test_the_commands(root: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    assert run(["runs", "ls", "--format", "json"]) == 0
    assert [each["entries"] for each in json.loads(capfd.readouterr().out)["records"]] == [2, 1, 1]
    assert run(["runs", "diff", "1", "2", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["spec"] == [
        {"arena": 1, "key": "train.lr", "before": "0.001", "after": "0.5"}
    ]
    assert run(["runs", "rm", "1"]) == 2  # nobody is there to ask
    assert "add --yes" in capfd.readouterr().err
    assert run(["runs", "rm", "1", "2", "--yes"]) == 0
    assert [name[:4] for name in names(root)] == ["0003"]
    capfd.readouterr()
    assert run(["runs", "show", "3", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["arenas"][0]["reference"] == "bce"
    assert run(["runs", "export", "3"]) == 0
    assert (root.parent / capfd.readouterr().out.strip()).exists()


def test_one_that_is_not_there_stops_the_removal_of_all(root: Path) -> None:
    before = names(root)
    assert run(["runs", "rm", "1", "77", "--yes", "--out", str(root)]) == 5
    assert names(root) == before


def test_names_of_records_and_tasks_are_not_broken(root: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    long = {"id": "0001-20261126-063608-votes", "tasks": ("distribution",), "losses": ("kl-div", "reverse-kl", "emd")}
    summary = replace(listed(root, Filter())[0], **long)
    monkeypatch.setattr("losscli.cli.records.listed", lambda *_: [summary])
    assert run(["runs", "ls", "--out", str(root)]) == 0
    heading, _, first, *_ = capfd.readouterr().out.splitlines()
    assert heading.split() == ["record", "task", "losses", "runs", "reference", "size"]
    assert first.split()[:4] == ["0001", "votes", "distribution", "kl-div,"]  # ids are what gets shorter first
