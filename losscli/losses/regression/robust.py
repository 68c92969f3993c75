"""Gentle far away: small errors are averaged, outliers pull as hard as any row that is off, and no harder."""

from __future__ import annotations

import math

from losscli.lazy import Tensor, torch
from losscli.losses import Positive, loss
from losscli.losses.finite import difference


@loss("regression", "values", "any number")
def huber(prediction: Tensor, target: Tensor, *, delta: Positive = 1.0) -> Tensor:
    """Huber: half the squared error up to delta, linear beyond.

    Use: nearly the mean, with some outliers.
    Avoid: targets whose scale differs from row to row: one delta cannot fit all.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = r^2 / 2 for r <= delta, else delta (r - delta / 2).

    Elicits: M-estimate; between the mean and the median.

    Source: Huber 1964, Robust Estimation of a Location Parameter; torch.nn.HuberLoss.

    Kin: delta to infinity is mse / 2; equals delta times smooth-l1 with beta = delta.

    Elsewhere: torch HuberLoss; Keras Huber; scikit-learn GradientBoostingRegressor(loss="huber") (its delta is a
    quantile of the residuals); LightGBM huber(alpha=1.0).

    >>> huber(torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0])).tolist()  # 0.5^2 / 2; 3 - 1/2
    [0.125, 2.5]
    """
    far = difference(prediction, target).abs()
    near = far.clamp(max=delta)
    return near * (far - near / 2)  # both branches in one: near = far up to delta, delta beyond


@loss("regression", "values", "any number")
def smooth_l1(prediction: Tensor, target: Tensor, *, beta: Positive = 1.0) -> Tensor:
    """Smooth L1: the absolute error with its tip rounded off within beta.

    Use: boxes and other targets where beta is the size of a harmless error.
    Avoid: small beta and high learning rates: near zero it curves as 1 / beta.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = r^2 / (2 beta) for r <= beta, else r - beta / 2.

    Elicits: M-estimate; between the mean and the median.

    Source: Girshick 2015, Fast R-CNN, https://arxiv.org/abs/1504.08083; torch.nn.SmoothL1Loss.

    Kin: huber with delta = beta, divided by beta; beta to 0 is mae.

    Elsewhere: torch SmoothL1Loss.

    >>> smooth_l1(torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0]), beta=2.0).tolist()  # 0.25 / 4; 3 - 1
    [0.0625, 2.0]
    """
    return huber(prediction, target, delta=beta) / beta


@loss("regression", "values", "any number")
def log_cosh(prediction: Tensor, target: Tensor) -> Tensor:
    """Log-cosh: half the squared error near zero, the absolute error far away, smooth between.

    Use: a smooth stand-in for the absolute error, without an option to tune.
    Avoid: outliers that should stop mattering: their pull stays 1.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = log cosh(x - y).

    Elicits: M-estimate; between the mean and the median.

    Source: keras.losses.LogCosh; Green 1990 (as a smooth absolute error).

    Kin: mse / 2 near zero; mae - log 2 far away.

    Elsewhere: Keras LogCosh.

    >>> round(log_cosh(torch.tensor(1.0), torch.tensor(0.0)).item(), 4)  # log((e + 1/e) / 2)
    0.4338
    """
    # Plain: log(cosh(r)), which overflows at r = 89 in float32. Far: r + log(1 + exp(-2 r)) - log 2, which cancels
    # near zero; there cosh r = 1 + 2 sinh(r / 2)^2. Each branch sees only numbers that it can take.
    r = difference(prediction, target)
    far = r.abs()
    near = torch.log1p(2 * torch.sinh(r.clamp(-1, 1) / 2).square())
    return torch.where(far <= 1, near, far + torch.log1p(torch.exp(-2 * far)) - math.log(2))


@loss("regression", "values", "any number", aliases=("charbonnier", "reg:pseudohubererror"))
def pseudo_huber(prediction: Tensor, target: Tensor, *, delta: Positive = 1.0) -> Tensor:
    """Pseudo-Huber: huber without its corner; half the squared error near zero, delta times the distance far away.

    Use: nearly the mean, with some outliers, where second derivatives count.
    Avoid: outliers that should stop mattering: their pull stays delta.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = delta^2 (sqrt(1 + (r / delta)^2) - 1).

    Elicits: M-estimate; between the mean and the median.

    Source: Charbonnier et al. 1997, Deterministic Edge-Preserving Regularization in Computed Imaging.

    Kin: delta^2 times barron with alpha 1 and scale delta; delta to infinity is mse / 2.

    Elsewhere: XGBoost reg:pseudohubererror.

    >>> pseudo_huber(torch.tensor(3.0), torch.tensor(0.0), delta=4.0).item()  # 16 (5 / 4 - 1)
    4.0
    """
    # The difference of the plain form cancels near zero: sqrt(1 + t) - 1 = t / (1 + sqrt(1 + t)).
    r = difference(prediction, target)
    return r.square() / (1 + torch.sqrt(1 + (r / delta).square()))


@loss("regression", "values", "any number")
def fair(prediction: Tensor, target: Tensor, *, c: Positive = 1.0) -> Tensor:
    """Fair: half the squared error near zero, about c times the distance far away, with all derivatives.

    Use: some outliers, and a loss with all its derivatives.
    Avoid: outliers that should stop mattering: their pull stays c.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = c^2 (r / c - log(1 + r / c)).

    Elicits: M-estimate; between the mean and the median.

    Source: Fair 1974, On the Robust Estimation of Econometric Models; known to XGBoost and LightGBM users as `fair`.

    Kin: c to infinity is mse / 2; divided by c, c to 0 is mae.

    Elsewhere: LightGBM fair.

    >>> round(fair(torch.tensor(1.0), torch.tensor(0.0)).item(), 4)  # 1 - log 2
    0.3069
    """
    far = difference(prediction, target).abs() / c
    return c * c * (far - torch.log1p(far))


@loss("regression", "values", "any number")
def wing(prediction: Tensor, target: Tensor, *, width: Positive = 5.0, curvature: Positive = 0.5) -> Tensor:
    """Wing: steepest for small errors, the absolute error beyond width; made for landmarks that must fit to the pixel.

    Use: landmarks, and other targets where small errors are what is left.
    Avoid: noisy targets: the gradient does not fade near zero.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = width log(1 + r / curvature) for r < width, else r - width + width log(1 + width / curvature).

    Elicits: M-estimate; one of the sample's own values, near where they are densest.

    Source: Feng et al. 2018, Wing Loss, https://arxiv.org/abs/1711.06753 (there w and epsilon).

    Kin: mae beyond width, and near zero width / curvature times mae.

    >>> round(wing(torch.tensor(12.0), torch.tensor(0.0), width=2.0, curvature=2.0).item(), 4)  # 10 + 2 log 2
    11.3863
    """
    far = difference(prediction, target).abs()
    near = torch.minimum(far, torch.as_tensor(width, dtype=far.dtype, device=far.device))
    return width * torch.log1p(near / curvature) + (far - near)
