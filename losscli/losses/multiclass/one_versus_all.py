"""Losses that judge each class by itself: yes for the right one, no for every other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscli.lazy import Tensor, torch
from losscli.losses import Fraction, NonNegative, loss
from losscli.losses.binary.logistic import bce_logits
from losscli.losses.multiclass.classes import distribution, is_class, logs_of_both, over_classes


def _sigmoids(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    return torch.sigmoid(prediction)


@loss(
    "multiclass",
    "logits",
    "class index or probabilities",
    aliases=(
        "one-versus-all",
        "one-vs-rest",
        "ovr-bce",
        "BinaryCrossEntropy",
        "MultiClassOneVsAll",
        "multiclassova",
        "ova",
        "ovr",
    ),
    point=_sigmoids,
)
def ova_bce(prediction: Tensor, target: Tensor) -> Tensor:
    """One versus all: K yes-or-no questions, each with its own log-loss; the answers need not sum to 1.

    Use: classes of which none may fit, and targets that mix several classes.
    Avoid: probabilities that must sum to 1.

    Domain: any logits; target class indices 0 to K - 1, or probabilities over the K classes. The prediction is sigmoid(x).
    Shapes: prediction [..., B, K], target [..., B] or [..., B, K] -> [..., B].

    Formula: L = -sum_k (t_k log sigmoid(x_k) + (1 - t_k) log(1 - sigmoid(x_k))) / K, t one-hot for an index.

    Source: Wightman et al. 2021, ResNet Strikes Back, https://arxiv.org/abs/2110.00476; timm's BinaryCrossEntropy.

    Kin: equals bce-logits of multilabel for the one-hot target.

    Elsewhere: timm BinaryCrossEntropy.

    >>> round(ova_bce(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # log 2
    0.6931
    """
    return bce_logits(prediction, distribution(prediction, target)).mean(-1)


@loss("multiclass", "logits", "class index", aliases=("asl", "AsymmetricLossSingleLabel"))
def asymmetric(
    prediction: Tensor,
    target: Tensor,
    *,
    gamma_pos: NonNegative = 0.0,
    gamma_neg: NonNegative = 4.0,
    label_smoothing: Fraction = 0.1,
) -> Tensor:
    """Asymmetric loss: a smoothed cross-entropy whose right class and other classes are faded out each by its own power.

    Use: many classes, where the easy ones should stop counting.
    Avoid: probabilities that are to be believed.

    Domain: any logits; target class indices 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B].

    Formula: L = -t'_y (1 - p_y)^gamma_pos log p_y - sum_{k != y} t'_k p_k^gamma_neg log p_k, p = softmax(x),
    t' = t (1 - e) + e / K, e = label_smoothing, t one-hot.

    Source: Ben-Baruch et al. 2020, Asymmetric Loss for Multi-Label Classification, https://arxiv.org/abs/2009.14119; for one
    label per row as in timm, where gamma_pos is 1.

    Kin: both gammas 0 are cross-entropy with that smoothing; without smoothing it is focal with gamma = gamma_pos.

    Elsewhere: timm AsymmetricLossSingleLabel.

    >>> round(asymmetric(torch.tensor([[0.0, 0.0]]), torch.tensor([1]), label_smoothing=0.0).item(), 4)  # log 2
    0.6931
    """
    logs = torch.log_softmax(prediction, -1)  # [..., B, K]
    right = is_class(logs, target)
    # Plain: (1 - p_y) ** gamma_pos; 1 - p_y rounds to 0 for confident rows.
    others = logs_of_both(prediction, target)[1].unsqueeze(-1)
    fade = torch.where(right, over_classes(gamma_pos) * others, over_classes(gamma_neg) * logs)
    smoothing = over_classes(label_smoothing)
    smoothed = (1 - smoothing) * right.to(logs.dtype) + smoothing / logs.shape[-1]
    return -(smoothed * torch.exp(fade) * logs).sum(-1)
