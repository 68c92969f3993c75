"""A file that a user asks for is whole or not there, and stands in for nothing that was not meant."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from losscli import outfile
from losscli.errors import MachineError, SpecError, UserError
from losscli.outfile import atomic, free, is_stream, require_file, require_name
from losscli.record.disk import put


def _write(path: Path, data: bytes = b"new") -> None:
    with atomic(path) as draft:
        draft.write(data)


def test_what_goes_wrong_on_the_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")
    with pytest.raises(KeyError), atomic(path) as draft:  # noqa: PT012  the draft must have begun
        draft.write(b"half")
        raise KeyError
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("report.md", "old")]


def test_a_disk_that_refuses_is_no_bug(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot be written: No such file or directory"):
        _write(tmp_path / "none" / "report.md")


def test_what_is_there_is_replaced_only_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    free(path)
    path.write_text("mine")
    with pytest.raises(SpecError, match="exists"):
        free(path)
    free(path, force=True)


def _link(path: Path) -> None:
    path.symlink_to(path.with_name("victim"))


def _dead_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "kind"),
    [(_link, "link"), (_dead_link, "link"), (os.mkfifo, "pipe"), (os.mkdir, "folder"), (_socket, "socket")],
)
@pytest.mark.parametrize("write", [_write, lambda path: free(path, force=True), require_file])
def test_only_a_file_is_replaced(
    tmp_path: Path, make: Callable[[Path], None], kind: str, write: Callable[[Path], None]
) -> None:
    (tmp_path / "victim").write_text("precious")
    path = tmp_path / "t"
    make(path)
    before = path.lstat().st_mode, path.lstat().st_ino
    with pytest.raises(MachineError, match=f"is a {kind}") as caught:
        write(path)
    assert caught.value.problems[0].cure
    assert (path.lstat().st_mode, path.lstat().st_ino) == before
    assert (tmp_path / "victim").read_text() == "precious"
    assert {each.name for each in tmp_path.iterdir()} == {"victim", "t"}


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/random"])
def test_a_device_is_refused(device: str) -> None:
    with pytest.raises(MachineError, match="is a device"):
        _write(Path(device))
    assert Path(device).is_char_device()


def test_null_is_written_to_and_stays() -> None:
    free(Path("/dev/null"))
    _write(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_has_a_cure() -> None:
    with pytest.raises(MachineError, match="No space left") as caught:
        _write(Path("/dev/full"))
    assert "free some space" in str(caught.value.problems[0].cure)


def test_ones_own_streams_are_written_straight_through(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for name in ("/dev/stdout", "/dev/stderr", "/dev/fd/1"):
        assert is_stream(Path(name))
        _write(Path(name), name.encode())
    assert capfdbinary.readouterr() == (b"/dev/stdout/dev/fd/1", b"/dev/stderr")


@pytest.mark.parametrize("write", [_write, lambda path: put(path, b"new")])
@pytest.mark.parametrize("name", ["x.part", "x.tmp", ".x.part"])
def test_a_draft_follows_no_link_and_takes_nobody_s_name(
    tmp_path: Path, write: Callable[[Path], None], name: str
) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / name).symlink_to("victim")
    write(tmp_path / "x")
    assert (tmp_path / "victim").read_text() == "precious"
    assert (tmp_path / name).is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["victim", name, "x"])


def test_a_draft_s_name_that_is_taken_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outfile.secrets, "token_hex", lambda count: "0")
    (tmp_path / "victim").write_text("precious")
    (tmp_path / ".0.part").symlink_to("victim")
    with pytest.raises(MachineError, match="File exists"):
        _write(tmp_path / "x")
    assert (tmp_path / "victim").read_text() == "precious"
    assert (tmp_path / ".0.part").is_symlink()


def test_two_writers_of_one_name_both_end_well(tmp_path: Path) -> None:
    path, meet = tmp_path / "x", Barrier(2)
    troubles: list[BaseException] = []

    def write(data: bytes) -> None:
        try:
            with atomic(path) as draft:
                draft.write(data)
                meet.wait(10)
                draft.write(data)
        except BaseException as error:
            troubles.append(error)

    threads = [Thread(target=write, args=(data,)) for data in (b"a" * 9, b"b" * 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert path.read_bytes() in (b"a" * 18, b"b" * 18)
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


def test_the_longest_name_can_be_written_and_a_longer_one_has_a_cure(tmp_path: Path) -> None:
    _write(tmp_path / ("n" * 255))
    with pytest.raises(MachineError, match="too long") as caught:
        free(tmp_path / ("n" * 256))
    assert caught.value.problems[0].cure == "choose a shorter name"


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\x00", "\x85", "\u2028", "\u202e", "\u2066", "\udcff"])
def test_names_that_forge_a_screen_or_a_log_are_refused(tmp_path: Path, sign: str) -> None:
    for use in (require_name, free, _write):
        with pytest.raises(UserError, match="no name to write to"):
            use(tmp_path / f"a{sign}b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b", "größe", "表", "a\u200db"])
def test_ordinary_names_are_not_refused(tmp_path: Path, name: str) -> None:
    _write(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"new"
