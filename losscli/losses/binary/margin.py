"""Losses of a margin: right is not enough, it must be right by a margin; then it costs nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from losscli.losses import Positive, loss


@loss("binary", "scores", "0 or 1", aliases=("svm", "HingeLoss"))
def hinge(prediction: Tensor, target: Tensor, *, margin: Positive = 1.0) -> Tensor:
    """Hinge: linear in how far a score falls short of the margin, zero beyond it. Gives no probabilities.

    Domain: any score; target 0 or 1, mapped to -1 and +1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = max(0, margin - s x).

    Source: Cortes and Vapnik 1995, Support-Vector Networks.

    Kin: its square is squared-hinge; the limit of soft-margin(k x) / k for large k is hinge with margin 0.

    >>> hinge(torch.tensor(0.25), torch.tensor(1.0)).item()  # 1 - 0.25
    0.75
    """
    return torch.relu(margin - (2 * target - 1) * prediction)


@loss("binary", "scores", "0 or 1", aliases=("SquaredHinge", "l2-hinge"))
def squared_hinge(prediction: Tensor, target: Tensor, *, margin: Positive = 1.0) -> Tensor:
    """Squared hinge: quadratic in how far a score falls short of the margin, zero beyond it.

    Domain: any score; target 0 or 1, mapped to -1 and +1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = max(0, margin - s x)^2.

    Source: Rennie and Srebro 2005, Loss Functions for Preference Levels; LIBLINEAR's L2-loss SVM.

    Kin: the square of hinge.

    >>> squared_hinge(torch.tensor(-1.0), torch.tensor(1.0)).item()  # (1 + 1)^2
    4.0
    """
    return hinge(prediction, target, margin=margin).square()
