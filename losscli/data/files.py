"""The files that a `path` of a spec means: one, several, or the part files in a folder; and whether they have changed."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from losscli.errors import DataError, Finding, Place, counted, shown
from losscli.tasks import Origin

BLOCK = 1 << 24  # bytes that are read at once where a file is only looked through


@dataclass(frozen=True)
class File:
    """One file: where it is, and what messages call it."""

    path: Path
    name: str


@dataclass(frozen=True)
class FileOrigin(Origin):
    """Where a column stands in several files: `lines` are those within each row's own file, `part` int [N] says which."""

    files: tuple[str, ...] = ()
    part: np.ndarray | None = None

    @classmethod
    def of(cls, files: Sequence[File], column: int, lines: np.ndarray, first_rows: Sequence[int]) -> FileOrigin:
        """The origin of column number `column`, where file n begins with row `first_rows[n]`."""
        names = tuple(file.name for file in files)
        part = np.searchsorted(first_rows, np.arange(len(lines)), side="right") - 1 if len(files) > 1 else None
        return cls(names[0], column, lines, names, part)

    def place(self, row: int) -> Place:
        at = super().place(row)
        return at if self.part is None else Place(self.files[int(self.part[row])], at.line, at.column)

    def of_rows(self, rows: np.ndarray) -> FileOrigin:
        """The same for some of the rows."""
        lines = None if self.lines is None else self.lines[rows]
        return FileOrigin(self.file, self.column, lines, self.files, None if self.part is None else self.part[rows])


def files_of(folder: Path, paths: Sequence[str], endings: Sequence[str]) -> tuple[list[File], list[Finding]]:
    """The files that `paths` name, relative to `folder`; of a folder all that have one of `endings`, in their order.

    Hidden files and those that begin with an underscore are no data (`_SUCCESS`); others are told in a finding. Raises
    `DataError` for a folder without such files or with folders in it, and for a file that is named twice.
    """
    files: list[File] = []
    findings: list[Finding] = []
    for path in paths:
        if not (folder / path).is_dir():
            files.append(File(folder / path, path))
            continue
        parts, strays = _parts(folder / path, path, endings)
        files += parts
        if strays:
            message = (
                f"{counted(len(strays), 'file')} of {shown(path)} did not belong and were not read: {shown(strays[0])}"
            )
            findings.append(Finding("other-files", "info", f"{message}{' ...' if len(strays) > 1 else ''}"))
    names: dict[Path, str] = {}
    for file in files:
        if Path(os.path.realpath(file.path)) in names:
            raise DataError(f"data.path names the file {shown(file.name)} twice", cure="name it once")
        names[Path(os.path.realpath(file.path))] = file.name
    return files, findings


def _parts(folder: Path, name: str, endings: Sequence[str]) -> tuple[list[File], list[str]]:
    """The part files of a folder, and the names of the others."""
    try:
        within = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    except OSError as failed:
        raise DataError(f"the folder cannot be read: {failed.strerror or failed}", place=Place(name)) from None
    folders = [path.name for path in within if path.is_dir()]
    if folders:
        raise DataError(
            f"the folder has folders in it, such as {shown(folders[0])}, and part files must lie side by side",
            place=Place(name),
            cure="name the files, or put them into one folder",
        )
    fitting = [path for path in within if path.suffix.casefold() in endings]
    if not fitting:
        content = f"it holds {shown(within[0].name)}" if within else "it is empty"
        message = f"the path is a folder without {' or '.join(endings)} files in it: {content}"
        raise DataError(message, place=Place(name), cure="name a file, or a folder of such files")
    kinds = sorted({path.suffix.casefold() for path in fitting})
    if len(kinds) > 1:
        raise DataError(
            f"the folder holds {' and '.join(kinds)} files: the parts must be of one kind",
            place=Place(name),
            cure="put those of one kind into a folder of their own, or list the files in data.path",
        )
    parts = [File(path, f"{name.rstrip('/')}/{path.name}") for path in fitting]
    return parts, [path.name for path in within if path not in fitting]


@dataclass
class FileState:
    """What files held when they were read: a checksum each, taken on the way, and the time of their last change."""

    checksums: dict[str, int] = field(default_factory=dict)
    times: dict[str, tuple[int, int]] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def begin(self, file: File) -> None:
        """Forget what was seen of this file: it is read from its start now."""
        self.files[file.name], self.checksums[file.name] = file.path, 0
        self.times[file.name] = _times(file.path)

    def saw(self, name: str, data: bytes) -> None:
        """These bytes come next in the file."""
        self.checksums[name] = zlib.crc32(data, self.checksums.get(name, 0))

    def changes(self) -> list[Finding]:
        """A warning for each file that does not hold any more what it held. Only one that was touched is read again."""
        return [
            Finding(
                "data-changed",
                "warning",
                f"{shown(name)} changed while the models were trained: the record is of what it held before",
                "run again to train on what it holds now",
            )
            for name, path in self.files.items()
            if _times(path) != self.times[name] and _checksum(path) != self.checksums[name]
        ]


def _times(path: Path) -> tuple[int, int]:
    """Size and time of the last change; zeros where there is no such file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return (0, 0)
    return status.st_size, status.st_mtime_ns


def _checksum(path: Path) -> int | None:
    try:
        with path.open("rb") as file:
            total = 0
            while block := file.read(BLOCK):
                total = zlib.crc32(block, total)
            return total
    except OSError:
        return None
