"""`losscli runs show --config`: every setting of a record, and where its value came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from losscli.cli import show
from losscli.cli.fitted import Col, Fitted
from losscli.errors import counted, visible
from losscli.record import reader
from losscli.spec.dump import flow
from losscli.spec.origins import DEFAULT, Origins, origin, values
from losscli.spec.reader import read_value

LONGEST = 60
INVISIBLE_KEYS = ("schema_version",)


def config(folder: Path, as_json: bool) -> None:
    """The settings of a record, arena by arena; what was given stands out from what is a default."""
    record = reader.read(folder)
    specs = [read_value(text, "spec.yaml") for text in record["specs"]]
    known = record["manifest"].get("origins") or []
    arenas = [_settings(spec, known[at] if at < len(known) else None) for at, spec in enumerate(specs)]
    if as_json:
        show.machine({"schema_version": 1, "record": folder.name, "arenas": arenas})
    else:
        show.pieces(
            piece for number, settings in enumerate(arenas, 1) for piece in _pieces(number, settings, len(arenas))
        )


def _settings(spec: Mapping[str, Any], known: Origins | None) -> dict[str, dict[str, Any]]:
    """The value of each key and where it came from, which a record of before this was kept does not say."""
    return {
        key: {"value": value, "from": None if known is None else origin(key, known)}
        for key, value in values(spec).items()
        if key not in INVISIBLE_KEYS
    }


def _pieces(number: int, settings: Mapping[str, Mapping[str, Any]], of: int) -> Iterator[RenderableType]:
    given = sum(setting["from"] not in (None, DEFAULT) for setting in settings.values())
    title = f"arena {number}: " if of > 1 else ""
    if any(setting["from"] is None for setting in settings.values()):
        yield Text(f"{title}{counted(len(settings), 'setting')}; an older losscli did not say where they came from")
    else:
        yield Text(f"{title}{given} of {counted(len(settings), 'setting')} were given, the others are defaults")
    table = Fitted([Col("setting"), Col("from"), Col("value", prose=True)])
    for key, setting in sorted(
        settings.items(), key=lambda item: item[1]["from"] == DEFAULT
    ):  # what was given comes first
        style = "dim" if setting["from"] == DEFAULT else ""
        cells = (key, setting["from"] or "-", flow(setting["value"]))
        table.add(*(Text(visible(cell, LONGEST), style) for cell in cells))
    yield table
    if number < of:
        yield Text()
