"""Every regression loss against an independent oracle, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, mean_squared_error
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


ORACLES = {
    "mse": by_sample(mean_squared_error),
    "mae": by_sample(mean_absolute_error),
    "huber": lambda x, y, delta=1.0: functional.huber_loss(x, y, reduction="none", delta=delta),
    "smooth-l1": lambda x, y, beta=1.0: functional.smooth_l1_loss(x, y, reduction="none", beta=beta),
    "log-cosh": log_cosh,
    "quantile": by_sample(lambda y, x, tau=0.5: mean_pinball_loss(y, x, alpha=tau)),
}
OPTIONS = {
    "huber": [{"delta": 0.1}, {"delta": 3.0}],
    "smooth-l1": [{"beta": 0.1}, {"beta": 3.0}],
    "quantile": [{"tau": 0.1}, {"tau": 0.9}],
}
SERVING = {name: item for name, item in for_task("regression").items() if item.task == "regression"}


def test_every_regression_loss_has_an_oracle():
    assert set(ORACLES) == set(SERVING)


@pytest.mark.parametrize("name", ORACLES)
def test_values(name):
    chance = torch.Generator().manual_seed(7)
    x = torch.randn(40, generator=chance, dtype=torch.float64) * 3
    y = torch.randn(40, generator=chance, dtype=torch.float64)
    for options in [{}, *OPTIONS.get(name, [])]:
        wanted = ORACLES[name](x, y, **options)
        assert wanted.shape == (40,)
        torch.testing.assert_close(SERVING[name].function(x, y, **options), wanted, rtol=1e-12, atol=1e-14)


def test_log_cosh_near_zero_and_far_away_in_float32():
    r = torch.tensor([1e-6, 1e-3, 0.999, 1.001, 89.0, 1000.0, -1000.0])
    exact = np.float64(r.numpy())
    small = np.where(np.abs(exact) < 0.01, exact**2 / 2 - exact**4 / 12, 0)
    wanted = np.where(np.abs(exact) < 0.01, small, logsumexp([exact, -exact], axis=0, b=0.5))
    found = SERVING["log-cosh"].function(r, torch.zeros_like(r))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=2e-6, atol=0)
