"""losscli's own records: the history of one entry, mean over its seeds, and what the record knows of loss and classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from losscli.diagnose.history import Condenser, History, Series
from losscli.diagnose.logs import Choice, log_kind
from losscli.errors import DataError, Place, choose_from, shown
from losscli.record import MANIFEST
from losscli.record.find import in_the_making


def _is_record(path: Path, head: bytes | None) -> bool:
    return head is None and ((path / MANIFEST).is_file() or in_the_making(path))  # which reading refuses


@log_kind("record", _is_record)
def read_record(path: Path, choice: Choice) -> History:
    """The history of an entry of the first arena: the reference unless one is named. Diverged runs count as the others."""
    from losscli.record.reader import read, read_history

    results = read(path)["results"]
    arena = results["arenas"][0]
    names = [entry["entry"] for entry in arena["entries"]]
    name = choice.entry if choice.entry is not None else arena["reference"]
    if name not in names:
        raise DataError(
            f"the record has no entry {shown(name)}", place=Place(str(path)), cure=choose_from(str(name), names)
        )
    points = _points(read_history(path), name)
    metrics = {metric: mean(points.get(("valid", metric), [])) for metric in ("accuracy", "r2", "mae", "rmse")}
    notes = [f"the entry {shown(name)}, mean of its seeds"]
    loss = next(entry["loss"] for entry in arena["entries"] if entry["entry"] == name)
    facts: dict[str, Any] = {"loss": loss}
    if len(arena.get("labels") or ()) > 1 and arena["headline"] not in ("r2", "rmse", "mae"):
        facts["classes"] = len(arena["labels"])
    return History(
        mean(points.get(("train", "loss"), [])),
        mean(points.get(("valid", "loss"), [])),
        {metric: series for metric, series in metrics.items() if series.count},
        "epoch",
        notes,
        facts,
    )


def _points(table: Any, entry: str) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """By split and metric, epoch and value of every point of an entry of the first arena."""
    from losscli.record.table import lists

    points: dict[tuple[str, str], list[tuple[int, float]]] = {}
    columns = lists(table, ("arena", "entry", "split", "metric", "epoch", "value"))
    for arena, name, split, metric, epoch, value in zip(*columns, strict=True):
        if arena == 0 and name == entry:
            points.setdefault((split, metric), []).append((epoch, float("nan") if value is None else value))
    return points


def mean(points: Sequence[tuple[int, float]]) -> Series:
    """By epoch, the mean over the seeds."""
    condenser = Condenser()
    if points:
        epochs, places, counts = np.unique([epoch for epoch, _ in points], return_inverse=True, return_counts=True)
        sums = np.bincount(places, weights=[value for _, value in points])
        condenser.add(epochs.astype(np.float64), sums / counts)
    return condenser.series()
