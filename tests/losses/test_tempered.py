"""The tempered functions against their definitions, and the tempered softmax against scipy's root finder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from losscli.losses.tempered import log_tempered_exp, tempered_divergence, tempered_log, tempered_log_softmax

CHANCE = torch.Generator().manual_seed(13)
ACTIVATION = torch.randn(4, 6, generator=CHANCE, dtype=torch.float64) * 3


def test_logarithm_and_exponential_by_definition():
    p = torch.tensor([1e-3, 0.2, 1.0], dtype=torch.float64)
    for t in (0.0, 0.5, 0.8, 1.5):
        torch.testing.assert_close(tempered_log(p.log(), t), (p ** (1 - t) - 1) / (1 - t), rtol=1e-12, atol=1e-15)
    u = -p
    for t in (1.2, 2.0, 5.0):
        wanted = (1 + (1 - t) * u) ** (1 / (1 - t))
        torch.testing.assert_close(log_tempered_exp(u, t).exp(), wanted, rtol=1e-12, atol=0)


def test_at_1_they_are_the_ordinary_ones():
    u = torch.tensor([-1e4, -1.0, -1e-8, 0.0])
    for t in (1.0, torch.tensor(1.0)):
        torch.testing.assert_close(tempered_log(u, t), u, rtol=1e-6, atol=0)
        torch.testing.assert_close(log_tempered_exp(u, t), u, rtol=1e-6, atol=0)
    torch.testing.assert_close(
        tempered_log_softmax(ACTIVATION, 1.0), torch.log_softmax(ACTIVATION, -1), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("t", [1.01, 1.2, 2.0, 7.0])
def test_softmax_is_normalised_as_scipy_finds(t):
    rows = 0
    for row, found in zip(ACTIVATION.numpy(), tempered_log_softmax(ACTIVATION, t).exp().numpy(), strict=True):
        top = row.max()

        def excess(c, row=row):
            return ((1 + (t - 1) * (c - row)) ** (-1 / (t - 1))).sum() - 1

        c = brentq(excess, top, top + 6.0 ** (t - 1) / (t - 1) + 10, xtol=1e-13, rtol=1e-15)
        np.testing.assert_allclose(found, (1 + (t - 1) * (c - row)) ** (-1 / (t - 1)), rtol=1e-10)
        rows += 1
    assert rows == 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("classes", [2, 10, 1000])
@pytest.mark.parametrize("scale", [0.01, 5.0, 1e4])
def test_probabilities_sum_to_1(classes, scale, dtype):
    chance = torch.Generator().manual_seed(14)
    activation = torch.randn(3, classes, generator=chance, dtype=dtype) * scale
    for t in (1.0, 1.0001, 1.5, 3.0, 10.0):
        total = tempered_log_softmax(activation, t).exp().sum(-1)
        torch.testing.assert_close(total, torch.ones_like(total), rtol=100 * torch.finfo(dtype).eps, atol=0)


def test_a_temperature_per_row():
    t = torch.tensor([[1.0], [1.2], [2.0], [5.0]], dtype=torch.float64)
    alone = [tempered_log_softmax(ACTIVATION[row], t[row].item()) for row in range(4)]
    torch.testing.assert_close(tempered_log_softmax(ACTIVATION, t), torch.stack(alone), rtol=1e-12, atol=1e-14)
    leaf = ACTIVATION.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: tempered_log_softmax(x, t), leaf)


def test_divergence_by_definition():
    logs = tempered_log_softmax(ACTIVATION, 1.3)
    right = torch.tensor([0, 5, 2, 2])
    p = logs.exp().numpy()
    for t in (0.0, 0.5, 0.9):
        log_t = (p[np.arange(4), right] ** (1 - t) - 1) / (1 - t)
        wanted = -log_t - (1 - (p ** (2 - t)).sum(-1)) / (2 - t)
        np.testing.assert_allclose(tempered_divergence(logs, right, t).numpy(), wanted, rtol=1e-12)
