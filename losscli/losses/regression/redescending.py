"""Losses that let go of outliers: far away their pull grows weaker, and the farthest rows are given up.

None is convex, so a start far from the data can stay there; a large scale is the safer one.
"""

from __future__ import annotations

from typing import Annotated

from losscli.lazy import Tensor, torch
from losscli.losses import Bounds, Number, Positive, loss
from losscli.losses.finite import difference

Shape = Annotated[Number, Bounds(high=2, infinite=True)]


@loss("regression", "values", "any number", aliases=("lorentzian",))
def cauchy(prediction: Tensor, target: Tensor, *, scale: Positive = 1.0) -> Tensor:
    """Cauchy: grows like the logarithm of the distance, so an outlier's pull fades.

    Use: many outliers that still tell a little.
    Avoid: skewed targets whose mean is wanted; a start far from the data.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = log(1 + (r / scale)^2 / 2).

    Elicits: M-estimate; near where the targets are densest.

    Source: Barron 2019, https://arxiv.org/abs/1701.03077, in its scaling; scipy.optimize.least_squares has
    c^2 / 2 log(1 + (r / c)^2), which is scale^2 times this with c = sqrt(2) scale.

    Kin: barron with alpha 0.

    Elsewhere: scipy optimize.least_squares(loss="cauchy").

    >>> round(cauchy(torch.tensor(2.0), torch.tensor(0.0)).item(), 4)  # log 3
    1.0986
    """
    return torch.log1p((difference(prediction, target) / scale).square() / 2)


@loss("regression", "values", "any number", aliases=("leclerc",))
def welsch(prediction: Tensor, target: Tensor, *, scale: Positive = 1.0) -> Tensor:
    """Welsch: beyond a few scales every distance costs 1, and the row pulls no more.

    Use: gross outliers that should not count at all.
    Avoid: a start far from the data: rows there have no gradient.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = 1 - exp(-(r / scale)^2 / 2).

    Elicits: M-estimate; near where the targets are densest.

    Source: Dennis and Welsch 1978, Techniques for Nonlinear Least Squares and Robust Regression; the scaling of Barron
    2019, https://arxiv.org/abs/1701.03077.

    Kin: barron with alpha to minus infinity; scale^2 times it is mse / 2 with scale to infinity.

    >>> round(welsch(torch.tensor(2.0), torch.tensor(0.0)).item(), 4)  # 1 - exp(-2)
    0.8647
    """
    return -torch.expm1(-(difference(prediction, target) / scale).square() / 2)


@loss("regression", "values", "any number", aliases=("geman",))
def geman_mcclure(prediction: Tensor, target: Tensor, *, scale: Positive = 1.0) -> Tensor:
    """Geman-McClure: bounded by 2; outliers fade, but slower than with welsch.

    Use: gross outliers that should hardly count.
    Avoid: a start far from the data: rows there have little gradient.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = 2 (r / scale)^2 / ((r / scale)^2 + 4).

    Elicits: M-estimate; near where the targets are densest.

    Source: Geman and McClure 1985, Bayesian Image Analysis; the scaling of Barron 2019, https://arxiv.org/abs/1701.03077.

    Kin: barron with alpha -2.

    >>> geman_mcclure(torch.tensor(2.0), torch.tensor(0.0)).item()  # 2 * 4 / 8
    1.0
    """
    square = (difference(prediction, target) / scale).square()
    return 2 * square / (square + 4)


@loss("regression", "values", "any number", aliases=("general-robust", "adaptive-robust"))
def barron(prediction: Tensor, target: Tensor, *, alpha: Shape = 1.0, scale: Positive = 1.0) -> Tensor:
    """Barron's general robust loss: one shape number alpha goes from mse (2) over pseudo-huber (1) to welsch (-inf).

    Use: outliers of a kind that is not known: alpha is the one number to tune.
    Avoid: alpha below 1 with a start far from the data; skewed targets whose mean is wanted.

    Domain: any number. A spec holds finite numbers only: for alpha -inf take welsch there.
    Shapes: prediction and target [...] -> [...].

    Formula: L = |alpha - 2| / alpha (((r / scale)^2 / |alpha - 2| + 1)^(alpha / 2) - 1), and its limits at 2, 0 and -inf.

    Elicits: M-estimate; the mean for alpha 2, nearer to where the targets are densest the smaller alpha.

    Source: Barron 2019, A General and Adaptive Robust Loss Function, https://arxiv.org/abs/1701.03077.

    Kin: alpha 2 is mse / (2 scale^2), 1 pseudo-huber / scale^2, 0 cauchy, -2 geman-mcclure, -inf welsch.

    >>> barron(torch.tensor([2.0, 2.0]), torch.zeros(2), alpha=torch.tensor([2.0, -2.0])).tolist()  # 4 / 2; 8 / 8
    [2.0, 1.0]
    """
    square = (difference(prediction, target) / scale).square()
    alpha = torch.as_tensor(alpha, dtype=square.dtype, device=square.device)
    least = torch.finfo(square.dtype).eps
    smooth = alpha.isfinite() & (alpha.abs() > least) & (2 - alpha > least)
    # The branch that is not taken must be finite too: its gradient is multiplied by 0.
    shape = torch.where(smooth, alpha, 1)
    general = (2 - shape) / shape * torch.expm1(shape / 2 * torch.log1p(square / (2 - shape)))
    bounded = torch.where(alpha.isfinite(), torch.log1p(square / 2), -torch.expm1(-square / 2))
    return torch.where(smooth, general, torch.where(alpha > 1, square / 2, bounded))


@loss("regression", "values", "any number", aliases=("tukey", "biweight", "bisquare"))
def tukey_biweight(prediction: Tensor, target: Tensor, *, c: Positive = 4.685) -> Tensor:
    """Tukey's biweight: half the squared error near zero, constant beyond c, where a row has no say at all.

    Use: gross outliers that must not count at all.
    Avoid: a start far from the data: rows beyond c have no gradient.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = c^2 / 6 (1 - (1 - (r / c)^2)^3) for r <= c, else c^2 / 6.

    Elicits: M-estimate; near where the targets are densest.

    Source: Beaton and Tukey 1974, The Fitting of Power Series; c = 4.685 is 95 % efficient for normal errors of scale 1.

    Kin: c to infinity is mse / 2.

    >>> tukey_biweight(torch.tensor([6.0, 60.0]), torch.zeros(2), c=6.0).tolist()  # 36 / 6, near and far
    [6.0, 6.0]
    """
    # 1 - (1 - u)^3 = u (3 - 3 u + u^2) does not cancel near zero.
    share = (difference(prediction, target) / c).square().clamp(max=1)
    return c * c / 6 * share * (3 - share * (3 - share))
