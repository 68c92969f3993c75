"""The manifest: what vouches for the files of a record, and for itself. What older versions wrote is read as of today."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from losscli.record import SCHEMA_VERSION

OWN = "sha256"  # the checksum over all else in a manifest


def manifest_of(
    contents: Mapping[str, bytes], machines: Mapping[str, int], origins: Sequence[Mapping[str, str]] = ()
) -> bytes:
    """The manifest of these files, which so many stacks on machines of these kinds have led to: bits are those of one kind.

    `origins` say of each spec where its values came from.
    """
    files = {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in contents.items()}
    return signed({**origin(), "machines": dict(machines), "origins": list(map(dict, origins)), "files": files})


def origin() -> dict[str, Any]:
    """Who wrote it, and when."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return {"schema_version": SCHEMA_VERSION, "losscli": version("losscli"), "created": created}


def signed(value: Mapping[str, Any]) -> bytes:
    """A JSON object with a checksum over all that it says."""
    return in_json({**value, OWN: checksum(value)})


def checksum(value: Mapping[str, Any]) -> str:
    """Over what a JSON object says, without its own checksum: not over how it is laid out."""
    said = {name: part for name, part in value.items() if name != OWN}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def in_json(value: Any) -> bytes:
    """A value as the files of a record have it."""
    return (json.dumps(value, indent=2, allow_nan=False) + "\n").encode()


class Newer(ValueError):
    """A record that a later losscli has written."""


def migrated(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest of any version as one of today. Raises `ValueError` for one that was changed, or of no version known here."""
    current = dict(manifest)
    while type(number := current.get("schema_version")) is not int or number != SCHEMA_VERSION:  # true would be 1
        if type(number) is int and number > SCHEMA_VERSION:
            raise Newer(f"has schema version {number!r:.40}, and this losscli reads 1 to {SCHEMA_VERSION}")
        if type(number) is not int or number not in STEPS:
            raise ValueError(f"has schema version {number!r:.40}, and this losscli reads 1 to {SCHEMA_VERSION}")
        current = STEPS[number](current)
    if current.get(OWN) != checksum(current):
        raise ValueError("was changed after it was written (checksum mismatch)")
    return current


def _with_checksum(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """1 -> 2: a manifest had no checksum over itself."""
    later = {**manifest, "schema_version": 2}
    return {**later, OWN: checksum(later)}


# From each version to the next; `tests/record/versions` has a record of each.
STEPS: Mapping[int, Callable[[Mapping[str, Any]], dict[str, Any]]] = {1: _with_checksum}
