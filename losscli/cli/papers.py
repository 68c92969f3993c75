"""Specs and schemas that a command writes: whole or not at all, and never over something else unless that is wanted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from losscli.errors import SpecError, shown
from losscli.outfile import atomic, free, is_stream, require_file

SCHEMA_FILE = "losscli.schema.json"  # beside a spec: a relative name that every editor finds without a network


def written(path: Path, text: Callable[[str], str], force: bool) -> None:
    """Write a spec to `path`, and beside it, if it is not there, the schema that its first line names."""
    from losscli.cli import show

    save(path, text(SCHEMA_FILE), force)
    if is_stream(path):
        return
    beside = path.parent / SCHEMA_FILE
    current = schema_text()
    if not require_file(beside):
        save(beside, current, force=False)
    elif beside.read_text(encoding="utf-8") != current:
        show.notice(f"{beside} is of another version: losscli schema --write {beside} --force renews it")
    show.notice(f"the spec is in {path}: losscli compare {path}")


def schema_text() -> str:
    """The JSON Schema of a spec as a file holds it."""
    from losscli.spec.schema import schema

    return json.dumps(schema(), indent=1) + "\n"


def save(path: Path, text: str, force: bool) -> None:
    """The text in a file; `SpecError` where something is there already."""
    free(path, force)
    if not path.parent.is_dir():
        raise SpecError(f"there is no folder {shown(path.parent)}", cure="make it first")
    with atomic(path) as draft:
        draft.write(text.encode())
