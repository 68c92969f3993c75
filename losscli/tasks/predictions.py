"""Predictions as plain numbers, of the test split and of new rows. No torch here: records and comparisons read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["values", "probabilities", "scores", "embeddings", "samples"]  # what says more of a row comes first
EVEN: Mapping[str, float] = {"probabilities": 0.5, "scores": 0.0}  # above it, the answer is yes


@dataclass(frozen=True)
class Predictions:
    """One run's N rows, each array float32 but for `row`, and for what is in the user's units: that is float64.

    `row` int64 [N] is each row's place in the table; `truth` [N, 1] of classes (0/1, or the index), [N, L] of labels,
    [N, O] of numbers in the user's units; `prediction` [N, m] what `kind` says: probabilities (binary: of yes), scores
    of the same shape where the loss gives no probabilities, values in the user's units, vectors, or rows made up. `low` and
    `high` [N, O] are the ends of an interval, where the loss gives one.
    """

    row: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    kind: Kind
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclass(frozen=True)
class Outputs:
    """The numbers behind a prediction of new rows, the mean over the runs: `numbers` [N, W] of what `kind` says.

    A loss that forecasts has `quantiles` [N, W, Q], too, at `levels`.
    """

    kind: str
    numbers: np.ndarray
    levels: tuple[float, ...] = ()
    quantiles: np.ndarray | None = None

    @property
    def word(self) -> str:
        """What a column of `numbers` of a class is called."""
        return "probability" if self.kind == "probabilities" else "score"
