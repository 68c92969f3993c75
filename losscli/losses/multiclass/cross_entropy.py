"""Losses of a categorical probability: cross-entropy, from logits and from log-probabilities, and focal."""

from __future__ import annotations

import torch
from torch import Tensor

from losscli.losses import ClassWeight, Fraction, NonNegative, Number, loss


@loss(
    "multiclass",
    "logits",
    "class index or probabilities",
    aliases=("ce", "CrossEntropyLoss", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "softmax"),
)
def cross_entropy(
    prediction: Tensor, target: Tensor, *, weight: ClassWeight = None, label_smoothing: Fraction = 0.0
) -> Tensor:
    """Cross-entropy of logits: minus the log-probability of the right class.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B]. `weight` is a number, [K], or [R, 1, K].

    Formula: L = -sum_k w_k t'_k log softmax(x)_k, t' = t (1 - e) + e / K, e = label_smoothing, t one-hot for an index.

    Source: torch.nn.CrossEntropyLoss; label smoothing: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567.

    Kin: equals nll of log-softmax(x); with K = 2 equals bce-logits of x_1 - x_0.

    >>> round(cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # log 2
    0.6931
    """
    # Plain: log(softmax(x)), which is -inf once a probability rounds to 0.
    logs = torch.log_softmax(prediction, -1)  # [..., B, K]
    weighted = logs if weight is None else logs * weight
    right = (weighted * target).sum(-1) if target.is_floating_point() else of_class(weighted, target)
    smooth = isinstance(label_smoothing, Tensor) or label_smoothing > 0
    return -((1 - label_smoothing) * right + label_smoothing * weighted.mean(-1)) if smooth else -right


@loss("multiclass", "log-probabilities", "class index", aliases=("NLLLoss", "negative-log-likelihood"))
def nll(prediction: Tensor, target: Tensor, *, weight: ClassWeight = None) -> Tensor:
    """Negative log-likelihood: minus the given log-probability of the right class.

    Domain: log-probabilities (their exponentials sum to 1); target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B]. `weight` is a number, [K], or [R, 1, K].

    Formula: L = -w_y log p_y.

    Source: torch.nn.NLLLoss.

    Kin: nll of log-softmax(x) equals cross-entropy of x.

    >>> round(nll(torch.tensor([[0.25, 0.75]]).log(), torch.tensor([0])).item(), 4)  # -log 0.25
    1.3863
    """
    cost = -of_class(prediction, target)
    return cost if weight is None else cost * class_weight(weight, prediction, target)


@loss("multiclass", "logits", "class index", aliases=("CategoricalFocalCrossentropy", "softmax-focal"))
def focal(prediction: Tensor, target: Tensor, *, gamma: NonNegative = 2.0, alpha: ClassWeight = None) -> Tensor:
    """Focal loss: cross-entropy that fades out rows which are already right, so that hard rows decide.

    Domain: any logits; target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B]. `alpha` is a number, [K], or [R, 1, K].

    Formula: L = -alpha_y (1 - p_y)^gamma log p_y, p = softmax(x).

    Source: Lin et al. 2017, Focal Loss for Dense Object Detection, https://arxiv.org/abs/1708.02002.

    Kin: gamma 0 is cross-entropy; with K = 2 equals the binary focal of x_1 - x_0.

    >>> round(focal(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # (1/2)^2 log 2
    0.1733
    """
    logs = torch.log_softmax(prediction, -1)
    right = of_class(logs, target)
    # Plain: (1 - p_y) ** gamma; 1 - p_y rounds to 0 for confident rows. All but p_y, summed in logs, keeps its digits.
    chosen = torch.zeros_like(logs, dtype=torch.bool).scatter(-1, target.unsqueeze(-1), True)
    others = torch.logsumexp(logs.masked_fill(chosen, float("-inf")), -1)
    faded = torch.exp(gamma * others) * -right
    return faded if alpha is None else faded * class_weight(alpha, prediction, target)


def of_class(values: Tensor, target: Tensor) -> Tensor:
    """The value of each sample's class: [..., B, K], [..., B] -> [..., B]."""
    return values.gather(-1, target.unsqueeze(-1)).squeeze(-1)


def class_weight(weight: Number, prediction: Tensor, target: Tensor) -> Number | Tensor:
    """The weight of each sample's class, [..., B], from one number, or from [K] or [R, 1, K]."""
    if not isinstance(weight, Tensor) or weight.ndim == 0:
        return weight
    return of_class(weight.expand_as(prediction), target)
