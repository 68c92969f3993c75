"""Who is near whom: what a row of a split finds of its own class when it looks at its neighbours, and how near rows that were
made up come to training rows, which a generator may learn by heart.

Distances are between vectors as they are. A row is no neighbour of itself. Rows that are equally near are taken in the worst
order, those of other classes first: vectors that are all alike find nothing.
"""

from __future__ import annotations

from losscli.lazy import Tensor, torch

MOST_QUERIES = 2000  # rows that look for their neighbours, evenly spread; all rows are looked at
AT_ONCE = 2**23  # distances that are held at once
MOST_PAIRED = 1000  # rows of each side whose distances are all taken: a million pairs
BLOCK = 128  # rows whose distances to all training rows are held at once
DEPTHS = (1, 5, 10)
FINDS = ("map-at-r", "r-precision", *(f"precision-at-{depth}" for depth in DEPTHS))  # the columns of `retrieval`


def queries(rows: int) -> Tensor:
    """The rows that look for their neighbours: all, or so many evenly spread.

    >>> len(queries(50)), len(queries(3 * MOST_QUERIES))
    (50, 2000)
    """
    return torch.linspace(0, rows - 1, min(rows, MOST_QUERIES)).round().long()


def retrieval(vectors: Tensor, labels: Tensor, asking: Tensor | None = None) -> Tensor:
    """What each of n rows finds, [R, n, `FINDS`] float64, among vectors [R, N, D] with class indices [R or 1, N].

    R is the number of other rows of its class. `r-precision` is the share of the class among the R nearest, `map-at-r` the mean
    over places 1 to R of (share up to there) * (whether the row there is of the class), `precision-at-k` the share among the k
    nearest. A row that is alone in its class asks nothing and has -1, a run with a NaN is NaN. `asking` [n] are the rows; by
    default `queries`.

    >>> line, labels = torch.tensor([[[0.0], [1.0], [3.0], [7.0]]]), torch.tensor([[0, 1, 0, 0]])
    >>> retrieval(line, labels)[0, :, :3].tolist()  # 0 finds 1 and 3; 3 finds 1 and 0; 7 finds 3 and 1
    [[0.25, 0.5, 0.0], [-1.0, -1.0, -1.0], [0.25, 0.5, 0.0], [0.5, 0.5, 1.0]]
    """
    runs, rows, _ = vectors.shape
    asking = (queries(rows) if asking is None else asking).to(vectors.device)
    size = max(1, AT_ONCE // (runs * rows))
    finds = torch.cat([_finds(vectors, labels, places) for places in torch.split(asking, size)], 1)
    return finds.masked_fill(vectors.flatten(1).isnan().any(1)[:, None, None], torch.nan)


def _finds(vectors: Tensor, labels: Tensor, places: Tensor) -> Tensor:
    """Of the chosen rows."""
    itself = torch.arange(vectors.shape[1], device=vectors.device) == places[:, None]  # [n, N]
    same = (labels[:, places, None] == labels[:, None, :]) & ~itself  # [R or 1, n, N]
    relevant = same.sum(-1).expand(len(vectors), -1).unsqueeze(-1)  # [R, n, 1]
    depth = min(vectors.shape[1] - 1, max(int(relevant.max()), *DEPTHS))
    far = apart(vectors[:, places].nan_to_num(), vectors.nan_to_num())
    far = torch.where(same, torch.nextafter(far, torch.full_like(far, torch.inf)), far)  # the worst order
    nearest = far.masked_fill(itself, torch.inf).topk(depth, largest=False).indices
    hits = same.expand_as(far).gather(-1, nearest).double()  # [R, n, depth]
    ranks = torch.arange(1, depth + 1, device=vectors.device)
    counted = hits * (ranks <= relevant)
    precision = counted.cumsum(-1) / ranks
    of_depths = [hits[..., :most].mean(-1) for most in DEPTHS]
    finds = torch.stack([(precision * counted).sum(-1), counted.sum(-1)], -1) / relevant
    return torch.cat([finds, torch.stack(of_depths, -1)], -1).masked_fill(relevant == 0, -1.0)


def apart(vectors: Tensor, others: Tensor) -> Tensor:
    """Distances [R, n, N] of vectors [R, n, D] and [R, N, D]; by differences, so that equal rows are 0 apart."""
    return torch.cdist(vectors, others, compute_mode="donot_use_mm_for_euclid_dist")


def standardised(samples: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Both as float64 in standard deviations of the real rows; a column that is constant there stays as it is."""
    real = real.double()
    center, scale = real.mean(1, keepdim=True), real.std(1, correction=0, keepdim=True)
    scale = torch.where(scale > 0, scale, 1.0)
    return (samples.double() - center) / scale, (real - center) / scale


def some(rows: Tensor) -> Tensor:
    """At most so many of the rows [R, N, F], evenly from first to last."""
    count = rows.shape[1]
    if count <= MOST_PAIRED:
        return rows
    return rows[:, torch.linspace(0, count - 1, MOST_PAIRED, dtype=torch.float64).long().to(rows.device)]


def closest(made: Tensor, real: Tensor, records: Tensor) -> Tensor:
    """How far some of the rows that were made up [R, N, F] are from the closest training row `records`, [R, n], in units of the
    median of that of `real` rows, both [R or 1, M, F].
    """
    made, real = some(made), some(real)
    pairs = zip(made, real.expand(len(made), -1, -1), records.expand(len(made), -1, -1), strict=True)
    return torch.stack([_closest(*rows) for rows in pairs])


def _closest(made: Tensor, real: Tensor, records: Tensor) -> Tensor:
    scaled, reference = standardised(torch.cat([made, real])[None], records[None])
    # Without matrix products, which leave 1e-8 of a distance of 0: copies are to be told.
    distances = torch.cat([apart(rows, reference[0]).amin(-1) for rows in torch.split(scaled[0], BLOCK)])
    usual = distances[len(made) :].median()
    return distances[: len(made)] / torch.where(usual > 0, usual, 1.0)
