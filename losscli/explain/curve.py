"""The state of a loss and of its slope along the one line that tells most about it.

Binary and labels: the margin s x. Several classes: the logit margin of the right class, the others equal. Numbers: the
residual, prediction minus target. The slope is what autograd says of the kernel itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from losscli.explain.trial import CLASSES, settings_of
from losscli.losses import Loss
from losscli.stack.head import through
from losscli.tasks import tasks

POINTS = 161
BATCH = 4  # rows of the batch that a loss over a batch sees, all with the same margin
OWN_TARGET = 2.0  # the target of losses of counts and positive numbers
AXES = {
    "binary": "margin s x",
    "multilabel": "margin s x of every label",
    "multiclass": "logit margin of the right class",
    "regression": "residual: prediction - target",
}


@dataclass(frozen=True)
class Curve:
    """A loss [G] and its slope [G] at points [G] of an axis; `name` tells the options that are not default."""

    name: str
    axis: str
    at: tuple[float, ...]
    loss: tuple[float, ...]
    slope: tuple[float, ...]


def curves(item: Loss, options: Mapping[str, Any] | None = None, name: str | None = None) -> list[Curve]:
    """The state of a loss; of a binary loss that treats yes and no differently, one for each.

    >>> from losscli.losses import find
    >>> (hinge,) = curves(find("hinge", "binary"))
    >>> hinge.at[0], hinge.loss[0], hinge.slope[0], hinge.loss[-1]
    (-4.0, 5.0, -1.0, 0.0)
    """
    settings, called = settings_of(item, options), name or item.name
    positive = _sampled(item, settings, called, 1.0)
    if item.task != "binary" or item.over_batch:
        return [positive]
    negative = _sampled(item, settings, called, 0.0)
    pairs = zip(positive.loss, negative.loss, strict=True)
    if all(math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) for one, other in pairs):
        return [positive]
    return [replace(positive, name=f"{called}, y = 1"), replace(negative, name=f"{called}, y = 0")]


def state(item: Loss, settings: Mapping[str, Any], at: Tensor, yes: float = 1.0) -> tuple[Tensor, Tensor]:
    """The loss and its slope along the axis at points [G]; `yes` is the target of a binary loss."""
    along = at.clone().requires_grad_()
    prediction, target = _line(item, settings, along, yes)
    values = item.function(prediction, target, **settings)
    (slope,) = torch.autograd.grad(values.sum(), along)  # of the sum: each value depends on its own point alone
    return values.detach(), slope


def _sampled(item: Loss, settings: Mapping[str, Any], name: str, yes: float) -> Curve:
    low, high = (0.05 - OWN_TARGET, 4.0) if item.own_units else (-4.0, 4.0)
    at = torch.linspace(low, high, POINTS, dtype=torch.float64)
    values, slope = state(item, settings, at, yes)
    axis = AXES[item.task] + (", every row alike" if item.over_batch else "")
    return Curve(name, axis, tuple(at.tolist()), tuple(values.tolist()), tuple(slope.tolist()))


def _line(item: Loss, settings: Mapping[str, Any], along: Tensor, yes: float) -> tuple[Tensor, Tensor]:
    """Predictions and targets for every point [G]; with a batch dimension where the loss needs one."""
    if item.over_batch:
        along = along.unsqueeze(-1).expand(-1, BATCH)  # [G, B]
    if item.task == "regression":
        return _numbers(item, settings, along)
    if item.task == "binary":
        yes_or_no = torch.arange(BATCH) % 2 if item.over_batch else torch.tensor(yes)
        target = yes_or_no.to(along).expand_as(along)
        return _linked(item, (2 * target - 1) * along), target
    if item.task == "multilabel":
        target = (torch.arange(CLASSES) == 0).to(along).expand(*along.shape, CLASSES)
        return _linked(item, (2 * target - 1) * along.unsqueeze(-1)), target
    if item.heads is not None:  # every rank logit alike, and the highest rank is right
        width = item.heads(CLASSES, settings)
        return along.unsqueeze(-1).expand(*along.shape, width), torch.full(along.shape, CLASSES - 1)
    right = (torch.arange(CLASSES) == 0).to(along)
    return _linked(item, along.unsqueeze(-1) * right), torch.zeros(along.shape, dtype=torch.long)


def _numbers(item: Loss, settings: Mapping[str, Any], residual: Tensor) -> tuple[Tensor, Tensor]:
    target = torch.full_like(residual, OWN_TARGET if item.own_units else 0.0)
    prediction = target + residual
    if item.expects == "log-rates":
        prediction = prediction.log()
    if item.heads is not None:
        prediction = headed(item, prediction, item.heads(1, settings))
    return prediction, target


def headed(item: Loss, prediction: Tensor, heads: int) -> Tensor:
    """The first output is the location, the others are zero (log-variance, log-scale); quantiles are all alike."""
    if item.expects == "quantiles":
        return prediction.unsqueeze(-1).expand(*prediction.shape, heads)
    return prediction.unsqueeze(-1) * (torch.arange(heads) == 0).to(prediction)


def _linked(item: Loss, raw: Tensor) -> Tensor:
    link = tasks.get(item.task).links[item.expects]
    return raw if link is None else through((link,), raw)
