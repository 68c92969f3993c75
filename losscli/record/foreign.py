"""The files of a record as those of a stranger: regular ones of a bounded size, and JSON of finite numbers.

Checksums only say that a record is as somebody wrote it, and anybody can write them.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from losscli.errors import MachineError, Place, shown

# Never a wait for who writes to a pipe, nor a step through a link.
OPENED = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
MIB = 1 << 20
LARGEST = {".yaml": MIB, ".json": 64 * MIB, ".parquet": 1024 * MIB}  # bytes; weights are as large as a model is
WHOLE_RECORD = "give the folder of a whole record, as `losscli train` leaves it"


def content(path: Path, limit: int | None = None, size: int | None = None) -> bytes:
    """The bytes of a regular file, not above `limit`, and just `size` of them where that is given.

    Raises `MachineError`; nothing is read before the size is known to be right.
    """
    try:
        with open(path, "rb", opener=_opened) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise bad(path, "is not a regular file")
            if limit is not None and state.st_size > limit:
                raise bad(path, f"is larger than {limit} bytes")
            if size is not None and state.st_size != size:
                raise bad(path, f"was changed after it was written ({state.st_size} bytes, and not {size})")
            return file.read(state.st_size)
    except OSError as error:
        what = "is a link, and links are not followed" if path.is_symlink() else f"cannot be read: {error.strerror}"
        raise bad(path, what) from error


def _opened(path: str, flags: int) -> int:
    return os.open(path, OPENED)


def json_of(data: bytes, path: Path) -> Any:
    """The JSON of a file, without NaN and infinity, which JSON does not have. Raises `MachineError`."""
    try:
        return json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise bad(path, "is not JSON") from error


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def bad(path: Path, what: str, cure: str = WHOLE_RECORD) -> MachineError:
    """What the user is told of a file that is not what a record holds."""
    return MachineError(f"{shown(path.name)} {what}", place=Place(str(path)), cure=cure)
