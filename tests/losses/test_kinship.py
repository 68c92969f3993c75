"""What the docstrings call kin: losses that equal each other under some option."""

from __future__ import annotations

import pytest
import torch

from losscli.losses import find

CHANCE = torch.Generator().manual_seed(11)
X = torch.randn(50, generator=CHANCE, dtype=torch.float64) * 3
BIT = torch.randint(2, (50,), generator=CHANCE).double()
TRUE = torch.randn(50, generator=CHANCE, dtype=torch.float64)
LOGITS = torch.randn(50, 5, generator=CHANCE, dtype=torch.float64) * 2
CLASS = torch.randint(5, (50,), generator=CHANCE)
PAIR = torch.stack([torch.zeros_like(X), X], -1)  # two logits whose difference is X
YES = BIT.long()


def binary(name, prediction=X, target=BIT, **options):
    return find(name, "binary").function(prediction, target, **options)


def multiclass(name, prediction=LOGITS, target=CLASS, **options):
    return find(name, "multiclass").function(prediction, target, **options)


def regression(name, **options):
    return find(name, "regression").function(X, TRUE, **options)


KIN = {
    "bce of a sigmoid is bce-logits": lambda: (binary("bce", torch.sigmoid(X)), binary("bce-logits")),
    "soft-margin is bce-logits": lambda: (binary("soft-margin"), binary("bce-logits")),
    "binary focal without gamma is bce-logits": lambda: (binary("focal", gamma=0.0), binary("bce-logits")),
    "squared-hinge is the square of hinge": lambda: (binary("squared-hinge"), binary("hinge") ** 2),
    "brier is mse of the probability": lambda: (
        binary("brier"),
        find("mse", "regression").function(torch.sigmoid(X), BIT),
    ),
    "nll of a log-softmax is cross-entropy": lambda: (
        multiclass("nll", torch.log_softmax(LOGITS, -1)),
        multiclass("cross-entropy"),
    ),
    "focal without gamma is cross-entropy": lambda: (multiclass("focal", gamma=0.0), multiclass("cross-entropy")),
    "cross-entropy of two classes is bce-logits": lambda: (
        multiclass("cross-entropy", PAIR, YES),
        binary("bce-logits"),
    ),
    "focal of two classes is binary focal": lambda: (multiclass("focal", PAIR, YES), binary("focal")),
    "multi-margin of two classes is half of hinge": lambda: (
        multiclass("multi-margin", PAIR, YES),
        binary("hinge") / 2,
    ),
    "one-hot probabilities are class indices": lambda: (
        multiclass("cross-entropy", target=torch.eye(5, dtype=torch.float64)[CLASS], label_smoothing=0.2),
        multiclass("cross-entropy", label_smoothing=0.2),
    ),
    "huber with a large delta is half of mse": lambda: (regression("huber", delta=1e6), regression("mse") / 2),
    "huber is delta times smooth-l1": lambda: (
        regression("huber", delta=0.7),
        0.7 * regression("smooth-l1", beta=0.7),
    ),
    "quantile of one half is half of mae": lambda: (regression("quantile", tau=0.5), regression("mae") / 2),
}


@pytest.mark.parametrize("claim", KIN)
def test_kin(claim):
    one, other = KIN[claim]()
    assert one.shape == (50,)
    torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-14)


def test_smooth_l1_with_a_small_beta_is_mae():
    torch.testing.assert_close(regression("smooth-l1", beta=1e-9), regression("mae"), rtol=1e-7, atol=0)


def test_log_cosh_lies_between_mae_less_log_2_and_half_of_mse():
    value = regression("log-cosh")
    assert (value <= regression("mse") / 2).all()
    assert (value >= regression("mae") - torch.log(torch.tensor(2.0)).double()).all()
