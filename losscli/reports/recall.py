"""A comparison as it was, from its record alone: the inverse of json.py. Reports of a record are made from it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from losscli.compare.breakdown import breakdowns
from losscli.compare.expect import unmet
from losscli.compare.result import Arena, Delta, EntryResult, Estimate, Point, RunResult, YardstickResult
from losscli.comparison import Comparison
from losscli.direction import Direction
from losscli.errors import Finding, MachineError, Place
from losscli.looks import Looks
from losscli.tasks.predictions import Predictions

SPLITS = ("test", "valid", "train")


@dataclass(frozen=True)
class ComparisonRecord:
    """A record that was read: the comparison, the machine output that it was made from, and the specs as they stand."""

    folder: Path
    created: str
    comparison: Comparison
    results: Mapping[str, Any]
    specs: Sequence[str]


def recall(folder: Path, predictions: bool = False) -> ComparisonRecord:
    """Read the record in `folder`, with what its runs predict where that is asked for and kept.

    `MachineError` for one that is damaged or says things that no record says.
    """
    from losscli.record.reader import read, read_history

    record = read(folder)
    results = record["results"]
    try:
        histories = _histories(read_history(folder))
        arenas = [
            _arena(output, spec, {key[1:]: points for key, points in histories.items() if key[0] == number})
            for number, (output, spec) in enumerate(zip(results["arenas"], record["specs"], strict=True))
        ]
        timing = {key: _number(value) for key, value in results["timing"].items()}
        partial = bool(results.get("partial"))
        missed = [] if partial else _unmet(arenas)
        machines = {str(kind): int(count) for kind, count in results.get("machines", {}).items()}
        comparison = Comparison(
            arenas,
            str(results["device"]),
            str(folder),
            timing,
            missed,
            breakdowns(arenas),
            machines,
            partial=partial,
            predictions=_predictions(folder, len(arenas)) if predictions else {},
        )
        return ComparisonRecord(
            folder, str(record["manifest"].get("created", "")), comparison, results, record["specs"]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MachineError(
            f"'results.json' is not what a record holds ({type(error).__name__}: {error})",
            place=Place(str(folder / "results.json")),
            cure="make the record again: `losscli compare` on its spec.yaml",
        ) from error


def _predictions(folder: Path, arenas: int) -> dict[tuple[int, str], dict[int, Predictions]]:
    """What the runs of each arena and entry say, by seed; nothing of a record from before they were kept."""
    from losscli.record.predictions import runs_of
    from losscli.record.reader import read_predictions

    if not (folder / "predictions.parquet").exists():
        return {}
    table = read_predictions(folder)
    return {(number, entry): of for number in range(arenas) for entry, of in runs_of(table, number).items()}


def _unmet(arenas: Sequence[Arena]) -> list[str]:
    """What the specs expected and did not get: said again from the same numbers."""
    expected = [(arena, arena.spec.get("expect") or {}) for arena in arenas]
    return [message for arena, expect in expected if expect for message in unmet(expect, arena)]


def _directions(task: str) -> Mapping[str, Direction]:
    from losscli.metrics import for_task

    return {name: metric.direction for name, metric in for_task(task).items()}


def _arena(output: Mapping[str, Any], spec: str, histories: Mapping[tuple[str, int], list[Point]]) -> Arena:
    from losscli.spec.reader import read_value

    settings = read_value(spec, "spec.yaml")
    directions = settings.get("better") or _directions(output["task"])
    measured = {name for entry in output["entries"] for name in entry["test"]}
    shown = [name for name in settings.get("metrics") or () if name in measured]
    order = list(dict.fromkeys([output["headline"], *shown, *sorted(measured)]))
    values = {
        "directions": {name: directions.get(name, "up") for name in order},  # up: of one that is no longer on the shelf
        "entries": [_entry(entry) for entry in output["entries"]],
        "baseline": {
            split: {name: _number(value) for name, value in scores.items()}
            for split, scores in output["baseline"].items()
        },
        "runs": _runs(output, histories),
        "yardsticks": [_yardstick(one) for one in output.get("yardsticks", ())],
        "findings": [
            Finding(*(finding[name] for name in ("code", "severity", "message", "cure")))
            for finding in output["findings"]
        ],
        "spec": settings,
        "looks": _looks(output.get("looks")),
    }
    return Arena(**_plain_fields(Arena, output, values), **values)


def _looks(output: Mapping[str, Any] | None) -> Looks | None:
    if output is None:
        return None
    return Looks(tuple(map(int, output["sizes"])), int(output["done"]), tuple(map(str, output["open"])))


def _entry(output: Mapping[str, Any]) -> EntryResult:
    return EntryResult(
        **_plain_fields(EntryResult, output, ("entry", "scores", "delta", "deltas", "seconds")),
        entry=output["entry"],
        scores=_scores(output),
        delta=_delta(output["delta"]),
        deltas={
            metric: delta for metric, difference in output.get("deltas", {}).items() if (delta := _delta(difference))
        },
        seconds=_number(output.get("seconds")),
    )


def _scores(output: Mapping[str, Any]) -> dict[str, dict[str, Estimate]]:
    return {
        split: {name: _estimate(score) for name, score in output[split].items()}
        for split in SPLITS
        if output.get(split)
    }


def _yardstick(output: Mapping[str, Any]) -> YardstickResult:
    leads = {entry: lead for entry, difference in output["leads"].items() if (lead := _delta(difference))}
    return YardstickResult(str(output["yardstick"]), _scores(output), leads, output["beats"] is True)


def _delta(output: Mapping[str, Any] | None) -> Delta | None:
    if output is None:
        return None
    return Delta(
        **_plain_fields(Delta, output, ("mean", "ci95", "sd")),
        mean=_number(output["mean"]),
        sd=_number(output.get("sd")),
        ci95=_interval(output["ci95"]),
    )


def _estimate(output: Mapping[str, Any]) -> Estimate:
    values = tuple(map(_number, output["values"]))
    return Estimate(_number(output["mean"]), _number(output["sd"]), _interval(output["ci95"]), values)


def _runs(output: Mapping[str, Any], histories: Mapping[tuple[str, int], list[Point]]) -> list[RunResult]:
    """The runs, with their scores from the values of their entries, which stand in the order of the runs."""
    estimates = {entry["entry"]: {split: entry.get(split) or {} for split in SPLITS} for entry in output["entries"]}
    count: dict[str, int] = {}
    runs = []
    for run in output["runs"]:
        # values stand by seed, without its number: the n-th run of an entry has the n-th of its values
        place = count[run["entry"]] = count.get(run["entry"], -1) + 1
        scores = {
            split: {name: _number(score["values"][place]) for name, score in measured.items()}
            for split, measured in estimates[run["entry"]].items()
        }
        history = histories.get((run["entry"], run["seed"]), [])
        plain = _plain_fields(RunResult, output=run, without=("history", "scores", "seconds"))
        runs.append(RunResult(**plain, scores=scores, history=history, seconds=_number(run.get("seconds"))))
    return runs


def _plain_fields(kind: Any, output: Mapping[str, Any], without: Collection[str]) -> dict[str, Any]:
    """What the machine output says of the fields of a class, but for those that need more care."""
    return {
        field.name: output[field.name] for field in fields(kind) if field.name in output and field.name not in without
    }


def _histories(table: Any) -> dict[tuple[int, str, int], list[Point]]:
    """By arena, entry and seed, the points of every run."""
    from losscli.record.table import lists

    histories: dict[tuple[int, str, int], list[Point]] = {}
    columns = lists(table, ("arena", "entry", "seed", "epoch", "split", "metric", "value"))
    for arena, entry, seed, epoch, split, metric, value in zip(*columns, strict=True):
        histories.setdefault((arena, entry, seed), []).append(Point(epoch, split, metric, value))
    return histories


def _interval(ends: Sequence[float | None] | None) -> tuple[float, float] | None:
    return None if ends is None else (_number(ends[0]), _number(ends[1]))


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
