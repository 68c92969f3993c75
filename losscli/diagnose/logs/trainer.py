"""JSON: a Trainer's `trainer_state.json` (its `log_history`), a Keras history, a list of rows, or a row per line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from losscli.diagnose.history import Condenser, History, Series
from losscli.diagnose.logs import Choice, log_kind
from losscli.diagnose.names import columns_of
from losscli.errors import DataError, Place, shown

LARGEST = 1 << 26  # bytes of JSON that are held at once: as Python's objects they take up to 30 times as many
LONGEST = 18  # digits of a whole number that is kept as one
SUMMARY = (
    "train_runtime"  # the last row of a Trainer holds means over the whole training, which are no point of the curve
)


def _is_json(path: Path, head: bytes | None) -> bool:
    return head is not None and head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"["))


@log_kind("json", _is_json)
def read_json(path: Path, choice: Choice) -> History:
    """The history in JSON. Raises `DataError` for broken JSON, with its line, and for text in a loss."""
    rows = [row for row in rows_of(path) if SUMMARY not in row]
    names = list(dict.fromkeys(name for row in rows for name, value in row.items() if _is_value(value)))
    columns = columns_of(names, str(path), choice.train, choice.valid)
    axis = columns.epoch if columns.epoch is not None else columns.step
    places = {"train": columns.train, "valid": columns.valid, **columns.metrics}
    series = {
        name: _series(rows, names[at], names[axis] if axis is not None else None, path)
        for name, at in places.items()
        if at is not None
    }
    empty = Condenser().series()
    metrics = {name: series[name] for name in columns.metrics if series[name].count}
    if not any(series[name].count for name in ("train", "valid") if name in series):
        raise DataError("the log has no row with a loss", place=Place(str(path)), cure="name another log")
    kind = "epoch" if columns.epoch is not None else "step" if columns.step is not None else "row"
    return History(series.get("train", empty), series.get("valid", empty), metrics, kind)


def rows_of(path: Path) -> list[Mapping[str, Any]]:
    """The objects in a file of JSON, or of a JSON object per line."""
    if path.stat().st_size > LARGEST:
        raise DataError(
            f"JSON is held in memory, and this has more than {LARGEST >> 20} MB",
            place=Place(str(path)),
            cure="write the log as CSV, which is read piece by piece",
        )
    text = path.read_bytes()
    try:
        content = json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError) as failed:
        return _lines(text, path, failed)
    if isinstance(content, dict):
        content = content.get("log_history", content.get("history", content))
    if isinstance(content, dict):
        columns = {name: values for name, values in content.items() if isinstance(values, list)}
        content = _turned(columns) or [content]
    rows: list[Mapping[str, Any]] = (
        [row for row in content if isinstance(row, dict)] if isinstance(content, list) else []
    )
    if not rows:
        raise DataError(
            "the JSON holds no rows of a training",
            place=Place(str(path)),
            cure="a Trainer's trainer_state.json holds them as log_history",
        )
    return rows


def _whole(digits: str) -> int | float:
    """A whole number as JSON has it; one beyond all counts is a float, infinite if need be, as 1e400 is."""
    return int(digits) if len(digits) <= LONGEST else float(digits)


def _turned(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Columns as rows; the shorter ones lack at the end. It costs as much as there are values."""
    rows: list[dict[str, Any]] = [{} for _ in range(max(map(len, columns.values()), default=0))]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=False):
            row[name] = value
    return rows


def _lines(text: bytes, path: Path, failed: Exception) -> list[Mapping[str, Any]]:
    """A JSON object per line, where that is what the file holds; else the error, with its place."""
    rows: list[Mapping[str, Any]] = []
    for line in text.decode("utf-8-sig", "replace").splitlines():
        try:
            row = json.loads(line, parse_int=_whole) if line.strip() else {}
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            at = Place(str(path), getattr(failed, "lineno", None), getattr(failed, "colno", None))
            raise DataError(
                f"the JSON is broken: {getattr(failed, 'msg', 'it is nested too deep')}", place=at
            ) from None
        rows.append(row)
    return rows


def _series(rows: Sequence[Mapping[str, Any]], name: str, axis: str | None, path: Path) -> Series:
    """The rows that hold a value of this name; the others are holes."""
    points = [(at, row) for at, row in enumerate(rows, start=1) if row.get(name) is not None]
    for at, row in points:
        if not _is_value(row[name]):
            raise DataError(
                f"{shown(name)} must be a number, and is {shown(row[name])} in row {at}", place=Place(str(path))
            )
    steps = [row.get(axis, at) if axis else at for at, row in points]
    condenser = Condenser()
    condenser.add(
        np.array([step if _counts(step) else at for at, step in enumerate(steps, start=1)], dtype=np.float64),
        np.array([float(row[name]) for _, row in points], dtype=np.float64),
    )
    return condenser.series()


def _counts(step: Any) -> bool:
    return _is_value(step) and math.isfinite(float(step))


def _is_value(value: Any) -> bool:
    """A number, or one of the words for what is none."""
    if isinstance(value, str):
        return value.strip().lower() in ("nan", "inf", "-inf", "infinity", "-infinity")
    return isinstance(value, (int, float)) and not isinstance(value, bool)
