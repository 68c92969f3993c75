"""Losses of the order: every positive of the batch should score above every negative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from losscli.lazy import Tensor, functional, torch
from losscli.losses import Choice, loss
from losscli.losses.finite import widened

PAIRS = 2**22  # at most so many pairs at a time: judging a whole split would take rows x rows numbers of memory

SURROGATES: dict[str, Callable[[Tensor], Tensor]] = {
    "logistic": lambda lead: -functional.logsigmoid(lead),
    "hinge": lambda lead: torch.relu(1 - lead),
    "squared-hinge": lambda lead: torch.relu(1 - lead).square(),
}


@loss("binary", "scores", "0 or 1", over_batch=True, aliases=("pairwise-auc", "auc", "ranknet"))
def auc_pairwise(
    prediction: Tensor, target: Tensor, *, surrogate: Annotated[str, Choice(tuple(SURROGATES))] = "logistic"
) -> Tensor:
    """Pairwise AUC: the mean cost of how far each positive leads each negative. Orders well; where zero lies is free.

    Use: rankings that are judged by the area under the ROC curve.
    Avoid: decisions at a threshold, probabilities, and very large batches.

    Domain: any scores; target 0 or 1. A batch of one class has no pairs: it costs 0 and has no gradient. The time grows
    with the square of the batch.
    Shapes: prediction and target [..., B] -> [...].

    Formula: L = mean over positives i and negatives j of phi(x_i - x_j); phi(d) = log(1 + exp(-d)) (logistic),
    max(0, 1 - d) (hinge), max(0, 1 - d)^2 (squared-hinge).

    Source: Burges et al. 2005, Learning to Rank Using Gradient Descent (logistic); Gao and Zhou 2015, On the
    Consistency of AUC Pairwise Optimization, https://arxiv.org/abs/1208.0645 (logistic is consistent, hinge is not).

    Kin: with one positive and one negative it is soft-margin, hinge or squared-hinge of their difference.

    >>> auc_pairwise(torch.tensor([2.0, 0.5]), torch.tensor([1.0, 0.0]), surrogate="hinge").item()  # lead 1.5
    0.0
    """
    phi, prediction = SURROGATES[surrogate], widened(prediction)
    total = torch.zeros_like(prediction[..., 0])
    step = max(1, PAIRS // prediction.numel())
    for start in range(0, prediction.shape[-1], step):
        scores, positive = (part[..., start : start + step, None] for part in (prediction, target))
        cost = phi(scores - prediction.unsqueeze(-2))  # [..., step, B]
        total = total + (cost * positive * (1 - target).unsqueeze(-2)).sum((-1, -2))
    # A batch of one class has no pair: 0 / 1, and the gradient 0.
    return total / (target.sum(-1) * (1 - target).sum(-1)).clamp(min=1)
