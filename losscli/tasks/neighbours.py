"""Who is near whom among the vectors of a split: what tells whether rows of one class are found by a row of it.

Distances are between vectors as they are. A row is no neighbour of itself. Rows that are equally near are taken in the worst
order, those of other classes first: vectors that are all alike find nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

MOST_QUERIES = 2000  # rows that look for their neighbours, evenly spread; all rows are looked at
AT_ONCE = 2**24  # distances that are held at once


class Hits(NamedTuple):
    """For n rows of each run, nearest first: whether each of the k nearest others is of the row's class, [R, n, k]; and how many
    such others there are, [R, n].
    """

    hits: Tensor
    relevant: Tensor


def queries(rows: int) -> Tensor:
    """The rows that look for their neighbours: all, or so many evenly spread.

    >>> len(queries(50)), len(queries(3 * MOST_QUERIES))
    (50, 2000)
    """
    return torch.linspace(0, rows - 1, min(rows, MOST_QUERIES)).round().long()


def near(vectors: Tensor, labels: Tensor, depth: int | None = None, asking: Tensor | None = None) -> Iterator[Hits]:
    """Some rows after the other, the hits of vectors [R, N, D] with class indices [R or 1, N]: of the rows `asking` [n], and as
    many as there are rows of the largest class, or `depth`.
    """
    runs, rows, _ = vectors.shape
    asking = (queries(rows) if asking is None else asking).to(vectors.device)
    for chosen in asking.split(max(1, AT_ONCE // max(1, runs * rows))):
        same = labels[:, chosen, None] == labels[:, None, :]
        same = same.scatter(2, chosen.expand(len(labels), -1).unsqueeze(-1), False)  # [R or 1, n, N], not itself
        relevant = same.sum(-1)
        count = min(rows - 1, int(relevant.max()) if depth is None else depth)
        if count < 1:
            yield Hits(same.new_zeros(runs, len(chosen), 0), relevant.expand(runs, -1))
            continue
        far = apart(vectors[:, chosen], vectors)
        far = torch.where(same, torch.nextafter(far, torch.full_like(far, torch.inf)), far)  # the worst order
        far = far.scatter(2, chosen.expand(runs, -1).unsqueeze(-1), torch.inf)
        nearest = far.topk(count, largest=False).indices
        yield Hits(same.expand_as(far).gather(-1, nearest), relevant.expand(runs, -1))


def apart(vectors: Tensor, others: Tensor) -> Tensor:
    """Distances [R, n, N] of vectors [R, n, D] and [R, N, D]."""
    return torch.cdist(vectors, others, compute_mode="donot_use_mm_for_euclid_dist")


def precision_of(found: Hits) -> Tensor:
    """Of as many neighbours as a row has relevant ones, the share that is relevant; NaN where it has none: [R, n]."""
    counted = found.hits & (torch.arange(found.hits.shape[-1], device=found.hits.device) < found.relevant.unsqueeze(-1))
    return counted.sum(-1).double() / found.relevant
