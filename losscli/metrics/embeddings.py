"""Metrics of vectors: whether the neighbours of a row are of its class (`tasks/neighbours.py`), in the terms of Musgrave,
Belongie and Lim 2020, A Metric Learning Reality Check, https://arxiv.org/abs/2003.08505; and how the classes lie.

A row that is alone in its class asks nothing. Where there are more than 2,000 rows, so many, evenly spread, are judged, among
all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from losscli.lazy import Tensor, functional, torch
from losscli.metrics import MetricFunction, metric
from losscli.metrics.ranking import auprc, auroc
from losscli.tasks.neighbours import FINDS, apart, queries

RETRIEVAL = {  # metric: what it is the mean of (`tasks/neighbours.py`), and what that says
    "map-at-r": (
        "map-at-r",
        "Mean average precision at R: the R nearest of a row that has R others of its class, the first counting most.",
    ),
    "r-precision": ("r-precision", "Of the R nearest of a row that has R others of its class, the share of its class."),
    "recall-at-1": (
        "precision-at-1",
        "The share of rows whose nearest neighbour is of their class; precision at 1 is the same.",
    ),
    "precision-at-5": ("precision-at-5", "Of the five nearest of a row, the share of its class."),
    "precision-at-10": ("precision-at-10", "Of the ten nearest of a row, the share of its class."),
}


def _mean(find: str, summary: str) -> MetricFunction:
    def mean(retrieval: Tensor, labels: Tensor) -> Tensor:
        """What rows find [R, n, `FINDS`], the mean over those that ask something, [R]; NaN where none does."""
        values = retrieval[..., FINDS.index(find)]
        return values.masked_fill(values < 0, torch.nan).nanmean(-1)

    mean.__doc__ = summary
    return mean


for name, (find, summary) in RETRIEVAL.items():
    metric("embedding", reads="retrieval", direction="up", name=name)(_mean(find, summary))


@metric("embedding", reads="embeddings", direction="up", low=-1.0)
def silhouette(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Silhouette: how much nearer a row is to its own class than to the next, from -1 to 1; 0 for a class of one row.

    Mean over rows of (b - a) / max(a, b), a the mean distance to others of the class, b the least such mean over other classes
    (Rousseeuw 1987, https://doi.org/10.1016/0377-0427(87)90125-7).

    >>> line = torch.tensor([[[0.0], [1.0], [4.0], [5.0]]])
    >>> round(silhouette(line, torch.tensor([[0, 0, 1, 1]])).item(), 4)  # (3.5 / 4.5 + 2.5 / 3.5) / 2
    0.746
    """
    if labels.is_floating_point():  # of pairs, no class is known
        return embeddings.new_full((len(embeddings),), torch.nan)
    values = []
    for of_class in _by_class(embeddings, labels):
        inside = of_class.within / (of_class.own - 1)  # a row is 0 from itself
        outside = of_class.apart.amin(-1)
        value = (outside - inside) / torch.maximum(outside, inside)
        values.append(value.masked_fill((of_class.own == 1) | ((outside == 0) & (inside == 0)), 0.0))
    # of fewer than two classes there is nothing to say
    return torch.cat(values, 1).mean(-1).masked_fill(outside.isinf().any(-1), torch.nan)


class OfClass(NamedTuple):
    """For n rows of each run: the sum of the distances to the rows of their class [R, n] and how many these are, the row itself
    among them [R or 1, n]; and the mean distance to the rows of each class [R, n, C], infinite for their own and for empty ones.
    """

    within: Tensor
    own: Tensor
    apart: Tensor


def _by_class(embeddings: Tensor, labels: Tensor) -> Iterator[OfClass]:
    """Some rows after the other."""
    member = functional.one_hot(labels.long()).double()  # [R or 1, N, C]
    sizes = member.sum(-2, keepdim=True)  # [R or 1, 1, C]
    for rows in torch.split(queries(embeddings.shape[1]).to(embeddings.device), 256):
        own = member[:, rows].bool()  # [R or 1, n, C]
        total = apart(embeddings[:, rows], embeddings).double() @ member  # [R, n, C]
        outside = (total / sizes).masked_fill(own | (sizes == 0), torch.inf)
        yield OfClass((total * own).sum(-1), (sizes * own).sum(-1), outside)


@metric("embedding", reads="embeddings", direction="down", high=math.inf, headline=False)
def distance_within(embeddings: Tensor, labels: Tensor) -> Tensor:
    """The mean distance of two rows of one class, each row counting once.

    >>> line = torch.tensor([[[0.0], [1.0], [4.0], [5.0]]])
    >>> distance_within(line, torch.tensor([[0, 0, 1, 1]])).item()
    1.0
    """
    if labels.is_floating_point():
        return embeddings.new_full((len(embeddings),), torch.nan)
    parts = [of_class.within / (of_class.own - 1) for of_class in _by_class(embeddings, labels)]
    return torch.cat(parts, 1).nanmean(-1)  # 0 / 0 of a row that is alone


@metric("embedding", reads="embeddings", direction="up", high=math.inf, headline=False)
def distance_between(embeddings: Tensor, labels: Tensor) -> Tensor:
    """The mean distance of a row from the other classes, each class counting once.

    >>> line = torch.tensor([[[0.0], [1.0], [4.0], [5.0]]])
    >>> distance_between(line, torch.tensor([[0, 0, 1, 1]])).item()
    4.0
    """
    if labels.is_floating_point():
        return embeddings.new_full((len(embeddings),), torch.nan)
    parts = [
        of_class.apart.masked_fill(of_class.apart.isinf(), torch.nan).nanmean(-1)
        for of_class in _by_class(embeddings, labels)
    ]
    return torch.cat(parts, 1).mean(-1)


@metric("embedding", reads="embeddings", direction="up", needs="pairs")
def pair_auroc(embeddings: Tensor, labels: Tensor, *, pairs: Sequence[str]) -> Tensor:
    """The chance that a pair that is the same is nearer than one that is different; a tie counts half. 1/2 is guessing.

    >>> line = torch.tensor([[[0.0], [1.0], [0.0], [3.0], [0.0], [2.0]]])  # 1, 3 and 2 apart
    >>> pair_auroc(line, torch.tensor([[1.0, 1.0, 1.0, 1.0, 0.0, 0.0]]), pairs=["a_", "b_"]).item()
    0.5
    """
    return auroc(-_halves_apart(embeddings), labels[:, ::2])


@metric("embedding", reads="embeddings", direction="up", needs="pairs")
def pair_auprc(embeddings: Tensor, labels: Tensor, *, pairs: Sequence[str]) -> Tensor:
    """Average precision of pairs from the nearest on: how rare different ones are among the first.

    >>> line = torch.tensor([[[0.0], [1.0], [0.0], [3.0], [0.0], [2.0]]])
    >>> round(pair_auprc(line, torch.tensor([[1.0, 1.0, 1.0, 1.0, 0.0, 0.0]]), pairs=["a_", "b_"]).item(), 4)  # (1 + 2/3) / 2
    0.8333
    """
    return auprc(-_halves_apart(embeddings), labels[:, ::2])


def _halves_apart(embeddings: Tensor) -> Tensor:
    """The distance of the halves of each pair, [R, N / 2]."""
    apart: Tensor = torch.linalg.vector_norm(embeddings[:, ::2] - embeddings[:, 1::2], dim=-1)
    return apart
