"""Reads a record back, and believes nothing: every file is checked against the manifest before it is looked at."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losscli.record import MANIFEST, PROGRESS, ROWS, SUFFIXES, table
from losscli.record.foreign import LARGEST, bad, content, json_of
from losscli.record.manifest import Newer, migrated
from losscli.record.remains import unfinished
from losscli.record.schema import Manifest, Results, wrong_with

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MANIFEST_LIMIT = 1 << 20  # bytes; a manifest names a handful of files
NEEDED = {"spec.yaml", "results.json", "encoders.json", "weights.safetensors"}


def read(folder: Path) -> dict[str, Any]:
    """What a record holds: `manifest`, `results`, `encoders` (parsed JSON), `specs` (YAML texts, one per arena).

    Raises `MachineError` for what is not a whole record: no manifest, a missing or changed file, a path that leads out.
    """
    manifest, files = _verified(folder)
    specs = sorted((name for name in files if name.startswith("spec")), key=lambda name: (len(name), name))  # 2 < 10
    return {
        "manifest": manifest,
        "results": results_of(files["results.json"], folder / "results.json"),
        "encoders": _encoders(files["encoders.json"], folder / "encoders.json"),
        "specs": [_text(files[name], folder / name) for name in specs],
    }


def results_of(data: bytes, path: Path) -> dict[str, Any]:
    """What results.json says. Raises `MachineError` where no record says so."""
    results = json_of(data, path)
    if wrong := wrong_with(Results, results):
        raise bad(path, wrong)
    return dict(results)


def _encoders(data: bytes, path: Path) -> dict[str, Any]:
    encoders = json_of(data, path)
    if not isinstance(encoders, dict) or not all(isinstance(state, dict) for state in encoders.values()):
        raise bad(path, "does not say what encoders have learned")
    return encoders


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise bad(path, "is not UTF-8") from error


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """The weights of a verified record, by `<arena>/<entry>/<seed>/<parameter>`."""
    return _tensors(folder, "weights.safetensors")


def read_rows(folder: Path) -> dict[str, np.ndarray]:
    """Keys of the rows that a verified record's runs were trained on, by `<arena>/<seed>/<array>`; an older one has none."""
    return _tensors(folder, ROWS) if ROWS in manifest_of(folder)["files"] else {}


def _tensors(folder: Path, name: str) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(_verified(folder)[1][name]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:  # KeyError: a type that numpy does not have
        raise bad(folder / name, f"is not a safetensors file of numbers ({error})"[:300]) from error


def read_history(folder: Path) -> pa.Table:
    """Every run's history: arena, entry, seed, epoch, split, metric, value."""
    return _table(folder, "history.parquet", table.HISTORY)


def read_predictions(folder: Path) -> pa.Table:
    """What the runs said of the test split: arena, entry, seed, row, truth, prediction, kind, low, high."""
    return _table(folder, "predictions.parquet", table.PREDICTIONS)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a record by its name, checked, and the manifest itself."""
    return {**_verified(folder)[1], MANIFEST: content(folder / MANIFEST, MANIFEST_LIMIT)}


def _table(folder: Path, name: str, schema: table.Schema) -> pa.Table:
    files = _verified(folder)[1]
    if name not in files:
        raise bad(folder / name, "is not part of this record")
    try:
        return table.read(files[name], schema)
    except ValueError as error:
        raise bad(folder / name, str(error)) from error


def _verified(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the bytes of every file in it, checked; what is checked is what is used."""
    manifest = manifest_of(folder)
    return manifest, {name: _checked(folder, name, fact) for name, fact in manifest["files"].items()}


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a record, whose files have names that may be read. Raises `MachineError`; the files are not looked at."""
    path = folder / MANIFEST
    if not path.exists() and (folder / PROGRESS).exists():
        raise unfinished(folder)
    if folder.is_file():
        pickled = folder.suffix in (".pt", ".pth", ".ckpt", ".pkl")
        raise bad(folder, f"is a file, and {'pickle is not loaded' if pickled else 'a record is a folder'}")
    manifest = json_of(content(path, MANIFEST_LIMIT), path)
    listed = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(listed, dict) or not set(listed) >= NEEDED:
        raise bad(path, "does not list the files of a record")
    try:
        manifest = migrated(manifest)
    except Newer as error:
        raise bad(path, str(error), "pip install --upgrade losscli") from error
    except ValueError as error:
        raise bad(path, str(error)) from error
    for name in listed:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            raise bad(path, f"names {name[:80]!r}, and may only name files beside it")
        if not name.endswith(SUFFIXES):
            raise bad(path, f"names {name[:80]!r}: only {', '.join(SUFFIXES)} are read, and pickle is not loaded")
    if wrong := wrong_with(Manifest, manifest):
        raise bad(path, wrong)
    return manifest


def _checked(folder: Path, name: str, fact: Mapping[str, Any]) -> bytes:
    path = folder / name
    data = content(path, LARGEST.get(path.suffix), fact["bytes"])
    if fact["sha256"] != hashlib.sha256(data).hexdigest():
        raise bad(path, "was changed after it was written (checksum mismatch)")
    return data
