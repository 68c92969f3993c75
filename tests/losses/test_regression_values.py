"""Every regression loss against an independent oracle, in float64."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import quad
from scipy.special import logsumexp
from sklearn.metrics import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_pinball_loss,
    mean_squared_error,
    mean_squared_log_error,
    mean_tweedie_deviance,
    root_mean_squared_error,
)
from torch import distributions
from torch.nn import functional

from losscli.losses import for_task


def by_sample(score):
    """A scikit-learn mean, asked for one sample at a time."""
    return lambda x, y, **options: torch.tensor(
        [score(y[i : i + 1].numpy(), x[i : i + 1].numpy(), **options) for i in range(len(x))], dtype=torch.float64
    )


def log_cosh(x, y):
    """log((e^r + e^-r) / 2) as a log-sum-exp by scipy."""
    r = (x - y).numpy()
    return torch.from_numpy(logsumexp([r, -r], axis=0, b=0.5))


def barron(x, y, alpha=1.0, scale=1.0):
    """By powers instead of exponentials of logarithms (Barron 2019, equations 8 and 13)."""
    square = ((x - y) / scale).numpy() ** 2
    if alpha == 2:
        return torch.from_numpy(square / 2)
    if alpha == 0:
        return torch.from_numpy(np.log(square / 2 + 1))
    if alpha == -np.inf:
        return torch.from_numpy(1 - np.exp(-square / 2))
    b = abs(alpha - 2)
    return torch.from_numpy(b / alpha * ((square / b + 1) ** (alpha / 2) - 1))


def scipy_rho(kind, weight):
    """The loss functions of scipy.optimize.least_squares, rho(z) of z = (r / c)^2."""
    names = {"pseudo-huber": lambda z: 2 * ((1 + z) ** 0.5 - 1), "cauchy": lambda z: np.log(1 + z)}
    return lambda x, y, **options: (
        weight(options) * torch.from_numpy(names[kind](((x - y) / next(iter(options.values()), 1.0)).numpy() ** 2))
    )


def psi_integral(slope, knee=lambda **options: np.inf):
    """The loss as the integral of its slope from 0 to r, by scipy's quadrature, in two parts where the slope has a knee."""

    def value(x, y, **options):
        found = []
        for r in (x - y).abs().tolist():
            at = min(r, knee(**options))
            parts = [
                quad(lambda u: slope(u, **options), *ends, epsabs=1e-15, epsrel=1e-13) for ends in ((0, at), (at, r))
            ]
            found.append(sum(part[0] for part in parts))
        return torch.tensor(found, dtype=torch.float64)

    return value


def tukey_slope(r, c=4.685):
    return r * (1 - (r / c) ** 2) ** 2 if r < c else 0.0


def welsch(x, y, scale=1.0):
    """One less a normal density over its peak, by scipy."""
    r = (x - y).numpy()
    return torch.from_numpy(1 - stats.norm.pdf(r, scale=scale) / stats.norm.pdf(0, scale=scale))


def by_level(x, y, taus=(0.1, 0.5, 0.9), crossing=1.0):
    """scikit-learn's pinball loss per quantile, and the crossings one pair at a time."""
    found = []
    for outputs, wanted in zip(x.tolist(), y.tolist(), strict=True):
        pairs = sorted(zip(taus, outputs, strict=True))
        parts = [mean_pinball_loss([wanted], [one], alpha=tau) for tau, one in pairs]
        crossed = [max(0.0, low[1] - high[1]) for low, high in pairwise(pairs)]
        found.append((sum(parts) + crossing * sum(crossed)) / len(parts))
    return torch.tensor(found, dtype=torch.float64)


def tweedie(x, y, power=1.5):
    """Half of scikit-learn's deviance, plus what it takes off to be 0 at a perfect fit."""
    deviance = by_sample(lambda a, b: mean_tweedie_deviance(a, b, power=power))(x.exp(), y)
    return deviance / 2 + y ** (2 - power) / ((2 - power) * (power - 1))


def normal(x):
    return distributions.Normal(x[..., 0], (x[..., 1] / 2).exp())


def crps_by_integral(x, y):
    """The integral of (F - 1(u >= y))^2 over u, in two smooth halves."""
    found = []
    for (mean, spread), wanted in zip(x.tolist(), y.tolist(), strict=True):
        law = stats.norm(mean, np.exp(spread / 2))
        low, high = min(law.ppf(1e-16), wanted) - 1, max(law.isf(1e-16), wanted) + 1
        knots = sorted({*np.clip(law.mean() + law.std() * np.arange(-8, 9), low, high), low, high, wanted})
        found.append(
            sum(
                quad(
                    lambda u, law=law, w=wanted: (law.cdf(u) if u < w else law.sf(u)) ** 2, a, b, epsabs=0, epsrel=1e-13
                )[0]
                for a, b in pairwise(knots)
            )
        )
    return torch.tensor(found, dtype=torch.float64)


