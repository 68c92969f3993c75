"""What `--log FILE` writes, a JSON object for each epoch of each run: the history of one entry, mean over its seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from losscli.diagnose.history import History, Series
from losscli.diagnose.logs import Choice, log_kind
from losscli.diagnose.logs.record import mean
from losscli.errors import DataError, Place, choose_from, shown

KEYS = {"arena", "data", "entry", "seed", "epoch"}


def _is_log(path: Path, head: bytes | None) -> bool:
    try:
        first = json.loads((head or b"").partition(b"\n")[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and first.keys() >= KEYS


@log_kind("lines", _is_log)
def read_lines(path: Path, choice: Choice) -> History:
    """The history of an entry of the first arena: the first unless one is named. Raises `DataError` where none is called so."""
    from losscli.diagnose.logs.trainer import rows_of  # not above: it would take these files for its own

    rows = [row for row in rows_of(path) if row.get("arena") == 1 and isinstance(row.get("epoch"), int)]
    names = list(dict.fromkeys(str(row.get("entry")) for row in rows))
    name = choice.entry if choice.entry is not None else names[0] if names else ""
    if name not in names:
        raise DataError(f"the log has no entry {shown(name)}", place=Place(str(path)), cure=choose_from(name, names))
    own = [row for row in rows if row.get("entry") == name]
    metrics = {metric: _series(own, f"valid/{metric}") for metric in ("accuracy", "r2", "mae", "rmse")}
    return History(
        _series(own, "train/loss"),
        _series(own, "valid/loss"),
        {metric: series for metric, series in metrics.items() if series.count},
        "epoch",
        [f"the entry {shown(name)}, mean of its seeds"],
    )


def _series(rows: list[Any], key: str) -> Series:
    points = [(row["epoch"], row[key]) for row in rows if key in row]
    return mean([(epoch, float(value) if isinstance(value, (int, float)) else float("nan")) for epoch, value in points])
