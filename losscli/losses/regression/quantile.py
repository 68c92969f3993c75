"""Losses whose best answer is a chosen quantile of the target rather than its centre."""

from __future__ import annotations

import torch
from torch import Tensor

from losscli.losses import OpenFraction, loss


@loss("regression", "values", "any number", aliases=("pinball", "PinballLoss"))
def quantile(prediction: Tensor, target: Tensor, *, tau: OpenFraction = 0.5) -> Tensor:
    """Quantile (pinball): aims at the value that a share tau of targets stay below.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = max(tau (y - x), (tau - 1) (y - x)).

    Source: Koenker and Bassett 1978, Regression Quantiles.

    Kin: tau 1/2 is mae / 2.

    >>> quantile(torch.tensor([0.0, 0.0]), torch.tensor([1.0, -1.0]), tau=0.75).tolist()  # too low costs 3 times more
    [0.75, 0.25]
    """
    short = target - prediction
    return torch.maximum(tau * short, (tau - 1) * short)
