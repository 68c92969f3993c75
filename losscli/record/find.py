"""Which record is meant: a path, an id, or how an id begins."""

from __future__ import annotations

import re
from pathlib import Path

from losscli.errors import MachineError, SpecError, counted, listed, shown
from losscli.record import MANIFEST, PROGRESS

MOST_LISTED = 8


def records(root: Path, unfinished: bool = False) -> list[Path]:
    """The whole records right below `root`, and those in the making if they count too, oldest first.

    Links are not followed, and what has no manifest and no progress is none.
    """
    if not root.is_dir():
        return []
    return sorted(
        path for path in root.iterdir() if not path.is_symlink() and path.is_dir() and _is_record(path, unfinished)
    )


def in_the_making(folder: Path) -> bool:
    """Whether a folder is a record that is not whole yet."""
    return (folder / PROGRESS).is_file() and not (folder / MANIFEST).exists()


def _is_record(folder: Path, unfinished: bool) -> bool:
    return (folder / MANIFEST).is_file() or (unfinished and in_the_making(folder))


def find(root: Path, text: str, *, outside: bool = False, unfinished: bool = False) -> Path:
    """The one record that `text` means: its folder, its id, its number, or the beginning of its id.

    Only folders right below `root` are ever meant; with `outside`, a path may also lead to a record elsewhere. Raises
    `SpecError` where several records fit or a path leads out, `MachineError` where there is none, or where it is in the making
    and no `unfinished` one will do.
    """
    folder = _find(root, text, outside, unfinished)
    if not unfinished and in_the_making(folder):
        from losscli.record.remains import unfinished as refusal

        try:
            error = refusal(folder)
        except MachineError as damage:
            error = damage
        if in_the_making(folder):  # or it has become whole in between
            raise error
    return folder


def _find(root: Path, text: str, outside: bool, unfinished: bool) -> Path:
    """As `find`; one in the making is always given where it alone fits."""
    path = Path(text)
    if _is_record(path, True) and text.strip():  # Path("") would be the working directory
        if outside or (path.resolve().parent == root.resolve() and not path.is_symlink()):
            return path if path.name not in ("", "..") else path.resolve()  # messages name it
        message = f"{shown(text)} is not a record right below {shown(root)}"
        raise SpecError(message, cure="give the id of a record, or how it begins")
    existing = records(root, unfinished=True)
    exact = [folder for folder in existing if folder.name == text or _is_number(folder.name, text)]
    fitting = exact or [folder for folder in existing if text and folder.name.startswith(text)]
    if not unfinished:
        fitting = [folder for folder in fitting if not in_the_making(folder)] or fitting
    if len(fitting) > 1:
        which = listed([folder.name for folder in fitting], MOST_LISTED)
        raise SpecError(f"{shown(text)} fits {counted(len(fitting), 'record')}", cure=f"say which: {which}")
    if not fitting:
        last = ", ".join(folder.name for folder in existing[-MOST_LISTED:])
        cure = f"the last ones there: {last}" if last else "`losscli train` and `losscli compare` leave records there"
        raise MachineError(f"there is no record {shown(text)} in {shown(root)}", cure=cure)
    return fitting[0]


def _is_number(name: str, text: str) -> bool:
    """Whether a number means this record, with or without its leading zeros.

    >>> _is_number("0007-20260131-154210-titanic", "7"), _is_number("0070-20260131-154210-titanic", "7")
    (True, False)
    """
    number = re.match(r"\d{1,9}(?=-)", name)
    return number is not None and re.fullmatch(r"[0-9]{1,9}", text) is not None and int(text) == int(number[0])
