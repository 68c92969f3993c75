"""Losses of a margin between the right class and the others. They give no probabilities."""

from __future__ import annotations

from typing import Annotated

from losscli.lazy import Tensor, torch
from losscli.losses import Bounds, Number, Positive, loss
from losscli.losses.finite import widened
from losscli.losses.multiclass.classes import is_class, of_class, over_classes


@loss("multiclass", "scores", "class index")
def multi_margin(
    prediction: Tensor,
    target: Tensor,
    *,
    p: Annotated[Number, Bounds(low=1, high=2)] = 1,
    margin: Positive = 1.0,
) -> Tensor:
    """Multi-margin: every other class must stay below the right one by a margin; the shortfalls are summed.

    Use: a decision only, where one class clearly wins.
    Avoid: probabilities; rows where no class is more probable than all others together.

    Domain: any scores; target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B].

    Formula: L = sum_{k != y} max(0, margin - x_y + x_k)^p / K.

    Source: torch.nn.MultiMarginLoss, which divides by K (p is 1 or 2 there); Weston and Watkins 1999.

    Kin: with K = 2, p = 1 equals hinge of x_1 - x_0, halved.

    Elsewhere: torch MultiMarginLoss.

    >>> multi_margin(torch.tensor([[0.0, 0.5]]), torch.tensor([1])).item()  # (1 - 0.5) / 2
    0.25
    """
    scores = widened(prediction)
    below = scores - of_class(scores, target).unsqueeze(-1)
    short = torch.relu(over_classes(margin) + below)  # [..., B, K]
    others = short.scatter(-1, target.unsqueeze(-1), 0.0)
    return others.pow(over_classes(p)).sum(-1) / prediction.shape[-1]


@loss("multiclass", "scores", "class index", aliases=("multiclass-hinge",))
def crammer_singer(prediction: Tensor, target: Tensor, *, margin: Positive = 1.0) -> Tensor:
    """Crammer-Singer: the best of the other classes must stay below the right one by a margin; the rest do not count.

    Use: a decision only, where the closest rival is what matters.
    Avoid: probabilities; classes that overlap so much that none is more probable than all others together.

    Domain: any scores; target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B].

    Formula: L = max(0, margin + max_{k != y} x_k - x_y).

    Source: Crammer and Singer 2001, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines. Keras'
    CategoricalHinge takes the best other score to be at least 0.

    Kin: with K = 2 equals hinge of x_1 - x_0; never more than K times multi-margin with p = 1.

    Elsewhere: scikit-learn LinearSVC(multi_class="crammer_singer").

    >>> crammer_singer(torch.tensor([[0.0, 0.5, 1.0]]), torch.tensor([1])).item()  # 1 + 1 - 0.5
    1.5
    """
    best = prediction.masked_fill(is_class(prediction, target), float("-inf")).amax(-1)
    return torch.relu(margin + best - of_class(prediction, target))
