"""How many workers a machine has room for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from losscli.errors import Place, SpecError, shown

VARIABLE = "LOSSCLI_WORKERS"


def workers(given: int | None, environment: Mapping[str, str] = os.environ) -> int:
    """So many; where none are named, what the environment says, or one for each core.

    >>> workers(3), workers(None, {"LOSSCLI_WORKERS": "2"})
    (3, 2)
    """
    if given is not None:
        return given
    text = environment.get(VARIABLE, "auto")
    return cores() if text == "auto" else whole(text, VARIABLE)


def whole(text: str, name: str) -> int:
    """A number of workers. `SpecError` for a text that is none."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10_000):
        message = f"workers are a whole number >= 1 or auto, and {shown(text)} is given"
        raise SpecError(message, place=Place(name), cure="auto takes one for each core that this process may use")
    return int(text)


def cores(root: Path = Path("/")) -> int:
    """Physical cores that this process may use: by its affinity, and by what its control groups let it use of time.

    Two hardware threads of one core count once: small products keep a core busy by themselves.
    """
    allowed = _allowed()
    folders = (root / f"sys/devices/system/cpu/cpu{number}/topology" for number in allowed)
    physical = len({_core(folder) or (str(folder),) for folder in folders})
    return max(1, min([physical, *map(int, quotas(root))]))


def _allowed() -> Iterable[int]:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


def _core(folder: Path) -> tuple[str, ...]:
    """What is the same for the hardware threads of one core; nothing where the system does not say."""
    try:
        return tuple((folder / name).read_text().strip() for name in ("physical_package_id", "die_id", "core_id"))
    except OSError:
        return ()


def quotas(root: Path = Path("/")) -> list[float]:
    """How many processors' time the control groups of this process let it use, each that sets a limit; versions 1 and 2."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    limits = []
    for number, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if number == "0" and not controllers:
            limits += _along(root / "sys/fs/cgroup", path, _of_version_2)
        elif "cpu" in controllers.split(","):
            for mount in dict.fromkeys((controllers, "cpu", "cpu,cpuacct")):
                limits += _along(root / "sys/fs/cgroup" / mount, path, _of_version_1)
    return limits


def _along(mount: Path, path: str, read: object) -> list[float]:
    """Of a group and all above it: in a container, where the path may be that outside, of the mount at least."""
    inner = Path(path.lstrip("/"))
    limits = []
    for folder in dict.fromkeys((inner, *inner.parents)):
        try:
            limit = read(mount / folder)  # type: ignore[operator]
        except (OSError, ValueError):
            continue
        limits += [limit] if limit > 0 else []
    return limits


def _of_version_2(folder: Path) -> float:
    quota, period = (folder / "cpu.max").read_text().split()
    return float(quota) / float(period)  # "max" is no number


def _of_version_1(folder: Path) -> float:
    return float((folder / "cpu.cfs_quota_us").read_text()) / float((folder / "cpu.cfs_period_us").read_text())