def zeros_apart(x, y, alpha, how):
    """The mixture in plain probabilities: scipy's mass of each count, and that of its zero."""
    rate, zero = np.exp(x[:, 0].numpy()), 1 / (1 + np.exp(-x[:, 1].numpy()))
    counts = stats.poisson(rate) if alpha is None else stats.nbinom(1 / alpha, 1 / (1 + alpha * rate))
    return torch.from_numpy(-np.log(how(y.numpy() == 0, zero, counts.pmf(y.numpy()), counts.pmf(0))))


def inflated(none, zero, mass, mass_of_none):
    return np.where(none, zero, 0) + (1 - zero) * mass


def hurdled(none, zero, mass, mass_of_none):
    return np.where(none, zero, (1 - zero) * mass / (1 - mass_of_none))


ORACLES = {
    "mse": by_sample(mean_squared_error),
    "mae": by_sample(mean_absolute_error),
    "rmse": lambda x, y, eps=1e-8: torch.tensor(np.hypot(root_mean_squared_error(y, x), eps**0.5)),
    "huber": lambda x, y, delta=1.0: functional.huber_loss(x, y, reduction="none", delta=delta),
    "smooth-l1": lambda x, y, beta=1.0: functional.smooth_l1_loss(x, y, reduction="none", beta=beta),
    "pseudo-huber": scipy_rho("pseudo-huber", lambda options: options.get("delta", 1.0) ** 2 / 2),
    "log-cosh": log_cosh,
    "cauchy": lambda x, y, scale=1.0: scipy_rho("cauchy", lambda _: 1)(x, y, c=scale * 2**0.5),
    "welsch": welsch,
    "geman-mcclure": lambda x, y, scale=1.0: barron(x, y, -2.0, scale),
    "barron": barron,
    "tukey-biweight": psi_integral(tukey_slope, lambda c=4.685: c),
    "fair": psi_integral(lambda r, c=1.0: r / (1 + r / c)),
    "wing": psi_integral(
        lambda r, width=5.0, curvature=0.5: width / (curvature + r) if r < width else 1.0,
        lambda width=5.0, curvature=0.5: width,
    ),
    "quantile": by_sample(lambda y, x, tau=0.5: mean_pinball_loss(y, x, alpha=tau)),
    "expectile": lambda x, y, tau=0.5: (
        torch.from_numpy(np.where(y > x, tau, 1 - tau)) * by_sample(mean_squared_error)(x, y)
    ),
    "multi-quantile": by_level,
    "epsilon-insensitive": lambda x, y, epsilon=0.1: torch.tensor(
        [max(a - b - epsilon, b - a - epsilon, 0.0) for a, b in zip(x.tolist(), y.tolist(), strict=True)],
        dtype=torch.float64,
    ),
    "poisson-nll": lambda x, y: -distributions.Poisson(x.exp()).log_prob(y),
    "gamma-nll": lambda x, y, shape=1.0: -distributions.Gamma(shape, shape / x.exp()).log_prob(y),
    "tweedie": tweedie,
    "negative-binomial-nll": lambda x, y, alpha=1.0: torch.from_numpy(
        -stats.nbinom.logpmf(y.numpy(), 1 / alpha, 1 / (1 + alpha * x.exp().numpy()))
    ),
    "zero-inflated-poisson-nll": lambda x, y: zeros_apart(x, y, None, inflated),
    "zero-inflated-negative-binomial-nll": lambda x, y, alpha=1.0: zeros_apart(x, y, alpha, inflated),
    "hurdle-poisson-nll": lambda x, y: zeros_apart(x, y, None, hurdled),
    "hurdle-negative-binomial-nll": lambda x, y, alpha=1.0: zeros_apart(x, y, alpha, hurdled),
    "gaussian-nll": lambda x, y: -normal(x).log_prob(y),
    "beta-nll": lambda x, y, beta=0.5: -normal(x).log_prob(y) * normal(x).variance ** beta,
    "laplace-nll": lambda x, y: -distributions.Laplace(x[..., 0], x[..., 1].exp()).log_prob(y),
    "student-t-nll": lambda x, y, df=4.0: -distributions.StudentT(df, x[..., 0], x[..., 1].exp()).log_prob(y),
    "crps-gaussian": crps_by_integral,
    "mape": by_sample(mean_absolute_percentage_error),
    "smape": lambda x, y, eps=1e-8: (x - y).abs() / (x.abs() + y.abs()).mul(0.5).clamp(min=eps),
    "msle": by_sample(mean_squared_log_error),
}
OPTIONS = {
    "huber": [{"delta": 0.1}, {"delta": 3.0}],
    "smooth-l1": [{"beta": 0.1}, {"beta": 3.0}],
    "pseudo-huber": [{"delta": 0.1}, {"delta": 3.0}],
    "rmse": [{"eps": 0.5}],
    "cauchy": [{"scale": 0.1}, {"scale": 3.0}],
    "welsch": [{"scale": 0.5}, {"scale": 3.0}],
    "geman-mcclure": [{"scale": 0.1}, {"scale": 3.0}],
    "barron": [
        {"alpha": alpha, "scale": scale} for alpha, scale in product((2, 1.5, 0.5, 0, -1.0, -9.0, -np.inf), (0.5, 3))
    ],
    "tukey-biweight": [{"c": 1.0}],
    "fair": [{"c": 0.3}, {"c": 3.0}],
    "wing": [{"width": 1.5, "curvature": 2.0}],
    "quantile": [{"tau": 0.1}, {"tau": 0.9}],
    "expectile": [{"tau": 0.1}, {"tau": 0.9}],
    "multi-quantile": [{"taus": [0.75, 0.25], "crossing": 0.0}, {"taus": [0.9, 0.3, 0.6, 0.1], "crossing": 5.0}],
    "epsilon-insensitive": [{"epsilon": 0.0}, {"epsilon": 2.0}],
    "gamma-nll": [{"shape": 0.3}, {"shape": 7.0}],
    "tweedie": [{"power": 1.1}, {"power": 1.9}],
    "negative-binomial-nll": [{"alpha": 0.2}, {"alpha": 5.0}],
    "zero-inflated-negative-binomial-nll": [{"alpha": 0.2}, {"alpha": 5.0}],
    "hurdle-negative-binomial-nll": [{"alpha": 0.2}, {"alpha": 5.0}],
    "beta-nll": [{"beta": 0.0}, {"beta": 1.0}],
    "student-t-nll": [{"df": 1.0}, {"df": 30.0}],
    "smape": [{"eps": 1.0}],
}
TARGETS = {  # of a domain, from any numbers
    "any number": lambda raw: raw,
    "number >= 0": lambda raw: (3 * raw).clamp(min=0),
    "number > 0": torch.exp,
    "count (integer >= 0)": lambda raw: (4 * raw.abs()).floor(),
}
SERVING = {name: item for name, item in for_task("regression").items() if item.task == "regression"}


