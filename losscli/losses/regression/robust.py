"""Squared near zero, gentler far away: small errors are averaged, outliers do not take over."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from losscli.losses import Positive, loss


@loss("regression", "values", "any number", aliases=("HuberLoss",))
def huber(prediction: Tensor, target: Tensor, *, delta: Positive = 1.0) -> Tensor:
    """Huber: half the squared error up to delta, linear beyond.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = r^2 / 2 for r <= delta, else delta (r - delta / 2).

    Source: Huber 1964, Robust Estimation of a Location Parameter; torch.nn.HuberLoss.

    Kin: delta to infinity is mse / 2; equals delta times smooth-l1 with beta = delta.

    >>> huber(torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0])).tolist()  # 0.5^2 / 2; 3 - 1/2
    [0.125, 2.5]
    """
    far = (prediction - target).abs()
    near = far.clamp(max=delta)
    return near * (far - near / 2)  # both branches in one: near = far up to delta, delta beyond


@loss("regression", "values", "any number", aliases=("SmoothL1Loss",))
def smooth_l1(prediction: Tensor, target: Tensor, *, beta: Positive = 1.0) -> Tensor:
    """Smooth L1: the absolute error with its tip rounded off within beta.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = r^2 / (2 beta) for r <= beta, else r - beta / 2.

    Source: Girshick 2015, Fast R-CNN, https://arxiv.org/abs/1504.08083; torch.nn.SmoothL1Loss.

    Kin: huber with delta = beta, divided by beta; beta to 0 is mae.

    >>> smooth_l1(torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0]), beta=2.0).tolist()  # 0.25 / 4; 3 - 1
    [0.0625, 2.0]
    """
    return huber(prediction, target, delta=beta) / beta


@loss("regression", "values", "any number", aliases=("LogCosh", "logcosh"))
def log_cosh(prediction: Tensor, target: Tensor) -> Tensor:
    """Log-cosh: half the squared error near zero, the absolute error far away, smooth between.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = log cosh(x - y).

    Source: keras.losses.LogCosh; Green 1990 (as a smooth absolute error).

    Kin: mse / 2 near zero; mae - log 2 far away.

    >>> round(log_cosh(torch.tensor(1.0), torch.tensor(0.0)).item(), 4)  # log((e + 1/e) / 2)
    0.4338
    """
    # Plain: log(cosh(r)), which overflows at r = 89 in float32. Far: r + log(1 + exp(-2 r)) - log 2, which cancels
    # near zero; there cosh r = 1 + 2 sinh(r / 2)^2. Each branch sees only numbers that it can take.
    r = prediction - target
    far = r.abs()
    near = torch.log1p(2 * torch.sinh(r.clamp(-1, 1) / 2).square())
    return torch.where(far <= 1, near, far + torch.log1p(torch.exp(-2 * far)) - math.log(2))
