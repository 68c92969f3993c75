"""Which rows count in the mean loss of a run: a weighted mean divides by the sum of weights, and has no value where that is 0.

What a row counts is its weight in the data times the weight of its class. In a loss over the whole batch every row counts 1.
Arrays only, so that it is known before anything is trained.
"""

from __future__ import annotations

import numpy as np

from losscli.losses import PerClass
from losscli.losses.weights import class_weights, rows_of_class
from losscli.stack.rows import Run


def class_weights_of(run: Run) -> np.ndarray | None:
    """float32 [K]: how much the run's classes count, whether its kernel weighs them or not; None where all count alike."""
    option = run.loss.options.get("weight")
    given = run.settings["weight"] if option is not None and isinstance(option.accepts, PerClass) else run.weight
    if given is None or run.loss.over_batch:
        return None
    return class_weights(given, run.dataset.parts["train"].target, run.dataset.target.labels)


def weight_of(run: Run, split: str) -> float:
    """The sum of weights of all rows of a split.

    Errors: `SpecError` for class weights that the labels of the target refuse.
    """
    part, by_class = run.dataset.parts[split], class_weights_of(run)
    rows = None if run.loss.over_batch else part.weight
    if by_class is not None:
        return float(rows_of_class(part.target, len(by_class), rows) @ by_class)
    return float(part.rows if rows is None else rows.sum(dtype=np.float64))


def may_miss(run: Run) -> bool:
    """Whether some batch may hold no row that counts: one of the training rows, or the class of one, has weight 0."""
    part, by_class = run.dataset.parts["train"], class_weights_of(run)
    rows = None if run.loss.over_batch else part.weight
    if rows is not None and not rows.all():
        return True
    return by_class is not None and bool((rows_of_class(part.target, len(by_class))[by_class == 0] > 0).any())
