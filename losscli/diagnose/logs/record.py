"""losscli's own records: the history of one entry, mean over its seeds, and what the record knows of loss and classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from losscli.diagnose.history import Condenser, History, Series
from losscli.diagnose.logs import Choice, log_kind
from losscli.errors import DataError, Place, choose_from, shown
from losscli.record import MANIFEST


def _is_record(path: Path, head: bytes | None) -> bool:
    return head is None and (path / MANIFEST).is_file()


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
    table = read_history(path).to_pylist()
    points = [point for point in table if point["arena"] == 0 and point["entry"] == name]
    metrics = {metric: _mean(points, "valid", metric) for metric in ("accuracy", "r2", "mae", "rmse")}
    notes = [f"the entry {shown(name)}, mean of its seeds"]
    loss = next(entry["loss"] for entry in arena["entries"] if entry["entry"] == name)
    facts: dict[str, Any] = {"loss": loss}
    if len(arena.get("labels") or ()) > 1 and arena["headline"] not in ("r2", "rmse", "mae"):
        facts["classes"] = len(arena["labels"])
    return History(
        _mean(points, "train", "loss"),
        _mean(points, "valid", "loss"),
        {metric: series for metric, series in metrics.items() if series.count},
        "epoch",
        notes,
        facts,
    )


def _mean(points: list[dict[str, Any]], split: str, metric: str) -> Series:
    """By epoch, the mean over the seeds."""
    values: dict[int, list[float]] = {}
    for point in points:
        if (point["split"], point["metric"]) == (split, metric):
            value = point["value"]
            values.setdefault(point["epoch"], []).append(float("nan") if value is None else value)
    condenser = Condenser()
    epochs = sorted(values)
    condenser.add(np.array(epochs, dtype=np.float64), np.array([np.mean(values[epoch]) for epoch in epochs]))
    return condenser.series()
