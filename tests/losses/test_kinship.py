"""What the docstrings call kin: losses that equal each other under some option."""

from __future__ import annotations

import math

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
RATE = LOGITS[:, 1]
COUNT = (TRUE.abs() * 5).floor()
SCORES = torch.randn(50, 6, generator=CHANCE, dtype=torch.float64) * 2  # 50 batches of 6, or 50 rows of 6 labels
HAS = torch.cat([torch.ones(50, 1), torch.randint(2, (50, 4), generator=CHANCE), torch.zeros(50, 1)], 1).double()
ONE_HOT = torch.eye(5, dtype=torch.float64)[CLASS]
COUNTS = torch.tensor([7.0, 1.0, 30.0, 400.0, 5.0], dtype=torch.float64)
STEPS = LOGITS[:, :4]  # what coral and corn see of five ranks


def binary(name, prediction=X, target=BIT, **options):
    return find(name, "binary").function(prediction, target, **options)


def multiclass(name, prediction=LOGITS, target=CLASS, **options):
    return find(name, "multiclass").function(prediction, target, **options)


def multilabel(name, prediction=SCORES, target=HAS, **options):
    return find(name, "multilabel").function(prediction, target, **options)


def regression(name, **options):
    return find(name, "regression").function(X, TRUE, **options)


def sure(name, **options):
    """A distribution whose log-spread is 0."""
    return find(name, "regression").function(torch.stack([X, torch.zeros_like(X)], -1), TRUE, **options)


def spread_out(name, **options):
    return find(name, "regression").function(torch.stack([X, LOGITS[:, 0]], -1), TRUE, **options)


def rate(name, **options):
    return find(name, "regression").function(RATE, COUNT, **options)


def zeros(name, logit, **options):
    """The same log-rates beside a logit of zero."""
    logits = torch.as_tensor(logit, dtype=torch.float64).expand_as(RATE)
    return find(name, "regression").function(torch.stack([RATE, logits], -1), COUNT, **options)


