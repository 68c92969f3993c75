"""Removing a record. Only a folder right below the root, no link, and nothing that is not a record or half of one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from losscli.errors import MachineError, SpecError, shown
from losscli.record import MANIFEST, PROGRESS, SUFFIXES, cures
from losscli.record.disk import at_work
from losscli.record.find import find

ID = re.compile(r"\d{4,9}-\d{8}-\d{6}-[A-Za-z0-9_-]{1,80}")


def removable(root: Path, text: str) -> Path:
    """The record that `text` means, or the folder of that very id that an interrupted run left without a manifest.

    Raises `SpecError` for what is no record of this root, `MachineError` where a link or foreign files are in the way.
    """
    half = root / text
    broken = ID.fullmatch(text) is not None and half.is_dir() and not (half / MANIFEST).exists()
    folder = half if broken else find(root, text, unfinished=True)
    if at_work(folder):
        raise MachineError(f"a process works on {shown(folder.name)}", cure="end it first: it keeps what it has")
    if folder.is_symlink() or folder.resolve().parent != root.resolve():
        raise MachineError(f"{shown(folder.name)} is not a folder right below {shown(root)}: links are not followed")
    if not ID.fullmatch(folder.name):
        raise SpecError(
            f"{shown(folder.name)} is not called as a record is", cure="remove it by hand if it is yours to remove"
        )
    try:
        # What is gone by the time that it is looked at, another process is removing.
        foreign = [path.name for path in folder.iterdir() if not _is_ours(path) and os.path.lexists(path)]
    except FileNotFoundError:
        raise MachineError(
            f"there is no record {shown(text)} in {shown(root)}", cure="it has just been removed"
        ) from None
    if foreign:
        raise MachineError(
            f"{shown(folder.name)} holds what losscli did not write: {', '.join(map(shown, sorted(foreign)[:5]))}",
            cure="move it elsewhere first",
        )
    return folder


def dead(root: Path) -> list[Path]:
    """Records in the making on which no process works, and folders of that kind that hold nothing to go on with."""
    if not root.is_dir():
        return []
    folders = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink() and ID.fullmatch(path.name)]
    return sorted(path for path in folders if not (path / MANIFEST).exists() and not at_work(path))


def _is_ours(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.name.endswith((*SUFFIXES, ".part"))


def remove(root: Path, folder: Path) -> None:
    """Remove a record that `removable` gave. It stops being a record before its first file goes: the manifest is first."""
    if folder.resolve().parent != root.resolve():
        raise ValueError("only what removable() gave is removed")
    try:
        for name in (MANIFEST, PROGRESS):
            (folder / name).unlink(missing_ok=True)
        for file in list(os.scandir(folder)):  # a list, as the folder changes underneath
            Path(file.path).unlink(missing_ok=True)
        folder.rmdir()
    except FileNotFoundError:  # another process removes it, too
        return
    except OSError as error:
        message = f"{shown(folder.name)} cannot be removed: {error.strerror or error}"
        raise MachineError(message, cure=f"run it again: {cures.remove(folder)}") from error
