"""Every binary loss against an independent oracle, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import brier_score_loss, hinge_loss
from torch.nn import functional

from losscli.losses import for_task


def torch_bce(function):
    def oracle(x, y, pos_weight=None, label_smoothing=0.0):
        y = y - label_smoothing * (y - 0.5)
        return function(x, y, pos_weight)

    return oracle


def bce_of_probabilities(p, y, pos_weight):
    if pos_weight is None:
        return functional.binary_cross_entropy(p, y, reduction="none")
    both = [functional.binary_cross_entropy(p, torch.full_like(p, value), reduction="none") for value in (1.0, 0.0)]
    return pos_weight * y * both[0] + (1 - y) * both[1]


def plain_focal(x, y, gamma=2.0, alpha=None):
    """Lin et al. 2017, equations 1, 2, 5, case by case."""
    found = []
    for logit, label in zip(x.tolist(), y.tolist(), strict=True):
        p = 1 / (1 + np.exp(-logit))
        right = p if label == 1 else 1 - p
        share = 1.0 if alpha is None else alpha if label == 1 else 1 - alpha
        found.append(share * (1 - right) ** gamma * -np.log(right))
    return torch.tensor(found, dtype=torch.float64)


def by_sample(score):
    """An oracle that gives a weighted mean, asked for one sample at a time."""
    return lambda x, y, **options: torch.tensor(
        [score(x.numpy(), y.numpy(), only, **options) for only in np.eye(len(x))], dtype=torch.float64
    )


def scikit_hinge(x, y, only, margin=1.0):
    return margin * hinge_loss(y, x / margin, sample_weight=only)


ORACLES = {
    "bce-logits": torch_bce(
        lambda x, y, w: functional.binary_cross_entropy_with_logits(
            x, y, pos_weight=None if w is None else torch.tensor([w], dtype=x.dtype), reduction="none"
        )
    ),
    "bce": torch_bce(bce_of_probabilities),
    "focal": plain_focal,
    "soft-margin": lambda x, y: functional.soft_margin_loss(x, 2 * y - 1, reduction="none"),
    "brier": by_sample(lambda x, y, only: brier_score_loss(y, 1 / (1 + np.exp(-x)), sample_weight=only)),
    "hinge": by_sample(scikit_hinge),
    "squared-hinge": by_sample(lambda x, y, only, margin=1.0: scikit_hinge(x, y, only, margin) ** 2),
}
OPTIONS = {
    "bce-logits": [{"pos_weight": 3.0}, {"label_smoothing": 0.1}, {"pos_weight": 0.5, "label_smoothing": 0.3}],
    "bce": [{"pos_weight": 3.0}, {"label_smoothing": 0.1}, {"pos_weight": 0.5, "label_smoothing": 0.3}],
    "focal": [{"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 5.0, "alpha": 0.25}],
    "hinge": [{"margin": 0.5}],
    "squared-hinge": [{"margin": 2.0}],
}
SERVING = {name: item for name, item in for_task("binary").items() if item.task == "binary"}


def test_every_binary_loss_has_an_oracle():
    assert set(ORACLES) == set(SERVING)


@pytest.mark.parametrize("name", ORACLES)
def test_values(name):
    item = SERVING[name]
    chance = torch.Generator().manual_seed(5)
    x = torch.randn(40, generator=chance, dtype=torch.float64) * 2
    y = torch.randint(2, (40,), generator=chance).double()
    prediction = torch.sigmoid(x) if item.expects == "probabilities" else x
    for options in [{}, *OPTIONS.get(name, [])]:
        wanted = ORACLES[name](prediction, y, **options)
        assert wanted.shape == (40,)
        torch.testing.assert_close(item.function(prediction, y, **options), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "name", [name for name, item in SERVING.items() if item.target == "0 to 1" and name != "brier"]
)
def test_soft_targets_agree_with_torch(name):
    item = SERVING[name]
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)
    y = torch.linspace(0, 1, 7, dtype=torch.float64)
    prediction = torch.sigmoid(x) if item.expects == "probabilities" else x
    torch.testing.assert_close(item.function(prediction, y), ORACLES[name](prediction, y), rtol=1e-12, atol=1e-14)


def test_bce_agrees_with_torch_where_a_probability_is_0_or_1():
    p = torch.tensor([0.0, 0.0, 1.0, 1.0, 1e-30, 1e-30])
    y = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    wanted = functional.binary_cross_entropy(p, y, reduction="none")
    assert wanted[:4].tolist() == [0.0, 100.0, 100.0, 0.0]
    torch.testing.assert_close(SERVING["bce"].function(p, y), wanted, rtol=2e-6, atol=0)


def test_a_confident_right_answer_keeps_its_digits_in_float32():
    logits = torch.tensor([30.0, 60.0])
    exact = [np.log1p(np.exp(-30.0)), np.log1p(np.exp(-60.0))]
    for y in (0.0, 1.0):
        signed = logits * (2 * y - 1)
        for name in ("bce-logits", "soft-margin"):
            assert SERVING[name].function(signed, torch.full((2,), y)).tolist() == pytest.approx(exact, rel=2e-6, abs=0)
        squares = SERVING["brier"].function(signed / 4, torch.full((2,), y)).tolist()
        assert squares == pytest.approx([(1 + np.exp(7.5)) ** -2, (1 + np.exp(15.0)) ** -2], rel=2e-6, abs=0)