KIN = {
    "bce of a sigmoid is bce-logits": lambda: (binary("bce", torch.sigmoid(X)), binary("bce-logits")),
    "soft-margin is bce-logits": lambda: (binary("soft-margin"), binary("bce-logits")),
    "binary focal without gamma is bce-logits": lambda: (binary("focal", gamma=0.0), binary("bce-logits")),
    "squared-hinge is the square of hinge": lambda: (binary("squared-hinge"), binary("hinge") ** 2),
    "brier is mse of the probability": lambda: (
        binary("brier"),
        find("mse", "regression").function(torch.sigmoid(X), BIT),
    ),
    "binary poly-1 without epsilon is bce-logits": lambda: (binary("poly-1", epsilon=0.0), binary("bce-logits")),
    "binary asymmetric without clip is focal": lambda: (
        binary("asymmetric", gamma_neg=3.0, gamma_pos=3.0, clip=0.0),
        binary("focal", gamma=3.0),
    ),
    "binary asymmetric without gammas and clip is bce-logits": lambda: (
        binary("asymmetric", gamma_neg=0.0, gamma_pos=0.0, clip=0.0),
        binary("bce-logits"),
    ),
    "cost-sensitive is gce with q 1, weighted": lambda: (
        binary("cost-sensitive", false_positive=3.0, false_negative=0.5),
        binary("gce", q=1.0) * (0.5 * BIT + 3 * (1 - BIT)),
    ),
    "gce with q 1 is the absolute error of the probability": lambda: (
        binary("gce", q=1.0),
        find("mae", "regression").function(torch.sigmoid(X), BIT),
    ),
    "binary bi-tempered at room temperature is bce-logits": lambda: (
        binary("bi-tempered", t1=1.0, t2=1.0),
        binary("bce-logits"),
    ),
    "binary bi-tempered with t1 0 and t2 1 is brier": lambda: (
        binary("bi-tempered", t1=0.0, t2=1.0),
        binary("brier"),
    ),
    "modified-huber is squared-hinge within 1": lambda: (
        binary("modified-huber", X.clamp(-1, 1)),
        binary("squared-hinge", X.clamp(-1, 1)),
    ),
    "soft-margin is log(1 + exponential)": lambda: (binary("soft-margin"), binary("exponential").log1p()),
    "hinge is perceptron of a score less its margin": lambda: (binary("hinge"), binary("perceptron", X - 2 * BIT + 1)),
    "dice is tversky of halves with half of smooth": lambda: (
        binary("dice", SCORES, HAS, smooth=0.6),
        binary("tversky", SCORES, HAS, smooth=0.3),
    ),
    "soft-f1 is dice without smooth": lambda: (
        binary("soft-f1", SCORES, HAS),
        binary("dice", SCORES, HAS, smooth=1e-14),
    ),
    "auc-pairwise of one pair is soft-margin of the lead": lambda: (
        binary("auc-pairwise", SCORES[:, :2], torch.tensor([1.0, 0.0]).expand(50, 2)),
        binary("soft-margin", SCORES[:, 0] - SCORES[:, 1], torch.ones(50)),
    ),
    "auc-pairwise of one pair is hinge of the lead": lambda: (
        binary("auc-pairwise", SCORES[:, :2], torch.tensor([1.0, 0.0]).expand(50, 2), surrogate="hinge"),
        binary("hinge", SCORES[:, 0] - SCORES[:, 1], torch.ones(50)),
    ),
    "multilabel soft-f1 is the mean of soft-f1 per label": lambda: (
        multilabel("soft-f1", SCORES.view(50, 3, 2), HAS.view(50, 3, 2)),
        torch.stack([binary("soft-f1", SCORES[:, label::2], HAS[:, label::2]) for label in range(2)]).mean(0),
    ),
    "zlpr of a single label is bce-logits": lambda: (
        multilabel("zlpr", X[:, None], BIT[:, None]),
        binary("bce-logits"),
    ),
    "pairwise of one label per row is cross-entropy": lambda: (
        multilabel("pairwise", LOGITS, ONE_HOT),
        multiclass("cross-entropy"),
    ),
    "multilabel-margin of one label per row is multi-margin": lambda: (
        multilabel("multilabel-margin", LOGITS, ONE_HOT),
        multiclass("multi-margin"),
    ),
    "pairwise of two labels, one right, is soft-margin of the lead": lambda: (
        multilabel("pairwise", PAIR, torch.stack([1 - BIT, BIT], -1)),
        binary("soft-margin"),
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
    "rps of two classes is the binary brier": lambda: (multiclass("rps", PAIR, YES), binary("brier")),
    "huber with a large delta is half of mse": lambda: (regression("huber", delta=1e6), regression("mse") / 2),
    "huber is delta times smooth-l1": lambda: (
        regression("huber", delta=0.7),
        0.7 * regression("smooth-l1", beta=0.7),
    ),
    "quantile of one half is half of mae": lambda: (regression("quantile", tau=0.5), regression("mae") / 2),
    "expectile of one half is half of mse": lambda: (regression("expectile", tau=0.5), regression("mse") / 2),
    "epsilon-insensitive without a tube is mae": lambda: (
        regression("epsilon-insensitive", epsilon=0.0),
        regression("mae"),
    ),
    "barron of 2 is half of mse": lambda: (regression("barron", alpha=2.0, scale=0.5), regression("mse") * 2),
    "barron of 1 is pseudo-huber": lambda: (
        regression("barron", alpha=1.0, scale=0.7) * 0.49,
        regression("pseudo-huber", delta=0.7),
    ),
    "barron of 0 is cauchy": lambda: (
        regression("barron", alpha=0.0, scale=0.7),
        regression("cauchy", scale=0.7),
    ),
    "barron of -2 is geman-mcclure": lambda: (
        regression("barron", alpha=-2.0, scale=0.7),
        regression("geman-mcclure", scale=0.7),
    ),
    "barron of minus infinity is welsch": lambda: (
        regression("barron", alpha=-math.inf, scale=0.7),
        regression("welsch", scale=0.7),
    ),
    "gaussian-nll of variance 1 is half of mse": lambda: (
        sure("gaussian-nll"),
        (regression("mse") + math.log(2 * math.pi)) / 2,
    ),
    "beta-nll without beta is gaussian-nll": lambda: (
        spread_out("beta-nll", beta=0.0),
        spread_out("gaussian-nll"),
    ),
    "laplace-nll of scale 1 is mae": lambda: (sure("laplace-nll"), regression("mae") + math.log(2)),
    "student-t-nll of df 1 and scale s is cauchy": lambda: (
        sure("student-t-nll", df=1.0) - math.log(math.pi),
        regression("cauchy", scale=0.5**0.5),
    ),
    "crps-gaussian of no spread is mae": lambda: (
        find("crps-gaussian", "regression").function(torch.stack([X, torch.full_like(X, -100.0)], -1), TRUE),
        regression("mae"),
    ),
    "one quantile is quantile": lambda: (
        find("multi-quantile", "regression").function(X[:, None], TRUE, taus=[0.3]),
        regression("quantile", tau=0.3),
    ),
    "negative-binomial-nll of 1 is geometric": lambda: (
        rate("negative-binomial-nll", alpha=1.0),
        (COUNT + 1) * torch.log1p(RATE.exp()) - COUNT * RATE,
    ),
    "hurdle-poisson-nll of Poisson's own zeros is poisson-nll": lambda: (
        zeros("hurdle-poisson-nll", -torch.log(torch.expm1(RATE.exp()))),
        rate("poisson-nll"),
    ),
    "hurdle-negative-binomial-nll of its own zeros is negative-binomial-nll": lambda: (
        zeros("hurdle-negative-binomial-nll", -torch.log(torch.expm1(torch.log1p(0.7 * RATE.exp()) / 0.7)), alpha=0.7),
        rate("negative-binomial-nll", alpha=0.7),
    ),
    "gamma-nll of shape 1 is that of an exponential": lambda: (
        find("gamma-nll", "regression").function(RATE, COUNT + 1, shape=1.0),
        RATE + (COUNT + 1) * torch.exp(-RATE),
    ),
    "mape of target 1 is mae": lambda: (
        find("mape", "regression").function(X, torch.ones(50).double()),
        find("mae", "regression").function(X, torch.ones(50).double()),
    ),
    "msle is mse of log(1 + number)": lambda: (
        find("msle", "regression").function(X.abs(), COUNT),
        find("mse", "regression").function(torch.log1p(X.abs()), torch.log1p(COUNT)),
    ),
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


def test_perceptron_is_a_hinge_and_a_soft_margin_in_the_limit():
    torch.testing.assert_close(binary("hinge", margin=1e-12), binary("perceptron"), rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(binary("soft-margin", X * 1e9) / 1e9, binary("perceptron"), rtol=1e-7, atol=1e-8)


def test_modified_huber_lies_below_squared_hinge():
    assert (binary("modified-huber") <= binary("squared-hinge") + 1e-12).all()


def test_binary_gce_with_a_small_q_is_bce_logits():
    torch.testing.assert_close(binary("gce", q=1e-9), binary("bce-logits"), rtol=1e-7, atol=0)


def test_zlpr_is_never_below_pairwise():
    assert (multilabel("zlpr") >= multilabel("pairwise")).all()


def test_tversky_of_ones_is_one_minus_jaccard():
    decided = torch.where(SCORES > 0, 100.0, -100.0).double()
    yes, truth = decided > 0, HAS > 0
    jaccard = (yes & truth).sum(-1) / (yes | truth).sum(-1)
    found = binary("tversky", decided, HAS, alpha=1.0, beta=1.0, smooth=1e-12)
    torch.testing.assert_close(found, 1 - jaccard.double(), rtol=1e-6, atol=1e-7)


LIMITS = {  # kin in the limit only
    "wing without a width is mae": lambda: (regression("wing", width=1e-9, curvature=1.0), regression("mae")),
    "pseudo-huber with a large delta is half of mse": lambda: (
        regression("pseudo-huber", delta=1e5),
        regression("mse") / 2,
    ),
    "fair with a large c is half of mse": lambda: (regression("fair", c=1e6), regression("mse") / 2),
    "fair with a small c, over c, is mae": lambda: (regression("fair", c=1e-9) / 1e-9, regression("mae")),
    "tukey-biweight with a large c is half of mse": lambda: (
        regression("tukey-biweight", c=1e5),
        regression("mse") / 2,
    ),
    "welsch with a large scale is half of mse": lambda: (regression("welsch", scale=1e4) * 1e8, regression("mse") / 2),
    "poisson-nll is negative-binomial-nll of no dispersion": lambda: (
        rate("negative-binomial-nll", alpha=1e-8),
        rate("poisson-nll"),
    ),
    "zero-inflated-poisson-nll of no certain zeros is poisson-nll": lambda: (
        zeros("zero-inflated-poisson-nll", -40.0),
        rate("poisson-nll"),
    ),
    "zero-inflated-negative-binomial-nll of no certain zeros is negative-binomial-nll": lambda: (
        zeros("zero-inflated-negative-binomial-nll", -40.0, alpha=0.7),
        rate("negative-binomial-nll", alpha=0.7),
    ),
    "zero-inflated-negative-binomial-nll of no dispersion is zero-inflated-poisson-nll": lambda: (
        zeros("zero-inflated-negative-binomial-nll", 0.3, alpha=1e-8),
        zeros("zero-inflated-poisson-nll", 0.3),
    ),
    "hurdle-negative-binomial-nll of no dispersion is hurdle-poisson-nll": lambda: (
        zeros("hurdle-negative-binomial-nll", 0.3, alpha=1e-8),
        zeros("hurdle-poisson-nll", 0.3),
    ),
    "student-t-nll of many df is gaussian-nll": lambda: (
        sure("student-t-nll", df=1e8),
        sure("gaussian-nll"),
    ),
    "rmse is the root of the mean of mse": lambda: (regression("rmse", eps=1e-12), regression("mse").mean().sqrt()),
    "crps-gaussian is the mean of twice quantile over all levels": lambda: (sure("crps-gaussian"), over_levels(20_000)),
}


def over_levels(levels):
    """The pinball losses of a standard normal's quantiles about X, at evenly spread levels."""
    tau = (torch.arange(levels, dtype=torch.float64) + 0.5)[:, None] / levels
    quantiles = X + math.sqrt(2) * torch.erfinv(2 * tau - 1)
    return 2 * find("quantile", "regression").function(quantiles, TRUE.expand_as(quantiles), tau=tau).mean(0)


@pytest.mark.parametrize("claim", LIMITS)
def test_kin_in_the_limit(claim):
    one, other = LIMITS[claim]()
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