def sample(name, options, rows=40):
    """Predictions and targets that the loss may see; positive values where the target is positive."""
    item = SERVING[name]
    chance = torch.Generator().manual_seed(7)
    shape = (rows,) if item.heads is None else (rows, item.heads(1, options))
    x = torch.randn(shape, generator=chance, dtype=torch.float64) * (3 if item.expects == "values" else 1.5)
    y = TARGETS[item.target](torch.randn(rows, generator=chance, dtype=torch.float64))
    return (x.abs() if item.expects == "values" and item.target != "any number" else x), y


def test_every_regression_loss_has_an_oracle():
    assert set(ORACLES) == set(SERVING)


@pytest.mark.parametrize("name", ORACLES)
def test_values(name):
    for options in [{}, *OPTIONS.get(name, [])]:
        x, y = sample(name, options)
        wanted = ORACLES[name](x, y, **options)
        assert wanted.shape == (() if SERVING[name].over_batch else (40,))
        torch.testing.assert_close(SERVING[name].function(x, y, **options), wanted, rtol=1e-12, atol=1e-13)


def test_log_cosh_near_zero_and_far_away_in_float32():
    r = torch.tensor([1e-6, 1e-3, 0.999, 1.001, 89.0, 1000.0, -1000.0])
    exact = np.float64(r.numpy())
    small = np.where(np.abs(exact) < 0.01, exact**2 / 2 - exact**4 / 12, 0)
    wanted = np.where(np.abs(exact) < 0.01, small, logsumexp([exact, -exact], axis=0, b=0.5))
    found = SERVING["log-cosh"].function(r, torch.zeros_like(r))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=2e-6, atol=0)


def value(name, x, y, **options):
    return SERVING[name].function(torch.as_tensor(x), torch.as_tensor(y), **options)


