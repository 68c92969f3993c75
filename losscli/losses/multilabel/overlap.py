"""Losses of the overlap between predicted and true labels over a whole batch."""

from __future__ import annotations

from losscli.lazy import Tensor
from losscli.losses import loss
from losscli.losses.binary.overlap import f1_shortfall


@loss("multilabel", "logits", "0 or 1", over_batch=True, aliases=("macro-soft-f1", "sigmoid-f1"))
def soft_f1(prediction: Tensor, target: Tensor) -> Tensor:
    """Soft F1: one minus the macro F1 score with probabilities for decisions: each label over the batch, then the mean.

    Use: rare labels that are judged by macro F1, in large batches.
    Avoid: small batches, labels that most batches lack, and probabilities that are to be believed.

    Domain: any logits; target 0 or 1. A label that no row of the batch has costs its expected false alarms, at most 1.
    Shapes: prediction and target [..., B, L] -> [...].

    Formula: L = mean over labels of (FP + FN) / max(1, 2 TP + FP + FN), with the sums of the batch TP = sum p y,
    FP = sum p (1 - y), FN = sum (1 - p) y, p = sigmoid(x).

    Source: Bénédict et al. 2021, sigmoidF1, https://arxiv.org/abs/2108.10566 (there p has a slope and an offset).

    Kin: the mean of the binary soft-f1 of each label.

    >>> import torch
    >>> soft_f1(torch.zeros(2, 2), torch.tensor([[1.0, 1.0], [0.0, 1.0]])).tolist()  # mean of 1/2 and 1/3
    0.4166666865348816
    """
    return f1_shortfall(prediction, target, -2).mean(-1)
