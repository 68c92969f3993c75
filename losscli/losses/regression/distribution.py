"""A centre and a spread per target: the model says how sure it is, and is judged on that too.

Two outputs per target, prediction `[..., 2]`: the centre, and the logarithm of the variance or of the scale. Where the
spread is below exp(-20), its inverse goes on as the tangent of the exponential, so value and gradient stay finite and a
model that is far too sure is still pulled back. All likelihoods are whole, with their constants, and so comparable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from losscli.lazy import Tensor, special, torch
from losscli.losses import Forecast, Fraction, Positive, loss
from losscli.losses.finite import SCALE_KNEE, finite_exp, widened


def _two(outputs: int, options: Mapping[str, Any]) -> int:
    return 2


def _centre(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    return prediction[..., 0]


def _normal_quantile(prediction: Tensor, options: Mapping[str, Any], level: float) -> Tensor:
    centre, spread = widened(prediction).unbind(-1)
    return centre + finite_exp(spread / 2, SCALE_KNEE) * float(
        torch.special.ndtri(torch.tensor(level, dtype=torch.float64))
    )


def _laplace_quantile(prediction: Tensor, options: Mapping[str, Any], level: float) -> Tensor:
    centre, spread = widened(prediction).unbind(-1)
    z = math.log(2 * level) if level < 0.5 else -math.log(2 * (1 - level))
    return centre + finite_exp(spread, SCALE_KNEE) * z


def _student_t_quantile(prediction: Tensor, options: Mapping[str, Any], level: float) -> Tensor:
    centre, spread = widened(prediction).unbind(-1)
    return centre + finite_exp(spread, SCALE_KNEE) * float(special.stdtrit(options["df"], level))


def _normal_crps(prediction: Tensor, target: Tensor, options: Mapping[str, Any]) -> Tensor:
    return crps_gaussian(prediction, target)


def _laplace_crps(prediction: Tensor, target: Tensor, options: Mapping[str, Any]) -> Tensor:
    """Jordan, Krueger and Lerch 2019, Evaluating Probabilistic Forecasts with scoringRules, appendix A."""
    r, spread = _parts(prediction, target)
    scale = finite_exp(spread, SCALE_KNEE)
    far = r.abs() / scale
    return scale * (far + torch.exp(-far) - 0.75)


NORMAL = Forecast(_normal_quantile, crps=_normal_crps)
LAPLACE = Forecast(_laplace_quantile, crps=_laplace_crps)
STUDENT_T = Forecast(_student_t_quantile)


def _parts(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """x - y, and the logarithm of the spread."""
    centre, spread = widened(prediction).unbind(-1)
    return centre - widened(target), spread


@loss(
    "regression",
    "mean+log-variance",
    "any number",
    heads=_two,
    point=_centre,
    forecast=NORMAL,
    aliases=("RMSEWithUncertainty",),
)
def gaussian_nll(prediction: Tensor, target: Tensor) -> Tensor:
    """Gaussian likelihood: mean and variance of each target; rows that are said to be noisy count less.

    Use: targets whose noise differs from row to row and has no heavy tails.
    Avoid: outliers; a mean that must be good where the noise is large (beta-nll).

    Domain: any number.
    Shapes: prediction [..., 2] (mean m, log-variance s), target [...] -> [...].

    Formula: L = (s + (m - y)^2 exp(-s) + log(2 pi)) / 2.

    Elicits: mean; and the variance.

    Source: Nix and Weigend 1994; torch.nn.GaussianNLLLoss, which takes the variance and leaves out log(2 pi) / 2 unless
    full=True.

    Kin: with log-variance 0 it is (mse + log(2 pi)) / 2; beta-nll with beta 0; student-t-nll with df to infinity.

    Elsewhere: torch GaussianNLLLoss.

    >>> round(gaussian_nll(torch.tensor([2.0, 0.0]), torch.tensor(0.0)).item(), 4)  # (0 + 4 + 1.8379) / 2
    2.9189
    """
    r, spread = _parts(prediction, target)
    return (spread + r.square() * finite_exp(-spread, SCALE_KNEE) + math.log(2 * math.pi)) / 2


@loss("regression", "mean+log-variance", "any number", heads=_two, point=_centre, forecast=NORMAL, detached=True)
def beta_nll(prediction: Tensor, target: Tensor, *, beta: Fraction = 0.5) -> Tensor:
    """Beta-NLL: the Gaussian likelihood times the variance to the power beta, so that noisy rows are still learnt.

    Use: a mean and a variance, where gaussian-nll gives up on hard rows.
    Avoid: a comparison of likelihoods: its value is none.

    Domain: any number.
    Shapes: prediction [..., 2] (mean m, log-variance s), target [...] -> [...].

    Formula: L = stop(exp(beta s)) (s + (m - y)^2 exp(-s) + log(2 pi)) / 2; no gradient flows through the weight.

    Elicits: mean; and the variance, where its gradient is zero (its value has another minimum).

    Source: Seitzer et al. 2022, On the Pitfalls of Heteroscedastic Uncertainty Estimation,
    https://arxiv.org/abs/2203.09168 (there without log(2 pi) / 2).

    Kin: beta 0 is gaussian-nll; with beta 1 the mean gets the gradient of mse / 2.

    >>> round(beta_nll(torch.tensor([2.0, 0.0]), torch.tensor(0.0)).item(), 4)  # exp(0) times that of gaussian-nll
    2.9189
    """
    spread = widened(prediction.detach())[..., 1].clamp(min=-SCALE_KNEE)  # a weight of 0 would never be left
    weight = finite_exp(beta * spread, SCALE_KNEE)
    return weight * gaussian_nll(prediction, target)


@loss("regression", "location+log-scale", "any number", heads=_two, point=_centre, forecast=LAPLACE)
def laplace_nll(prediction: Tensor, target: Tensor) -> Tensor:
    """Laplace likelihood: median and mean absolute deviation of each target; gentler on outliers than gaussian-nll.

    Use: outliers, and noise that differs from row to row.
    Avoid: an expected value of skewed targets: its centre is the median.

    Domain: any number.
    Shapes: prediction [..., 2] (location m, log-scale s), target [...] -> [...].

    Formula: L = s + |m - y| exp(-s) + log 2.

    Elicits: median; and the mean absolute deviation from it.

    Source: Laplace 1774 (his first law of errors); torch.distributions.Laplace.

    Kin: with log-scale 0 it is mae + log 2.

    Elsewhere: torch distributions.Laplace.

    >>> round(laplace_nll(torch.tensor([2.0, 0.0]), torch.tensor(0.0)).item(), 4)  # 0 + 2 + 0.6931
    2.6931
    """
    r, spread = _parts(prediction, target)
    return spread + r.abs() * finite_exp(-spread, SCALE_KNEE) + math.log(2)


@loss("regression", "location+log-scale", "any number", heads=_two, point=_centre, forecast=STUDENT_T)
def student_t_nll(prediction: Tensor, target: Tensor, *, df: Positive = 4.0) -> Tensor:
    """Student's t likelihood: heavy tails, so outliers neither move the location nor blow up the scale.

    Use: heavy tails, and noise that differs from row to row.
    Avoid: an expected value of skewed targets; df so small that nothing is an outlier.

    Domain: any number.
    Shapes: prediction [..., 2] (location m, log-scale s), target [...] -> [...].

    Formula: L = (df + 1) / 2 log(1 + z^2 / df) + s + log(sqrt(df pi) Gamma(df / 2) / Gamma((df + 1) / 2)),
    z = (m - y) exp(-s).

    Elicits: t location; where the targets are densest, the nearer to the mean the larger df.

    Source: Lange, Little and Taylor 1989, Robust Statistical Modeling Using the t Distribution;
    torch.distributions.StudentT.

    Kin: df to infinity is gaussian-nll with log-variance 2 s; with df 1 it is the Cauchy likelihood.

    Elsewhere: torch distributions.StudentT.

    >>> round(student_t_nll(torch.tensor([1.0, 0.0]), torch.tensor(0.0), df=1.0).item(), 4)  # log 2 + log pi
    1.8379
    """
    r, spread = _parts(prediction, target)
    df = torch.as_tensor(df, dtype=r.dtype, device=r.device)
    constant = torch.lgamma(df / 2) - torch.lgamma((df + 1) / 2) + torch.log(df * math.pi) / 2
    # Below the knee the logarithm itself goes on as its tangent: with that of the exponential inside, it would be flat there.
    far = (r * torch.exp(-spread.clamp(min=-SCALE_KNEE))).square()
    tangent = 2 * far / (df + far) * (-SCALE_KNEE - spread).clamp(min=0)
    return (df + 1) / 2 * (torch.log1p(far / df) + tangent) + spread + constant


@loss("regression", "mean+log-variance", "any number", heads=_two, point=_centre, forecast=NORMAL, aliases=("crps",))
def crps_gaussian(prediction: Tensor, target: Tensor) -> Tensor:
    """CRPS of a Gaussian: judges the whole predicted distribution, in the units of the target and linear in outliers.

    Use: a distribution as the forecast, judged in the units of the target.
    Avoid: targets that are nothing like a Gaussian: skewed, or with two peaks.

    Domain: any number.
    Shapes: prediction [..., 2] (mean m, log-variance s), target [...] -> [...].

    Formula: L = sd (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)), sd = exp(s / 2), z = (m - y) / sd.

    Elicits: distribution; the Gaussian whose distribution function is nearest to that of the targets, squared and summed.

    Source: Gneiting et al. 2005, Calibrated Probabilistic Forecasting Using Ensemble Model Output Statistics and Minimum
    CRPS Estimation; Matheson and Winkler 1976.

    Kin: mae with the log-variance to minus infinity; the mean of twice quantile over all levels.

    >>> round(crps_gaussian(torch.tensor([0.0, 0.0]), torch.tensor(0.0)).item(), 4)  # (sqrt(2) - 1) / sqrt(pi)
    0.2337
    """
    # sd z is x - y itself, so a spread of 0 does not divide: r erf(z / sqrt 2) + sd (2 phi(z) - 1 / sqrt(pi)).
    r, spread = _parts(prediction, target)
    deviation = finite_exp(spread / 2, SCALE_KNEE)
    z = r * finite_exp(-spread / 2, SCALE_KNEE)
    peak = torch.exp(-z.square() / 2) * math.sqrt(2)  # 2 phi(z) sqrt(pi)
    return r * torch.erf(z / math.sqrt(2)) + deviation * (peak - 1) / math.sqrt(math.pi)
