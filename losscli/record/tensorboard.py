"""A record's histories as TensorBoard reads them, by TensorBoard's own writer: the extra `losscli[tensorboard]`."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from losscli.errors import MachineError, SpecError, shown
from losscli.outfile import refusal, require_name
from losscli.record import reader
from losscli.spec.names import safe_name

EVENTS = "events.out.tfevents.0.losscli"


def event_files(folder: Path, to: Path, force: bool = False) -> None:
    """Write the histories of the record in `folder` below the folder `to`: one folder per run, one scalar per split and metric.

    The step is the epoch. Raises `SpecError` where `to` is there already, `MachineError` where the extra is not installed, the
    record is damaged, or the disk refuses; nothing is left then.
    """
    require_name(to)
    if os.path.lexists(to) and not (force and to.is_dir() and not to.is_symlink()):
        raise SpecError(f"{shown(to)} exists", cure="choose another name with --to, or add --force")
    manifest, history = reader.read(folder)["manifest"], reader.read_history(folder)
    created = datetime.fromisoformat(manifest["created"]).timestamp()  # the same record makes the same bytes
    draft = to.with_name(f".{secrets.token_hex(8)}.part")
    try:
        for name, points in _runs(history):
            (draft / name).mkdir(parents=True)
            _write(draft / name / EVENTS, points, created)
        if to.exists():
            shutil.rmtree(to)
        draft.replace(to)
    except OSError as error:
        raise refusal(to, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _runs(history: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The points of each run, under a name that a folder may have."""
    runs: dict[tuple[int, str, int], list[dict[str, Any]]] = {}
    for point in history.to_pylist():
        runs.setdefault((point["arena"], point["entry"], point["seed"]), []).append(point)
    several = len({arena for arena, _, _ in runs}) > 1
    names: dict[tuple[int, str], str] = {}
    for (arena, entry, seed), points in runs.items():
        if (arena, entry) not in names:
            name = f"arena-{arena + 1}/{safe_name(entry)}" if several else safe_name(entry)
            names[arena, entry] = name if name not in names.values() else f"{name}-{len(names)}"
        yield f"{names[arena, entry]}/seed-{seed}", points


def _write(path: Path, points: list[dict[str, Any]], created: float) -> None:
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as missing:
        raise MachineError(
            "the package tensorboard is not installed", cure="pip install 'losscli[tensorboard]'"
        ) from missing
    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=created, file_version="brain.Event:2").SerializeToString())
        for point in points:
            value = Summary.Value(tag=f"{point['split']}/{point['metric']}", simple_value=point["value"])
            event = Event(wall_time=created, step=point["epoch"], summary=Summary(value=[value]))
            writer.write(event.SerializeToString())
        writer.flush()
