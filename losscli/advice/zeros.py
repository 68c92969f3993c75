"""Zeros of counts: how many there are, how many Poisson or negative binomial regression expects, what explains the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from losscli.advice.spread import Leftover, rates_of
from losscli.lazy import special

MOST_ROWS = 5000
LARGEST = 30.0  # a rate from which a zero is never expected
BOUND = 12.0  # of logarithms and logits that are searched for


@dataclass(frozen=True)
class Zeros:
    """Shares of zeros: that there is, and those that regressions expect; `z` is the score test of Poisson's own zeros.

    `best` is the loss whose likelihood, less what its parameters cost (BIC), is the highest of four, with the rates of a Poisson
    regression up to a factor; `alpha` is the dispersion of its counts, None of Poisson's; `certain` the share that is always 0.
    """

    share: float
    poisson: float
    negative_binomial: float
    z: float
    best: str
    alpha: float | None
    certain: float


def zeros(fit: Leftover) -> Zeros:
    """Measured around a Poisson regression: a score test (van den Broek 1995), and four likelihoods."""
    rate, counts = np.clip(rates_of(fit), 1e-9, LARGEST), fit.target
    none, expected = counts == 0, np.exp(-rate)
    kept = np.sort(np.random.default_rng(0).permutation(len(counts))[:MOST_ROWS])
    fits = {name: _fitted(name, rate[kept], counts[kept]) for name in FORMS}
    best = min(fits, key=lambda name: fits[name][0])
    log_factor, log_alpha = (fits["negative-binomial-nll"][1][key] for key in ("factor", "alpha"))
    inner = np.exp(log_alpha)
    wide = (1 + inner * np.exp(log_factor) * rate) ** (-1 / inner)
    found = fits[best][1]
    alpha = float(np.exp(found["alpha"])) if "alpha" in found else None
    certain = float(1 / (1 + np.exp(-found["zero"]))) if "zero" in found else 0.0
    z = _score(none, expected, rate, fit.design)
    return Zeros(float(none.mean()), float(expected.mean()), float(wide.mean()), z, best, alpha, certain)


def _score(none: np.ndarray, expected: np.ndarray, rate: np.ndarray, design: np.ndarray) -> float:
    """Zeros beyond those expected, in standard errors; that the regression was fitted to the same rows takes some of them away.

    Without features it is the root of van den Broek's score. With them, that one divides each row by its probability of a zero,
    and a single zero where hardly any was expected decides it; here all rows count alike.
    """
    pull = design.T @ (expected * rate)
    taken = float(pull @ np.linalg.lstsq(design.T @ (design * rate[:, None]), pull)[0])
    variance = float((expected * (1 - expected)).sum()) - taken
    return float((none - expected).sum()) / variance**0.5 if variance > 0 else 0.0


FORMS: Mapping[str, tuple[str, ...]] = {  # by loss, the numbers that are fitted, as logarithms, or a logit
    "poisson-nll": ("factor",),
    "negative-binomial-nll": ("factor", "alpha"),
    "zero-inflated-poisson-nll": ("factor", "zero"),
    "zero-inflated-negative-binomial-nll": ("factor", "alpha", "zero"),
}


def _fitted(name: str, rate: np.ndarray, counts: np.ndarray) -> tuple[float, dict[str, float]]:
    """The BIC of the best fit, and its numbers."""
    from scipy.optimize import minimize

    names = FORMS[name]
    start = [{"factor": 0.0, "alpha": 0.0, "zero": -1.0}[key] for key in names]
    cost = _cost(names, rate, counts)
    solved: Any = minimize(cost, start, method="L-BFGS-B", bounds=[(-BOUND, BOUND)] * len(names))
    bic = 2 * float(solved.fun) * len(counts) + len(names) * np.log(len(counts))
    return bic, dict(zip(names, map(float, solved.x), strict=True))


def _cost(names: tuple[str, ...], rate: np.ndarray, counts: np.ndarray) -> Callable[[np.ndarray], float]:
    """The mean negative log-likelihood of those numbers."""
    none = counts == 0

    def cost(numbers: np.ndarray) -> float:
        given = dict(zip(names, numbers, strict=True))
        mean = np.exp(given["factor"]) * rate
        if "alpha" in given:
            k = np.exp(-given["alpha"])
            ways = special.gammaln(counts + k) - special.gammaln(k) - special.gammaln(counts + 1)
            logs = ways - k * np.log1p(mean / k) - counts * np.log1p(k / mean)
            nil = -k * np.log1p(mean / k)
        else:
            logs, nil = counts * np.log(mean) - mean - special.gammaln(counts + 1), -mean
        if "zero" in given:
            z = given["zero"]
            logs = np.where(none, np.logaddexp(z, nil), logs) - np.logaddexp(0.0, z)
        return -float(logs.mean())

    return cost
