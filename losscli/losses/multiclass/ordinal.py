"""Losses of classes that have an order: a near miss costs less than a far one.

Two of them ask K - 1 questions, "is the rank above k?", k = 0 ... K - 2, and read the ranks' probabilities off the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from losscli.lazy import Tensor, functional, torch
from losscli.losses import loss


def _steps(classes: int, options: Mapping[str, Any]) -> int:
    return classes - 1


def _above(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Each question's place [K - 1], and whether the answer is yes [..., B, K - 1]."""
    place = torch.arange(prediction.shape[-1], device=prediction.device)
    return place, target.unsqueeze(-1) > place


def _between(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    """Ranks' probabilities [..., K] of P(rank > k), which may only fall: [..., K - 1]."""
    falling = torch.sigmoid(prediction).cummin(-1).values
    certain = torch.ones_like(falling[..., :1])
    return -torch.diff(torch.cat([certain, falling, torch.zeros_like(certain)], -1))


@loss("multiclass", "rank-logits", "class rank", heads=_steps, point=_between)
def coral(prediction: Tensor, target: Tensor) -> Tensor:
    """CORAL: for every step between ranks a yes-or-no question, whether the rank is above it.

    Use: ordered classes (grades, stages), where it counts how many steps off a prediction is.
    Avoid: classes without an order.

    Domain: any logits, one per step; target ranks 0 to K - 1. The probability of a rank is the difference of two
    neighbouring answers; an answer above an earlier one is lowered to it.
    Shapes: prediction [..., B, K - 1], target [..., B] -> [..., B].

    Formula: L = -sum_k ([y > k] log sigmoid(x_k) + [y <= k] log(1 - sigmoid(x_k))), k = 0 ... K - 2.

    Source: Cao, Mirjalili and Raschka 2019, Rank Consistent Ordinal Regression for Neural Networks,
    https://arxiv.org/abs/1901.07884. The source also lets all steps share their weights but for a bias; here each is free.

    Kin: the sum of bce-logits over the steps; with K = 2 equals bce-logits.

    >>> round(coral(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # 2 log 2
    1.3863
    """
    _, yes = _above(prediction, target)
    return -functional.logsigmoid(torch.where(yes, prediction, -prediction)).sum(-1)


def _continued(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    """Ranks' probabilities [..., K] of P(rank > k | rank >= k), [..., K - 1]: the product of the answers on the way."""
    reached = torch.cumsum(functional.logsigmoid(prediction), -1)
    certain = torch.zeros_like(reached[..., :1])
    stays = torch.cat([functional.logsigmoid(-prediction), certain], -1)
    return torch.exp(torch.cat([certain, reached], -1) + stays)


@loss("multiclass", "rank-logits", "class rank", heads=_steps, point=_continued)
def corn(prediction: Tensor, target: Tensor) -> Tensor:
    """CORN: for every rank that is reached a yes-or-no question, whether the next is reached too.

    Use: ordered classes (grades, stages) with probabilities that fall into place by themselves.
    Avoid: classes without an order; top ranks that few rows reach.

    Domain: any logits, one per step: of the rank being above k, given that it is at least k; target ranks 0 to K - 1. The
    probability of a rank is the product of the answers on the way to it.
    Shapes: prediction [..., B, K - 1], target [..., B] -> [..., B].

    Formula: L = -sum_{k < y} log sigmoid(x_k) - [y < K - 1] log(1 - sigmoid(x_y)).

    Source: Shi, Cao and Raschka 2021, Deep Neural Networks for Rank-Consistent Ordinal Regression Based on Conditional
    Probabilities, https://arxiv.org/abs/2111.08851. The source divides a batch's sum by the number of questions asked.

    Kin: equals nll of the probabilities that it predicts; with K = 2 equals bce-logits.

    >>> round(corn(torch.tensor([[0.0, 0.0]]), torch.tensor([0])).item(), 4)  # one question: log 2
    0.6931
    """
    place, yes = _above(prediction, target)
    costs = -functional.logsigmoid(torch.where(yes, prediction, -prediction))
    return costs.masked_fill(place > target.unsqueeze(-1), 0.0).sum(-1)


@loss(
    "multiclass",
    "logits",
    "class rank",
    aliases=("squared-emd", "ranked-probability-score"),
    renamed={"emd": "it is squared; emd, of task distribution, is the Wasserstein-1 distance"},
)
def rps(prediction: Tensor, target: Tensor) -> Tensor:
    """Ranked probability score: the squared distance of distribution functions, so that a far miss costs more than a near one.

    Use: ordered classes, where a far miss is worse than a near one; its probabilities can be believed.
    Avoid: classes without an order; a bad start, since a confident mistake has little gradient.

    Domain: any logits; target ranks 0 to K - 1.
    Shapes: prediction [..., B, K], target [..., B] -> [..., B].

    Formula: L = sum_k (sum_{j <= k} (p_j - t_j))^2, p = softmax(x), t one-hot.

    Source: Epstein 1969, A Scoring System for Probability Forecasts of Ranked Categories; as a loss, Hou, Yu and Samaras
    2016, Squared Earth Mover's Distance-based Loss for Training Deep Neural Networks, https://arxiv.org/abs/1611.05916.

    Kin: cramer of the one-hot target, where a target is a distribution; with K = 2 equals the binary brier of x_1 - x_0.

    >>> rps(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item()  # (1/2)^2
    0.25
    """
    p = torch.softmax(prediction, -1)
    # Plain: the cumulative sum less 1 from the right rank on, which cancels; there, what lies above says the same.
    _, yes = _above(p[..., :-1], target)
    below = p[..., :-1].cumsum(-1)
    above = p[..., 1:].flip(-1).cumsum(-1).flip(-1)
    return torch.where(yes, below, above).square().sum(-1)
