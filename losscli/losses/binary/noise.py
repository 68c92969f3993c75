"""Losses that bound what one row may cost, so that wrong labels do not decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from losscli.lazy import Tensor, functional, torch
from losscli.losses import Bounds, Fraction, Number, loss
from losscli.losses.finite import widened
from losscli.losses.tempered import tempered_divergence, tempered_log_softmax

Order = Annotated[Number, Bounds(low=0, high=1, low_open=True)]
Tail = Annotated[Number, Bounds(low=1, high=10)]


@loss("binary", "logits", "0 or 1", aliases=("generalized-cross-entropy", "lq"))
def gce(prediction: Tensor, target: Tensor, *, q: Order = 0.7) -> Tensor:
    """Generalised cross-entropy: between log-loss (q to 0) and absolute error (q = 1); a row costs at most 1 / q.

    Use: labels of which a part is wrong.
    Avoid: clean labels, and probabilities that are to be believed; a large q is slow to start.

    Domain: any logit; target 0 or 1.
    Shapes: prediction and target [...] -> [...].

    Formula: L = (1 - p_t^q) / q, p_t = sigmoid(s x).

    Source: Zhang and Sabuncu 2018, Generalized Cross Entropy Loss, https://arxiv.org/abs/1805.07836. q is 0.7 here as
    there, and 0.5 in Keras.

    Kin: q = 1 is the absolute error of the probability, cost-sensitive with both costs 1; q to 0 is bce-logits; with
    two classes equals the multiclass gce.

    >>> gce(torch.tensor(0.0), torch.tensor(1.0), q=1.0).item()  # 1 - 1/2
    0.5
    """
    # Plain: 1 - p_t ** q, which cancels for a confident right answer.
    return -torch.expm1(q * functional.logsigmoid((2 * target - 1) * prediction)) / q


def _tempered_probability(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    """The probability of yes, which is not the sigmoid."""
    return _tempered(prediction, options.get("t2", 1.2))[..., 1].exp()


@loss("binary", "logits", "0 or 1", aliases=("bi-tempered-logistic",), point=_tempered_probability)
def bi_tempered(prediction: Tensor, target: Tensor, *, t1: Fraction = 0.8, t2: Tail = 1.2) -> Tensor:
    """Bi-tempered logistic loss: t1 < 1 bounds what a row may cost, t2 > 1 gives the probability a heavy tail.

    Use: labels that are wrong both near the boundary (t2) and far from it (t1).
    Avoid: clean labels, where bce-logits is simpler, faster and convex.

    Domain: any logit; target 0 or 1. The probability is no sigmoid: it is the tempered softmax of the logits 0 and x.
    Shapes: prediction and target [...] -> [...].

    Formula: L = -log_t1 p_y - (1 - p_0^(2 - t1) - p_1^(2 - t1)) / (2 - t1), p = exp_t2((0, x) - c), c such that p sums
    to 1, log_t(p) = (p^(1 - t) - 1) / (1 - t), exp_t its inverse.

    Source: Amid et al. 2019, Robust Bi-Tempered Logistic Loss, https://arxiv.org/abs/1906.03361; c is solved to
    the last digit, not by 5 iterations.

    Kin: t1 = t2 = 1 is bce-logits; equals the multiclass bi-tempered of the logits 0 and x.

    >>> round(bi_tempered(torch.tensor(0.0), torch.tensor(1.0), t1=0.0, t2=1.0).item(), 4)  # (1 - 1/2) - (1 - 1/2) / 2
    0.25
    """
    return tempered_divergence(_tempered(prediction, t2), target.long(), t1)


def _tempered(prediction: Tensor, t2: Number) -> Tensor:
    """The logarithms of the tempered probabilities of no and of yes, [..., 2]."""
    wide = widened(prediction)
    pair = torch.stack([torch.zeros_like(wide), wide], -1)
    return tempered_log_softmax(pair, t2.unsqueeze(-1) if isinstance(t2, Tensor) and t2.ndim else t2)
