"""A table that may not be held in memory: its columns lie in a temporary file, and each is mapped while it is looked at."""

from __future__ import annotations

import mmap
import os
import re
import resource
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from losscli.errors import MachineError, shown
from losscli.tasks import Column, Origin

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}
ON_DISK = Path("/var/tmp")  # /tmp may be memory under another name
OWN_GROUPS, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")  # where Linux says what a container may take
CURE = (
    "set the environment variable TMPDIR to a folder with room, raise data.memory, or take columns out with data.drop"
)


def bytes_of(text: str) -> int:
    """How many bytes a size means; `ValueError` for what is none.

    >>> bytes_of("2GB"), bytes_of("1.5 MiB")
    (2000000000, 1572864)
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?i?b)", text.strip(), re.IGNORECASE)
    size = int(float(match[1]) * UNITS[match[2].upper()]) if match and match[2].upper() in UNITS else 0
    if not size:
        raise ValueError(f'a size is a number above 0 and a unit, such as "500MB" or "2GB", got {shown(text)}')
    return size


def sized(count: int) -> str:
    """A number of bytes, for people.

    >>> sized(999), sized(1_250_000), sized(20_000_000_000)
    ('999 B', '1.2 MB', '20 GB')
    """
    unit = next(name for name in ("TB", "GB", "MB", "KB", "B") if count >= UNITS[name] or name == "B")
    value = count / UNITS[unit]
    return f"{value:.1f} {unit}" if value < 10 and unit != "B" else f"{value:.0f} {unit}"


def half_of_memory() -> int:
    """Bytes: half of `memory`."""
    return memory() // 2


def memory() -> int:
    """Bytes: what the machine has, or what the process, or the container around it, may take of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([total, *_limits()])


def _limits() -> Iterator[int]:
    """What the process's control groups may take, its own and those above it (Linux, both versions); and `ulimit -v`."""
    lines = OWN_GROUPS.read_text().splitlines() if OWN_GROUPS.is_file() else []
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") > 1):
        if controllers and "memory" not in controllers.split(","):
            continue
        root = GROUPS / "memory" if controllers else GROUPS
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        own = root / path.lstrip("/")
        # Within a container the path may be that of the machine outside, which is not there: the groups above it are.
        for folder in (own, *own.parents):
            with suppress(OSError, ValueError):  # "max" is no number
                if folder.is_relative_to(root):
                    yield int((folder / name).read_text())
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        yield most


class Store:
    """A temporary file for columns of `size` bytes together. It has no name: nothing is left of it, however the process ends.

    Raises `MachineError` where the disk has no room for it.
    """

    def __init__(self, size: int):
        self.folder = os.environ.get("TMPDIR") or (ON_DISK if os.access(ON_DISK, os.W_OK) else tempfile.gettempdir())
        try:
            free = shutil.disk_usage(self.folder).free
            self.file: Any = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115  it lives as long as its columns
        except OSError as failed:
            raise self._refused(failed) from None
        weakref.finalize(self, self.file.close)
        self.size = 0
        if size > free:
            message = f"the table takes {sized(size)} on disk, and {shown(str(self.folder))} has {sized(free)} left"
            raise MachineError(message, cure=CURE)

    def keep(self, column: Column) -> Column:
        """The same column, its values in the file."""
        values = np.ascontiguousarray(column.values)
        start = -(-self.size // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        try:
            self.file.seek(start)
            self.file.write(values.data)
            self.file.flush()
        except OSError as failed:
            raise self._refused(failed) from None
        self.size = start + values.nbytes
        return StoredColumn(self, start, values, column.levels, column.origin)

    def _refused(self, failed: OSError) -> MachineError:
        reason = failed.strerror or str(failed)
        return MachineError(f"columns cannot be written to {shown(str(self.folder))}: {reason}", cure=CURE)


class StoredColumn(Column):
    """A column whose values are on disk: they are mapped anew each time, and let go of with the last reference."""

    _store: Store
    _start: int
    _dtype: np.dtype[Any]
    _bytes: int

    def __init__(
        self, store: Store, start: int, values: np.ndarray, levels: tuple[str, ...] | None, origin: Origin | None
    ):
        place = {"_store": store, "_start": start, "_dtype": values.dtype, "_bytes": values.nbytes}
        for name, value in {**place, "levels": levels, "origin": origin}.items():
            object.__setattr__(self, name, value)  # its class is frozen

    @property
    def values(self) -> np.ndarray:
        """[N], read only."""
        mapped = mmap.mmap(self._store.file.fileno(), self._bytes, access=mmap.ACCESS_READ, offset=self._start)
        return np.frombuffer(mapped, self._dtype)

    @property
    def resident(self) -> int:
        return 0

    def holding(self, values: np.ndarray, origin: Origin | None = None) -> Column:
        return self._store.keep(super().holding(values, origin))
