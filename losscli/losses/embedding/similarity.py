"""Losses of whole neighbourhoods: the similarities of a row with all others of the batch are weighed against each other."""

from __future__ import annotations

from losscli.lazy import Tensor, functional
from losscli.losses import Finite, Fraction, Positive, loss
from losscli.losses.embedding.relations import (
    cosines,
    logsumexp_where,
    mean_of_costly,
    mean_where,
    relations,
    wide,
)


@loss("embedding", "embeddings", "class label", over_batch=True, aliases=("info-nce", "simclr"))
def nt_xent(vectors: Tensor, labels: Tensor, *, temperature: Positive = 0.1) -> Tensor:
    """Normalised temperature-scaled cross-entropy: each positive against all negatives of its anchor.

    Use: a strong default: every negative counts, the near ones most; a lower temperature looks at the nearest alone.
    Avoid: batches with few negatives.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B] -> [...], a mean over the pairs of one class.

    Formula: L = -log(e^(s_ap/t) / (e^(s_ap/t) + sum over n of e^(s_an/t))), s the cosine

    Source: Chen, Kornblith, Norouzi and Hinton 2020, SimCLR, https://arxiv.org/abs/2002.05709; Sohn 2016, Improved Deep Metric
    Learning with Multi-class N-pair Loss Objective.

    Kin: sup-con has the other positives in its denominator, too; with two rows of each class they are the same.

    Elsewhere: pytorch-metric-learning NTXentLoss

    >>> import torch
    >>> vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> round(nt_xent(vectors, torch.tensor([0, 0, 1]), temperature=1.0).item(), 4)  # log(1 + e^(0 - 1))
    0.3133
    """
    similar, (same, other) = cosines(vectors) / wide(temperature), relations(labels)
    negatives = logsumexp_where(similar, other).unsqueeze(-1)  # [..., B, 1]
    return mean_where(functional.softplus(negatives - similar), same)


@loss("embedding", "embeddings", "class label", over_batch=True, aliases=("supcon", "supervised-contrastive"))
def sup_con(vectors: Tensor, labels: Tensor, *, temperature: Positive = 0.1) -> Tensor:
    """Supervised contrastive: all rows of the class share what the softmax over all other rows gives.

    Use: a strong default with several rows of each class in a batch.
    Avoid: a goal of 0: with K rows of a class each of the K - 1 positives can have at most its share, and the loss log(K - 1)
    left.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B] -> [...], a mean over the rows that cost something.

    Formula: L = -mean over p of log(e^(s_ap/t) / sum over all other rows of e^(s_ak/t)), s the cosine

    Source: Khosla et al. 2020, Supervised Contrastive Learning, https://arxiv.org/abs/2004.11362 (L_out).

    Kin: nt-xent leaves the other positives out of the denominator; with two rows of each class they are the same.

    Elsewhere: pytorch-metric-learning SupConLoss

    >>> import torch
    >>> vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> round(sup_con(vectors, torch.tensor([0, 0, 1]), temperature=1.0).item(), 4)  # log(1 + e^(0 - 1))
    0.3133
    """
    similar, (same, other) = cosines(vectors) / wide(temperature), relations(labels)
    missing = logsumexp_where(similar, same | other).unsqueeze(-1) - similar  # -log of the softmax
    costs = (missing * same).sum(-1) / same.sum(-1).clamp(min=1)  # [..., B]
    return mean_of_costly(costs) * other.any(-1).any(-1)  # without negatives there is nothing to tell apart


@loss("embedding", "embeddings", "class label or pairs", over_batch=True, aliases=("ms-loss",))
def multi_similarity(
    vectors: Tensor, labels: Tensor, *, alpha: Positive = 2.0, beta: Positive = 50.0, base: Finite = 0.5
) -> Tensor:
    """Multi-similarity: pairs weigh by how far they are on the wrong side of a base, and beside the other pairs of the row.

    Use: a strong default; hard pairs count more without being mined.
    Avoid: a large beta with wrong labels, whose negatives then count most.

    Domain: a class for each row; or pairs, each the same (1) or different (0).
    Shapes: [..., B, D], [..., B] -> [...], a mean over the rows.

    Formula: L = log(1 + sum over p of e^(-alpha (s_ap - base))) / alpha + log(1 + sum over n of e^(beta (s_an - base))) / beta, s
    the cosine

    Source: Wang et al. 2019, Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning,
    https://arxiv.org/abs/1904.06627.

    Kin: proxy-anchor has the same form, with a proxy of the class in the place of the row. The paper's mining is left out.

    Elsewhere: pytorch-metric-learning MultiSimilarityLoss

    >>> import torch
    >>> vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> round(multi_similarity(vectors, torch.tensor([0, 0])).item(), 4)  # log(1 + e^-1) / 2
    0.1566
    """
    similar, (same, other) = cosines(vectors), relations(labels)
    a, b, middle = wide(alpha), wide(beta), wide(base)
    pull = functional.softplus(logsumexp_where(a * (middle - similar), same)) / alpha
    push = functional.softplus(logsumexp_where(b * (similar - middle), other)) / beta
    return (pull + push).mean(-1)


@loss("embedding", "embeddings", "class label", over_batch=True, detached=True)
def circle(vectors: Tensor, labels: Tensor, *, m: Fraction = 0.4, gamma: Positive = 80.0) -> Tensor:
    """Circle: every similarity weighs by how far it is from where it should be, 1 + m for positives, -m for negatives.

    Use: a strong default; what is right already moves little, from either side.
    Avoid: a large gamma at a large learning rate: gradients grow with it.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B] -> [...], a mean over the rows that cost something. The weights have no gradient.

    Formula: L = log(1 + sum over n of e^(gamma [s_an + m] (s_an - m)) sum over p of e^(-gamma [1 + m - s_ap] (s_ap - 1 + m))),
    [x] = max(0, x), s the cosine

    Source: Sun et al. 2020, Circle Loss: A Unified Perspective of Pair Similarity Optimization, https://arxiv.org/abs/2002.10857.

    Kin: with all weights 1 it is a smooth triplet over all pairs of positives and negatives.

    Elsewhere: pytorch-metric-learning CircleLoss

    >>> import torch
    >>> vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> circle(vectors, torch.tensor([0, 0, 1]), m=0.5, gamma=2.0).item()  # log(1 + e^(-2/4) e^(-2/4))
    0.3132616877555847
    """
    similar, (same, other) = cosines(vectors), relations(labels)
    width, scale = wide(m), wide(gamma)
    pull = -scale * (1 + width - similar.detach()).clamp(min=0) * (similar - 1 + width)
    push = scale * (similar.detach() + width).clamp(min=0) * (similar - width)
    costs = functional.softplus(logsumexp_where(pull, same) + logsumexp_where(push, other))
    return mean_of_costly(costs * (same.any(-1) & other.any(-1)))
