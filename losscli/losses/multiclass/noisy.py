"""Losses for labels of which some are wrong: a row that no model can get right must not cost without end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from losscli.lazy import Tensor, torch
from losscli.losses import Bounds, Fraction, NonNegative, Number, loss
from losscli.losses.multiclass.classes import entropy, expected, missed, of_class, over_classes
from losscli.losses.tempered import tempered_divergence, tempered_log_softmax

LOG_OF_ZERO = math.log(1e-4)  # what the logarithm of a label's zero counts as, in both sources
T2 = 1.2


@loss("multiclass", "logits", "class index or probabilities", aliases=("mae-probabilities", "total-variation"))
def mae(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of the probabilities: linear in what the right class lacks, so that no row costs more than 2.

    Use: few classes and many wrong labels that are wrong at random.
    Avoid: many classes or a short training: its gradient is small where the model is wrong.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B].

    Formula: L = sum_k |p_k - t_k|, p = softmax(x); for an index 2 (1 - p_y).

    Source: Ghosh et al. 2017, Robust Loss Functions under Label Noise for Deep Neural Networks,
    https://arxiv.org/abs/1712.09482 (a sum over the classes, not a mean).

    Kin: half of it is gce with q = 1; twice the total variation between p and t.

    >>> mae(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item()  # 2 (1 - 1/2)
    1.0
    """
    if target.is_floating_point():
        return (torch.softmax(prediction, -1) - target).abs().sum(-1)
    return 2 * missed(prediction, target)


@loss(
    "multiclass",
    "logits",
    "class index",
    aliases=("generalized-cross-entropy", "CategoricalGeneralizedCrossEntropy", "lq"),
)
def gce(
    prediction: Tensor, target: Tensor, *, q: Annotated[Number, Bounds(low=0, high=1, low_open=True)] = 0.7
) -> Tensor:
    """Generalised cross-entropy: between cross-entropy (q near 0: fast) and mae (q = 1: robust to wrong labels).

    Use: labels of which a part is wrong at random.
    Avoid: clean labels, and probabilities that are to be believed; a large q is slow on many classes.

    Domain: any logits; target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B].

    Formula: L = (1 - p_y^q) / q, p = softmax(x).

    Source: Zhang and Sabuncu 2018, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels,
    https://arxiv.org/abs/1805.07836. q is 0.5 in Keras.

    Kin: q = 1 is half of mae; the limit q -> 0 is cross-entropy.

    Elsewhere: Keras CategoricalGeneralizedCrossEntropy(q=0.7).

    >>> round(gce(torch.tensor([[0.0, 0.0]]), torch.tensor([1]), q=0.5).item(), 4)  # (1 - sqrt(1/2)) / (1/2)
    0.5858
    """
    # Plain: 1 - p_y ** q, which has no gradient once p_y rounds to 0, and no digits once it rounds to 1.
    return -torch.expm1(q * of_class(torch.log_softmax(prediction, -1), target)) / q


@loss(
    "multiclass",
    "logits",
    "class index",
    aliases=("symmetric", "symmetric-cross-entropy"),
)
def sce(prediction: Tensor, target: Tensor, *, alpha: NonNegative = 0.1, beta: NonNegative = 1.0) -> Tensor:
    """Symmetric cross-entropy: some cross-entropy to learn from, and its reverse, which wrong labels cannot pull far.

    Use: labels of which a part is wrong, and classes that are hard to learn.
    Avoid: clean labels, and probabilities that are to be believed.

    Domain: any logits; target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B].

    Formula: L = -alpha log p_y - beta sum_k p_k log t_k, p = softmax(x), log 0 counted as ln 1e-4.

    Source: Wang et al. 2019, Symmetric Cross Entropy for Robust Learning with Noisy Labels,
    https://arxiv.org/abs/1908.06112. Its A, what log 0 counts as, is fixed here.

    Kin: alpha 1, beta 0 is cross-entropy; alpha 0, beta 1 is mae times -ln(1e-4) / 2.

    >>> round(sce(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # 0.1 log 2 + log(1e4) / 2
    4.6745
    """
    wrong = -of_class(torch.log_softmax(prediction, -1), target)
    return alpha * wrong - beta * LOG_OF_ZERO * missed(prediction, target)


