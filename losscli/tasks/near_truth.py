"""Predictions that are right, and some that are wrong in one row: what tells how finely so many rows can judge."""

from __future__ import annotations

from losscli.lazy import Tensor, torch

MOST_CLASSES = 8  # the rarest ones: a row of theirs moves a metric most
MOST_NUMBERS = 1 << 24  # of all probes of classes: 128 MB; beyond that there are fewer, two at least


def decisions(truth: Tensor) -> Tensor:
    """Logits [3, N, ...] for targets [N, ...] of 0 and 1: right; wrong in a negative; wrong in a positive, if there are such.

    The wrong row is just beyond the nearest row of the other class, so that a rank changes by one. All differ: nothing is tied.
    Of several labels, one is wrong in the label with the fewest positives.

    >>> (decisions(torch.tensor([0.0, 1.0, 1.0])) > 0).int().tolist()
    [[0, 1, 1], [1, 1, 1], [0, 0, 1]]
    """
    yes = truth > 0.5
    ramp = torch.linspace(0.1, 1.0, len(truth), dtype=torch.float64).view(-1, *(1,) * (truth.ndim - 1))
    right = torch.where(yes, 1 + ramp, -1 - ramp).expand(truth.shape)
    probes = right.repeat(3, *(1,) * truth.ndim)
    columns = probes if truth.ndim > 1 else probes[..., None]  # a view: what is written to it is in `probes`
    label = int(yes.sum(0).argmin()) if truth.ndim > 1 else 0
    of_label = right[:, label] if truth.ndim > 1 else right
    for place, sign in ((1, -1.0), (2, 1.0)):  # the negative, then the positive, that lies nearest to the others
        side, other = sign * of_label > 0, sign * of_label < 0
        if side.any():
            row = int(torch.where(side, of_label.abs(), torch.inf).argmin())
            nearest = float(of_label[other].abs().min()) if other.any() else 1.0
            columns[place, row, label] = -sign * (nearest + 0.5 / len(truth))
    return probes


def probes(rows: int, count: int) -> int:
    """How many probes of so many rows and classes there are, at most: the right one, and each wrong one.

    >>> probes(1000, 10), probes(1000, 10_000)
    (9, 2)
    """
    return 1 + max(1, min(MOST_CLASSES, MOST_NUMBERS // (rows * count) - 1))


def classes(truth: Tensor, count: int) -> Tensor:
    """Logits [P, N, K] for class indices [N]: right; then, for each of the rarest classes, one row given to the next class.

    >>> classes(torch.tensor([0, 1, 1]), 2).argmax(-1).tolist()
    [[0, 1, 1], [1, 1, 1], [0, 0, 1]]
    """
    sizes = torch.bincount(truth, minlength=count)
    rarest = [int(place) for place in sizes.argsort() if sizes[place]][: probes(len(truth), count) - 1]
    ramp = torch.linspace(0.1, 1.0, len(truth), dtype=torch.float64)[:, None]
    logits = ramp.new_zeros(1 + len(rarest), len(truth), count)
    logits.scatter_(2, truth[None, :, None].expand(len(logits), -1, 1), (1 + ramp).expand(len(logits), -1, 1))
    for place, label in enumerate(sorted(rarest), start=1):
        row = int((truth == label).nonzero()[0])
        logits[place, row, label] = 0.0
        logits[place, row, (label + 1) % count] = 1.0
    return logits


def corners(shape: tuple[int, ...]) -> Tensor:
    """Vectors [C, D] as far apart as a few can be simply: along the axes, the first two opposite to each other, and so on.

    >>> corners((3, 2)).int().tolist()
    [[1, 0], [-1, 0], [0, 1]]
    """
    places = torch.arange(shape[0])
    axes = torch.nn.functional.one_hot(places // 2, max(shape[1], (shape[0] + 1) // 2))[:, : shape[1]]
    return (1 - 2 * (places % 2))[:, None] * axes.double()
