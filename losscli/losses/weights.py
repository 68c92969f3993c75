"""Weights per class from the training split: what `balanced` and `effective` mean, and a user's own numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from losscli.errors import SpecError, shown
from losscli.lazy import Tensor, torch
from losscli.tasks import tasks
from losscli.tasks.labels import places_of

BETA = 0.9999  # Cui et al. 2019, https://arxiv.org/abs/1901.05555


def class_weights(given: Any, target: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """float32 [K] from a number, a list, a mapping by label, or a rule over the training split's class indices [N]
    or probabilities [N, K].

    A class that a mapping does not name counts 1; one that the training split lacks gets weight 0 from a rule. Errors:
    `SpecError` for a label or rule that there is not, too many or too few numbers, or weights that are all 0.

    >>> class_weights("balanced", np.array([0, 1, 1, 1, 1]), ("no", "yes")).tolist()  # 5 / (2 * 1), 5 / (2 * 4)
    [2.5, 0.625]
    >>> class_weights({"yes": 0}, np.array([0, 1]), ("no", "yes")).tolist()
    [1.0, 0.0]
    """
    if isinstance(given, str):
        counts = rows_of_class(target, len(labels))
        return _ruled(given, counts).astype(np.float32)
    weights = _numbers(given, labels)
    if not weights.any():
        raise SpecError("the class weights are all zero: no row would count", cure="give a positive weight")
    return weights


def class_counts(given: Any, target: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """float32 [K]: how many rows of each class the training split has ("training"), or a user's own numbers.

    A class that a mapping does not name has the rows of the training split.

    >>> class_counts("training", np.array([0, 0, 2]), ("a", "b", "c")).tolist()
    [2.0, 0.0, 1.0]
    >>> class_counts({"b": 9}, np.array([0, 0, 2]), ("a", "b", "c")).tolist()
    [2.0, 9.0, 1.0]
    """
    if isinstance(given, (str, Mapping)):
        rows = rows_of_class(target, len(labels)).astype(np.float32)
        return _by_label(given, labels, rows) if isinstance(given, Mapping) else rows
    return _numbers(given, labels)


def class_shares(target: np.ndarray, task: str) -> tuple[float, ...]:
    """The share of each class of a task's targets (`Task.class_shares`).

    >>> class_shares(np.array([0.0, 0.0, 0.0, 1.0]), "binary")
    (0.75, 0.25)
    """
    return tasks.get(task).class_shares(target)


def rows_of_class(target: np.ndarray, classes: int, weight: np.ndarray | None = None) -> np.ndarray:
    """float64 [K]: the rows of each class index [N], or the sum of each class's probabilities [N, K]; with the weights [N]
    of the rows, the sums of those. Of floats [N], which are shares of yes or 0 and 1, those of no and of yes.

    >>> rows_of_class(np.array([0, 2, 2]), 3).tolist(), rows_of_class(np.array([0, 2, 2]), 3, np.array([1, 0, 0.5])).tolist()
    ([1.0, 0.0, 2.0], [1.0, 0.0, 0.5])
    """
    if target.ndim == 2:
        sums: np.ndarray = (
            target.sum(axis=0, dtype=np.float64) if weight is None else weight.astype(np.float64) @ target
        )
        return sums
    if classes == 2 and np.issubdtype(target.dtype, np.floating):
        of_row = np.ones(len(target)) if weight is None else weight.astype(np.float64)
        return np.array([of_row @ (1 - target), of_row @ target])
    return np.bincount(target.astype(np.int64), weight, minlength=classes).astype(np.float64)


def positive_weight(given: Any, target: np.ndarray, labels: Sequence[str] = ()) -> float | np.ndarray:
    """How much a positive counts: a number for targets [N]; for [N, L] a number or float32 [L].

    `balanced` is negatives / positives. A label whose training rows are all alike has nothing to balance: 1.

    >>> positive_weight("balanced", np.array([0.0, 0.0, 0.0, 1.0]))
    3.0
    """
    if isinstance(given, str):
        if given != "balanced":
            raise SpecError(f"there is no rule {given!r} for pos_weight", cure="use balanced, or a number")
        positive = target.sum(axis=0, dtype=np.float64)
        negative = len(target) - positive
        alike = (positive == 0) | (negative == 0)
        weights = np.where(alike, 1.0, negative / np.where(alike, 1.0, positive))
        return float(weights) if weights.ndim == 0 else weights.astype(np.float32)
    if isinstance(given, (int, float)):
        return float(given)
    if target.ndim == 1 and isinstance(given, Mapping) and len(labels) == 2:
        no, yes = _by_label(given, labels, np.ones(2, np.float32)).tolist()
        if len(given) > 1 or no != 1:
            message = f"pos_weight weighs the positive label, {shown(labels[1])}, and {shown(labels[0])} is named"
            raise SpecError(message, cure=f"name {shown(labels[1])} alone, or give one number")
        return float(yes)
    if target.ndim == 1:
        raise SpecError("pos_weight of a binary task is one number", cure="give a number, or balanced")
    return _numbers(given, labels or [str(index) for index in range(target.shape[1])])


def _ruled(rule: str, counts: np.ndarray) -> np.ndarray:
    present: np.ndarray = counts > 0
    safe_counts = np.where(present, counts, 1.0)  # numpy computes both sides of a where: no division by 0
    if rule == "balanced":
        return np.where(present, counts.sum() / (len(counts) * safe_counts), 0.0)
    if rule == "effective":
        raw = np.where(present, (1 - BETA) / (1 - BETA**safe_counts), 0.0)
        normalised: np.ndarray = raw / raw[present].mean()
        return normalised
    raise SpecError(f"there is no rule {rule!r} for class weights", cure="use balanced, effective, or numbers")


def _numbers(given: Any, labels: Sequence[str]) -> np.ndarray:
    if isinstance(given, Mapping):
        return _by_label(given, labels, np.ones(len(labels), np.float32))
    weights = np.asarray(given, dtype=np.float32)
    if weights.ndim and weights.shape != (len(labels),):
        raise SpecError(
            f"{weights.size} weights are given for {len(labels)} labels",
            cure=f"give one number per label, in this order: {', '.join(shown(label) for label in labels[:12])}",
        )
    return np.broadcast_to(weights, (len(labels),)).copy()


def _by_label(given: Mapping[Any, float], labels: Sequence[str], unnamed: np.ndarray) -> np.ndarray:
    """float32 [K]: the numbers that a mapping gives some labels, and what the others have."""
    numbers = unnamed.copy()
    for place, number in places_of(given, labels, "weigh").items():
        numbers[place] = number
    return numbers


def sample_weights(weight: float | Tensor, target: Tensor) -> Tensor:
    """The weight of each sample's own class, [..., B]: a weighted mean divides by their sum.

    `weight` is a number, [K] or [R, 1, K]; `target` class indices [..., B], or probabilities [..., B, K], whose weight
    is their mean weight. A number weighs every sample alike.

    >>> sample_weights(torch.tensor([1.0, 3.0]), torch.tensor([1, 0, 1])).tolist()
    [3.0, 1.0, 3.0]
    """
    if not isinstance(weight, Tensor) or weight.ndim == 0:
        rows = target.sum(-1) if target.is_floating_point() else target
        return torch.ones_like(rows, dtype=torch.get_default_dtype()) * weight
    if target.is_floating_point():
        return (weight * target).sum(-1)
    shape = (*target.shape, weight.shape[-1])
    return weight.expand(shape).gather(-1, target.unsqueeze(-1)).squeeze(-1)
