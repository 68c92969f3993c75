"""Where thresholds are laid: beyond the outermost values, and near the default of what they are laid on."""

from __future__ import annotations

import pytest
import torch

from losscli.metrics import evaluation_metrics
from losscli.stack.calibrate import best_thresholds, calibrate, logits_of
from losscli.tasks import Prediction

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


@pytest.mark.parametrize(("field", "shift", "cut"), [("probabilities", 0.0, 0.5), ("scores", -0.5, 0.0)])
def test_of_equal_cuts_the_one_nearest_to_the_default_of_the_field(field: str, shift: float, cut: float) -> None:
    """Between 0.4 and 0.6 all is well, and so it is between 0.9 and 0.95 (two rows more are wrong on either side)."""
    values = torch.tensor([[0.1, 0.4, 0.6, 0.9, 0.95]]) + shift
    truth = torch.tensor([[0.0, 0.0, 1.0, 0.0, 1.0]])
    found = calibrate(Prediction(**{field: values}), truth, TUNED)
    assert found.thresholds["accuracy"].item() == pytest.approx(cut, abs=1e-6)


def test_probabilities_alone_have_the_logits_that_would_give_them() -> None:
    binary, classes = torch.tensor([[0.2, 0.5, 0.9]]), torch.tensor([[[0.2, 0.3, 0.5]]])
    torch.testing.assert_close(logits_of(Prediction(probabilities=binary)), binary.double().logit())
    given = logits_of(Prediction(probabilities=classes))
    torch.testing.assert_close(given, classes.double().log())
    torch.testing.assert_close(given.softmax(-1), classes.double())


@pytest.mark.parametrize("place", range(3))
def test_a_run_with_one_nan_has_no_threshold_and_its_neighbour_has(place: int) -> None:
    values = torch.tensor([[0.2, 0.6, 0.8], [0.2, 0.6, 0.8]])
    values[0, place] = torch.nan
    found = best_thresholds(values, torch.tensor([[0.0, 1.0, 1.0]]), TUNED, 0.5)
    assert set(found) == {metric.of for metric in TUNED}
    for cut in found.values():
        assert cut.isnan().tolist() == [True, False]
