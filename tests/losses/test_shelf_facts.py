"""What a loss declares of itself, against what follows from its domain; and the types of what the engine multiplies with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from losscli.losses import Loss, losses
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
    import torch

    weights = torch.tensor([1.0, 2.0, 4.0])
    assert sample_weights(weights, torch.tensor([2, 0])).tolist() == [4.0, 1.0]
    soft = sample_weights(weights, torch.tensor([[0.0, 0.5, 0.5]]))
    assert (soft.tolist(), soft.dtype) == ([3.0], torch.float32)
