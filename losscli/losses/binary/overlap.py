"""Losses of the overlap between the predicted and the true positives of a whole batch.

With p = sigmoid(x), summed over the batch: TP = sum p y, FP = sum p (1 - y), FN = sum (1 - p) y. They see precision and
recall, not calibration; a small batch without positives tells them little. Multilabel has its own soft-f1, per label.
"""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.losses import NonNegative, Positive, loss


@loss("binary", "logits", "0 or 1", over_batch=True)
def dice(prediction: Tensor, target: Tensor, *, smooth: Positive = 1.0) -> Tensor:
    """Dice: one minus the overlap of predicted and true positives, as a share of both.

    Use: rare positives that are judged by overlap or F1, in large batches.
    Avoid: small batches, and probabilities that are to be believed.

    Domain: any logits; target 0 or 1.
    Shapes: prediction and target [..., B] -> [...].

    Formula: L = 1 - (2 TP + smooth) / (2 TP + FP + FN + smooth), with the sums of the batch TP = sum p y,
    FP = sum p (1 - y), FN = sum (1 - p) y, p = sigmoid(x).

    Source: Milletari et al. 2016, V-Net, https://arxiv.org/abs/1606.04797 (there with squares in the denominator);
    keras.losses.Dice, which takes probabilities.

    Kin: tversky with alpha = beta = 1/2 and half of smooth; without smooth, soft-f1.

    Elsewhere: Keras Dice (smooth is 1e-7 there).

    >>> dice(torch.zeros(2), torch.tensor([1.0, 0.0])).item()  # 1 - (2 * 1/2 + 1) / (2 * 1/2 + 1/2 + 1/2 + 1)
    0.3333333432674408
    """
    return tversky(prediction, target, alpha=0.5, beta=0.5, smooth=smooth / 2)


@loss("binary", "logits", "0 or 1", over_batch=True)
def tversky(
    prediction: Tensor,
    target: Tensor,
    *,
    alpha: NonNegative = 0.5,
    beta: NonNegative = 0.5,
    smooth: Positive = 1.0,
) -> Tensor:
    """Tversky: dice with a price each for false alarms (alpha) and for misses (beta).

    Use: rare positives where misses and false alarms differ in price.
    Avoid: small batches, and probabilities that are to be believed.

    Domain: any logits; target 0 or 1.
    Shapes: prediction and target [..., B] -> [...].

    Formula: L = 1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth), with the sums of the batch TP = sum p y,
    FP = sum p (1 - y), FN = sum (1 - p) y, p = sigmoid(x).

    Source: Salehi et al. 2017, Tversky Loss Function for Image Segmentation, https://arxiv.org/abs/1706.05721;
    keras.losses.Tversky.

    Kin: alpha = beta = 1/2 is dice with twice the smooth; alpha = beta = 1 is one minus the Jaccard index.

    Elsewhere: Keras Tversky (smooth is 1e-7 there).

    >>> tversky(torch.zeros(2), torch.tensor([1.0, 0.0]), beta=0.0, smooth=0.25).item()  # 1 - 0.75 / (0.75 + 0.25)
    0.25
    """
    hits, alarms, missed = (part.sum(-1, keepdim=True) for part in _shares(prediction, target))  # [..., 1]
    # Plain: 1 - (TP + smooth) / (...), which cancels where all is right.
    wrong = alpha * alarms + beta * missed
    return (wrong / (hits + wrong + smooth)).squeeze(-1)


@loss("binary", "logits", "0 or 1", over_batch=True, aliases=("f1-loss", "sigmoid-f1"))
def soft_f1(prediction: Tensor, target: Tensor) -> Tensor:
    """Soft F1: one minus the F1 score with probabilities for decisions.

    Use: rare positives that are judged by F1 at a threshold of 1/2, in large batches.
    Avoid: small batches, and probabilities that are to be believed.

    Domain: any logits; target 0 or 1. The denominator is at least 1, so that a batch without positives costs its
    expected false alarms, at most 1.
    Shapes: prediction and target [..., B] -> [...].

    Formula: L = (FP + FN) / max(1, 2 TP + FP + FN), with the sums of the batch TP = sum p y, FP = sum p (1 - y),
    FN = sum (1 - p) y, p = sigmoid(x).

    Source: Bénédict et al. 2021, sigmoidF1, https://arxiv.org/abs/2108.10566 (there p has a slope and an offset).

    Kin: the limit of dice for a smooth that goes to 0, where the batch has a positive.

    >>> soft_f1(torch.zeros(2), torch.tensor([1.0, 0.0])).item()  # (1/2 + 1/2) / (2 * 1/2 + 1/2 + 1/2)
    0.5
    """
    return f1_shortfall(prediction, target, -1)


def f1_shortfall(prediction: Tensor, target: Tensor, batch: int) -> Tensor:
    """One minus the soft F1 over the dimension of the batch, which goes."""
    _, alarms, missed = (part.sum(batch) for part in _shares(prediction, target))
    # 2 TP + FP + FN, as two sums that never round to less than the positives that there are.
    both = target.sum(batch) + torch.sigmoid(prediction).sum(batch)
    return (alarms + missed) / both.clamp(min=1)


def _shares(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Each row's part of TP, FP and FN."""
    yes, no = torch.sigmoid(prediction), torch.sigmoid(-prediction)  # 1 - p would lose the digits of a confident p
    return yes * target, yes * (1 - target), no * target
