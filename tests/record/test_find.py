"""A record is found by its folder, its number or the beginning of its id; never outside the root, never by guessing."""

from __future__ import annotations

from pathlib import Path

import pytest

from losscli.errors import MachineError, SpecError
from losscli.record import MANIFEST
from losscli.record.find import find, records

NAMES = ("0001-20260131-154210-titanic", "0010-20260201-120000-digits", "0011-20260201-120001-digits")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (*NAMES, "../elsewhere"):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / MANIFEST).write_text("{}")
    (tmp_path / "runs" / "0002-half").mkdir()
    (tmp_path / "runs" / "0003-link").symlink_to(tmp_path / "elsewhere")
    return tmp_path / "runs"


def test_only_whole_records_count(root: Path) -> None:
    assert [path.name for path in records(root)] == list(NAMES)
    assert records(root / "nowhere") == []


@pytest.mark.parametrize(
    ("text", "index"), [("1", 0), ("0001", 0), ("00010", 1), ("10", 1), ("0011-2026", 2), (NAMES[2], 2)]
)
def test_a_number_or_a_beginning_is_enough(root: Path, text: str, index: int) -> None:
    assert find(root, text) == root / NAMES[index]


def test_a_path_leads_below_the_root_unless_another_is_allowed(root: Path) -> None:
    assert find(root, str(root / NAMES[0])) == root / NAMES[0]
    elsewhere = root.parent / "elsewhere"
    assert find(root, str(elsewhere), outside=True) == elsewhere
    for text in (str(elsewhere), str(root / ".." / "elsewhere"), str(root / "0003-link")):
        with pytest.raises(SpecError, match="right below"):
            find(root, text)


def test_what_fits_several_is_refused_with_all_of_them(root: Path) -> None:
    with pytest.raises(SpecError, match="fits 3 records") as refused:
        find(root, "00")
    assert NAMES[1] in str(refused.value.problems[0].cure)
    assert NAMES[2] in str(refused.value.problems[0].cure)


@pytest.mark.parametrize("text", ["", ".", "..", "../elsewhere", "0002", "0003-link", "titanic", "0001*", "\u0661"])
def test_what_is_not_there_is_refused(root: Path, text: str) -> None:
    with pytest.raises((MachineError, SpecError)):
        find(root, text)
