"""Losses of pairs: each label that a row has should score above each that it has not, and above zero for zlpr."""

from __future__ import annotations

from losscli.lazy import Tensor, functional, torch
from losscli.losses import loss


@loss("multilabel", "scores", "0 or 1")
def multilabel_margin(prediction: Tensor, target: Tensor) -> Tensor:
    """Multilabel margin: every label of the row must lead every other by 1; the shortfalls are summed. It only orders.

    Use: an order of the labels, with clear leads.
    Avoid: a set of labels or probabilities: there is no threshold.

    Domain: any scores; target 0 or 1. A row with no label, or with all, has no pairs: it costs 0.
    Shapes: prediction and target [..., B, L] -> [..., B].

    Formula: L = sum_{i in P, j in N} max(0, 1 - x_i + x_j) / L, below the line the number of labels.

    Source: torch.nn.MultiLabelMarginLoss, which takes indices of labels for a target.

    Kin: with one label per row equals the multiclass multi-margin with p = 1.

    Elsewhere: torch MultiLabelMarginLoss.

    >>> multilabel_margin(torch.tensor([[0.5, 0.0]]), torch.tensor([[1.0, 0.0]])).item()  # (1 - 0.5) / 2
    0.25
    """
    short = torch.relu(1 - prediction.unsqueeze(-1) + prediction.unsqueeze(-2))  # [..., B, L, L]: i before j
    pairs = target.unsqueeze(-1) * (1 - target).unsqueeze(-2)
    return (short * pairs / prediction.shape[-1]).sum((-1, -2))


@loss("multilabel", "scores", "0 or 1", aliases=("multilabel-categorical-crossentropy",))
def zlpr(prediction: Tensor, target: Tensor) -> Tensor:
    """ZLPR: the labels of the row above zero and above the others, the others below zero. Gives no probabilities.

    Use: a set of labels per row out of many, with the threshold built in.
    Avoid: probabilities, and labels that are to be judged each by itself.

    Domain: any scores; target 0 or 1. A label is predicted where its score is above 0.
    Shapes: prediction and target [..., B, L] -> [..., B].

    Formula: L = log(1 + sum_{j in N} exp(x_j)) + log(1 + sum_{i in P} exp(-x_i)).

    Source: Su et al. 2022, ZLPR: A Novel Loss for Multi-label Classification, https://arxiv.org/abs/2208.02955.

    Kin: with a single label equals bce-logits; never below pairwise, since (1 + a) (1 + b) >= 1 + a b.

    >>> round(zlpr(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]])).item(), 4)  # 2 log 2
    1.3863
    """
    # Plain: the logarithms of sums of exponentials, which overflow at 89 in float32.
    others, own = _apart(prediction, target, float("-inf"))
    return torch.logsumexp(functional.pad(others, (0, 1)), -1) + torch.logsumexp(functional.pad(own, (0, 1)), -1)


@loss("multilabel", "scores", "0 or 1", aliases=("lsep", "log-sum-exp-pairwise"))
def pairwise(prediction: Tensor, target: Tensor) -> Tensor:
    """Pairwise (LSEP): each label of the row above each other, smoothly. It only orders: where zero lies is free.

    Use: an order of the labels, with the worst mistakes weighing most.
    Avoid: a set of labels or probabilities: there is no threshold.

    Domain: any scores; target 0 or 1. A row with no label, or with all, has no pairs: it costs 0.
    Shapes: prediction and target [..., B, L] -> [..., B].

    Formula: L = log(1 + sum_{i in P, j in N} exp(x_j - x_i)).

    Source: Li et al. 2017, Improving Pairwise Ranking for Multi-label Image Classification,
    https://arxiv.org/abs/1704.03135; a threshold is learned apart there.

    Kin: with one label per row equals cross-entropy; with two labels, one of them right, soft-margin of the lead.

    >>> round(pairwise(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]])).item(), 4)  # log(1 + 1)
    0.6931
    """
    # Plain: all pairs; the sum over pairs is a product of two sums. No label at all counts as one of score -1e37, since
    # -inf could meet an infinite score of the other side as NaN.
    others, own = _apart(prediction, target, torch.finfo(prediction.dtype).min / 4)
    return -functional.logsigmoid(-torch.logsumexp(others, -1) - torch.logsumexp(own, -1))


def _apart(prediction: Tensor, target: Tensor, nothing: float) -> tuple[Tensor, Tensor]:
    """The scores x_j of the labels that a row has not, and -x_i of those that it has; `nothing` elsewhere."""
    return prediction.masked_fill(target > 0, nothing), (-prediction).masked_fill(target <= 0, nothing)
