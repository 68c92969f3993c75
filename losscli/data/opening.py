"""A user's file, opened for reading: a regular file or an error that says why not. Light, so that any command may use it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from losscli.errors import DataError, Place, nearest, shown

MAGIC = {  # how files begin that are data, but not text
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip (or an Excel workbook)",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\x93NUMPY": "NumPy",
    b"\x89HDF": "HDF5",
    b"SQLite format 3": "SQLite",
    b"\x80\x02": "pickle",
    b"\x80\x03": "pickle",
    b"\x80\x04": "pickle",
    b"\x80\x05": "pickle",
    b"%PDF": "PDF",
}


@contextmanager
def opened(path: Path, name: str) -> Iterator[BinaryIO]:
    """The file, open for reading bytes. Raises `DataError` for what is no regular file or cannot be read."""
    place = Place(name)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError("the path must be a file, and is a folder", place=place, cure="name a file in it")
        if not stat.S_ISREG(mode):  # reading a pipe or a device may never end
            cure = "write it to a file first, and name that"
            raise DataError("the path must be a regular file, and is a pipe or a device", place=place, cure=cure)
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise DataError("there is no such file", place=place, cure=_beside(path, name)) from None
    except (OSError, ValueError) as failed:  # ValueError: a NUL in the path
        reason = failed.strerror if isinstance(failed, OSError) and failed.strerror else str(failed)
        raise DataError(f"the file cannot be read: {reason}", place=place) from None


def _beside(path: Path, name: str) -> str:
    try:
        close = nearest(path.name, [sibling.name for sibling in path.parent.iterdir()])
    except OSError:
        return f"there is no folder {shown(path.parent)}{_relative(path, name)}"
    return f"did you mean {shown(close)}?" if close else f"check the path{_relative(path, name)}"


def _relative(path: Path, name: str) -> str:
    """What to know of a path in a spec that is elsewhere."""
    return "" if path == Path(name) else ": a relative path is relative to the spec's folder"
