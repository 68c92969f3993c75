"""What finished runs say of the rows of the test split, as numbers that a record can keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from losscli.data.dataset import Dataset
from losscli.tasks import Prediction, Task

Kind = Literal["probabilities", "scores", "values"]


@dataclass(frozen=True)
class Predictions:
    """One run's N rows, each array float32 but for `row`, and for what is in the user's units: that is float64.

    `row` int64 [N] is each row's place in the table; `truth` [N, 1] of classes (0/1, or the index), [N, L] of labels,
    [N, O] of numbers in the user's units; `prediction` [N, m] what `kind` says: probabilities (binary: of yes), scores
    of the same shape where the loss gives no probabilities, values in the user's units. `low` and `high` [N, O] are the
    ends of an interval, where the loss gives one.
    """

    row: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    kind: Kind
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def predictions_of(prediction: Prediction, place: int, dataset: Dataset, task: Task) -> Predictions:
    """What the run at `place` in a stack's prediction says of its test split."""
    part = dataset.parts["test"]
    row = np.arange(part.rows) if part.index is None else part.index
    # As it was read: standardised and back, a number would lose digits. Of soft labels, the likelier class.
    truth = dataset.target.decided(dataset.target.values[row])
    kind: Kind = (
        "values" if prediction.values is not None else "scores" if prediction.probabilities is None else "probabilities"
    )
    numbers = getattr(prediction, kind)
    ends = (
        [None, None] if prediction.interval is None else [_by_row(end) for end in prediction.interval[place].unbind(-1)]
    )
    return Predictions(row, _by_row(truth), _by_row(numbers[place]), kind, *ends)


def _by_row(values: np.ndarray | Tensor) -> np.ndarray:
    """[N] or [N, m] as float32 [N, m]; what is float64 stays that."""
    array = values.cpu().numpy() if isinstance(values, Tensor) else values
    narrow = array if array.dtype == np.float64 else array.astype(np.float32)
    wide: np.ndarray = narrow.reshape(len(array), -1)
    return wide