def slope(name, x, y, **options):
    leaf = torch.as_tensor(x).clone().requires_grad_()
    value(name, leaf, y, **options).sum().backward()
    return leaf.grad


SPECIAL = [2.0, 2.0 - 1e-9, 1.0, 1e-9, 0.0, -1e-9, -2.0, -1e9, -np.inf]


def test_barron_takes_every_shape_at_once_and_is_smooth_across_the_special_ones():
    x = torch.linspace(-30, 30, 61, dtype=torch.float64)
    alpha = torch.tensor(SPECIAL, dtype=torch.float64)[:, None]
    together, slopes = value("barron", x, 0.0, alpha=alpha), slope("barron", x.expand(9, 61), 0.0, alpha=alpha)
    for row, shape in enumerate(SPECIAL):
        alone = slope("barron", x, 0.0, alpha=shape)
        torch.testing.assert_close(together[row], value("barron", x, 0.0, alpha=shape), rtol=1e-14, atol=0)
        torch.testing.assert_close(slopes[row], alone, rtol=1e-14, atol=0)
    for near, at in ((1, 0), (3, 4), (5, 4), (7, 8)):
        torch.testing.assert_close(together[near], together[at], rtol=1e-6, atol=1e-12)
        torch.testing.assert_close(slopes[near], slopes[at], rtol=1e-6, atol=1e-12)


