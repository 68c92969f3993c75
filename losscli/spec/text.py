"""From a spec file to its text: a regular file of at most 1 MiB, UTF-8, printable. Never waits, never guesses."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from losscli.errors import Place, SpecError

LARGEST = 1 << 20  # bytes

UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")  # how a UTF-16 file begins, either end first


def read_text(path: Path) -> str:
    """The text of a spec file without its byte order mark; `SpecError` with the place of the first bad byte."""
    content = _bytes(path)
    if content.startswith(WIDE_MARKS):
        raise SpecError("a spec must be UTF-8, and this is UTF-16", place=Place(str(path)), cure="save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as failed:
        before = content[: failed.start].decode("utf-8-sig")
        raise SpecError(
            f"a spec must be UTF-8, and byte {failed.start} (0x{content[failed.start]:02X}) is not",
            place=place_at(str(path), before, len(before)),
            cure="save it as UTF-8",
        ) from None
    return printable(text, str(path))


def printable(text: str, file: str, placed: bool = True) -> str:
    """The text itself, if it holds no control characters; `placed` says whether a line and column mean anything."""
    match = UNPRINTABLE.search(text)
    if match:
        code = ord(match.group())
        name = f"the character U+{code:04X}" if code else "a NUL byte"
        place = place_at(file, text, match.start()) if placed else Place(file)
        raise SpecError(f"a spec must be plain text, and this holds {name}", place=place, cure="remove it")
    return text


def place_at(file: str, text: str, at: int) -> Place:
    """The place of the character at index `at`."""
    lines = re.split("\r\n|\r|\n", text[:at])
    return Place(file, len(lines), len(lines[-1]) + 1)


def _bytes(path: Path) -> bytes:
    """The content, opened without waiting: opening a FIFO to read would wait for a writer, maybe for ever."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as failed:
        cure = "check the path; without a spec, try `losscli train --task binary`"
        raise SpecError(f"cannot read the spec: {failed.strerror}", place=Place(str(path)), cure=cure) from None
    except (OSError, ValueError) as failed:  # ValueError: a NUL in the path
        reason = getattr(failed, "strerror", None) or str(failed)
        cure = "give a file that can be read"
        raise SpecError(f"cannot read the spec: {reason}", place=Place(str(path)), cure=cure) from None
    try:
        _refuse_unless_file(os.fstat(handle).st_mode, path)
        with open(handle, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    finally:
        os.close(handle)
    if len(content) > LARGEST:
        cure = "keep data in a CSV file, beside the spec"
        raise SpecError("a spec must be at most 1 MiB", place=Place(str(path)), cure=cure)
    return content


def _refuse_unless_file(mode: int, path: Path) -> None:
    if stat.S_ISREG(mode):
        return
    kind = "a directory" if stat.S_ISDIR(mode) else "a FIFO" if stat.S_ISFIFO(mode) else "a device"
    cure = f"name a file in it, such as {path}/*.yaml" if stat.S_ISDIR(mode) else "give a regular file"
    raise SpecError(f"cannot read the spec: it is {kind}", place=Place(str(path)), cure=cure)
