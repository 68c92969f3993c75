"""A file that a user asks for: whole or not there, and never over something else without being told to.

What is written is a draft of a random name beside the target, which nothing can stand in the way of; then it takes its place
in one step. A link, a pipe, a socket or a device is never written to, and never replaced, but for the names under which a
process finds its own streams: those are written straight through.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from losscli.errors import MachineError, SpecError, shown

STREAM = re.compile(r"/dev/(null|full|stdout|stderr|fd/\d{1,9})")
STANDARD = {"stdout": 1, "stderr": 2}
DRAFT = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
KINDS = {
    stat.S_IFLNK: "a link, and links are not followed",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
CURES = {
    errno.ENOSPC: "free some space, or choose a file on another disk",
    errno.EDQUOT: "free some space, or choose a file on another disk",
    errno.EFBIG: "choose a file on another disk",
    errno.ENAMETOOLONG: "choose a shorter name",
}
TURNS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")  # text after these reads in another direction


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A draft beside `path` to write bytes to, which takes its place at the end, and is gone if anything went wrong.

    Of two writers of one name the later one stays, whole. Raises `SpecError` for a name that is refused, `MachineError` where
    something else than a file stands there, or the disk refuses.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with atomic(Path(folder) / "report.md") as draft:
    ...         _ = draft.write(b"# Report")
    ...     [each.name for each in Path(folder).iterdir()]
    ['report.md']
    """
    require_file(path)
    with _refusals(path), _stream(path) if is_stream(path) else replacing(path) as file:
        yield file


@contextmanager
def following(path: Path) -> Iterator[BinaryIO]:
    """A new file that others may read while it grows, which stays as far as it got. `SpecError` where something is there.

    Raises `MachineError` where the disk refuses.
    """
    free(path, cure="choose another name, or remove it")
    with _refusals(path):
        file = _stream(path, 0) if is_stream(path) else os.fdopen(os.open(path, DRAFT, 0o666), "wb", 0)
    with file as opened:
        yield opened


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """The same for a file of losscli's own, in a folder of its own. Raises `OSError` where the disk refuses."""
    draft = path.with_name(f".{secrets.token_hex(8)}.part")  # short, whatever the name of the target
    file = os.fdopen(os.open(draft, DRAFT, 0o666), "wb")
    try:
        with file:
            yield file
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def _stream(path: Path, buffering: int = -1) -> Iterator[BinaryIO]:
    """One of the process's own: opened anew by its name, a file that stands behind it would be written from its start."""
    name = path.name
    if name in ("null", "full"):
        descriptor = os.open(path, os.O_WRONLY)
    else:
        sys.stdout.flush()
        descriptor = os.dup(STANDARD[name] if name in STANDARD else int(name))
    with os.fdopen(descriptor, "wb", buffering) as file:
        yield file


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refusal(path, error) from error


def is_stream(path: Path) -> bool:
    """Whether the name is one under which a process finds its own streams: what goes there goes nowhere else."""
    return STREAM.fullmatch(path.as_posix()) is not None


def free(path: Path, force: bool = False, cure: str = "choose another name, or add --force") -> None:
    """`SpecError` where something is there already, unless it may be replaced; `MachineError` where it is no file."""
    if require_file(path) and not force:
        raise SpecError(f"{shown(path)} exists", cure=cure)


def require_file(path: Path) -> bool:
    """Whether a file stands at `path`, which one may replace. `SpecError` for a name that nothing of losscli's may have.

    Raises `MachineError` where something else stands there: a link, a folder, a pipe, a socket, a device.
    """
    require_name(path)
    if is_stream(path):
        return False
    with _refusals(path):
        try:
            kind = stat.S_IFMT(path.lstat().st_mode)
        except FileNotFoundError:
            return False
    if kind != stat.S_IFREG:
        cure = "name a file in it" if kind == stat.S_IFDIR else "name the file itself, or write to stdout"
        raise MachineError(f"{shown(path)} is {KINDS.get(kind, 'no file')}", cure=cure)
    return True


def require_name(path: Path) -> None:
    r"""`SpecError` for a name that would forge what a screen or a log shows: control characters, line ends, changes of direction.

    >>> require_name(Path("runs\x1b[2J"))
    Traceback (most recent call last):
    losscli.errors.SpecError: 'runs\x1b[2J' is no name to write to: it holds '\x1b'
    """
    for char in str(path):
        category = unicodedata.category(char)
        if category in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in TURNS:
            message = f"{shown(path)} is no name to write to: it holds {shown(char)}"
            raise SpecError(message, cure="choose a name of plain characters")


def refusal(path: Path, error: OSError, otherwise: str = "choose another file") -> MachineError:
    """What the user is told of a file that cannot be written; `otherwise` is what would work where nothing better is known."""
    cure = CURES.get(error.errno or 0, otherwise)
    return MachineError(f"{shown(path)} cannot be written: {error.strerror or error}", cure=cure)
