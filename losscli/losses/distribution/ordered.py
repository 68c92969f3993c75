"""Losses of distributions over bins that have an order, 0 to K - 1: probability costs more the farther it is out of place.

The order is that of the columns. Both compare distribution functions, F_k = t_0 + ... + t_k.
"""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.losses import loss


def _apart(prediction: Tensor, target: Tensor) -> Tensor:
    """How far the distribution functions are apart at each step between two bins, [..., B, K - 1]; at the last bin both are 1."""
    return (torch.softmax(prediction, -1) - target)[..., :-1].cumsum(-1)


@loss(
    "distribution",
    "logits",
    "probabilities in order",
    aliases=("wasserstein", "wasserstein-1", "w1", "earth-movers-distance"),
)
def emd(prediction: Tensor, target: Tensor) -> Tensor:
    """Earth mover's distance: how much probability must be carried how far, in bins, to make one distribution of the other.

    Use: ordered bins (ages, grades, amounts), where it counts how far off probability is.
    Avoid: bins without an order; a bad start: the gradient of a confident mistake vanishes, as that of each probability does.

    Domain: any logits; target probabilities over the K bins, in their order.
    Shapes: prediction [..., B, K], target [..., B, K] -> [..., B].

    Formula: L = sum_{k < K - 1} |sum_{j <= k} (q_j - t_j)|, q = softmax(x): Wasserstein-1 of bins that are 1 apart.

    Source: Vallender 1974, Calculation of the Wasserstein Distance Between Probability Distributions on the Line.

    Kin: with K = 2 equals total-variation; cramer squares each step. Where each row is of one rank, rps of multiclass does.

    >>> emd(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]])).item()  # half of it, by one bin
    0.5
    """
    return _apart(prediction, target).abs().sum(-1)


@loss("distribution", "logits", "probabilities in order", aliases=("cramer-distance", "squared-cdf", "energy-distance"))
def cramer(prediction: Tensor, target: Tensor) -> Tensor:
    """Cramer distance: the squared distance of distribution functions; its cheapest prediction is the mean of the targets.

    Use: ordered bins with probabilities that are to be believed.
    Avoid: bins without an order; a bad start: the gradient of a confident mistake vanishes.

    Domain: any logits; target probabilities over the K bins, in their order.
    Shapes: prediction [..., B, K], target [..., B, K] -> [..., B].

    Formula: L = sum_{k < K - 1} (sum_{j <= k} (q_j - t_j))^2, q = softmax(x). It is not the square of Wasserstein-2.

    Source: Cramer 1928, On the Composition of Elementary Errors; Szekely and Rizzo 2013, Energy Statistics, where the energy
    distance is twice this.

    Kin: with one-hot targets equals rps of multiclass; with K = 2 equals half of brier; emd without the square.

    >>> cramer(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]])).item()  # (1/2)^2
    0.25
    """
    return _apart(prediction, target).square().sum(-1)
