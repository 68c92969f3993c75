"""How a record gets to the disk: files that are whole or not there, numbers that nobody else has, and who works on what.

What is written is on the disk, and in its folder, before anything vouches for it: a power cut could leave names without
contents, or contents without names.
"""

from __future__ import annotations

import errno
import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from losscli.outfile import replacing, require_name

try:
    import fcntl
except ImportError:  # not on Windows: there, nobody knows who works on what
    fcntl = None  # type: ignore[assignment]

NUMBER = re.compile(r"(\d{4,9})-")
CLAIM = ".{:04}"  # a folder of this name holds a number while its record gets its own
TRIES, PAUSE = 5, 0.02  # of a lock: whoever only asks whether it is held has it for a moment


def put(path: Path, data: bytes) -> None:
    """Write a file beside, and then in one step into the place of what was there."""
    with replacing(path) as draft:
        draft.write(data)
        draft.flush()
        os.fsync(draft.fileno())


def settle(folder: Path) -> None:
    """Have the names in a folder on the disk, too; where the system cannot, they get there in time."""
    with suppress(PermissionError, IsADirectoryError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def take(root: Path, name: str) -> Path:
    """Make a new record's folder, such as `0007-20260131-154210-titanic`: one above the highest number there is.

    A number is claimed first, by a folder that only one process can make, and looked for once more. So two processes
    never get the same, whatever their records are called.
    """
    require_name(root)
    root.mkdir(parents=True, exist_ok=True)
    safe = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:60] or "run"
    number = 1 + max(_numbers(root), default=0)
    while True:
        claim = root / CLAIM.format(number)
        try:
            claim.mkdir()
        except FileExistsError:  # of another process; or left by one that was killed, and the number is skipped
            number += 1
            continue
        folder = root / f"{number:04}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{safe}"
        if number not in _numbers(root) and _renamed(claim, folder):
            return folder
        claim.rmdir()
        number += 1


def _numbers(root: Path) -> set[int]:
    return {int(match[1]) for path in root.iterdir() if (match := NUMBER.match(path.name))}


def _renamed(claim: Path, folder: Path) -> bool:
    try:
        claim.rename(folder)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


class Lock:
    """Says that a process works on a folder, for as long as it lives: the system takes it back, however it ends."""

    def __init__(self, folder: Path):
        self.descriptor = os.open(folder, os.O_RDONLY) if fcntl is not None else -1
        for _ in range(TRIES):
            if _locked(self.descriptor, alone=True):
                return
            time.sleep(PAUSE)
        self.free()
        raise BlockingIOError(errno.EAGAIN, "another process works on it", str(folder))

    def free(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1


def at_work(folder: Path) -> bool:
    """Whether a process works on the folder."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _locked(descriptor, alone=False)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, alone: bool) -> bool:
    """Whether the lock could be had; where a file system has none, it counts as had."""
    if descriptor < 0:
        return True
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