@loss("multiclass", "logits", "class index", name="nce-rce", aliases=("active-passive", "NCEandRCE"))
def nce_rce(prediction: Tensor, target: Tensor, *, alpha: NonNegative = 1.0, beta: NonNegative = 1.0) -> Tensor:
    """Active-passive: normalised cross-entropy pulls the right class up, reversed cross-entropy pushes the others down.

    Use: many wrong labels, where alpha and beta can be tuned.
    Avoid: clean labels, and probabilities that are to be believed.

    Domain: any logits; target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B].

    Formula: L = alpha log p_y / sum_k log p_k - beta sum_k p_k log t_k, p = softmax(x), log 0 counted as ln 1e-4.

    Source: Ma et al. 2020, Normalized Loss Functions for Deep Learning with Noisy Labels,
    https://arxiv.org/abs/2006.13554.

    Kin: alpha 0 is sce with alpha 0; both parts are bounded, as mae is.

    >>> round(nce_rce(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # 1/2 + log(1e4) / 2
    5.1052
    """
    logs = torch.log_softmax(prediction, -1)
    # Plain: log p_y / sum_k log p_k; the sum of a few classes already leaves float16.
    normalised = of_class(logs, target) / logs.mean(-1) / logs.shape[-1]
    return alpha * normalised - beta * LOG_OF_ZERO * missed(prediction, target)


@loss("multiclass", "logits", "class index or probabilities", aliases=("soft-bootstrap", "SoftBootstrappingLoss"))
def bootstrap_soft(prediction: Tensor, target: Tensor, *, beta: Fraction = 0.95) -> Tensor:
    """Soft bootstrapping: cross-entropy with a target that is mixed with what the model itself believes.

    Use: a few wrong labels, once the model has begun to be right.
    Avoid: a model that starts from nothing with a small beta: it may believe its own mistakes.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B].

    Formula: L = -sum_k (beta t_k + (1 - beta) p_k) log p_k, p = softmax(x), t one-hot for an index.

    Source: Reed et al. 2014, Training Deep Neural Networks on Noisy Labels with Bootstrapping,
    https://arxiv.org/abs/1412.6596. The gradient goes through p in both places.

    Kin: beta 1 is cross-entropy; beta 0 is the entropy of the prediction, whatever the target.

    >>> round(bootstrap_soft(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # log 2
    0.6931
    """
    logs = torch.log_softmax(prediction, -1)
    return -beta * expected(logs, target) + (1 - beta) * entropy(logs)


@loss("multiclass", "logits", "class index or probabilities", aliases=("hard-bootstrap", "HardBootstrappingLoss"))
def bootstrap_hard(prediction: Tensor, target: Tensor, *, beta: Fraction = 0.8) -> Tensor:
    """Hard bootstrapping: cross-entropy with a target that is mixed with the class that the model itself would choose.

    Use: a few wrong labels, once the model has begun to be right.
    Avoid: a model that starts from nothing with a small beta: it may believe its own mistakes.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B].

    Formula: L = -sum_k (beta t_k + (1 - beta) z_k) log p_k, p = softmax(x), z one-hot at the largest p, t one-hot for an
    index.

    Source: Reed et al. 2014, Training Deep Neural Networks on Noisy Labels with Bootstrapping,
    https://arxiv.org/abs/1412.6596.

    Kin: beta 1 is cross-entropy; equals cross-entropy for a row whose target is the largest.

    >>> round(bootstrap_hard(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # log 2
    0.6931
    """
    logs = torch.log_softmax(prediction, -1)
    return -beta * expected(logs, target) - (1 - beta) * logs.amax(-1)


def _tempered(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    return tempered_log_softmax(prediction, over_classes(options.get("t2", T2))).exp()


@loss("multiclass", "logits", "class index", aliases=("bi-tempered-logistic",), point=_tempered)
def bi_tempered(
    prediction: Tensor,
    target: Tensor,
    *,
    t1: Fraction = 0.8,
    t2: Annotated[Number, Bounds(low=1)] = T2,
) -> Tensor:
    """Bi-tempered logistic loss: bounded for far mistakes (t1 < 1), and with heavy tails for near ones (t2 > 1).

    Use: labels that are wrong both near the boundary (t2) and far from it (t1).
    Avoid: clean labels, where cross-entropy is simpler, faster and convex.

    Domain: any logits; target class indices 0 to K - 1. The prediction is p, the tempered softmax of x.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B].

    Formula: L = -log_t1 p_y - (1 - sum_k p_k^(2 - t1)) / (2 - t1), p_k = exp_t2(x_k - c) with c such that p sums to 1,
    log_t(u) = (u^(1 - t) - 1) / (1 - t), exp_t its inverse.

    Source: Amid et al. 2019, Robust Bi-Tempered Logistic Loss Based on Bregman Divergences,
    https://arxiv.org/abs/1906.03361. c is found by Newton's method to the last digit, where the source iterates five times.

    Kin: t1 = t2 = 1 is cross-entropy; t1 = 0, t2 = 1 is half of brier; with K = 2 equals the binary bi-tempered of x_1 - x_0.

    >>> round(bi_tempered(torch.tensor([[0.0, 0.0]]), torch.tensor([1]), t1=0.0).item(), 4)  # 1/2 - (1 - 1/2) / 2
    0.25
    """
    return tempered_divergence(tempered_log_softmax(prediction, over_classes(t2)), target, t1)