def test_barron_shape_may_be_learnt():
    alpha = torch.tensor([1.5, 0.5, -0.5, -3.0], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([0.3, -1.0, 4.0, 9.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: value("barron", x, torch.zeros(4), alpha=a), alpha)


def test_beta_nll_has_the_gradient_of_gaussian_nll_times_the_variance_to_the_beta():
    x, y = sample("beta-nll", {})
    for beta in (0.0, 0.3, 1.0):
        wanted = slope("gaussian-nll", x, y) * (beta * x[:, 1:]).exp()
        torch.testing.assert_close(slope("beta-nll", x, y, beta=beta), wanted, rtol=1e-12, atol=0)
    torch.testing.assert_close(slope("beta-nll", x, y, beta=1.0)[:, 0], x[:, 0] - y, rtol=1e-12, atol=0)


def test_rmse_has_a_gradient_at_a_perfect_fit():
    assert slope("rmse", torch.ones(3), torch.ones(3)).tolist() == [0.0] * 3


def test_a_poor_start_is_pulled_back():
    for x, sign in ((-1e4, -1), (-50.0, -1), (50.0, 1), (1e4, 1)):
        for name in ("poisson-nll", "gamma-nll", "tweedie", "negative-binomial-nll"):
            assert slope(name, [x], [3.0]).sign().item() == sign
    for name in (name for name, item in SERVING.items() if item.expects == "log-rate+zero-logit"):
        for x, sign in ((-1e4, -1), (-50.0, -1), (50.0, 1), (1e4, 1)):
            assert slope(name, [[x, 0.0]], [3.0])[0, 0].sign().item() == sign
        assert slope(name, [[0.0, -1e4]], [0.0])[0, 1] <= 0
    for name in ("gaussian-nll", "beta-nll", "laplace-nll", "student-t-nll"):
        too_sure = slope(name, [[1.0, -1e4]], [0.0])[0, 1]
        assert too_sure < 0
    assert slope("msle", [-5.0], [0.0]).item() < 0


def test_gamma_and_tweedie_of_a_zero_or_tiny_target():
    assert value("tweedie", [0.0], [0.0], power=1.5).item() == 2.0
    assert slope("tweedie", [0.0], [0.0], power=1.5).item() == 1.0
    assert torch.isfinite(value("gamma-nll", [-3.0], [1e-38])).all()


def test_negative_binomial_keeps_its_digits_for_a_small_dispersion():
    x, y = sample("negative-binomial-nll", {})
    exact = value("poisson-nll", x, y)
    torch.testing.assert_close(value("negative-binomial-nll", x, y, alpha=1e-9), exact, rtol=1e-5, atol=1e-6)
    single = value("negative-binomial-nll", x.float(), y.float(), alpha=1e-6).double()
    torch.testing.assert_close(single, value("negative-binomial-nll", x, y, alpha=1e-6), rtol=1e-5, atol=1e-5)


def test_where_libraries_disagree():
    x, y = torch.tensor([1.0, 2.0, 5.0]).double(), torch.tensor([2.0, 3.0, 4.0]).double()
    halved = functional.poisson_nll_loss(x, y, reduction="none")
    torch.testing.assert_close(value("poisson-nll", x, y) - halved, torch.lgamma(y + 1))  # torch leaves out log y!
    assert value("mse", [3.0], [1.0]).item() == 4.0  # scikit-learn's HalfSquaredError: 2
    assert value("mape", [3.0], [4.0]).item() == 0.25  # Keras: 25
    heads = torch.stack([x, torch.zeros(3).double()], -1)
    whole = functional.gaussian_nll_loss(x, y, torch.ones(3).double(), full=True, reduction="none")
    torch.testing.assert_close(value("gaussian-nll", heads, y), whole)  # torch's default leaves out log(2 pi) / 2


@pytest.mark.parametrize("name", ["gaussian-nll", "beta-nll", "laplace-nll", "student-t-nll", "crps-gaussian"])
def test_the_centre_is_what_a_distribution_predicts(name):
    item = SERVING[name]
    assert item.heads(1, {}) == 2
    assert item.point(torch.tensor([[[1.0, 9.0], [2.0, 9.0]]]), {}).tolist() == [[1.0, 2.0]]


def test_what_quantiles_and_rates_predict():
    item = SERVING["multi-quantile"]
    assert item.heads(1, {"taus": [0.2, 0.8]}) == 2
    assert item.heads(1, {}) == 3
    assert item.point(torch.tensor([[1.0, 2.0, 3.0]]), {}).tolist() == [2.0]
    assert item.point(torch.tensor([[1.0, 2.0, 3.0]]), {"taus": [0.9, 0.1, 0.4]}).tolist() == [3.0]
    for name in ("poisson-nll", "gamma-nll", "tweedie", "negative-binomial-nll"):
        assert SERVING[name].point(torch.tensor([0.0, 1.0]), {}).tolist() == pytest.approx([1.0, np.e])
        assert torch.isfinite(SERVING[name].point(torch.tensor([1e4]), {})).all()
        assert SERVING[name].own_units


def test_what_counts_with_zeros_predict():
    """scipy's own mean of the mixtures, by hand from its distributions."""
    x = torch.tensor([[0.5, -1.0], [-30.0, 0.3], [1e4, 1e4]], dtype=torch.float64)
    rate, zero = np.exp(0.5), 1 / (1 + np.e)
    assert SERVING["zero-inflated-poisson-nll"].point(x, {})[0].item() == pytest.approx((1 - zero) * rate)
    whole = stats.nbinom(1 / 0.7, 1 / (1 + 0.7 * rate))
    for name, counts, options in (
        ("hurdle-poisson-nll", stats.poisson(rate), {}),
        ("hurdle-negative-binomial-nll", whole, {"alpha": 0.7}),
    ):
        beyond = counts.mean() / (1 - counts.pmf(0))
        points = SERVING[name].point(x, options)
        assert points[0].item() == pytest.approx((1 - zero) * beyond)
        assert points[1].item() == pytest.approx(1 / (1 + np.exp(0.3)))  # where a count is hardly ever 2, the mean is 1
        assert torch.isfinite(points).all()


def test_several_outputs_per_row_and_options_per_run():
    chance = torch.Generator().manual_seed(5)
    x, y = torch.randn(2, 6, 3, 2, generator=chance).double(), torch.randn(2, 6, 3, generator=chance).double()
    df = torch.tensor([2.0, 9.0]).double().view(2, 1, 1)  # [R, 1, 1] against [R, B, O]
    found = value("student-t-nll", x, y, df=df)
    assert found.shape == (2, 6, 3)
    for run, one in enumerate((2.0, 9.0)):
        torch.testing.assert_close(found[run], value("student-t-nll", x[run], y[run], df=one))


FAR = {  # targets of a domain
    "any number": [-1e4, 0.0, 1e4],
    "number >= 0": [0.0, 1.0, 1e4],
    "number > 0": [1e-3, 1.0, 1e4],
    "count (integer >= 0)": [0.0, 1.0, 1e4],
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ORACLES)
def test_extremes_are_finite_in_value_and_gradient(name, dtype):
    item = SERVING[name]
    corners = torch.tensor([-1e4, -89.0, -1e-30, 0.0, 30.0, 1e4])
    for options in [{}, *OPTIONS.get(name, [])]:
        outputs = 1 if item.heads is None else item.heads(1, options)
        grid = torch.cartesian_prod(*[corners] * outputs, torch.tensor(FAR[item.target])).to(dtype)
        leaf = (grid[:, 0] if item.heads is None else grid[:, :-1]).clone().requires_grad_()
        values = item.function(leaf, grid[:, -1], **options)
        values.sum().backward()
        assert torch.isfinite(values).all()
        assert torch.isfinite(leaf.grad).all()
