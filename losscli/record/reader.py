"""Reads a record back, and believes nothing: every file is checked against the manifest before it is looked at."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losscli.errors import MachineError, Place, shown
from losscli.record import MANIFEST, PROGRESS, SUFFIXES
from losscli.record.manifest import migrated

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MANIFEST_LIMIT = 1 << 20  # bytes; a manifest names a handful of files


def read(folder: Path) -> dict[str, Any]:
    """What a record holds: `manifest`, `results`, `encoders` (parsed JSON), `specs` (YAML texts, one per arena).

    Raises `MachineError` for what is not a whole record: no manifest, a missing or changed file, a path that leads out.
    """
    manifest, files = _verified(folder)
    specs = sorted((name for name in files if name.startswith("spec")), key=lambda name: (len(name), name))  # 2 < 10
    return {
        "manifest": manifest,
        "results": _parse(files["results.json"], folder / "results.json"),
        "encoders": _parse(files["encoders.json"], folder / "encoders.json"),
        "specs": [files[name].decode() for name in specs],
    }


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """The weights of a verified record, by `<arena>/<entry>/<seed>/<parameter>`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(_verified(folder)[1]["weights.safetensors"]))
    except SafetensorError as error:
        raise _bad(folder / "weights.safetensors", f"is not a safetensors file ({error})") from error


def read_history(folder: Path) -> pa.Table:
    """Every run's history: arena, entry, seed, epoch, split, metric, value."""
    return _table(folder, "history.parquet")


def read_predictions(folder: Path) -> pa.Table:
    """What the runs said of the test split: arena, entry, seed, row, truth, prediction, kind, low, high."""
    return _table(folder, "predictions.parquet")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a record by its name, checked, and the manifest itself."""
    return {**_verified(folder)[1], MANIFEST: _bytes(folder / MANIFEST, MANIFEST_LIMIT)}


def _table(folder: Path, name: str) -> pa.Table:
    from pyarrow import ArrowException, BufferReader, parquet

    files = _verified(folder)[1]
    if name not in files:
        raise _bad(folder / name, "is not part of this record")
    try:
        return parquet.read_table(BufferReader(files[name]))
    except ArrowException as error:
        raise _bad(folder / name, f"is not a Parquet file ({error})") from error


def _verified(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the bytes of every file in it, checked; what is checked is what is used."""
    if not (folder / MANIFEST).exists() and (folder / PROGRESS).exists():
        raise MachineError(
            f"{shown(folder.name)} is unfinished", place=Place(str(folder)), cure=f"losscli resume {folder.name}"
        )
    if folder.is_file():
        refusal = (
            "pickle is not loaded" if folder.suffix in (".pt", ".pth", ".ckpt", ".pkl") else "a record is a folder"
        )
        raise _bad(folder, f"is a file, and {refusal}")
    manifest = _parse(_bytes(folder / MANIFEST, MANIFEST_LIMIT), folder / MANIFEST)
    listed = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(listed, dict) or not {"spec.yaml", "results.json", "encoders.json", "weights.safetensors"} <= set(
        listed
    ):
        raise _bad(folder / MANIFEST, "does not list the files of a record")
    try:
        manifest = migrated(manifest)
    except ValueError as error:
        raise _bad(folder / MANIFEST, str(error)) from error
    return manifest, {name: _checked(folder, name, fact) for name, fact in listed.items()}


def _checked(folder: Path, name: str, fact: Any) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise _bad(folder / MANIFEST, f"names {name[:80]!r}, and may only name files beside it")
    if not name.endswith(SUFFIXES):
        raise _bad(
            folder / MANIFEST, f"names {name[:80]!r}: only {', '.join(SUFFIXES)} are read, and pickle is not loaded"
        )
    path = folder / name
    if path.is_symlink():
        raise _bad(path, "is a link, and links are not followed")
    data = _bytes(path)
    if not isinstance(fact, dict) or fact.get("sha256") != hashlib.sha256(data).hexdigest():
        raise _bad(path, "was changed after it was written (checksum mismatch)")
    return data


def _bytes(path: Path, limit: int | None = None) -> bytes:
    try:
        if limit is not None and path.stat().st_size > limit:
            raise _bad(path, f"is larger than {limit} bytes")
        return path.read_bytes()
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror}") from error


def _parse(data: bytes, path: Path) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _bad(path, "is not JSON") from error


def _bad(path: Path, what: str) -> MachineError:
    return MachineError(
        f"{path.name!r} {what}",
        place=Place(str(path)),
        cure="give the folder of a whole record, as `losscli train` leaves it",
    )
