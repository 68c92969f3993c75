"""Writes one record. Its manifest comes last, and a folder without one is no record: nothing half-done looks whole.

Ids look like `0007-20260131-154210-titanic`: they sort by their counter, which a clock set back cannot confuse, and two
processes never share one, because making the folder is what takes the id.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from losscli.errors import MachineError, shown
from losscli.record import MANIFEST, SCHEMA_VERSION
from losscli.record.predictions import table_of

if TYPE_CHECKING:
    import numpy as np

    from losscli.compare.result import Arena
    from losscli.comparison import Comparison
    from losscli.record.predictions import RunPredictions

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def ready(root: Path) -> None:
    """Refuse a root that no record can be written to, before there is anything to lose.

    Raises `MachineError` if the folder cannot be made or written to.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise _refusal(root, error) from error


def write(
    root: Path,
    name: str,
    comparison: Comparison,
    *,
    weights: Mapping[str, np.ndarray],
    encoders: Mapping[str, Any],
    specs: Sequence[str],
    results: Callable[[Comparison], Mapping[str, Any]],
    predictions: Sequence[RunPredictions] = (),
) -> Path:
    """Write the record of `comparison` into a new folder under `root`, and return that folder.

    `weights` are named `<arena>/<entry>/<seed>/<parameter>`, `specs` are YAML texts, one per arena, `results` makes the
    machine output (it gets the comparison with its record's path filled in), `predictions` are (arena, entry, seed, what
    it says of the test split). Raises `MachineError` if the disk is full,
    read-only or gone; no folder is left then.
    """
    folder = root / name
    try:
        folder = _take_id(root, name)
        try:
            recorded = replace(comparison, record=folder.as_posix())
            _fill(folder, _contents(recorded, weights, encoders, specs, results(recorded), predictions))
        except BaseException:  # Ctrl-C too must leave no half a record
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise _refusal(folder, error) from error
    return folder


def _refusal(folder: Path, error: OSError) -> MachineError:
    full = error.errno in NO_ROOM
    return MachineError(
        f"a record cannot be written to {shown(folder)}: {error.strerror or error}",
        cure=f"{'free some space, ' if full else ''}choose another folder with --out DIR, or go without one with --no-record",
    )


def _take_id(root: Path, name: str) -> Path:
    """Make the new record's folder: the first counter that nobody holds, one above the highest there is."""
    root.mkdir(parents=True, exist_ok=True)
    counter = 1 + max(
        (int(match[1]) for path in root.iterdir() if (match := re.match(r"(\d{4,9})-", path.name))), default=0
    )
    safe = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:60] or "run"
    while True:
        folder = root / f"{counter:04}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{safe}"
        try:
            folder.mkdir()
        except FileExistsError:
            counter += 1  # another process took it in between
        else:
            return folder


def _contents(
    comparison: Comparison,
    weights: Mapping[str, np.ndarray],
    encoders: Mapping[str, Any],
    specs: Sequence[str],
    results: Mapping[str, Any],
    predictions: Sequence[RunPredictions],
) -> dict[str, bytes]:
    from safetensors.numpy import save

    return {
        **{"spec.yaml" if n == 1 else f"spec{n}.yaml": text.encode() for n, text in enumerate(specs, start=1)},
        "results.json": _json(results),
        "history.parquet": _history(comparison.arenas),
        "predictions.parquet": table_of(predictions),
        "weights.safetensors": save(_contiguous(weights), metadata={"losscli": version("losscli")}),
        "encoders.json": _json(encoders),
    }


def _fill(folder: Path, contents: Mapping[str, bytes]) -> None:
    for name, data in contents.items():
        _put(folder / name, data)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "losscli": version("losscli"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in contents.items()
        },
    }
    half = folder / f"{MANIFEST}.part"
    _put(half, _json(manifest))
    half.rename(folder / MANIFEST)  # in one step: it is there whole, or not at all


def _put(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # or a power cut could leave a manifest that vouches for empty files


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()


def _contiguous(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    import numpy as np

    return {name: np.ascontiguousarray(values) for name, values in weights.items()}


def _history(arenas: Sequence[Arena]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    points = [(n, run, point) for n, arena in enumerate(arenas) for run in arena.runs for point in run.history]
    names = pa.dictionary(pa.int32(), pa.string())
    table = pa.table(
        {
            "arena": pa.array([n for n, _, _ in points], pa.int32()),
            "entry": pa.array([run.entry for _, run, _ in points], pa.string()).cast(names),
            "seed": pa.array([run.seed for _, run, _ in points], pa.int64()),
            "epoch": pa.array([point.epoch for _, _, point in points], pa.int32()),
            "split": pa.array([point.split for _, _, point in points], pa.string()).cast(names),
            "metric": pa.array([point.metric for _, _, point in points], pa.string()).cast(names),
            "value": pa.array([point.value for _, _, point in points], pa.float64()),
        }
    )
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    return bytes(sink.getvalue())
