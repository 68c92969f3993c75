"""The records below a folder, each in a line: what was compared, on what, with how many seeds, and how much room it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from losscli.errors import MachineError
from losscli.record import MANIFEST, PROGRESS
from losscli.record.disk import at_work
from losscli.record.find import in_the_making, records
from losscli.record.foreign import LARGEST, content
from losscli.record.reader import manifest_of, results_of
from losscli.record.remains import progress_of


@dataclass(frozen=True)
class Summary:
    """One record in short. What cannot be read leaves `broken` with the reason, and the rest empty."""

    id: str
    created: str = ""
    bytes: int = 0
    tasks: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    entries: int = 0
    seeds: int = 0
    headline: str = ""
    reference: float | None = None  # the mean of the first arena's reference on the test split
    broken: str = ""
    unfinished: Mapping[str, Any] | None = None  # of one in the making: done and total run-epochs, process, alive

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "tasks": list(self.tasks), "data": list(self.data), "losses": list(self.losses)}


@dataclass(frozen=True)
class Filter:
    """Which records are wanted; patterns are those of the shell (`*`), None takes all."""

    task: str | None = None
    data: str | None = None
    loss: str | None = None
    name: str | None = None
    last: int | None = None

    def takes(self, summary: Summary) -> bool:
        """Whether the record is one of them; the newest few are counted afterwards."""
        criteria = ((self.task, summary.tasks), (self.data, summary.data), (self.loss, summary.losses))
        fits = all(
            pattern is None or any(fnmatchcase(value, pattern) for value in values) for pattern, values in criteria
        )
        return fits and (self.name is None or fnmatchcase(summary.id, f"*{self.name}*"))


def listed(root: Path, selection: Filter) -> list[Summary]:
    """The records right below `root` that the filter takes, oldest first."""
    every = [summary_of(folder) for folder in records(root, unfinished=True)]
    summaries = [summary for summary in every if summary is not None and selection.takes(summary)]
    return summaries if selection.last is None else summaries[-selection.last :] if selection.last else []


def summary_of(folder: Path) -> Summary | None:
    """A record in short; None where it has gone in between.

    Checksums are not looked at: a listing must be quick, and nothing is used of what it reads.
    """
    try:
        if in_the_making(folder):
            return _of_progress(folder)
        manifest, path = manifest_of(folder), folder / "results.json"
        results = results_of(content(path, LARGEST[".json"]), path)
        size = sum(fact["bytes"] for fact in manifest["files"].values())
        return Summary(folder.name, str(manifest["created"]), size, **_of_arenas(results["arenas"]))
    except MachineError as error:
        if not (folder / MANIFEST).exists():  # it is being removed: its manifest goes first
            return None
        return Summary(folder.name, broken=f"{error}"[:200])


def _of_progress(folder: Path) -> Summary | None:
    """A record in the making, in short."""
    try:
        facts = progress_of(folder)
        arenas = facts["arenas"]
        return Summary(
            folder.name,
            str(facts["created"]),
            sum(path.lstat().st_size for path in folder.iterdir()),
            _once(str(arena["task"]) for arena in arenas),
            _once(str(arena["data"]) for arena in arenas),
            _once(str(loss) for arena in arenas for loss in arena["losses"]),
            sum(len(arena["entries"]) for arena in arenas),
            max(int(arena["seeds"]) for arena in arenas),
            str(arenas[0]["headline"]),
            unfinished=far(folder, facts),
        )
    except (MachineError, OSError) as error:
        if not (folder / PROGRESS).exists():  # it has become whole in between, or has gone
            return summary_of(folder) if (folder / MANIFEST).exists() else None
        return Summary(folder.name, broken=f"{error}"[:200])


def far(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """How far a record in the making is, and whether a process works on it."""
    return {**{name: facts.get(name, 0) for name in ("done", "total", "process")}, "alive": at_work(folder)}


def _of_arenas(arenas: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = arenas[0]
    means = {entry["entry"]: entry["test"].get(first["headline"], {}).get("mean") for entry in first["entries"]}
    return {
        "tasks": _once(str(arena["task"]) for arena in arenas),
        "data": _once(str(arena["data"]) for arena in arenas),
        "losses": _once(str(entry["loss"]) for arena in arenas for entry in arena["entries"]),
        "entries": sum(len(arena["entries"]) for arena in arenas),
        "seeds": max(len({run["seed"] for run in arena["runs"]}) for arena in arenas),
        "headline": str(first["headline"]),
        "reference": means.get(first["reference"]),
    }


def _once(words: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
