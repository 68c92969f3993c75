"""The state of a loss and of its slope along the one line that tells most about it.

The task says which line that is (`Task.line`). The slope is what autograd says of the kernel itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

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


class Traced(Protocol):
    """What has a loss at each of its points."""

    @property
    def loss(self) -> tuple[float, ...]: ...


def curves(item: Loss, options: Mapping[str, Any] | None = None, name: str | None = None) -> list[Curve]:
    """The state of a loss; of one that treats yes and no differently, one for each; of a pair, one for each side.

    >>> from losscli.losses import find
    >>> (hinge,) = curves(find("hinge", "binary"))
    >>> hinge.at[0], hinge.loss[0], hinge.slope[0], hinge.loss[-1]
    (-4.0, 5.0, -1.0, 0.0)
    """
    called = name or item.name
    drawn = [_sampled(strand, f"{called}, {strand.label}") for strand in strands(item, options)]
    return [replace(drawn[0], name=called)] if not item.sides and alike(drawn) else drawn


@dataclass(frozen=True)
class Strand:
    """One of the lines of a loss: `item` with all its options, for one of `Task.sides`; `label` tells it from the others."""

    label: str
    item: Loss
    settings: Mapping[str, Any]
    side: float


def strands(item: Loss, options: Mapping[str, Any] | None = None) -> list[Strand]:
    """One for each kernel of a pair; else one for each kind of target, and one for all where a loss is over a batch.

    >>> from losscli.losses import find
    >>> [strand.label for strand in strands(find("focal", "binary"))]
    ['y = 1', 'y = 0']
    """
    sides = tasks.get(item.task).sides
    if item.sides:
        own = {phase: settings_of(one, taken(one.function, options or {})) for phase, one in item.sides.items()}
        return [Strand(phase, one, own[phase], sides[0]) for phase, one in item.sides.items()]
    settings = settings_of(item, options)
    return [Strand(f"y = {side:g}", item, settings, side) for side in sides[: 1 if item.over_batch else None]]


def alike(lines: Sequence[Traced]) -> bool:
    """Whether all have the same loss everywhere."""
    first, *others = (line.loss for line in lines)
    return all(
        len(other) == len(first)
        and all(math.isclose(*pair, rel_tol=1e-9, abs_tol=1e-12) for pair in zip(first, other, strict=True))
        for other in others
    )


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


def grid(item: Loss) -> Tensor:
    """The points [G] of the axis of a loss at which it is drawn."""
    low, high = (0.05 - OWN_TARGET, 4.0) if item.own_units else tasks.get(item.task).span
    return torch.linspace(low, high, POINTS, dtype=torch.float64)


def axis_of(item: Loss) -> str:
    """What stands along the axis."""
    return tasks.get(item.task).axis + (", every row alike" if item.over_batch else "")


def _sampled(strand: Strand, name: str) -> Curve:
    at = grid(strand.item)
    values, slope = state(strand.item, strand.settings, at, strand.side)
    return Curve(name, axis_of(strand.item), tuple(at.tolist()), tuple(values.tolist()), tuple(slope.tolist()))


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
