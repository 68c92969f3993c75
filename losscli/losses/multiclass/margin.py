"""Losses of a margin between the right class and the others. They give no probabilities."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from losscli.losses import Bounds, Number, Positive, loss
from losscli.losses.multiclass.cross_entropy import of_class


@loss("multiclass", "scores", "class index", aliases=("MultiMarginLoss",))
def multi_margin(
    prediction: Tensor,
    target: Tensor,
    *,
    p: Annotated[Number, Bounds(low=1, high=2)] = 1,
    margin: Positive = 1.0,
) -> Tensor:
    """Multi-margin: every other class must stay below the right one by a margin; the shortfalls are summed.

    Domain: any scores; target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B].

    Formula: L = sum_{k != y} max(0, margin - x_y + x_k)^p / K.

    Source: torch.nn.MultiMarginLoss, which divides by K (p is 1 or 2 there); Weston and Watkins 1999.

    Kin: with K = 2, p = 1 equals hinge of x_1 - x_0, halved.

    >>> multi_margin(torch.tensor([[0.0, 0.5]]), torch.tensor([1])).item()  # (1 - 0.5) / 2
    0.25
    """
    if isinstance(margin, Tensor):
        margin = margin.unsqueeze(-1)
    if isinstance(p, Tensor):
        p = p.unsqueeze(-1)
    short = torch.relu(margin - of_class(prediction, target).unsqueeze(-1) + prediction)  # [..., B, K]
    others = short.scatter(-1, target.unsqueeze(-1), 0.0)
    return others.pow(p).sum(-1) / prediction.shape[-1]
