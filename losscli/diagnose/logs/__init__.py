"""Logs of a training, whoever wrote them: each kind is a file of this shelf that says which files are its own and reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from losscli.diagnose.history import History
from losscli.errors import DataError, Place
from losscli.shelf import Shelf

HEAD = 1 << 16  # bytes by which a kind is recognised


@dataclass(frozen=True)
class Choice:
    """What the user says of a log: columns of unusual names, and which entry of a record."""

    train: str | None = None
    valid: str | None = None
    entry: str | None = None


@dataclass(frozen=True)
class LogKind:
    """A kind of log: whether a path with these first bytes is one (`None` of a folder), and how it is read."""

    matches: Callable[[Path, bytes | None], bool]
    read: Callable[[Path, Choice], History]


kinds: Shelf[LogKind] = Shelf(__name__, "log")


def log_kind(
    name: str, matches: Callable[[Path, bytes | None], bool]
) -> Callable[[Callable[[Path, Choice], History]], Callable[[Path, Choice], History]]:
    """Put the decorated reader on the shelf."""

    def register(read: Callable[[Path, Choice], History]) -> Callable[[Path, Choice], History]:
        kinds.put(name, LogKind(matches, read))
        return read

    return register


def log_path(text: str, records: Path) -> Path:
    """The file or folder that is meant: a path, or the id of a record below `records` where no path is called so."""
    path = Path(text)
    if path.exists() or not text.strip() or path.suffix or "/" in text:
        return path
    from losscli.record.find import find
    from losscli.record.find import records as list_records

    return find(records, text) if list_records(records, unfinished=True) else path


def read_log(path: Path, choice: Choice | None = None) -> History:
    """The history in a log. Raises `DataError` for what is none, with the place, and `MachineError` for a missing extra."""
    from losscli.data.opening import MAGIC, opened

    head = None
    if not path.is_dir():
        with opened(path, str(path)) as file:
            head = file.read(HEAD)
        if not head.strip():
            raise DataError("the log is empty", place=Place(str(path)), cure="name a log that holds a training")
    for kind in kinds:
        if kind.matches(path, head):
            return kind.read(path, choice or Choice()).in_time()
    what = next((kind for magic, kind in MAGIC.items() if (head or b"").startswith(magic)), "")
    message = f"the log must be text, and is {what}" if what else "this is no log of a training"
    raise DataError(
        message, place=Place(str(path)), cure="a CSV, a Trainer's JSON, a TensorBoard event file, or a record"
    )
