"""Counts and positive amounts: the output is the logarithm of the mean, so the mean is positive by itself.

The mean is exp(x) up to x = 40 (2e17); beyond, it goes on as the tangent, so that value and gradient stay finite. The best
answer of each of these losses is the mean; they differ in which targets they take for noisy: variance of the mean (poisson),
of the mean squared (gamma), of a power between (tweedie), of both (negative binomial).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from losscli.lazy import Tensor, functional, torch
from losscli.losses import Bounds, Number, Positive, loss
from losscli.losses.finite import RATE_KNEE, finite_exp, widened

Power = Annotated[Number, Bounds(low=1, high=2, low_open=True, high_open=True)]


def _mean(prediction: Tensor, options: Mapping[str, Any] | None = None) -> Tensor:
    return finite_exp(widened(prediction), RATE_KNEE)


@loss(
    "regression",
    "log-rates",
    "count (integer >= 0)",
    own_units=True,
    point=_mean,
    aliases=("poisson", "count:poisson"),
)
def poisson_nll(prediction: Tensor, target: Tensor) -> Tensor:
    """Poisson: counts whose variance is their mean; the output is the logarithm of the expected count.

    Use: counts of independent events, and their expected number.
    Avoid: counts that vary much more than their mean (negative-binomial-nll).

    Domain: counts (integers >= 0), in the user's units.
    Shapes: log-rate and target [...] -> [...].

    Formula: L = exp(x) - y x + log y!, the whole negative log-likelihood.

    Elicits: mean.

    Source: torch.nn.PoissonNLLLoss, which leaves out log y! (with full=True: Stirling's approximation of it).

    Kin: negative-binomial-nll with alpha to 0.

    Elsewhere: torch PoissonNLLLoss; Keras Poisson; scikit-learn PoissonRegressor; LightGBM poisson; XGBoost
    count:poisson.

    >>> round(poisson_nll(torch.tensor(0.0), torch.tensor(3.0)).item(), 4)  # 1 - 0 + log 6
    2.7918
    """
    x, y = widened(prediction), widened(target)
    return _mean(x) - y * x + torch.lgamma(y + 1)


@loss("regression", "log-rates", "number > 0", own_units=True, point=_mean, aliases=("gamma", "reg:gamma"))
def gamma_nll(prediction: Tensor, target: Tensor, *, shape: Positive = 1.0) -> Tensor:
    """Gamma: positive amounts whose spread grows with their size (costs, durations); the output is the log-mean.

    Use: positive amounts whose error is a share of their size.
    Avoid: targets of exactly 0 (tweedie).

    Domain: positive numbers, in the user's units.
    Shapes: log-mean and target [...] -> [...].

    Formula: L = shape (x + y exp(-x)) - shape log shape - (shape - 1) log y + log Gamma(shape), the whole negative
    log-likelihood. shape = 1 / the squared coefficient of variation; 1 is the exponential distribution.

    Elicits: mean; whatever the shape.

    Source: McCullagh and Nelder 1989, Generalized Linear Models. scikit-learn's HalfGammaLoss is this with shape 1.

    Kin: shape 1 is x + y exp(-x); its gradient is shape times that of the exponential distribution.

    Elsewhere: scikit-learn GammaRegressor; LightGBM gamma; XGBoost reg:gamma.

    >>> gamma_nll(torch.tensor(0.0), torch.tensor(2.0)).item()  # 0 + 2 exp(0)
    2.0
    """
    x, y = widened(prediction), widened(target)
    k = torch.as_tensor(shape, dtype=x.dtype, device=x.device)
    log_y = torch.log(y)
    constant = torch.lgamma(k) - k * torch.log(k) - (k - 1) * log_y
    return k * (x + finite_exp(log_y - x, RATE_KNEE)) + constant


@loss("regression", "log-rates", "number >= 0", own_units=True, point=_mean, aliases=("reg:tweedie",))
def tweedie(prediction: Tensor, target: Tensor, *, power: Power = 1.5) -> Tensor:
    """Tweedie: many exact zeros, else positive amounts (claims, rainfall); the output is the log-mean.

    Use: amounts of which many are exactly 0.
    Avoid: counts, and amounts that are never 0 (gamma-nll).

    Domain: numbers >= 0, in the user's units.
    Shapes: log-mean and target [...] -> [...].

    Formula: L = exp((2 - power) x) / (2 - power) + y exp((1 - power) x) / (power - 1), the negative log-likelihood but for
    what depends on y alone, which has no closed form: not to be compared with the value of other likelihoods.

    Elicits: mean; whatever the power.

    Source: Jorgensen 1987, Exponential Dispersion Models; scikit-learn's HalfTweedieLoss, `tweedie` in LightGBM and XGBoost.

    Kin: half of the Tweedie deviance, plus y^(2 - power) / ((2 - power) (power - 1)).

    Elsewhere: scikit-learn TweedieRegressor; LightGBM tweedie; XGBoost reg:tweedie.

    >>> tweedie(torch.tensor(0.0), torch.tensor(3.0)).item()  # 1 / 0.5 + 3 / 0.5
    8.0
    """
    x, y = widened(prediction), widened(target)
    share, rest = 2 - power, power - 1
    # log y is -inf for a target of 0, where y exp(...) is 0 and so is its slope.
    return finite_exp(share * x, RATE_KNEE) / share + finite_exp(torch.log(y) - rest * x, RATE_KNEE) / rest


@loss(
    "regression", "log-rates", "count (integer >= 0)", own_units=True, point=_mean, aliases=("negative-binomial", "nb2"),
)  # fmt: skip
def negative_binomial_nll(prediction: Tensor, target: Tensor, *, alpha: Positive = 1.0) -> Tensor:
    """Negative binomial: counts that vary more than Poisson's; the output is the logarithm of the expected count.

    Use: counts that vary more than their mean.
    Avoid: counts as even as Poisson's, where alpha only costs precision.

    Domain: counts (integers >= 0), in the user's units.
    Shapes: log-rate and target [...] -> [...].

    Formula: L = (y + k) log(1 + alpha m) - y log(alpha m) - log(Gamma(y + k) / (Gamma(k) y!)), m = exp(x), k = 1 / alpha,
    the whole negative log-likelihood; the variance is m + alpha m^2.

    Elicits: mean; whatever the alpha.

    Source: Cameron and Trivedi 1998, Regression Analysis of Count Data (NB2); torch.distributions.NegativeBinomial.

    Kin: alpha to 0 is poisson-nll; alpha 1 is the geometric distribution.

    Elsewhere: torch distributions.NegativeBinomial.

    >>> round(negative_binomial_nll(torch.tensor(0.0), torch.tensor(2.0)).item(), 4)  # -log(1/2 * 1/2 * 1/2)
    2.0794
    """
    x, y = widened(prediction), widened(target)
    dispersion = torch.as_tensor(alpha, dtype=torch.float64, device=x.device)
    logit = x + torch.log(dispersion).to(x)
    # log(1 + e^l) and log(1 + e^-l) hold for any l; the gammas of y + k and k cancel for a small alpha, hence float64.
    k, wide = 1 / dispersion, y.double()
    ways = torch.lgamma(wide + k) - torch.lgamma(k) - torch.lgamma(wide + 1)
    return k.to(x) * functional.softplus(logit) + y * functional.softplus(-logit) - ways.to(x)
