"""TensorBoard's event files, by TensorBoard's own reader: the extra `losscli[tensorboard]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from losscli.diagnose.history import Condenser, History, Series
from losscli.diagnose.logs import Choice, log_kind
from losscli.diagnose.names import columns_of
from losscli.errors import DataError, MachineError, Place

EVENTS = "tfevents"


def _is_event_file(path: Path, head: bytes | None) -> bool:
    return EVENTS in path.name if head is not None else any(path.glob(f"*{EVENTS}*"))


@log_kind("tensorboard", _is_event_file)
def read_events(path: Path, choice: Choice) -> History:
    """The scalars of an event file, or of a folder with some. Raises `MachineError` where the extra is not installed."""
    scalars = _scalars(path)
    names = list(scalars)
    if not names:
        raise DataError("the event file holds no scalars", place=Place(str(path)), cure="log the loss with add_scalar")
    columns = columns_of(names, str(path), choice.train, choice.valid)
    empty = Condenser().series()
    train, valid = (empty if at is None else scalars[names[at]] for at in (columns.train, columns.valid))
    return History(train, valid, {name: scalars[names[at]] for name, at in columns.metrics.items()}, "step")


def _scalars(path: Path) -> dict[str, Series]:
    """By tag; `add_scalar` of torch and TensorFlow's summaries write them in different places."""
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util.tensor_util import make_ndarray
    except ImportError as missing:
        raise MachineError(
            "an event file takes the package tensorboard, which is not installed",
            place=Place(str(path)),
            cure="pip install 'losscli[tensorboard]'",
        ) from missing
    events: Any = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    points = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags["scalars"]}
    for tag in tags["tensors"]:
        values = [(event.step, make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]
        if all(value.size == 1 and value.dtype.kind in "fiu" for _, value in values):
            points[tag] = [(step, float(value.reshape(()))) for step, value in values]
    return {tag: _series(of) for tag, of in points.items()}


def _series(points: list[tuple[int, float]]) -> Series:
    condenser = Condenser()
    condenser.add(*(np.array([point[at] for point in points], dtype=np.float64) for at in (0, 1)))
    return condenser.series()
