"""A target on its way to a loss, and what a record keeps of it, so that outputs become labels and units again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from losscli.data.encode import center_and_scale
from losscli.errors import MachineError, SpecError
from losscli.lazy import torch
from losscli.tasks import LOWEST, Target, TargetScale

SCALE = ("center", "scale", "low", "high")  # the numbers of a `TargetScale`


def target_scale(train: np.ndarray, transform: str = "none", standardise: bool = True) -> TargetScale:
    """How a regression target is scaled, from its training values [N] or [N, O] in the user's units.

    The transform comes first, then mean 0 and standard deviation 1; a constant output has scale 1. Without `standardise` the
    numbers stay as the transform leaves them. Under a transform, predictions are limited to the range of these values,
    widened by a standard deviation on either side. Raises `SpecError` for numbers that the transform does not take.

    >>> scale = target_scale(np.array([1.0, np.e**2]), "log")
    >>> scale.center.tolist(), scale.scale.tolist(), scale.transform
    ([1.0], [1.0], 'log')
    """
    if transform != "none" and train.min() <= LOWEST[transform]:  # the table has none such
        raise SpecError(
            f"data.corrupt moves training targets to {train.min():g}, which has no {transform}",
            cure="leave data.corrupt.target_outliers or data.transform out",
        )
    values = TargetScale.forward(transform, _wide(train)).numpy()
    limits = _limits(values) if transform != "none" else ()
    if not standardise:
        return TargetScale(np.zeros(values.shape[1]), np.ones(values.shape[1]), transform, *limits)
    center, scale = center_and_scale(values)
    constant = values.min(axis=0) == values.max(axis=0)
    return TargetScale(np.where(constant, values[0], center), np.where(constant, 1.0, scale), transform, *limits)


def _limits(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What predictions stay within, each [O]: an exponential makes of an error beyond the data one beyond all bounds."""
    spread = values.std(axis=0)
    return values.min(axis=0) - spread, values.max(axis=0) + spread


def scaled(values: np.ndarray, scale: TargetScale | None) -> np.ndarray:
    """Target values [N, ...] as the loss sees them; classes (no scale) stay as they are."""
    if scale is None:
        return values
    result: np.ndarray = scale.scaled(_wide(values)).numpy()
    return result.reshape(values.shape)


def _wide(values: np.ndarray) -> torch.Tensor:
    """[N] or [N, O] as float64 [N, O]."""
    return torch.from_numpy(values.astype(np.float64, copy=False)).reshape(len(values), -1)


def target_state(target: Target, scale: TargetScale | None) -> dict[str, Any]:
    """What predictions need of a target, as plain JSON: `target_from_state` makes it whole again.

    `labels` are the classes in their order (binary: no, then yes), or the names of the columns; `width` is how many numbers
    one row has, null where it is one; `scale` is null for classes.
    """
    return {
        "labels": list(target.labels),
        "width": target.values.shape[1] if target.values.ndim == 2 else None,
        "soft": target.soft,
        "ordered": target.ordered,
        "transform": target.transform,
        "standardise": target.standardise,
        "scale": None if scale is None else {name: _plain(getattr(scale, name)) for name in SCALE},
    }


def _plain(numbers: Any) -> list[float] | None:
    return None if numbers is None else np.asarray(numbers, np.float64).tolist()


def target_from_state(state: Mapping[str, Any]) -> tuple[Target, TargetScale | None]:
    """The target without its rows, and its scale; `state` is what a record keeps of one seed, under `target`.

    `task.outputs(target)` and `task.read(prediction, meaning, scale)` work with them as in training.

    >>> target = Target(np.array([1.0, 7.0], dtype=np.float32), ("price",), transform="log")
    >>> again, scale = target_from_state({"target": target_state(target, target_scale(target.values, "log"))})
    >>> again.labels, again.values.shape, scale.transform
    (('price',), (0,), 'log')
    """
    facts = state.get("target")
    if facts is None:
        raise MachineError(
            "the record was written before records kept the target's labels and units", cure="train it again"
        )
    shape = (0,) if facts["width"] is None else (0, facts["width"])
    options = {name: facts[name] for name in ("soft", "ordered", "transform", "standardise")}
    target = Target(np.empty(shape, np.float32), tuple(facts["labels"]), **options)
    if facts["scale"] is None:
        return target, None
    numbers = {name: np.array(values, np.float64) for name, values in facts["scale"].items() if values is not None}
    return target, TargetScale(**numbers, transform=facts["transform"])
