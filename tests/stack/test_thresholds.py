"""Thresholds beyond the outermost values: halfway to the end of the scale, or by one where scores have none."""

from __future__ import annotations

import pytest
import torch

from losscli.metrics import evaluation_metrics
from losscli.stack.calibrate import best_thresholds

TUNED = [metric for metric in evaluation_metrics("binary").values() if metric.reads == "tuned"]


@pytest.mark.parametrize(
    ("values", "yes", "default", "cut"),
    [
        ([0.2, 0.3], True, 0.5, 0.1),  # all are yes: between 0 and the lowest
        ([0.0, 0.3], True, 0.5, -0.5),  # 0 itself is to be above it
        ([0.7, 0.8], False, 0.5, 0.9),  # all are no: between the highest and 1
        ([0.7, 1.0], False, 0.5, 1.5),  # 1 itself is to be below it
        ([2.0, 3.0], True, 0.0, 1.5),  # scores: by half of one step of 1
        ([-3.0, -2.0], False, 0.0, -1.5),
    ],
)
def test_where_one_answer_is_right_for_all_rows(values: list[float], yes: bool, default: float, cut: float) -> None:
    truth = torch.full((1, 2), float(yes))
    found = best_thresholds(torch.tensor([values]), truth, TUNED, default)
    assert found["accuracy"].item() == pytest.approx(cut, abs=1e-6)
