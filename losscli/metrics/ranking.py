"""How well scores put rows in order; rows of equal score are one group, in no order among themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from losscli.lazy import Tensor, torch
from losscli.metrics import metric

FEW = 40  # rows of a class, below which pairs of rows cost less than one order of all rows for each class
BLOCK = 1 << 20  # pairs of rows, or numbers in order, at a time: what comes with one takes up to 64 bytes


class Ordered(NamedTuple):
    """Rows in rising or falling order of score: their targets, and the first and last position of each one's group."""

    target: Tensor
    first: Tensor
    last: Tensor


@metric("binary", reads="scores", direction="up")
def auroc(prediction: Tensor, target: Tensor) -> Tensor:
    """The chance that a positive row scores above a negative one; a tie counts half. 1/2 is guessing.

    >>> auroc(torch.tensor([[0.1, 0.4, 0.4, 0.8]]), torch.tensor([[0.0, 0.0, 1.0, 1.0]])).tolist()  # 3.5 of 4 pairs
    [0.875]
    """
    return area(prediction, target)


@metric("multiclass", reads="probabilities", direction="up", name="auroc")
def auroc_of_classes(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean over classes of the AUROC of that class against the rest; classes that do not occur are left out.

    >>> p = torch.tensor([[[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]])
    >>> auroc_of_classes(p, torch.tensor([[0, 1, 1]])).tolist()
    [1.0]
    """
    if _classes_are_small(prediction):
        return _area_by_pairs(prediction, target)
    return _of_each(area, prediction, lambda part: _against_the_rest(part, target)).nanmean(-1)


@metric("binary", reads="scores", direction="up")
def auprc(prediction: Tensor, target: Tensor) -> Tensor:
    """Average precision: the precision at every positive row when rows are taken from the highest score down.

    >>> auprc(torch.tensor([[0.9, 0.8, 0.7]]), torch.tensor([[1.0, 0.0, 1.0]])).tolist()  # (1 + 2/3) / 2
    [0.8333333333333333]
    """
    return average_precision(prediction, target)


@metric("multiclass", reads="probabilities", direction="up", name="auprc")
def auprc_of_classes(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean over classes of the average precision of that class; classes that do not occur are left out.

    >>> p = torch.tensor([[[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]])
    >>> auprc_of_classes(p, torch.tensor([[0, 1, 1]])).tolist()
    [1.0]
    """
    if _classes_are_small(prediction):
        return _precision_by_pairs(prediction, target)
    return _of_each(average_precision, prediction, lambda part: _against_the_rest(part, target)).nanmean(-1)


@metric("multilabel", reads="scores", direction="up")
def mean_average_precision(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean over labels of the average precision; labels without a positive row are left out.

    >>> mean_average_precision(torch.tensor([[[0.9], [0.8], [0.7]]]), torch.tensor([[[1.0], [0.0], [0.0]]])).tolist()
    [1.0]
    """
    return _of_each(average_precision, prediction, lambda part: target[..., part].transpose(1, 2)).nanmean(-1)


@metric("multilabel", reads="scores", direction="down")
def ranking_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Within a row, the share of pairs of a label that is on and one that is off which are in the wrong order.

    A tie is wrong, and a row whose labels are all alike counts as 0. Tsoumakas, Katakis and Vlahavas 2010, Mining
    Multi-label Data; scikit-learn's label_ranking_loss.

    >>> ranking_loss(torch.tensor([[[0.9, 0.2, 0.5]]]), torch.tensor([[[1.0, 1.0, 0.0]]])).tolist()  # 1 of 2 pairs
    [0.5]
    """
    truth = target.double().expand(prediction.shape)
    on, labels = truth.sum(-1), truth.shape[-1]
    # A label that is on loses to every label that is off and scores no less.
    rows = ordered(prediction, truth)
    off = (1 - rows.target).flip(-1).cumsum(-1).flip(-1)  # at this place and above
    lost = (rows.target * off.gather(-1, rows.first)).sum(-1)
    pairs = on * (labels - on)
    return torch.where(pairs > 0, lost / pairs, 0.0).mean(-1)


def area(scores: Tensor, target: Tensor) -> Tensor:
    """The AUROC of scores [..., N]; NaN where all rows are alike."""
    rows = ordered(scores, target)
    rank = (rows.first + rows.last).double() / 2 + 1  # the mean rank of the group: Mann and Whitney's U
    positive = rows.target.sum(-1)
    negative = rows.target.shape[-1] - positive
    above = (rank * rows.target).sum(-1) - positive * (positive + 1) / 2
    return above / (positive * negative)


def average_precision(scores: Tensor, target: Tensor) -> Tensor:
    """The average precision of scores [..., N]; NaN where no row is positive."""
    rows = ordered(scores, target, descending=True)
    hits = rows.target.cumsum(-1).gather(-1, rows.last)  # positives down to the end of the group
    return (rows.target * hits / (rows.last + 1)).sum(-1) / rows.target.sum(-1)


def _of_each(
    measure: Callable[[Tensor, Tensor], Tensor], prediction: Tensor, truth: Callable[[slice], Tensor]
) -> Tensor:
    """What `measure` says of each class or label of predictions [R, N, K], a few at a time: [R, K].

    `truth` gives the targets [R or 1, k, N] of those in a slice.
    """
    runs, rows, count = prediction.shape
    size = max(1, BLOCK // (runs * rows))
    parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
    return torch.cat([measure(prediction[..., part].transpose(1, 2), truth(part)) for part in parts], -1)


def _against_the_rest(part: slice, target: Tensor) -> Tensor:
    """Whether a row is of each class of a slice: [R or 1, k, N]."""
    classes = torch.arange(part.start, part.stop, device=target.device)
    return (target.unsqueeze(1) == classes[:, None]).double()


def _classes_are_small(prediction: Tensor) -> bool:
    """Of predictions [R, N, K]: K orders of N rows would cost more than N N pairs, which do not grow with the classes."""
    return prediction.shape[1] < FEW * prediction.shape[2]


class Rivals(NamedTuple):
    """Of each row, for its own class: how many rows score at least as much, how many more, and how many of the first are of
    the class, too; [R, N] each.
    """

    at_least: Tensor
    above: Tensor
    own: Tensor


def rivals(prediction: Tensor, target: Tensor) -> Rivals:
    """The rivals of every row of predictions [R, N, K] and classes [R, N]."""
    runs, rows, _ = prediction.shape
    # [R, K, N], laid out anew: the rows of a class lie K numbers apart, and each read of one would miss the cache.
    by_class = prediction.transpose(1, 2).contiguous()
    # Made first: small tensors that are kept between blocks would keep the allocator from using a block's memory again.
    counts = Rivals(*torch.empty(3, runs, rows, dtype=torch.float64, device=prediction.device))
    size = max(1, BLOCK // (runs * rows))
    for done in range(0, rows, size):
        own, part = target[:, done : done + size], slice(done, done + size)  # [R, n]
        scores = by_class.gather(
            1, own[:, :, None].expand(-1, -1, rows)
        )  # [R, n, N]: all rows for the class of each of n
        mine = scores.diagonal(done, 1, 2)[..., None]  # [R, n, 1]
        least, alike = scores >= mine, own[:, :, None] == target[:, None]
        counts.at_least[:, part] = least.sum(-1)
        counts.above[:, part] = (scores > mine).sum(-1)
        counts.own[:, part] = (least & alike).sum(-1)
    return counts


def _area_by_pairs(prediction: Tensor, target: Tensor) -> Tensor:
    classes = target.long().expand(prediction.shape[:2])
    rows, seen = prediction.shape[1], rivals(prediction, classes)
    below = rows - (seen.at_least + seen.above) / 2  # rows that score less, and half of the ties
    positive = _by_class(torch.ones_like(below), classes, prediction)
    # Of the pairs within a class, itself included, half count as won: Mann and Whitney's U has those with others alone.
    won = _by_class(below, classes, prediction) - positive.square() / 2
    return (won / (positive * (rows - positive))).nanmean(-1)


def _precision_by_pairs(prediction: Tensor, target: Tensor) -> Tensor:
    classes = target.long().expand(prediction.shape[:2])
    seen = rivals(prediction, classes)
    positive = _by_class(torch.ones_like(seen.own), classes, prediction)
    return (_by_class(seen.own / seen.at_least, classes, prediction) / positive).nanmean(-1)


def _by_class(values: Tensor, classes: Tensor, prediction: Tensor) -> Tensor:
    """The sum of values [R, N] over the rows of each class, [R, K]."""
    return values.new_zeros(len(values), prediction.shape[2]).scatter_add(1, classes, values)


def ordered(scores: Tensor, target: Tensor, descending: bool = False) -> Ordered:
    """Rows [..., N] by score, with the ends of every group of equal scores."""
    values, order = scores.sort(dim=-1, descending=descending)
    positions = torch.arange(values.shape[-1], device=values.device).expand(values.shape)
    edge = torch.ones_like(values, dtype=torch.bool)
    starts = edge.clone()
    starts[..., 1:] = values[..., 1:] != values[..., :-1]
    ends = edge
    ends[..., :-1] = starts[..., 1:]
    # The nearest start at or before a position, and the nearest end at or after it.
    first = positions.masked_fill(~starts, 0).cummax(-1).values
    last = positions.masked_fill(~ends, values.shape[-1]).flip(-1).cummin(-1).values.flip(-1)
    return Ordered(target.double().expand(scores.shape).gather(-1, order), first, last)
