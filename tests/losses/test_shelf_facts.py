"""What a loss declares of itself, against what follows from its domain; and the types of what the engine multiplies with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from losscli.errors import DataError
from losscli.losses import Loss, find, losses
from losscli.losses.guard import guarded
from losscli.losses.weights import class_weights, positive_weight, sample_weights

REGRESSION = [pytest.param(item, id=item.name) for item in losses if item.task == "regression"]


@pytest.mark.parametrize("item", REGRESSION)
def test_a_loss_with_a_bound_on_its_target_judges_in_the_user_s_units(item: Loss) -> None:
    """A standardised target has mean 0: half of the rows would be negative, where a count, a rate or a ratio is meant."""
    assert item.own_units == (item.target != "any number")


def test_both_kinds_of_target_are_among_them() -> None:
    assert {param.values[0].own_units for param in REGRESSION} == {True, False}


TARGET = np.array([0, 0, 1, 2, 2, 2])
LABELS = ("a", "b", "c")


@pytest.mark.parametrize("given", ["balanced", "effective", 2, [1, 2, 3], {"b": 2}, {1: 2.5}], ids=str)
def test_class_weights_are_float32_however_they_are_given(given: Any) -> None:
    """float64 beside float32 losses would make every step a float64 one, in silence."""
    labels = LABELS if not (isinstance(given, dict) and 1 in given) else ("0", "1", "2")
    assert class_weights(given, TARGET, labels).dtype == np.float32


@pytest.mark.parametrize("given", ["balanced", [1, 2], {"b": 2}], ids=str)
def test_positive_weights_of_labels_are_float32(given: Any) -> None:
    target = np.array([[0, 1], [1, 1], [0, 0]], dtype=np.float32)
    assert positive_weight(given, target, ("a", "b")).dtype == np.float32


def test_sample_weights_keep_the_type_of_the_class_weights() -> None:
    weights = torch.tensor([1.0, 2.0, 4.0])
    assert sample_weights(weights, torch.tensor([2, 0])).tolist() == [4.0, 1.0]
    soft = sample_weights(weights, torch.tensor([[0.0, 0.5, 0.5]]))
    assert (soft.tolist(), soft.dtype) == ([3.0], torch.float32)


def test_one_index_out_of_range_among_others_is_seen() -> None:
    call = guarded(find("cross-entropy", "multiclass"), {}, "multiclass")
    for index in (-1, 3):
        for place in range(4):
            target = torch.tensor([0, 2, 1, 0])
            target[place] = index
            with pytest.raises(DataError, match=f"0 to 2, and {index} is given"):
                call(torch.zeros(4, 3), target)


@pytest.mark.parametrize("spread", [-30.0, -25.0, -21.0, -19.0, 0.0, 3.0])
def test_student_t_is_exact_on_either_side_of_its_knee(spread: float) -> None:
    """In logarithms, where no square overflows: log(1 + r^2 e^(-2 s) / df) = logaddexp(0, 2 log r - 2 s - log df)."""
    r, df = 0.7, 4.0
    inner = np.logaddexp(0.0, 2 * np.log(r) - 2 * spread - np.log(df))
    constant = math.lgamma(df / 2) - math.lgamma((df + 1) / 2) + math.log(df * math.pi) / 2
    wanted = (df + 1) / 2 * inner + spread + constant
    given = torch.tensor([[r, spread]], dtype=torch.float64)
    found = find("student-t-nll", "regression").function(given, torch.zeros(1, dtype=torch.float64), df=df)
    assert found.item() == pytest.approx(wanted, rel=1e-9)
