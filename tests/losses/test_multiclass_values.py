"""Every multiclass loss against an independent oracle, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from losscli.losses import for_task

WEIGHT = torch.tensor([0.5, 2.0, 1.0, 0.1], dtype=torch.float64)


def plain_focal(x, y, gamma=2.0, alpha=None):
    """Lin et al. 2017, on the softmax of the right class."""
    p = np.exp(x.numpy()) / np.exp(x.numpy()).sum(-1, keepdims=True)
    right = np.array([row[label] for row, label in zip(p, y.tolist(), strict=True)])
    share = 1.0 if alpha is None else np.asarray(alpha)[y.numpy()]
    return torch.from_numpy(share * (1 - right) ** gamma * -np.log(right))


ORACLES = {
    "cross-entropy": lambda x, y, **options: functional.cross_entropy(x, y, reduction="none", **options),
    "nll": lambda x, y, **options: functional.nll_loss(x, y, reduction="none", **options),
    "focal": plain_focal,
    "multi-margin": lambda x, y, **options: functional.multi_margin_loss(x, y, reduction="none", **options),
}
OPTIONS = {
    "cross-entropy": [{"weight": WEIGHT}, {"label_smoothing": 0.1}, {"weight": WEIGHT, "label_smoothing": 0.3}],
    "nll": [{"weight": WEIGHT}],
    "focal": [{"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 3.0, "alpha": WEIGHT}],
    "multi-margin": [{"p": 2}, {"margin": 0.5}, {"p": 2, "margin": 3.0}],
}
SERVING = {name: item for name, item in for_task("multiclass").items() if item.task == "multiclass"}


def sample(classes=4):
    chance = torch.Generator().manual_seed(6)
    x = torch.randn(40, classes, generator=chance, dtype=torch.float64) * 2
    return x, torch.randint(classes, (40,), generator=chance)


def test_every_multiclass_loss_has_an_oracle():
    assert set(ORACLES) == set(SERVING)


@pytest.mark.parametrize("name", ORACLES)
def test_values(name):
    item = SERVING[name]
    x, y = sample()
    prediction = torch.log_softmax(x, -1) if item.expects == "log-probabilities" else x
    for options in [{}, *OPTIONS[name]]:
        wanted = ORACLES[name](prediction, y, **options)
        assert wanted.shape == (40,)
        torch.testing.assert_close(item.function(prediction, y, **options), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("options", [{}, *OPTIONS["cross-entropy"]])
def test_cross_entropy_with_probabilities_agrees_with_torch(options):
    x, _ = sample()
    t = torch.softmax(torch.flip(x, (0,)), -1)
    wanted = functional.cross_entropy(x, t, reduction="none", **options)
    torch.testing.assert_close(SERVING["cross-entropy"].function(x, t, **options), wanted, rtol=1e-12, atol=1e-14)


def test_focal_keeps_its_digits_for_a_confident_right_answer_in_float32():
    """1 - p_y is 9e-5 here, of which float32 keeps three digits beside 1."""
    wrong = 2 * np.exp(-10.0) / (1 + 2 * np.exp(-10.0))
    confident = torch.tensor([[10.0, 0.0, 0.0]]), torch.tensor([0])
    faded = SERVING["focal"].function(*confident, gamma=8.0) / SERVING["cross-entropy"].function(*confident)
    assert faded.item() == pytest.approx(wrong**8, rel=2e-5, abs=0)
