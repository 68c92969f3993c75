"""Suspect labels: the rows of a record whose label the predictions of runs that did not train on them contradict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from losscli.deploy.choose import choose_arena, choose_entry
from losscli.errors import MachineError, Place, SpecError, counted, shown
from losscli.record import reader
from losscli.record.predictions import runs_of
from losscli.spec.reader import read_value
from losscli.suspects.places import Places, places
from losscli.suspects.pooled import Pooled, as_probabilities, pooled
from losscli.suspects.ranked import Ranking, of_classes, of_labels, of_numbers
from losscli.tasks import Task, tasks


@dataclass(frozen=True)
class SuspectReport:
    """What a record says of its labels: by which `entry`, how many of `seeds` kept predictions, and how many rows of the table
    were never out of sample (None: not known how many there are).
    """

    record: str
    data: str
    task: str
    entry: str
    ranking: Ranking
    rows: Pooled
    kept: int
    seeds: int
    never: int | None
    places: Places

    @property
    def labels(self) -> int:
        """How many labels were judged."""
        return len(self.ranking.suspects)

    @property
    def sure(self) -> int:
        """How many of them count as wrong."""
        return sum(suspect.sure for suspect in self.ranking.suspects)

    def place(self, row: int) -> Place | None:
        return self.places.place(row)


def suspects(folder: Path, arena: int | None = None, entry: str | None = None) -> SuspectReport:
    """Rank the labels of a record by what its runs say out of sample; the entry is the best on the valid split, or the named.

    Raises `SpecError` for a task without labels or numbers to check, `MachineError` for a record without predictions.
    """
    record = reader.read(folder)
    results = record["results"]["arenas"]
    number = choose_arena(results, arena)
    result = results[number]
    task = tasks.get(result["task"])
    rank = _ranker(task)
    name = choose_entry(result, entry)
    runs = runs_of(_table(folder), number).get(name, {})
    if not runs:
        raise MachineError(f"{shown(folder.name)} keeps no predictions of {shown(name)}", cure="train it again")
    rows = pooled(as_probabilities(runs, _temperatures(result, name)) if task.has_classes else list(runs.values()))
    settings = read_value(record["specs"][number], "spec.yaml")
    where = places(folder, settings["data"], task, rows)
    planned = sum(run["entry"] == name for run in result["runs"])
    total = where.rows if where.rows is not None else None
    never = None if total is None else total - len(rows.row)
    ranking = rank(rows, result["labels"])
    return SuspectReport(
        folder.name, str(result["data"]), task.name, name, ranking, rows, len(runs), planned, never, where
    )


def _ranker(task: Task) -> Callable[[Pooled, Sequence[str]], Ranking]:
    """How its rows are ranked; `SpecError` where a row has nothing that may be wrong."""
    if task.decides_one_class:
        return of_classes
    if task.yes_or_no:
        return of_labels
    if task.has_target and not task.has_classes:
        return of_numbers
    able = [
        one.name for one in tasks if one.decides_one_class or one.yes_or_no or (one.has_target and not one.has_classes)
    ]
    raise SpecError(
        f"rows of task {task.name} have no label that a prediction contradicts",
        cure=f"of tasks {', '.join(able)} they do",
    )


def _table(folder: Path) -> Any:
    if not (folder / "predictions.parquet").exists():
        raise MachineError(f"{shown(folder.name)} keeps no predictions", cure="train it again: records of today do")
    return reader.read_predictions(folder)


def _temperatures(result: Mapping[str, Any], entry: str) -> dict[int, float]:
    chosen = {
        run["seed"]: (run.get("calibration") or {}).get("temperature")
        for run in result["runs"]
        if run["entry"] == entry
    }
    return {seed: float(value) for seed, value in chosen.items() if value}


def coverage(report: SuspectReport) -> list[str]:
    """How often rows were out of sample, in sentences."""
    low, high = int(report.rows.count.min()), int(report.rows.count.max())
    times = counted(low, "time") if low == high else f"{low} to {high} times"
    sentences = [f"{counted(len(report.rows.row), 'row')} predicted {times} each by runs that did not train on them"]
    if report.never:
        sentences.append(
            f"{counted(report.never, 'row')} never out of sample, so nothing is said of them: "
            "--set data.split.folds=5 --seeds 10 tests each twice"
        )
    if report.kept < report.seeds:
        sentences.append(f"the record keeps the predictions of {report.kept} of {counted(report.seeds, 'seed')}")
    return [*sentences, *filter(None, [report.places.why])]
