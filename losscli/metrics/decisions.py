"""How good the decisions are: metrics of labels, from counts of what was predicted and what was true.

Labels are class indices (or 0/1) held as floats, as `Prediction.labels` says. A metric of one row's class is a function of
`Counts`, so that every possible threshold can be judged by it at once; its twin `-tuned` (binary) reads the decisions at
the threshold that was best by this very metric on the valid split.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from losscli.direction import Direction
from losscli.lazy import Tensor, torch
from losscli.metrics import MetricFunction, metric, metrics

Costs = Sequence[Sequence[float]]


class Counts(NamedTuple):
    """Per class (last dimension): rows that are it and were predicted as it (hit), were predicted as it, are it (true)."""

    hit: Tensor
    predicted: Tensor
    true: Tensor

    def f1(self) -> Tensor:
        """2 hit / (predicted + true); NaN for a class that was neither predicted nor true."""
        return 2 * self.hit / (self.predicted + self.true)


def by_class(prediction: Tensor, target: Tensor) -> Counts:
    """Counts per class [R, K] of class indices [R, N] and [R or 1, N]; K is one more than the largest that occurs, or 2."""
    predicted, true = prediction.long(), target.long().expand(prediction.shape)
    classes = max(2, int(torch.maximum(predicted.max(), true.max())) + 1 if predicted.numel() else 2)
    ones = torch.ones_like(predicted, dtype=torch.float64)
    empty = ones.new_zeros(len(predicted), classes)
    hits = (predicted == true).double()
    return Counts(
        empty.scatter_add(1, true, hits), empty.scatter_add(1, predicted, ones), empty.scatter_add(1, true, ones)
    )


def decision(
    *tasks: str, direction: Direction = "up", low: float = 0.0, tuned: bool = False, **facts: Any
) -> Callable[[MetricFunction], MetricFunction]:
    """Put a function of `Counts` [..., K] on the shelf as a metric of labels; with `tuned`, its binary twin, too."""

    def register(criterion: MetricFunction) -> MetricFunction:
        metric(*tasks, reads="labels", direction=direction, low=low, of=by_class, criterion=criterion, **facts)(
            criterion
        )
        if tuned:
            name = criterion.__name__.replace("_", "-")
            item = metrics.get(f"binary/{name}")
            metrics.put(f"binary/{name}-tuned", replace(item, name=f"{name}-tuned", tasks=("binary",), reads="tuned"))
        return criterion

    return register


@decision("binary", "multiclass", tuned=True)
def accuracy(counts: Counts) -> Tensor:
    """The share of rows that are right.

    >>> accuracy(by_class(torch.tensor([[0.0, 1.0, 1.0, 1.0]]), torch.tensor([[0.0, 1.0, 1.0, 0.0]]))).tolist()
    [0.75]
    """
    return counts.hit.sum(-1) / counts.true.sum(-1)


@decision("binary", "multiclass", tuned=True)
def balanced_accuracy(counts: Counts) -> Tensor:
    """The mean over classes of the share of their rows that are right; every class that occurs counts the same.

    >>> balanced_accuracy(by_class(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 0.0, 1.0]]))).tolist()
    [0.5]
    """
    return (counts.hit / counts.true).nanmean(-1)


@decision("binary")
def precision(counts: Counts) -> Tensor:
    """Of the rows that were called positive, the share that are.

    >>> precision(by_class(torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0]]))).tolist()
    [0.5]
    """
    return (counts.hit / counts.predicted)[..., 1]


@decision("binary")
def recall(counts: Counts) -> Tensor:
    """Of the rows that are positive, the share that were called so.

    >>> recall(by_class(torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0]]))).tolist()
    [0.5]
    """
    return (counts.hit / counts.true)[..., 1]


@decision("binary", tuned=True)
def f1(counts: Counts) -> Tensor:
    """The harmonic mean of precision and recall of the positive class.

    >>> f1(by_class(torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0]]))).tolist()
    [0.5]
    """
    return counts.f1()[..., 1]


@decision("binary", "multiclass", low=-1.0, tuned=True)
def mcc(counts: Counts) -> Tensor:
    """Matthews correlation between what was said and what is true; 0 where one of them is constant.

    >>> mcc(by_class(torch.tensor([[1.0, 1.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0, 1.0]]))).tolist()
    [-1.0]
    """
    rows = counts.true.sum(-1)
    covariance = counts.hit.sum(-1) * rows - (counts.predicted * counts.true).sum(-1)
    spread = (rows**2 - counts.predicted.square().sum(-1)) * (rows**2 - counts.true.square().sum(-1))
    return torch.where(spread > 0, covariance / spread.sqrt(), 0.0)


@decision("multiclass", name="macro-f1")
def macro_f1(counts: Counts) -> Tensor:
    """The mean over classes of F1; classes that were neither said nor true are left out.

    >>> counts = by_class(torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([[0, 1, 2]]))
    >>> macro_f1(counts).round(decimals=4).tolist()  # 2/3, 0, 1
    [0.5556]
    """
    return counts.f1().nanmean(-1)


@decision("multiclass", name="micro-f1")
def micro_f1_of_classes(counts: Counts) -> Tensor:
    """F1 over all classes at once: where every row has one class it is the accuracy, and is here for its name.

    >>> micro_f1_of_classes(by_class(torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([[0, 1, 2]]))).round(decimals=4).tolist()
    [0.6667]
    """
    return 2 * counts.hit.sum(-1) / (counts.predicted.sum(-1) + counts.true.sum(-1))


@decision("multiclass", name="weighted-f1")
def weighted_f1(counts: Counts) -> Tensor:
    """The mean over classes of F1, each weighted by how many rows are of it.

    >>> counts = by_class(torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([[0, 0, 1]]))
    >>> weighted_f1(counts).round(decimals=4).tolist()  # (2 * 1 + 1 * 0) / 3
    [0.6667]
    """
    # F1 is NaN where a class is neither predicted nor true: its weight is 0, and 0 * NaN is NaN.
    return (counts.f1().nan_to_num() * counts.true).sum(-1) / counts.true.sum(-1)


@metric("multiclass", reads="labels", direction="up", low=-1.0, name="quadratic-kappa")
def quadratic_kappa(prediction: Tensor, target: Tensor) -> Tensor:
    """For ordered classes: 1 minus the mean squared distance in steps, relative to that of chance agreement.

    Cohen 1968, weighted kappa with quadratic weights. Where the order of the classes means nothing, neither does this.

    >>> quadratic_kappa(torch.tensor([[0.0, 1.0, 1.0]]), torch.tensor([[0, 1, 2]])).round(decimals=4).tolist()  # 1 - 3/9
    [0.6667]
    """
    predicted, true = prediction.double(), target.double().expand(prediction.shape)
    observed = (predicted - true).square().mean(-1)
    # E (a - b)^2 of independent a and b, from their first two moments
    chance = predicted.square().mean(-1) + true.square().mean(-1) - 2 * predicted.mean(-1) * true.mean(-1)
    return torch.where(chance > 0, 1 - observed / chance, torch.nan)


@metric("multiclass", reads="labels", direction="down", name="expected-cost", needs="costs")
def expected_cost_of_classes(prediction: Tensor, target: Tensor, *, costs: Costs) -> Tensor:
    """The mean over rows of what the decision costs, by the spec's `costs` (rows: truth, columns: decision).

    >>> prices = [[0, 1, 1], [1, 0, 1], [9, 1, 0]]
    >>> expected_cost_of_classes(torch.tensor([[0.0, 0.0]]), torch.tensor([[2, 0]]), costs=prices).tolist()  # (9 + 0) / 2
    [4.5]
    """
    table = torch.as_tensor(costs, dtype=torch.float64, device=prediction.device)
    return table[target.long().expand(prediction.shape), prediction.long()].mean(-1)


@decision("binary", direction="down", tuned=True, needs="costs")
def expected_cost(counts: Counts, *, costs: Costs) -> Tensor:
    """The mean over rows of what the decision costs, by the spec's `costs` (rows: truth, columns: decision).

    >>> counts = by_class(torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0, 0.0]]))
    >>> expected_cost(counts, costs=[[0, 1], [5, 0]]).tolist()  # (1 + 5) / 4
    [1.5]
    """
    (right_no, false_yes), (missed, right_yes) = costs
    told_no, told_yes = counts.hit.unbind(-1)  # rightly
    alarms, misses = counts.true[..., 0] - told_no, counts.true[..., 1] - told_yes
    total = right_no * told_no + false_yes * alarms + missed * misses + right_yes * told_yes
    return total / counts.true.sum(-1)


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


def of_positives(prediction: Tensor, target: Tensor, dim: int) -> Counts:
    """Counts of the ones over the rows, which stand at `dim`: [R, N] -> [R], [R, N, L] -> [R, L]."""
    predicted, true = prediction.double(), target.double().expand(prediction.shape)
    return Counts((predicted * true).sum(dim), predicted.sum(dim), true.sum(dim))
