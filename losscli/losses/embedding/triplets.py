"""Losses of triplets: a row is to be nearer to another of its class than to one of any other class.

All triplets of a batch are B^3 numbers for each run. None of them is written down: a sum of hinges, and its gradient, need only
how many triplets each pair is active in, which a sorted row tells.
"""

from __future__ import annotations

from typing import Annotated

from losscli.lazy import Tensor, torch
from losscli.losses import Choice, NonNegative, Number, loss
from losscli.losses.embedding.relations import (
    cosines,
    directions,
    distances,
    mean_of_costly,
    relations,
    wide,
)

Mining = Annotated[str, Choice(("all", "hard", "semi-hard"))]


def counts(near: Tensor, far: Tensor, pairs: tuple[Tensor, Tensor], ties: bool = False) -> tuple[Tensor, Tensor]:
    """Of each pair of one class, the negatives of its anchor with `far` below its `near`; of each pair of two classes, the
    positives with `near` above its `far`: [..., B, B] each. With `ties`, equal ones count too.

    They do not change with a small step, so a sum over active triplets has the gradient of `near` and `far` times these counts.

    >>> pairs = relations(torch.tensor([0, 0, 1]))
    >>> near = torch.tensor([[0.0, 2.0, 9.0], [2.0, 0.0, 9.0], [9.0, 9.0, 0.0]])
    >>> [part.tolist() for part in counts(near, torch.ones(3, 3), pairs)]
    [[[0, 1, 0], [1, 0, 0], [0, 0, 0]], [[0, 0, 1], [0, 0, 1], [0, 0, 0]]]
    """
    same, other = pairs
    # What does not count goes where it is below or above all that it is compared with.
    upper = near.detach().masked_fill(~same, -torch.inf).contiguous()
    lower = far.detach().masked_fill(~other, torch.inf).contiguous()
    below = torch.searchsorted(lower.sort(-1).values, upper, right=ties)
    not_above = torch.searchsorted(upper.sort(-1).values, lower, right=not ties)
    return below * same, (near.shape[-1] - not_above) * other


def triplets(pairs: tuple[Tensor, Tensor]) -> Tensor:
    """How many triplets each anchor has, [..., B]."""
    return pairs[0].sum(-1) * pairs[1].sum(-1)


@loss("embedding", "embeddings", "class label", over_batch=True)
def margin_ranking(vectors: Tensor, labels: Tensor, *, margin: NonNegative = 0.0) -> Tensor:
    """Margin ranking: the cosine with a row of the class above that with a row of another, by a margin.

    Use: where the order of the neighbours is all that counts: with margin 0 it stops where no pair is out of order.
    Avoid: margin 0 alone: from there on no class is moved any farther away. Its mean is over all triplets, so the few that are
    wrong move little; triplet counts them alone.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B] -> [...], a mean over all triplets of the batch.

    Formula: L = max(0, cos(a, n) - cos(a, p) + margin)

    Source: torch; Herbrich, Graepel and Obermayer 2000, Large Margin Rank Boundaries for Ordinal Regression,
    https://direct.mit.edu/books/book/3541/chapter/118003.

    Kin: triplet is the same of distances, with a mean over the triplets that cost something.

    Elsewhere: torch MarginRankingLoss

    >>> vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> margin_ranking(vectors, torch.tensor([0, 0, 1])).item()  # 1 - 0 of the first, 0 - 0 of the second
    0.5
    """
    cosine, pairs = cosines(vectors), relations(labels)
    near = wide(margin) - cosine
    below, above = counts(near, -cosine, pairs)
    return (near * below + cosine * above).sum((-2, -1)) / triplets(pairs).sum(-1).clamp(min=1)


@loss("embedding", "embeddings", "class label", over_batch=True, aliases=("triplet-margin",))
def triplet(vectors: Tensor, labels: Tensor, *, margin: NonNegative = 0.2, mining: Mining = "all") -> Tensor:
    """Triplets: a row is nearer to another of its class than to one of another class, by a margin.

    Use: `mining: all` counts every triplet that costs something, `semi-hard` those with the negative beyond the positive, `hard`
    the farthest positive and the nearest negative of each row.
    Avoid: `hard` with wrong labels, which are the hardest of all, and from the start, when it may collapse: all vectors alike,
    and the loss equal to the margin.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B] -> [...], a mean over the triplets that cost something.

    Formula: L = max(0, d(a, p) - d(a, n) + margin), d the distance of the directions

    Source: Schroff, Kalenichenko and Philbin 2015, FaceNet, https://arxiv.org/abs/1503.03832; Hermans, Beyer and Leibe 2017, In
    Defense of the Triplet Loss for Person Re-Identification, https://arxiv.org/abs/1703.07737 (hard).

    Kin: margin-ranking is the same of cosines, with a mean over all triplets.

    Elsewhere: torch TripletMarginLoss; pytorch-metric-learning TripletMarginLoss

    >>> vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    >>> round(triplet(vectors, torch.tensor([0, 0, 1])).item(), 4)  # the second is as far from both; the first is right
    0.2
    """
    near, pairs = distances(directions(vectors)), relations(labels)
    if mining == "hard":
        return mean_of_costly(_hardest(near, pairs, wide(margin)).clamp(min=0))
    below, above = counts(near + wide(margin), near, pairs)
    if mining == "semi-hard":
        too_near = counts(near, near, pairs, ties=True)
        below, above = below - too_near[0], above - too_near[1]
    total = ((near + wide(margin)) * below - near * above).sum((-2, -1))
    return total / below.sum((-2, -1)).clamp(min=1)


def _hardest(near: Tensor, pairs: tuple[Tensor, Tensor], margin: Number) -> Tensor:
    """d(a, p) - d(a, n) + margin of each row, p its farthest positive and n its nearest negative; 0 if it lacks one: [..., B]."""
    farthest = near.masked_fill(~pairs[0], -1).amax(-1)
    nearest = near.masked_fill(~pairs[1], 3).amin(-1)
    margins = margin.squeeze(-1) if isinstance(margin, Tensor) and margin.ndim else margin
    return (farthest - nearest + margins) * (pairs[0].any(-1) & pairs[1].any(-1))
