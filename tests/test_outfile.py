"""A file that a user asks for is whole or not there, and stands in for nothing that was not meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from losscli.errors import MachineError, SpecError
from losscli.outfile import atomic, free


def test_what_goes_wrong_on_the_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")
    with pytest.raises(KeyError), atomic(path) as draft:  # noqa: PT012  the draft must have begun
        draft.write_text("half")
        raise KeyError
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("report.md", "old")]


def test_a_disk_that_refuses_is_no_bug(tmp_path: Path) -> None:
    told = "cannot be written: No such file or directory"
    with pytest.raises(MachineError, match=told), atomic(tmp_path / "none" / "report.md") as draft:
        draft.write_text("x")


def test_what_is_there_is_replaced_only_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    free(path)
    path.write_text("mine")
    with pytest.raises(SpecError, match="exists"):
        free(path)
    free(path, force=True)
