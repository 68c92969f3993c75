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
COUNTS = torch.tensor([7.0, 1.0, 30.0, 400.0, 5.0], dtype=torch.float64)
STEPS = LOGITS[:, :4]  # what coral and corn see of five ranks


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
    "poly-1 without epsilon is cross-entropy": lambda: (multiclass("poly-1", epsilon=0.0), multiclass("cross-entropy")),
    "poly-1 is cross-entropy and half of mae": lambda: (
        multiclass("poly-1"),
        multiclass("cross-entropy") + multiclass("mae") / 2,
    ),
    "poly-1 of two classes is binary poly-1": lambda: (multiclass("poly-1", PAIR, YES), binary("poly-1")),
    "confidence-penalty without beta is cross-entropy": lambda: (
        multiclass("confidence-penalty", beta=0.0),
        multiclass("cross-entropy"),
    ),
    "crammer-singer of two classes is hinge": lambda: (multiclass("crammer-singer", PAIR, YES), binary("hinge")),
    "logit-adjusted without tau is cross-entropy": lambda: (
        multiclass("logit-adjusted", tau=0.0, counts=COUNTS),
        multiclass("cross-entropy"),
    ),
    "logit-adjusted to equal counts is cross-entropy": lambda: (
        multiclass("logit-adjusted", counts=torch.full((5,), 9.0)),
        multiclass("cross-entropy"),
    ),
    "logit-adjusted is cross-entropy of adjusted logits": lambda: (
        multiclass("balanced-softmax", counts=COUNTS),
        multiclass("cross-entropy", LOGITS + COUNTS.log()),
    ),
    "ldam without margin and scale is cross-entropy": lambda: (
        multiclass("ldam", max_margin=0.0, scale=1.0, counts=COUNTS),
        multiclass("cross-entropy"),
    ),
    "gce with q 1 is half of mae": lambda: (multiclass("gce", q=1.0), multiclass("mae") / 2),
    "gce of two classes is binary gce": lambda: (multiclass("gce", PAIR, YES), binary("gce")),
    "sce without beta is cross-entropy": lambda: (
        multiclass("sce", alpha=1.0, beta=0.0),
        multiclass("cross-entropy"),
    ),
    "sce without alpha is mae, times -ln(1e-4) / 2": lambda: (
        multiclass("sce", alpha=0.0),
        multiclass("mae") * 4.605170185988091,
    ),
    "nce-rce without alpha is sce without alpha": lambda: (
        multiclass("nce-rce", alpha=0.0),
        multiclass("sce", alpha=0.0),
    ),
    "bi-tempered at room temperature is cross-entropy": lambda: (
        multiclass("bi-tempered", t1=1.0, t2=1.0),
        multiclass("cross-entropy"),
    ),
    "bi-tempered with t1 0 and t2 1 is half of brier": lambda: (
        multiclass("bi-tempered", t1=0.0, t2=1.0),
        multiclass("brier") / 2,
    ),
    "bi-tempered of two classes is binary bi-tempered": lambda: (
        multiclass("bi-tempered", PAIR, YES),
        binary("bi-tempered"),
    ),
    "bootstrap-soft with beta 1 is cross-entropy": lambda: (
        multiclass("bootstrap-soft", beta=1.0),
        multiclass("cross-entropy"),
    ),
    "bootstrap-hard with beta 1 is cross-entropy": lambda: (
        multiclass("bootstrap-hard", beta=1.0),
        multiclass("cross-entropy"),
    ),
    "bootstrap-hard of what the model would choose is cross-entropy": lambda: (
        multiclass("bootstrap-hard", target=LOGITS.argmax(-1)),
        multiclass("cross-entropy", target=LOGITS.argmax(-1)),
    ),
    "brier of two classes is twice the binary brier": lambda: (multiclass("brier", PAIR, YES), 2 * binary("brier")),
    "sparsemax of two classes is a quarter of modified-huber": lambda: (
        multiclass("sparsemax", PAIR, YES),
        binary("modified-huber") / 4,
    ),
    "ova-bce is the mean of bce-logits over classes": lambda: (
        multiclass("ova-bce"),
        binary("bce-logits", LOGITS, torch.eye(5, dtype=torch.float64)[CLASS]).mean(-1),
    ),
    "asymmetric without gammas is smoothed cross-entropy": lambda: (
        multiclass("asymmetric", gamma_neg=0.0, label_smoothing=0.2),
        multiclass("cross-entropy", label_smoothing=0.2),
    ),
    "asymmetric without smoothing is focal": lambda: (
        multiclass("asymmetric", gamma_pos=3.0, label_smoothing=0.0),
        multiclass("focal", gamma=3.0),
    ),
    "coral of two ranks is bce-logits": lambda: (multiclass("coral", X[:, None], YES), binary("bce-logits")),
    "corn of two ranks is bce-logits": lambda: (multiclass("corn", X[:, None], YES), binary("bce-logits")),
    "coral is the sum of bce-logits over the steps": lambda: (
        multiclass("coral", STEPS),
        binary("bce-logits", STEPS, (CLASS[:, None] > torch.arange(4)).double()).sum(-1),
    ),
    "corn is nll of what it predicts": lambda: (
        multiclass("corn", STEPS),
        multiclass("nll", find("corn", "multiclass").point(STEPS, {}).log()),
    ),
    "emd of two classes is the binary brier": lambda: (multiclass("emd", PAIR, YES), binary("brier")),
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


def test_gce_with_a_small_q_is_cross_entropy():
    torch.testing.assert_close(multiclass("gce", q=1e-9), multiclass("cross-entropy"), rtol=1e-7, atol=0)


def test_crammer_singer_is_never_more_than_k_times_multi_margin():
    one, every = multiclass("crammer-singer"), 5 * multiclass("multi-margin")
    assert (one <= every * (1 + 1e-12)).all()
    assert (one < every).any()
