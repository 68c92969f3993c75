"""Multilabel: L times yes or no per row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from losscli.errors import DataError, Finding, Problem, shown
from losscli.tasks import Column, Prediction, Target, TargetScale, Task, tasks
from losscli.tasks.binary import prior_decisions, read_decisions
from losscli.tasks.labels import label_of, place_of, refuse_missing

MEANS = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0, "no": 0.0, "yes": 1.0}


class Multilabel(Task):
    """L labels that do not exclude each other, L outputs; a row may have none."""

    name = "multilabel"
    summary = "any number of L labels per row"
    default_loss = "bce-logits"
    default_metrics = ("macro-f1", "micro-f1", "subset-accuracy", "hamming-loss")
    default_data: ClassVar[Mapping[str, Any]] = {
        "source": "synthetic",
        "name": "multilabel_classification",
        "n_samples": 1000,
        "n_features": 20,
        "n_classes": 5,
    }
    borrows = ("binary",)
    rows_have_several_outputs = True
    links: ClassVar[Mapping[str, str | None]] = {"logits": None, "scores": None, "probabilities": "sigmoid"}

    def decode(self, columns: Mapping[str, Column]) -> Target:
        """0 or 1 of every column: 0/1, false/true or no/yes, without regard to case."""
        refuse_missing(columns)
        read = {name: _cells(column) for name, column in columns.items()}
        problems = [_stray(name, columns[name], cells) for name, cells in read.items() if np.isnan(cells).any()]
        if problems:
            raise DataError(problems)
        values = np.stack(list(read.values()), axis=1).astype(np.float32)  # [N, L]
        return Target(values, tuple(columns), tuple(_one_sided(tuple(columns), values)))

    def outputs(self, target: Target) -> int:
        return len(target.labels)

    def read(self, received: Tensor, meaning: str, scale: TargetScale | None = None) -> Prediction:
        return read_decisions(received, meaning)

    def baseline(
        self, train: Tensor, rows: int, scale: TargetScale | None = None, outputs: int | None = None
    ) -> Prediction:
        return prior_decisions(train, rows)


def _cells(column: Column) -> np.ndarray:
    """0.0, 1.0, or NaN for a cell that is neither."""
    if column.levels is None:
        return np.where((column.values == 0) | (column.values == 1), column.values, np.nan)
    meant = np.array([MEANS.get(level.casefold(), np.nan) for level in column.levels])
    cells: np.ndarray = meant[column.values]
    return cells


def _stray(name: str, column: Column, cells: np.ndarray) -> Problem:
    rows = np.flatnonzero(np.isnan(cells))
    given = column.values[rows[0]]
    text = column.levels[int(given)] if column.levels is not None else label_of(given)
    return Problem(
        f"a cell of the multilabel target {shown(name)} must be 0 or 1, and {shown(text)} is neither "
        f"({len(rows)} such cells)",
        place_of(column, rows[0]),
        "give one column of 0 and 1 per label; for one column of labels use task: multiclass",
    )


def _one_sided(names: tuple[str, ...], values: np.ndarray) -> list[Finding]:
    share = values.mean(axis=0)
    return [
        Finding(
            "label-never-positive" if part == 0 else "label-always-positive",
            "warning",
            f"the label {shown(name)} is {'never' if part == 0 else 'always'} positive: nothing can be learned of it",
            "leave this column out of data.target",
        )
        for name, part in zip(names, share, strict=True)
        if part in (0, 1)
    ]


tasks.put("multilabel", Multilabel())
