"""Losses of a squared distance between distributions: brier after a softmax, sparsemax after a projection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscli.lazy import Tensor, torch
from losscli.losses import loss
from losscli.losses.finite import widened
from losscli.losses.multiclass.classes import distribution, expected, is_class


@loss("multiclass", "logits", "class index or probabilities", aliases=("brier-score", "quadratic-score"))
def brier(prediction: Tensor, target: Tensor) -> Tensor:
    """Brier score: the squared distance of the probabilities from the truth; a mistake never costs more than 2.

    Use: probabilities under labels that are sometimes wrong: no row costs more than 2.
    Avoid: many classes and a bad start: the gradient of a confident mistake vanishes.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B].

    Formula: L = sum_k (p_k - t_k)^2, p = softmax(x), t one-hot for an index.

    Source: Brier 1950, Verification of Forecasts Expressed in Terms of Probability.

    Kin: with K = 2 equals twice the binary brier of x_1 - x_0.

    >>> brier(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item()  # 1/4 + 1/4
    0.5
    """
    p = torch.softmax(prediction, -1)
    if target.is_floating_point():
        return (p - target).square().sum(-1)
    # Plain: (p_y - 1)^2, which cancels for a confident right answer; the others hold exactly what it lacks.
    others = p.masked_fill(is_class(p, target), 0.0)
    return others.square().sum(-1) + others.sum(-1).square()


def project(scores: Tensor) -> Tensor:
    """The point of the probability simplex nearest to the scores, over the last dimension: softmax with exact zeros.

    >>> project(torch.tensor([0.25, 0.75, -2.0])).tolist()
    [0.25, 0.75, 0.0]
    """
    shifted = scores - scores.amax(-1, keepdim=True)
    # A score of 1 below the largest gets nothing: cut there, sums stay small. float16 and bfloat16 cannot count the places.
    wide = widened(shifted.detach()).clamp(min=-1)
    ordered = wide.sort(-1, descending=True).values
    places = torch.arange(1, scores.shape[-1] + 1, dtype=wide.dtype, device=wide.device)
    size = (1 + places * ordered > ordered.cumsum(-1)).sum(-1, keepdim=True).clamp(min=1)  # of the support
    inside = wide >= ordered.gather(-1, size - 1)
    total = torch.where(inside, shifted, 0.0).sum(-1, keepdim=True)
    threshold = (total - 1) / inside.sum(-1, keepdim=True)
    return torch.where(inside, shifted - threshold, 0.0)


def _projected(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    return project(prediction)


@loss(
    "multiclass",
    "scores",
    "class index or probabilities",
    aliases=("multiclass-sparsemax",),
    point=_projected,
)
def sparsemax(prediction: Tensor, target: Tensor) -> Tensor:
    """Sparsemax: like cross-entropy, for probabilities that may be exactly 0; a row that is right by 1 costs nothing.

    Use: rows for which most classes are plainly impossible.
    Avoid: a log-loss over the predictions: one exact zero in the wrong place is infinite.

    Domain: any scores; target class indices 0 to K - 1, or probabilities over the K classes. The prediction is the point
    of the simplex nearest to the scores.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B].

    Formula: L = -x_y + sum_{k in S} (x_k^2 - c^2) / 2 + 1/2, p_k = max(0, x_k - c) sums to 1, S where p_k > 0; for
    probabilities t, sum_k (p_k - t_k) x_k + (|t|^2 - |p|^2) / 2.

    Source: Martins and Astudillo 2016, From Softmax to Sparsemax, https://arxiv.org/abs/1602.02068.

    Kin: with K = 2 equals 0, (1 - m)^2 / 4 and -m in turn for margins m = x_y - x_other above 1, between, and below -1
    (the modified Huber loss of m, a quarter of it); its gradient is p - t, as cross-entropy's is.

    Elsewhere: optax multiclass_sparsemax_loss.

    >>> sparsemax(torch.tensor([[0.0, 0.5]]), torch.tensor([1])).item()  # (1 - 0.5)^2 / 4
    0.0625
    """
    # Plain: squares of scores, which cancel; written with p, every term is linear in the scores.
    shifted = prediction - prediction.amax(-1, keepdim=True)
    p = project(shifted)
    truth = distribution(p, target)
    return (p * shifted).sum(-1) - expected(shifted, target) + (truth.square() - p.square()).sum(-1) / 2
