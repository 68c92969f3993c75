"""What finished runs say of the rows of the test split, as numbers that a record can keep."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from losscli.data.dataset import Dataset
from losscli.tasks import Prediction, Task
from losscli.tasks.predictions import Predictions


def predictions_of(prediction: Prediction, place: int, dataset: Dataset, task: Task) -> Predictions:
    """What the run at `place` in a stack's prediction says of its test split."""
    part = dataset.parts["test"]
    row = np.arange(part.rows) if part.index is None else part.index
    # As it was read: standardised and back, a number would lose digits. Of soft labels of one class, the likelier one.
    values = dataset.target.values[row]
    truth = dataset.target.decided(values) if task.rows_have_one_class else values
    ends = (
        [None, None] if prediction.interval is None else [_by_row(end) for end in prediction.interval[place].unbind(-1)]
    )
    return Predictions(row, _by_row(truth), _by_row(prediction.numbers[place]), prediction.kind, *ends)


def _by_row(values: np.ndarray | Tensor) -> np.ndarray:
    """[N] or [N, m] as float32 [N, m]; what is float64 stays that."""
    array = values.cpu().numpy() if isinstance(values, Tensor) else values
    narrow = array if array.dtype == np.float64 else array.astype(np.float32)
    wide: np.ndarray = narrow.reshape(len(array), -1)
    return wide
