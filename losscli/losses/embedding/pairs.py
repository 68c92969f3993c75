"""Losses of pairs: two rows of one class are pulled together, two of different classes are pushed apart."""

from __future__ import annotations

from typing import Annotated

from losscli.lazy import Tensor, torch
from losscli.losses import Bounds, NonNegative, Number, Positive, loss
from losscli.losses.embedding.relations import (
    cosines,
    directions,
    distances,
    mean_of_costly,
    mean_where,
    relations,
    wide,
)

Cosine = Annotated[Number, Bounds(low=-1, high=1)]


@loss("embedding", "vectors", "class label or pairs", over_batch=True)
def hinge_embedding(vectors: Tensor, labels: Tensor, *, margin: Positive = 1.0) -> Tensor:
    """Hinge of distances: a pair of one class costs its distance, a pair of two what it lacks to the margin.

    Use: for vectors whose lengths mean something, as this loss alone does not look at directions only.
    Avoid: as a classifier's loss, with a score in the place of a distance: `hinge` is meant there. Of many classes nearly all
    pairs are of two, and few of them cost anything.

    Domain: a class for each row; or pairs, each the same (1) or different (0).
    Shapes: [..., B, D], [..., B] -> [...], a mean over all pairs of the batch.

    Formula: L = d for pairs of one class, max(0, margin - d) for others, d = |x - y|

    Source: the hinge on a distance of Hadsell, Chopra and LeCun 2006, Dimensionality Reduction by Learning an Invariant
    Mapping, https://doi.org/10.1109/CVPR.2006.100, without the squares; as torch has it.

    Kin: contrastive is the same of directions, with a mean for each of the two kinds of pairs.

    Elsewhere: torch HingeEmbeddingLoss

    >>> hinge_embedding(torch.tensor([[0.0], [0.5], [2.0]]), torch.tensor([0, 0, 0])).item()  # (0.5 + 2 + 1.5) / 3
    1.3333333730697632
    >>> hinge_embedding(torch.tensor([[0.0], [0.5], [2.0]]), torch.tensor([0, 1, 1])).item()  # (0.5 + 0 + 1.5) / 3
    0.6666666865348816
    """
    near, (same, other) = distances(vectors), relations(labels)
    costs = torch.where(same, near, (wide(margin) - near).clamp(min=0))
    return mean_where(costs, same | other)


@loss("embedding", "embeddings", "class label or pairs", over_batch=True)
def cosine_embedding(vectors: Tensor, labels: Tensor, *, margin: Cosine = 0.0) -> Tensor:
    """Cosines of pairs: 1 is wanted of one class, at most the margin of two.

    Use: a plain start; it asks of different classes no more than a right angle.
    Avoid: for more classes than the vectors have dimensions, which cannot all be at right angles: a margin below 0 asks too much.

    Domain: a class for each row; or pairs, each the same (1) or different (0).
    Shapes: [..., B, D], [..., B] -> [...], a mean over all pairs of the batch.

    Formula: L = 1 - c for pairs of one class, max(0, c - margin) for others, c = cos(x, y)

    Source: torch; the cosine of Bromley, Guyon, LeCun, Saeckinger and Shah 1993, Signature Verification using a "Siamese" Time
    Delay Neural Network, https://proceedings.neurips.cc/paper/1993/hash/288cc0ff022877bd3df94bc9360b9c5d-Abstract.html

    Kin: of unit vectors, 1 - c is half the squared distance.

    Elsewhere: torch CosineEmbeddingLoss

    >>> cosine_embedding(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 0])).item()
    1.0
    """
    cosine, (same, other) = cosines(vectors), relations(labels)
    costs = torch.where(same, 1 - cosine, (cosine - wide(margin)).clamp(min=0))
    return mean_where(costs, same | other)


@loss("embedding", "embeddings", "class label or pairs", over_batch=True)
def contrastive(
    vectors: Tensor, labels: Tensor, *, pos_margin: NonNegative = 0.0, neg_margin: NonNegative = 1.0
) -> Tensor:
    """Contrastive: pairs of one class within a margin, others beyond another; each kind has a mean of its own.

    Use: where the two kinds of pairs are of very different number, since only pairs that still cost something are counted.
    Avoid: with a neg_margin above the square root of 2: so many classes are rarely so far apart.

    Domain: a class for each row; or pairs, each the same (1) or different (0).
    Shapes: [..., B, D], [..., B] -> [...].

    Formula: L = mean of max(0, d - pos_margin) > 0 over pairs of one class + mean of max(0, neg_margin - d) > 0 over others, d
    the distance of the directions

    Source: Hadsell, Chopra and LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping,
    https://doi.org/10.1109/CVPR.2006.100 (there squared); in this form Musgrave, Belongie and Lim 2020, A Metric Learning Reality
    Check, https://arxiv.org/abs/2003.08505

    Kin: hinge-embedding takes one mean over both kinds, and plain distances.

    Elsewhere: pytorch-metric-learning ContrastiveLoss

    >>> contrastive(torch.tensor([[1.0, 0.0], [0.6, 0.8]]), torch.tensor([0, 1])).item()  # 1 - 0.8944
    0.10557281970977783
    """
    near, (same, other) = distances(directions(vectors)), relations(labels)
    pull = ((near - wide(pos_margin)).clamp(min=0) * same).flatten(-2)
    push = ((wide(neg_margin) - near).clamp(min=0) * other).flatten(-2)
    return mean_of_costly(pull) + mean_of_costly(push)
