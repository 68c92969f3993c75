"""A comparison as it was, from its record alone: the inverse of json.py. Reports of a record are made from it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from losscli.compare.breakdown import breakdowns
from losscli.compare.expect import unmet
from losscli.compare.result import Arena, Comparison, Delta, EntryResult, Estimate, Point, RunResult
from losscli.errors import Finding, MachineError, Place

SPLITS = ("test", "valid", "train")


@dataclass(frozen=True)
class Recalled:
    """A record that was read: the comparison, the machine output that it was made from, and the specs as they stand."""

    folder: Path
    created: str
    comparison: Comparison
    results: Mapping[str, Any]
    specs: Sequence[str]


def recall(folder: Path) -> Recalled:
    """Read the record in `folder`; `MachineError` for one that is damaged or says things that no record says."""
    from losscli.record.reader import read, read_history

    record = read(folder)
    results = record["results"]
    try:
        histories = _histories(read_history(folder))
        arenas = [
            _arena(told, spec, {key[1:]: points for key, points in histories.items() if key[0] == number})
            for number, (told, spec) in enumerate(zip(results["arenas"], record["specs"], strict=True))
        ]
        timing = {key: _number(value) for key, value in results["timing"].items()}
        comparison = Comparison(arenas, str(results["device"]), str(folder), timing, _unmet(arenas), breakdowns(arenas))
        return Recalled(folder, str(record["manifest"].get("created", "")), comparison, results, record["specs"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MachineError(
            f"'results.json' is not what a record holds ({type(error).__name__}: {error})",
            place=Place(str(folder / "results.json")),
            cure="make the record again: `losscli compare` on its spec.yaml",
        ) from error


def _unmet(arenas: Sequence[Arena]) -> list[str]:
    """What the specs expected and did not get: said again from the same numbers."""
    expected = [(arena, arena.spec.get("expect") or {}) for arena in arenas]
    return [said for arena, expect in expected if expect for said in unmet(expect, arena)]


def _arena(told: Mapping[str, Any], spec: str, histories: Mapping[tuple[str, int], list[Point]]) -> Arena:
    from losscli.metrics import for_task
    from losscli.spec.reader import read_value

    directions = {name: metric.direction for name, metric in for_task(told["task"]).items()}
    measured = {name for entry in told["entries"] for name in entry["test"]}
    settings = read_value(spec, "spec.yaml")
    shown = [name for name in settings.get("metrics") or () if name in measured]
    order = list(dict.fromkeys([told["headline"], *shown, *sorted(measured)]))
    found = {
        "directions": {name: directions.get(name, "up") for name in order},
        "entries": [_entry(entry) for entry in told["entries"]],
        "baseline": {
            split: {name: _number(value) for name, value in scores.items()}
            for split, scores in told["baseline"].items()
        },
        "runs": _runs(told, histories),
        "findings": [
            Finding(*(each[name] for name in ("code", "severity", "message", "cure"))) for each in told["findings"]
        ],
        "spec": settings,
    }
    return Arena(**_known(Arena, told, found), **found)


def _entry(told: Mapping[str, Any]) -> EntryResult:
    scores = {
        split: {name: _estimate(found) for name, found in told[split].items()} for split in SPLITS if told.get(split)
    }
    return EntryResult(
        **_known(EntryResult, told, ("entry", "scores", "delta", "deltas", "seconds")),
        entry=told["entry"],
        scores=scores,
        delta=_delta(told["delta"]),
        deltas={metric: delta for metric, each in told.get("deltas", {}).items() if (delta := _delta(each))},
        seconds=_number(told.get("seconds")),
    )


def _delta(told: Mapping[str, Any] | None) -> Delta | None:
    if told is None:
        return None
    return Delta(
        **_known(Delta, told, ("mean", "ci95", "sd")),
        mean=_number(told["mean"]),
        sd=_number(told.get("sd")),
        ci95=_interval(told["ci95"]),
    )


def _estimate(told: Mapping[str, Any]) -> Estimate:
    values = tuple(map(_number, told["values"]))
    return Estimate(_number(told["mean"]), _number(told["sd"]), _interval(told["ci95"]), values)


def _runs(told: Mapping[str, Any], histories: Mapping[tuple[str, int], list[Point]]) -> list[RunResult]:
    """The runs, with their scores from the values of their entries, which stand in the order of the runs."""
    estimates = {entry["entry"]: {split: entry.get(split) or {} for split in SPLITS} for entry in told["entries"]}
    count: dict[str, int] = {}
    runs = []
    for run in told["runs"]:
        place = count[run["entry"]] = count.get(run["entry"], -1) + 1
        scores = {
            split: {name: _number(found["values"][place]) for name, found in measured.items()}
            for split, measured in estimates[run["entry"]].items()
        }
        history = histories.get((run["entry"], run["seed"]), [])
        known = _known(RunResult, told=run, without=("history", "scores", "seconds"))
        runs.append(RunResult(**known, scores=scores, history=history, seconds=_number(run.get("seconds"))))
    return runs


def _known(kind: Any, told: Mapping[str, Any], without: Collection[str]) -> dict[str, Any]:
    """What the machine output says of the fields of a class, but for those that need more care."""
    return {field.name: told[field.name] for field in fields(kind) if field.name in told and field.name not in without}


def _histories(table: Any) -> dict[tuple[int, str, int], list[Point]]:
    """By arena, entry and seed, the points of every run."""
    found: dict[tuple[int, str, int], list[Point]] = {}
    columns = [
        table.column(name).to_pylist() for name in ("arena", "entry", "seed", "epoch", "split", "metric", "value")
    ]
    for arena, entry, seed, epoch, split, metric, value in zip(*columns, strict=True):
        found.setdefault((arena, entry, seed), []).append(Point(epoch, split, metric, value))
    return found


def _interval(told: Sequence[float | None] | None) -> tuple[float, float] | None:
    return None if told is None else (_number(told[0]), _number(told[1]))


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
