"""The state of a loss and of its slope along the one line that tells most about it.

The task says which line that is (`Task.line`). The slope is what autograd says of the kernel itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from losscli.explain.trial import settings_of
from losscli.losses import Loss, taken
from losscli.stack.head import through
from losscli.tasks import tasks
from losscli.tasks.truths import CLASSES

POINTS = 161
BATCH = 4  # rows of the batch that a loss over a batch sees, all with the same margin
SURE = -8.0  # a score at which the discriminator is sure: 0.0003 after a sigmoid
OWN_TARGET = 2.0  # the target of losses of counts and positive numbers


@dataclass(frozen=True)
class Curve:
    """A loss [G] and its slope [G] at points [G] of an axis; `name` tells the options that are not default."""

    name: str
    axis: str
    at: tuple[float, ...]
    loss: tuple[float, ...]
    slope: tuple[float, ...]


def curves(item: Loss, options: Mapping[str, Any] | None = None, name: str | None = None) -> list[Curve]:
    """The state of a loss; of one that treats yes and no differently, one for each; of a pair, one for each side.

    >>> from losscli.losses import find
    >>> (hinge,) = curves(find("hinge", "binary"))
    >>> hinge.at[0], hinge.loss[0], hinge.slope[0], hinge.loss[-1]
    (-4.0, 5.0, -1.0, 0.0)
    """
    called, sides = name or item.name, tasks.get(item.task).sides
    if item.sides:
        own = {phase: settings_of(side, taken(side.function, options or {})) for phase, side in item.sides.items()}
        return [_sampled(side, own[phase], f"{called}, {phase}", sides[0]) for phase, side in item.sides.items()]
    settings = settings_of(item, options)
    first, *others = (_sampled(item, settings, called, side) for side in sides[: 1 if item.over_batch else None])
    pairs = [pair for other in others for pair in zip(first.loss, other.loss, strict=True)]
    if all(math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) for one, other in pairs):
        return [first]
    return [replace(curve, name=f"{called}, y = {side:g}") for curve, side in zip((first, *others), sides, strict=True)]


def slopes_where_lost(item: Loss, options: Mapping[str, Any] | None = None) -> dict[str, tuple[float, float]]:
    """Of a pair, by side: the slope where scores are even, and where the discriminator is sure of a made-up row.

    >>> from losscli.losses import find
    >>> [round(slope, 4) for slope in slopes_where_lost(find("gan-minimax", "gan"))["generator"]]
    [-0.5, -0.0003]
    """
    at, side = torch.tensor([0.0, SURE], dtype=torch.float64), tasks.get(item.task).sides[0]
    return {
        phase: tuple(state(one, settings_of(one, taken(one.function, options or {})), at, side)[1].tolist())
        for phase, one in item.sides.items()
    }


def state(item: Loss, settings: Mapping[str, Any], at: Tensor, side: float) -> tuple[Tensor, Tensor]:
    """The loss and its slope along the axis of its task at points [G]; `side` is one of `Task.sides`."""
    along = at.clone().requires_grad_()
    prediction, target = _line(item, settings, along, side)
    values = item.value(prediction, target, settings)
    (slope,) = torch.autograd.grad(values.sum(), along)  # of the sum: each value depends on its own point alone
    return values.detach(), slope


def _sampled(item: Loss, settings: Mapping[str, Any], name: str, side: float) -> Curve:
    low, high = (0.05 - OWN_TARGET, 4.0) if item.own_units else tasks.get(item.task).span
    at = torch.linspace(low, high, POINTS, dtype=torch.float64)
    values, slope = state(item, settings, at, side)
    axis = tasks.get(item.task).axis + (", every row alike" if item.over_batch else "")
    return Curve(name, axis, tuple(at.tolist()), tuple(values.tolist()), tuple(slope.tolist()))


def _line(item: Loss, settings: Mapping[str, Any], along: Tensor, side: float) -> tuple[Tensor, Tensor]:
    """Predictions and targets for every point [G]; with a batch dimension where the loss needs one."""
    task = tasks.get(item.task)
    sides = torch.tensor((OWN_TARGET,) if item.own_units else task.sides if item.over_batch else (side,))
    if item.over_batch:
        along = along.unsqueeze(-1).expand(-1, BATCH)  # [G, B]
        sides = sides[(torch.arange(BATCH) + 1) % len(sides)]  # each in turn
    raw, target = task.line(along, task.width(CLASSES, CLASSES), item.expects, sides)
    link = task.links[item.expects]
    prediction = raw if link is None else through((link,), raw)
    if item.heads is not None and prediction.ndim == target.ndim:  # several outputs for one number
        prediction = headed(item, prediction, item.heads(1, settings))
    return prediction, target


def headed(item: Loss, prediction: Tensor, heads: int) -> Tensor:
    """The first output is the location, the others are zero (log-variance, log-scale); quantiles are all alike."""
    if item.expects == "quantiles":
        return prediction.unsqueeze(-1).expand(*prediction.shape, heads)
    return prediction.unsqueeze(-1) * (torch.arange(heads) == 0).to(prediction)
