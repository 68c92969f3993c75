"""What a task says of single rows, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from losscli.tasks import tasks
from losscli.tasks.predictions import Outputs, Predictions


def test_rows_of_several_labels() -> None:
    """Row 0 is right on both labels, row 1 on one; each label has its own rows, and row 0 is in both."""
    truth = np.array([[1, 1], [0, 1]], np.float32)
    said = Predictions(np.arange(2), truth, np.array([[0.75, 0.75], [0.75, 0.75]], np.float32), "probabilities")
    task = tasks.get("multilabel")
    assert [measure.function(said).tolist() for measure in task.row_measures] == [[1.0, 0.5]]
    assert task.difficulty(said).tolist() == [0.25, 0.5]
    groups = task.groups(truth, ("a", "b"))
    assert {name: rows.tolist() for name, rows in groups.items()} == {"a": [True, False], "b": [True, True]}


def test_without_probabilities_a_row_is_hard_or_not() -> None:
    scores = Predictions(np.arange(2), np.array([[1.0], [0.0]]), np.array([[3.0], [0.1]]), "scores")
    assert tasks.get("binary").difficulty(scores).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("order", [("binary", "multiclass"), ("multiclass", "binary")])
def test_a_metric_of_two_tasks_decides_shares_of_either(order: tuple[str, str]) -> None:
    """The largest of three shares wins though none is above one half; of a share of yes, the half decides."""

    def decided(target: torch.Tensor) -> list:
        for name in order:
            target = tasks.get(name).decided(target)
        return target.tolist()

    assert decided(torch.tensor([[[0.3, 0.4, 0.3], [0.2, 0.2, 0.6]]])) == [[1, 2]]
    assert decided(torch.tensor([[0.2, 0.5, 0.75, 1.0]])) == [[0.0, 0.0, 1.0, 1.0]]
    assert decided(torch.tensor([[0, 2]])) == [[0, 2]]


def test_every_task_is_asked_the_same() -> None:
    """Only the label that counts as yes, of two; and something is written for every row, whatever the task."""
    labels = ("no", "yes")
    assert [task.name for task in tasks if task.positive(labels) is not None] == ["binary"]
    for task in tasks:
        if not task.has_target:  # what it makes up answers nothing
            assert task.row_measures == ()
            continue
        kind = "probabilities" if task.has_classes else "values"
        columns = dict(task.columns(Outputs(kind, np.array([[0.25, 0.75]] * 3)), labels, 0.5))
        assert columns
        assert all(len(column) == 3 for column in columns.values())
        assert task.row_measures[0].headlines == ()  # it serves what no other does
        assert task.has_classes == (task.rows_have_one_class or task.yes_or_no or task.outputs_compete)
