"""Metrics of vectors: whether the neighbours of a row are of its class. `embeddings` [R, N, D], class indices [R or 1, N].

Distances are between vectors as they are. A row is no neighbour of itself, rows that are equally near come in the worst order,
and a row that is alone in its class asks nothing. Where there are more than 2,000 rows, so many, evenly spread, look for
neighbours among all. In the terms of Musgrave, Belongie and Lim 2020, A Metric Learning Reality Check,
https://arxiv.org/abs/2003.08505.
"""

from __future__ import annotations

import torch
from torch import Tensor

from losscli.metrics import metric
from losscli.tasks.neighbours import Hits, apart, near, precision_of, queries


def _mean(values: Tensor) -> Tensor:
    """Over the rows that ask something, [R, n] -> [R]; NaN where none does."""
    return values.nanmean(-1)


def _found(embeddings: Tensor, labels: Tensor, depth: int | None = None) -> Hits:
    """The hits of all rows that are asked; of different depth where parts of them have different largest classes."""
    parts = list(near(embeddings, labels, depth))
    widest = max(part.hits.shape[-1] for part in parts)
    hits = [torch.nn.functional.pad(part.hits, (0, widest - part.hits.shape[-1])) for part in parts]
    return Hits(torch.cat(hits, 1), torch.cat([part.relevant for part in parts], 1))


@metric("embedding", reads="embeddings", direction="up")
def map_at_r(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Mean average precision at R: the R nearest of a row that has R others of its class, the first counting most.

    Mean over rows of (1 / R) sum over i <= R of (precision at i) * (whether the i-th is of the class).

    >>> line = torch.tensor([[[0.0], [1.0], [3.0], [7.0]]])
    >>> map_at_r(line, torch.tensor([[0, 1, 0, 0]])).item()  # 0: (0 + 1/2) / 2, 3: (0 + 1/2) / 2, 7: (1 + 0) / 2
    0.3333333333333333
    """
    found = _found(embeddings, labels)
    ranks = torch.arange(1, found.hits.shape[-1] + 1, device=embeddings.device)
    counted = (found.hits & (ranks <= found.relevant.unsqueeze(-1))).double()  # [R, n, k]
    precision = counted.cumsum(-1) / ranks
    return _mean((precision * counted).sum(-1) / found.relevant)


@metric("embedding", reads="embeddings", direction="up")
def r_precision(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Of the R nearest of a row that has R others of its class, the share of its class.

    >>> line = torch.tensor([[[0.0], [1.0], [3.0], [7.0]]])
    >>> r_precision(line, torch.tensor([[0, 1, 0, 0]])).item()  # one of two each, for 0, 3 and 7
    0.5
    """
    return _mean(precision_of(_found(embeddings, labels)))


def _precision_at(embeddings: Tensor, labels: Tensor, depth: int) -> Tensor:
    found = _found(embeddings, labels, depth)
    share = (
        found.hits.double().mean(-1)
        if found.hits.shape[-1]
        else torch.full_like(found.relevant, torch.nan, dtype=torch.float64)
    )
    return _mean(share.masked_fill(found.relevant == 0, torch.nan))


@metric("embedding", reads="embeddings", direction="up")
def recall_at_1(embeddings: Tensor, labels: Tensor) -> Tensor:
    """The share of rows whose nearest neighbour is of their class; the same as precision at 1.

    >>> line = torch.tensor([[[0.0], [1.0], [3.0], [7.0]]])
    >>> recall_at_1(line, torch.tensor([[0, 0, 1, 1]])).item()  # 3 is nearer to 1 than to 7
    0.75
    """
    return _precision_at(embeddings, labels, 1)


@metric("embedding", reads="embeddings", direction="up")
def precision_at_5(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Of the five nearest of a row, the share of its class."""
    return _precision_at(embeddings, labels, 5)


@metric("embedding", reads="embeddings", direction="up")
def precision_at_10(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Of the ten nearest of a row, the share of its class."""
    return _precision_at(embeddings, labels, 10)


@metric("embedding", reads="embeddings", direction="up", low=-1.0)
def silhouette(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Silhouette: how much nearer a row is to its own class than to the next, from -1 to 1; 0 for a class of one row.

    Mean over rows of (b - a) / max(a, b), a the mean distance to others of the class, b the least such mean over other classes
    (Rousseeuw 1987, https://doi.org/10.1016/0377-0427(87)90125-7).

    >>> line = torch.tensor([[[0.0], [1.0], [4.0], [5.0]]])
    >>> round(silhouette(line, torch.tensor([[0, 0, 1, 1]])).item(), 4)  # (3.5 / 4.5 + 2.5 / 3.5) / 2
    0.746
    """
    member = torch.nn.functional.one_hot(labels.long()).double()  # [R or 1, N, C]
    sizes = member.sum(-2, keepdim=True)  # [R or 1, 1, C]
    values = []
    for chosen in queries(embeddings.shape[1]).to(embeddings.device).split(256):
        own = member[:, chosen].bool()  # [R or 1, n, C]
        total = apart(embeddings[:, chosen], embeddings).double() @ member  # [R, n, C]
        inside = (total * own).sum(-1) / ((sizes * own).sum(-1) - 1)  # a row is 0 from itself
        outside = (total / sizes).masked_fill(own | (sizes == 0), torch.inf).amin(-1)
        alone = (sizes * own).sum(-1) == 1
        value = (outside - inside) / torch.maximum(outside, inside)
        values.append(value.masked_fill(alone | ((outside == 0) & (inside == 0)), 0.0))
    present = (sizes > 0).sum((-2, -1))  # of fewer than two classes there is nothing to say
    return torch.cat(values, 1).mean(-1).masked_fill(present < 2, torch.nan)
