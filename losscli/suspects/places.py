"""Where the rows of a record stand in the file that they were read from, so that a person finds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from losscli.errors import DataError, MachineError, Place, SpecError
from losscli.suspects.pooled import Pooled
from losscli.tasks import Task


@dataclass(frozen=True)
class Places:
    """`place` gives a row's file and line, as far as they are known; `why` says why they are not, `rows` how many there are
    (None: not known).
    """

    place: Callable[[int], Place | None] = lambda row: None
    why: str = ""
    rows: int | None = None


def places(folder: Path, data: Mapping[str, Any], task: Task, pooled: Pooled) -> Places:
    """Read the source of a record again, whose spec's `data:` block is given; rows have places only where their targets are still
    those that were predicted.
    """
    from losscli.data.sources import sources
    from losscli.data.split import set_apart

    try:
        source = sources.get(str(data["source"])).model_validate(dict(data))
        table = set_apart(source.read(folder).for_task(task), source.split)
        target = task.decode(table.targets, source.target_options())
    except (DataError, SpecError, MachineError, KeyError, ValueError) as error:
        return Places(
            why=f"the source cannot be read again, so only row numbers are known: {str(error).splitlines()[0]}"
        )
    if not _same(target.decided(target.values) if task.rows_have_one_class else target.values, pooled):
        return Places(why="the source has changed since, so only row numbers are known")
    origin = next(iter(table.targets.values())).origin
    return Places(lambda row: None if origin is None else origin.place(row), rows=table.rows)


def _same(values: np.ndarray, pooled: Pooled) -> bool:
    if len(values) <= pooled.row.max(initial=-1):
        return False
    now = values[pooled.row].reshape(len(pooled.row), -1)
    return now.shape == pooled.truth.shape and bool(np.array_equal(now.astype(np.float64), pooled.truth))
