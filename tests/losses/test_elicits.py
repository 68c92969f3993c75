"""What each regression loss aims at: its best constant for a skewed sample is what its `Elicits:` paragraph says.

The best constant is searched with scipy; what it should be comes from the sample alone: numpy and scipy for the mean, the
quantiles and the expectile, and for M-estimates the balance of the slopes, written down here by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import optimize, stats

from losscli.losses import Loss, for_task

REGRESSION = [pytest.param(item, id=name) for name, item in for_task("regression").items() if item.task == "regression"]
CHANCE = np.random.default_rng(3)
SKEWED = np.concatenate(
    [CHANCE.gamma(2.0, 0.8, 70), [6.0, 7.5, 9.0, 5.5, 8.0, 4.9, 11.0]]
)  # 77: every quantile is one row
SAMPLES = {
    "any number": SKEWED - 0.5,
    "number > 0": SKEWED,
    "number >= 0": np.where(SKEWED < 0.5, 0, SKEWED),
    "count (integer >= 0)": np.floor(SKEWED),
}
OTHER: dict[str, dict[str, Any]] = {  # a second setting of the options that move the answer
    "huber": {"delta": 0.3},
    "smooth-l1": {"beta": 0.3},
    "pseudo-huber": {"delta": 0.3},
    "cauchy": {"scale": 0.4},
    "welsch": {"scale": 2.0},
    "geman-mcclure": {"scale": 0.5},
    "barron": {"alpha": -4.0, "scale": 0.8},
    "tukey-biweight": {"c": 3.0},
    "fair": {"c": 0.2},
    "wing": {"width": 1.0, "curvature": 2.0},
    "quantile": {"tau": 0.85},
    "expectile": {"tau": 0.85},
    "multi-quantile": {"taus": [0.3, 0.8], "crossing": 0.5},
    "epsilon-insensitive": {"epsilon": 0.7},
    "gamma-nll": {"shape": 3.0},
    "tweedie": {"power": 1.2},
    "negative-binomial-nll": {"alpha": 0.2},
    "zero-inflated-negative-binomial-nll": {"alpha": 0.2},
    "hurdle-negative-binomial-nll": {"alpha": 0.2},
    "student-t-nll": {"df": 30.0},
}


def kind_of(item: Loss) -> str:
    """The first word or two of the paragraph, up to its stop."""
    return item.section("Elicits").split(";")[0].rstrip(".")


def sign_beyond(r, epsilon):
    return np.sign(r) * (np.abs(r) > epsilon)


# The slope of each M-estimate by r = c - y, but for a positive factor; smape's is by c and y.
SLOPES = {
    "huber": lambda r, delta=1.0: np.clip(r, -delta, delta),
    "smooth-l1": lambda r, beta=1.0: np.clip(r / beta, -1, 1),
    "pseudo-huber": lambda r, delta=1.0: r / np.hypot(1, r / delta),
    "log-cosh": np.tanh,
    "fair": lambda r, c=1.0: r / (1 + np.abs(r) / c),
    "cauchy": lambda r, scale=1.0: r / (2 * scale**2 + r**2),
    "welsch": lambda r, scale=1.0: r * np.exp(-((r / scale) ** 2) / 2),
    "geman-mcclure": lambda r, scale=1.0: r / (r**2 + 4 * scale**2) ** 2,
    "barron": lambda r, alpha=1.0, scale=1.0: r * ((r / scale) ** 2 / (2 - alpha) + 1) ** (alpha / 2 - 1),
    "tukey-biweight": lambda r, c=4.685: r * np.clip(1 - (r / c) ** 2, 0, None) ** 2,
    "wing": lambda r, width=5.0, curvature=0.5: (
        np.sign(r) * np.where(np.abs(r) < width, width / (curvature + np.abs(r)), 1)
    ),
    "epsilon-insensitive": lambda r, epsilon=0.1: sign_beyond(r, epsilon),
}


def slope(item: Loss, r: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """By hand; of a loss that stands in no line above by the values of the loss itself, which have their own oracle."""
    if item.name in SLOPES:
        return SLOPES[item.name](r, **options)
    ends = [
        item.function(torch.from_numpy(r + step), torch.zeros(len(r)).double(), **options) for step in (-1e-6, 1e-6)
    ]
    return ((ends[1] - ends[0]) / 2e-6).numpy()


def weighted_median(y, weights):
    order = np.argsort(y)
    return y[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)]


SAID = {  # kind -> the best constant, from the sample and the options
    "mean": lambda y, _: y.mean(),
    "median": lambda y, _: np.median(y),
    "weighted median": lambda y, _: weighted_median(y, 1 / y),
    "log mean": lambda y, _: stats.gmean(1 + y) - 1,
    "quantile": lambda y, options: np.quantile(y, options.get("tau", 0.5), method="inverted_cdf"),
    "expectile": lambda y, options: stats.expectile(y, options.get("tau", 0.5)),
    "quantiles": lambda y, options: np.quantile(y, options.get("taus", [0.1, 0.5, 0.9]), method="inverted_cdf"),
}
SPREADS = {  # what the second output should be
    "gaussian-nll": lambda y, _: np.log(y.var()),
    "laplace-nll": lambda y, _: np.log(np.abs(y - np.median(y)).mean()),
}


def cost(item: Loss, y: np.ndarray, options: dict[str, Any], constant: Any) -> float:
    """The mean loss of predicting one constant for the whole sample."""
    given = torch.as_tensor(np.asarray(constant, dtype=np.float64))
    prediction = given.expand(len(y), *given.shape)
    return float(item.function(prediction, torch.from_numpy(y), **options).mean())


def best(item: Loss, y: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """The constant that costs least: the best of a grid, refined; several outputs one at a time, over and over."""
    if item.heads is not None:
        start = np.full(item.heads(1, options), np.median(y))
        found = optimize.minimize(
            lambda c: cost(item, y, options, c), start, method="Powell", options={"xtol": 1e-9, "ftol": 1e-13}
        )
        return item.point(torch.from_numpy(found.x), options).numpy() if item.takes_exposure else found.x
    log = item.expects == "log-rates"
    grid = np.linspace(np.log(0.2), np.log(y.max()), 150) if log else np.unique([*np.linspace(0.0, y.max(), 150), *y])
    costs = [cost(item, y, options, one) for one in grid]
    at = int(np.clip(np.argmin(costs), 1, len(grid) - 2))
    found = optimize.minimize_scalar(
        lambda c: cost(item, y, options, c),
        bounds=(grid[at - 1], grid[at + 1]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    constant = found.x if found.fun < costs[at] else grid[at]
    return np.exp(constant) if log else constant


def balanced(item: Loss, y: np.ndarray, options: dict[str, Any], at: float) -> bool:
    """The slope turns from falling to rising at the constant."""
    if item.name == "smape":
        slopes = [np.mean(np.sign(c - y) * y / (c + y) ** 2) for c in (at - 1e-5, at + 1e-5)]
    else:
        slopes = [slope(item, c - y, options).mean() for c in (at - 1e-5, at + 1e-5)]
    return bool(slopes[0] <= 1e-12 and slopes[1] >= -1e-12)


@pytest.mark.parametrize("other", [False, True], ids=["default", "other"])
@pytest.mark.parametrize("item", [item for item in REGRESSION if item.id != "beta-nll"])  # it has a test of its own
def test_the_best_constant_is_what_the_loss_says(item: Loss, other: bool) -> None:
    options = OTHER.get(item.name, {}) if other else {}
    y, kind = SAMPLES[item.target], kind_of(item)
    found = best(item, y, options)
    if kind in SAID:
        wanted = SAID[kind](y, options)
        np.testing.assert_allclose(found if kind == "quantiles" else found.flat[0], wanted, rtol=2e-5)
    elif kind == "M-estimate":
        assert balanced(item, y, options, float(found))
    elif kind == "t location":
        np.testing.assert_allclose([found[0], np.exp(found[1])], t_fit(y, options.get("df", 4.0)), rtol=1e-4)
    else:
        assert kind == "distribution"
        np.testing.assert_allclose(found, nearest_normal(y), rtol=1e-4)
    if item.name in SPREADS:
        np.testing.assert_allclose(found[1], SPREADS[item.name](y, options), rtol=1e-4)


@pytest.mark.parametrize("name", ["zero-inflated-poisson-nll", "hurdle-poisson-nll", "hurdle-negative-binomial-nll"])
def test_the_share_of_zeros_is_learned_beside_the_mean(name: str) -> None:
    """With more zeros than the counts have of themselves, the best constant gives the sample's own share."""
    item = for_task("regression")[name]
    y = np.concatenate([SAMPLES["count (integer >= 0)"], np.zeros(60)])
    outputs = torch.from_numpy(
        optimize.minimize(
            lambda c: cost(item, y, {}, c), [0.0, 0.0], method="Powell", options={"xtol": 1e-9, "ftol": 1e-13}
        ).x
    )
    np.testing.assert_allclose(item.point(outputs, {}), y.mean(), rtol=1e-5)
    np.testing.assert_allclose(item.function(outputs, torch.tensor(0.0)).neg().exp(), (y == 0).mean(), rtol=1e-5)


