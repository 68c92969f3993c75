"""How good the decisions are: metrics of labels, from counts of what was said and what was true.

Labels are class indices (or 0/1) held as floats, as `Prediction.labels` says.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from losscli.metrics import metric


class Counts(NamedTuple):
    """Per class (last dimension): rows that are it and were said to be (hit), were said to be (said), are it (true)."""

    hit: Tensor
    said: Tensor
    true: Tensor

    def f1(self) -> Tensor:
        """2 hit / (said + true); NaN for a class that was neither said nor true."""
        return 2 * self.hit / (self.said + self.true)


@metric("binary", "multiclass", reads="labels", direction="up")
def accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """The share of rows that are right.

    >>> accuracy(torch.tensor([[0.0, 1.0, 1.0, 1.0]]), torch.tensor([[0.0, 1.0, 1.0, 0.0]])).tolist()
    [0.75]
    """
    return (prediction == target).double().mean(-1)


@metric("binary", "multiclass", reads="labels", direction="up")
def balanced_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean over classes of the share of their rows that are right; every class that occurs counts the same.

    >>> balanced_accuracy(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 0.0, 1.0]])).tolist()
    [0.5]
    """
    counts = by_class(prediction, target)
    return (counts.hit / counts.true).nanmean(-1)


@metric("binary", reads="labels", direction="up")
def precision(prediction: Tensor, target: Tensor) -> Tensor:
    """Of the rows that were called positive, the share that are.

    >>> precision(torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0]])).tolist()
    [0.5]
    """
    counts = of_positives(prediction, target, dim=1)
    return counts.hit / counts.said


@metric("binary", reads="labels", direction="up")
def recall(prediction: Tensor, target: Tensor) -> Tensor:
    """Of the rows that are positive, the share that were called so.

    >>> recall(torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0]])).tolist()
    [0.5]
    """
    counts = of_positives(prediction, target, dim=1)
    return counts.hit / counts.true


@metric("binary", reads="labels", direction="up")
def f1(prediction: Tensor, target: Tensor) -> Tensor:
    """The harmonic mean of precision and recall of the positive class.

    >>> f1(torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0]])).tolist()
    [0.5]
    """
    return of_positives(prediction, target, dim=1).f1()


@metric("binary", "multiclass", reads="labels", direction="up", low=-1.0)
def mcc(prediction: Tensor, target: Tensor) -> Tensor:
    """Matthews correlation between what was said and what is true; 0 where one of them is constant.

    >>> mcc(torch.tensor([[1.0, 1.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0, 1.0]])).tolist()
    [-1.0]
    """
    counts = by_class(prediction, target)
    rows = prediction.shape[-1]
    covariance = counts.hit.sum(-1) * rows - (counts.said * counts.true).sum(-1)
    spread = (rows**2 - counts.said.square().sum(-1)) * (rows**2 - counts.true.square().sum(-1))
    return torch.where(spread > 0, covariance / spread.sqrt(), 0.0)


@metric("multiclass", reads="labels", direction="up", name="macro-f1")
def macro_f1(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean over classes of F1; classes that were neither said nor true are left out.

    >>> macro_f1(torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([[0, 1, 2]])).round(decimals=4).tolist()  # 2/3, 0, 1
    [0.5556]
    """
    return by_class(prediction, target).f1().nanmean(-1)


@metric("multilabel", reads="labels", direction="up", name="macro-f1")
def macro_f1_of_labels(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean over labels of F1; labels that were neither said nor true are left out.

    >>> macro_f1_of_labels(torch.tensor([[[1.0, 0.0], [1.0, 1.0]]]), torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])).tolist()
    [0.5]
    """
    return of_positives(prediction, target, dim=1).f1().nanmean(-1)


@metric("multilabel", reads="labels", direction="up")
def micro_f1(prediction: Tensor, target: Tensor) -> Tensor:
    """F1 over all labels of all rows at once, so that frequent labels count most.

    >>> micro_f1(torch.tensor([[[1.0, 0.0], [1.0, 1.0]]]), torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])).tolist()
    [0.8]
    """
    return of_positives(prediction.flatten(1), target.flatten(1), dim=1).f1()


@metric("multilabel", reads="labels", direction="up")
def subset_accuracy(prediction: Tensor, target: Tensor) -> Tensor:
    """The share of rows all of whose labels are right.

    >>> subset_accuracy(torch.tensor([[[1.0, 0.0], [1.0, 1.0]]]), torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])).tolist()
    [0.5]
    """
    return (prediction == target).all(-1).double().mean(-1)


@metric("multilabel", reads="labels", direction="down")
def hamming_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """The share of labels that are wrong, over all rows.

    >>> hamming_loss(torch.tensor([[[1.0, 0.0], [1.0, 1.0]]]), torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])).tolist()
    [0.25]
    """
    return (prediction != target).double().mean((-2, -1))


def by_class(prediction: Tensor, target: Tensor) -> Counts:
    """Counts per class [R, K] of class indices [R, N] and [R or 1, N]; K is one more than the largest that occurs."""
    said, true = prediction.long(), target.long().expand(prediction.shape)
    classes = int(torch.maximum(said.max(), true.max())) + 1 if said.numel() else 1
    ones = torch.ones_like(said, dtype=torch.float64)
    empty = ones.new_zeros(len(said), classes)
    hits = (said == true).double()
    return Counts(empty.scatter_add(1, true, hits), empty.scatter_add(1, said, ones), empty.scatter_add(1, true, ones))


def of_positives(prediction: Tensor, target: Tensor, dim: int) -> Counts:
    """Counts of the ones over the rows, which stand at `dim`: [R, N] -> [R], [R, N, L] -> [R, L]."""
    said, true = prediction.double(), target.double().expand(prediction.shape)
    return Counts((said * true).sum(dim), said.sum(dim), true.sum(dim))
