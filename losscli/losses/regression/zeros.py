"""Counts with more zeros than their mean explains: a second output says how likely a zero is.

Two outputs per target, prediction `[..., 2]`: the log-rate of the counts, as in `rates.py`, and a logit of zero. Zero-inflated,
a zero is either certain, with that probability, or a count that happened to be 0; of a hurdle, all zeros are of the first kind,
and the counts beyond are those of a distribution that has no zero. An exposure is added to the log-rate alone (as `exposure` of
statsmodels and `offset` of R's pscl do): the logit is of the row, however long it was watched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscli.lazy import Tensor, functional, torch
from losscli.losses import Positive, loss
from losscli.losses.finite import RATE_KNEE, finite_exp, widened
from losscli.losses.regression.rates import negative_binomial_nll, poisson_nll

ALPHA = 1.0
FEW = 1e-5  # expected zeros' logarithm, below which 1 - exp(-a) is a (1 - a / 2) to every digit of float32


def _two(outputs: int, options: Mapping[str, Any]) -> int:
    return 2


def _none(x: Tensor, alpha: float | Tensor | None) -> Tensor:
    """-log of the probability that the counts give a zero, m or log(1 + alpha m) / alpha."""
    if alpha is None:
        return finite_exp(x, RATE_KNEE)
    dispersion = torch.as_tensor(alpha, dtype=x.dtype, device=x.device)
    return functional.softplus(x + torch.log(dispersion)) / dispersion


def _counts(x: Tensor, y: Tensor, alpha: float | Tensor | None) -> Tensor:
    return poisson_nll(x, y) if alpha is None else negative_binomial_nll(x, y, alpha=alpha)


def _some(x: Tensor, alpha: float | Tensor | None) -> Tensor:
    """The logarithm of the probability that the counts give no zero, log(1 - exp(-a)); finite where a underflows."""
    nil = _none(x, alpha)
    if alpha is None:
        log_nil = x
    else:
        dispersion = torch.as_tensor(alpha, dtype=x.dtype, device=x.device)
        logit = x + torch.log(dispersion)
        inner = functional.softplus(logit.clamp(min=-20.0))
        log_nil = torch.where(logit < -20.0, logit, torch.log(inner)) - torch.log(dispersion)
    return torch.where(nil < FEW, log_nil - nil / 2, torch.log(-torch.expm1(-nil.clamp(min=FEW))))


def _inflated(prediction: Tensor, target: Tensor, alpha: float | Tensor | None) -> Tensor:
    """-log of p + (1 - p) P(0) for a zero, of (1 - p) P(y) for others; p is the sigmoid of the logit z."""
    x, z = widened(prediction).unbind(-1)
    y = widened(target)
    zero = torch.logaddexp(z, -_none(x, alpha))
    return functional.softplus(z) + torch.where(y == 0, -zero, _counts(x, y, alpha))


def _hurdled(prediction: Tensor, target: Tensor, alpha: float | Tensor | None) -> Tensor:
    """-log of p for a zero, of (1 - p) P(y) / (1 - P(0)) for others."""
    x, z = widened(prediction).unbind(-1)
    y = widened(target)
    return functional.softplus(z) + torch.where(y == 0, -z, _counts(x, y, alpha) + _some(x, alpha))


def _inflated_mean(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    x, z = widened(prediction).unbind(-1)
    return torch.sigmoid(-z) * finite_exp(x, RATE_KNEE)


def _hurdled_mean(prediction: Tensor, alpha: float | Tensor | None) -> Tensor:
    x, z = widened(prediction).unbind(-1)
    return torch.sigmoid(-z) * finite_exp(x - _some(x, alpha), RATE_KNEE)


def _hurdled_poisson_mean(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    return _hurdled_mean(prediction, None)


def _hurdled_negative_binomial_mean(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    return _hurdled_mean(prediction, options.get("alpha", ALPHA))


@loss(
    "regression",
    "log-rate+zero-logit",
    "count (integer >= 0)",
    heads=_two,
    own_units=True,
    point=_inflated_mean,
    aliases=("zip", "zero-inflated-poisson"),
)
def zero_inflated_poisson_nll(prediction: Tensor, target: Tensor) -> Tensor:
    """Zero-inflated Poisson: some rows are always 0, the others count as Poisson does; both are learned.

    Use: more zeros than the mean explains, of rows that could not count at all beside rows that could.
    Avoid: zeros that a wider spread explains (negative-binomial-nll); fewer zeros than Poisson expects.

    Domain: counts (integers >= 0), in the user's units.
    Shapes: prediction [..., 2] (log-rate x, zero-logit z), target [...] -> [...].

    Formula: L = -log(p + (1 - p) exp(-m)) where y = 0, else -log(1 - p) + m - y x + log y!, m = exp(x), p = 1 / (1 + exp(-z)),
    the whole negative log-likelihood. The prediction is the mean, (1 - p) m.

    Elicits: mean; and the share of zeros, where it is at least Poisson's.

    Source: Lambert 1992, Zero-Inflated Poisson Regression, With an Application to Defects in Manufacturing,
    https://doi.org/10.2307/1269547.

    Kin: with the zero-logit to minus infinity it is poisson-nll; zero-inflated-negative-binomial-nll with alpha to 0.

    >>> round(zero_inflated_poisson_nll(torch.tensor([0.0, 0.0]), torch.tensor(0.0)).item(), 4)  # -log(1/2 + 1/2 exp(-1))
    0.3799
    """
    return _inflated(prediction, target, None)


@loss(
    "regression",
    "log-rate+zero-logit",
    "count (integer >= 0)",
    heads=_two,
    own_units=True,
    point=_inflated_mean,
    aliases=("zinb", "zero-inflated-negative-binomial"),
)
def zero_inflated_negative_binomial_nll(prediction: Tensor, target: Tensor, *, alpha: Positive = ALPHA) -> Tensor:
    """Zero-inflated negative binomial: some rows are always 0, the others count, and vary more than Poisson's do.

    Use: more zeros than even a wide spread explains.
    Avoid: zeros that alpha alone explains, where it cannot tell the two apart (negative-binomial-nll).

    Domain: counts (integers >= 0), in the user's units.
    Shapes: prediction [..., 2] (log-rate x, zero-logit z), target [...] -> [...].

    Formula: L = -log(p + (1 - p) (1 + alpha m)^(-1 / alpha)) where y = 0, else -log(1 - p) + the negative log-likelihood of
    negative-binomial-nll, m = exp(x), p = 1 / (1 + exp(-z)). The prediction is the mean, (1 - p) m.

    Elicits: mean; and the share of zeros, where it is at least the negative binomial's; whatever the alpha.

    Source: Greene 1994, Accounting for Excess Zeros and Sample Selection in Poisson and Negative Binomial Regression Models,
    https://ssrn.com/abstract=1293115.

    Kin: with the zero-logit to minus infinity it is negative-binomial-nll; with alpha to 0 zero-inflated-poisson-nll.

    >>> round(zero_inflated_negative_binomial_nll(torch.tensor([0.0, 0.0]), torch.tensor(0.0)).item(), 4)  # -log(1/2 + 1/4)
    0.2877
    """
    return _inflated(prediction, target, alpha)


@loss(
    "regression",
    "log-rate+zero-logit",
    "count (integer >= 0)",
    heads=_two,
    own_units=True,
    point=_hurdled_poisson_mean,
    aliases=("hurdle", "hurdle-poisson"),
)
def hurdle_poisson_nll(prediction: Tensor, target: Tensor) -> Tensor:
    """Hurdle: first whether there is any, then how many, by a Poisson distribution without its zero.

    Use: zeros of one kind only, that come about in another way than how many there are; more or fewer than Poisson expects.
    Avoid: counts beyond 0 that vary more than Poisson's (hurdle-negative-binomial-nll).

    Domain: counts (integers >= 0), in the user's units.
    Shapes: prediction [..., 2] (log-rate x, zero-logit z), target [...] -> [...].

    Formula: L = -log p where y = 0, else -log(1 - p) + m - y x + log y! + log(1 - exp(-m)), m = exp(x), p = 1 / (1 + exp(-z)),
    the whole negative log-likelihood. The prediction is the mean, (1 - p) m / (1 - exp(-m)).

    Elicits: mean; and the share of zeros.

    Source: Mullahy 1986, Specification and Testing of Some Modified Count Data Models,
    https://doi.org/10.1016/0304-4076(86)90002-3.

    Kin: where p = exp(-m) it is poisson-nll; hurdle-negative-binomial-nll with alpha to 0.

    >>> round(hurdle_poisson_nll(torch.tensor([0.0, 0.0]), torch.tensor(1.0)).item(), 4)  # log 2 + 1 + log(1 - exp(-1))
    1.2345
    """
    return _hurdled(prediction, target, None)


@loss(
    "regression",
    "log-rate+zero-logit",
    "count (integer >= 0)",
    heads=_two,
    own_units=True,
    point=_hurdled_negative_binomial_mean,
    aliases=("hurdle-negative-binomial",),
)
def hurdle_negative_binomial_nll(prediction: Tensor, target: Tensor, *, alpha: Positive = ALPHA) -> Tensor:
    """Hurdle: first whether there is any, then how many, by a negative binomial distribution without its zero.

    Use: zeros of one kind only, and counts beyond that vary more than Poisson's.
    Avoid: counts beyond 0 as even as Poisson's (hurdle-poisson-nll).

    Domain: counts (integers >= 0), in the user's units.
    Shapes: prediction [..., 2] (log-rate x, zero-logit z), target [...] -> [...].

    Formula: L = -log p where y = 0, else -log(1 - p) + the negative log-likelihood of negative-binomial-nll + log(1 - q),
    q = (1 + alpha m)^(-1 / alpha), m = exp(x), p = 1 / (1 + exp(-z)). The prediction is the mean, (1 - p) m / (1 - q).

    Elicits: mean; and the share of zeros; whatever the alpha.

    Source: Mullahy 1986, Specification and Testing of Some Modified Count Data Models,
    https://doi.org/10.1016/0304-4076(86)90002-3; Cameron and Trivedi 1998, Regression Analysis of Count Data.

    Kin: where p = q it is negative-binomial-nll; with alpha to 0 hurdle-poisson-nll.

    >>> round(hurdle_negative_binomial_nll(torch.tensor([0.0, 0.0]), torch.tensor(1.0)).item(), 4)  # log 2 + log 4 + log(1/2)
    1.3863
    """
    return _hurdled(prediction, target, alpha)