def t_fit(y: np.ndarray, df: float) -> list[float]:
    """scipy's own fit of a t distribution with df given."""
    _, location, scale = stats.t.fit(y, fdf=df, method="MLE")
    return [location, scale]


def nearest_normal(y: np.ndarray) -> np.ndarray:
    """Mean and log-variance of the normal whose E|X - y| - E|X - X'| / 2 is least: E|X - y| by the folded normal."""

    def distance(parts: np.ndarray) -> float:
        mean, deviation = parts[0], np.exp(parts[1] / 2)
        to_sample = stats.foldnorm.mean(np.abs(mean - y) / deviation, scale=deviation).mean()
        return to_sample - deviation / np.sqrt(np.pi)

    return optimize.minimize(distance, [np.median(y), 0.0], method="Powell", options={"xtol": 1e-9, "ftol": 1e-13}).x


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_beta_nll_comes_to_rest_at_the_mean_and_the_variance(beta: float) -> None:
    item = for_task("regression")["beta-nll"]
    y = SAMPLES["any number"]
    rest = torch.tensor([y.mean(), np.log(y.var())], requires_grad=True)
    item.function(rest.expand(len(y), 2), torch.from_numpy(y), beta=beta).mean().backward()
    assert rest.grad.abs().max() < 1e-12


@pytest.mark.parametrize("item", REGRESSION)
def test_every_regression_loss_says_what_it_elicits(item: Loss) -> None:
    assert kind_of(item) in {*SAID, "M-estimate", "t location", "distribution"}


def test_the_sample_tells_the_answers_apart():
    y = SAMPLES["number > 0"]
    answers = [SAID[kind](y, {"tau": 0.85}) for kind in SAID if kind != "quantiles"]
    assert np.abs(np.subtract.outer(answers, answers))[~np.eye(len(answers), dtype=bool)].min() > 0.05
