"""Writes one record. Its manifest comes last, and a folder without one is no record: nothing half-done looks whole.

Ids look like `0007-20260131-154210-titanic`: they sort by their number, which a clock set back cannot confuse, and two
processes never share one (`disk.take`).
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from losscli.errors import MachineError, shown
from losscli.outfile import require_name
from losscli.record import MANIFEST, ROWS, disk
from losscli.record.manifest import in_json, manifest_of
from losscli.record.predictions import table_of
from losscli.record.remains import specs_of

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
    require_name(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise refusal(root, error) from error


def write(root: Path, name: str, comparison: Comparison, **parts: Any) -> Path:
    """Write the record of `comparison` into a new folder under `root`, and return that folder; `parts` are those of `fill`.

    Raises `MachineError` if the disk is full, read-only or gone; no folder is left then.
    """
    folder = root / name
    try:
        folder = disk.take(root, name)
        try:
            fill(folder, replace(comparison, record=folder.as_posix()), **parts)
        except BaseException:  # Ctrl-C too must leave no half a record
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise refusal(folder, error) from error
    return folder


def fill(
    folder: Path,
    comparison: Comparison,
    *,
    weights: Mapping[str, np.ndarray],
    encoders: Mapping[str, Any],
    specs: Sequence[str],
    results: Callable[[Comparison], Mapping[str, Any]],
    predictions: Sequence[RunPredictions] = (),
    origins: Sequence[Mapping[str, str]] = (),
    rows: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Make a folder the record of `comparison`, which knows that it is there.

    `weights` are named `<arena>/<entry>/<seed>/<parameter>`, `specs` are YAML texts, one per arena, `results` makes the
    machine output, `predictions` are (arena, entry, seed, what it says of the test split), `origins` say of each spec where its
    values came from, `rows` are keys of the rows that were trained on, `<arena>/<seed>/<array>`. Raises `OSError`; the folder is
    no record then, and may hold some of its files.
    """
    contents = _contents(comparison, weights, encoders, specs, results(comparison), predictions)
    if rows:
        contents[ROWS] = _tensors(rows)
    for name, data in contents.items():
        disk.put(folder / name, data)
    disk.settle(folder)
    manifest = manifest_of(contents, comparison.machines, origins)
    disk.put(folder / MANIFEST, manifest)  # last, and in one step: it is there whole, or not at all
    disk.settle(folder)
    disk.settle(folder.parent)


def refusal(folder: Path, error: OSError, going_on: str = "") -> MachineError:
    """What the user is told where a record cannot be written; `going_on` is the command that does so of what was kept."""
    full = error.errno in NO_ROOM
    elsewhere = "choose another folder with --out DIR, or go without one with --no-record"
    if going_on:
        first = "free some space" if full else "see that the folder can be written to"
        cure = f"{first}, then {going_on} writes it, of what was kept"
    else:
        cure = f"free some space, {elsewhere}" if full else elsewhere
    return MachineError(f"a record cannot be written to {shown(folder)}: {error.strerror or error}", cure=cure)


def specs_in_files(specs: Sequence[str]) -> dict[str, bytes]:
    """The specs by the files that hold them."""
    return {name: text.encode() for name, text in zip(specs_of(len(specs)), specs, strict=True)}


def _contents(
    comparison: Comparison,
    weights: Mapping[str, np.ndarray],
    encoders: Mapping[str, Any],
    specs: Sequence[str],
    results: Mapping[str, Any],
    predictions: Sequence[RunPredictions],
) -> dict[str, bytes]:
    return {
        **specs_in_files(specs),
        "results.json": in_json(results),
        "history.parquet": _history(comparison.arenas),
        "predictions.parquet": table_of(predictions),
        "weights.safetensors": _tensors(weights),
        "encoders.json": in_json(encoders),
    }


def _tensors(arrays: Mapping[str, np.ndarray]) -> bytes:
    import numpy as np
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    return save(contiguous, metadata={"losscli": version("losscli")})


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
