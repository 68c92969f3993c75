"""Metrics where the truth is probabilities of the classes: against them, or against the most likely class."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import rel_entr
from scipy.stats import entropy
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

from losscli.metrics import evaluation_metrics, for_task
from losscli.stack.calibrate import temperature
from losscli.tasks import Prediction, tasks

RNG = np.random.default_rng(0)
TRUTH, SAID = (RNG.dirichlet(np.ones(4), size=(3, 50)) for _ in range(2))  # [R, N, K]


def measured(name: str, said: np.ndarray = SAID) -> torch.Tensor:
    prediction = tasks.get("multiclass").read(torch.from_numpy(said), "probabilities")
    return for_task("multiclass")[name].measure(prediction, torch.from_numpy(TRUTH))


def test_log_loss_is_the_cross_entropy_of_the_probabilities():
    expected = entropy(TRUTH, axis=-1).mean(-1) + rel_entr(TRUTH, SAID).sum(-1).mean(-1)  # H(t) + KL(t || p)
    np.testing.assert_allclose(measured("log-loss"), expected, rtol=1e-9)
    assert (measured("log-loss", TRUTH) < measured("log-loss")).all()


def test_brier_is_the_squared_distance():
    np.testing.assert_allclose(measured("brier"), ((SAID - TRUTH) ** 2).sum(-1).mean(-1), rtol=1e-9)
    assert measured("brier", TRUTH).abs().max() < 1e-12
    sure = np.eye(4)[TRUTH.argmax(-1)]
    hard = [
        brier_score_loss(t.argmax(-1), s, labels=range(4), scale_by_half=False) for t, s in zip(sure, SAID, strict=True)
    ]
    prediction = Prediction(probabilities=torch.from_numpy(SAID))
    metric = for_task("multiclass")["brier"]
    both = [metric.measure(prediction, truth) for truth in (torch.from_numpy(sure), torch.from_numpy(sure).argmax(-1))]
    for found in both:
        np.testing.assert_allclose(found, hard, rtol=1e-9)


def test_the_others_judge_by_the_most_likely_class():
    likely = TRUTH.argmax(-1)
    accuracy = [accuracy_score(t, s) for t, s in zip(likely, SAID.argmax(-1), strict=True)]
    np.testing.assert_allclose(measured("accuracy"), accuracy)
    area = [roc_auc_score(t, s, multi_class="ovr") for t, s in zip(likely, SAID, strict=True)]
    np.testing.assert_allclose(measured("auroc"), area)


@pytest.mark.parametrize(
    "name", [name for name, item in evaluation_metrics("multiclass").items() if item.reads != "scaled"]
)
def test_every_metric_of_classes_takes_such_a_truth(name):
    assert measured(name).shape == (3,)
    assert measured(name).isfinite().all()


def test_the_temperature_is_the_one_that_fits_the_probabilities_best():
    """Oracle: predictions that are the truth at temperature 1/2 are mended by 2."""
    logits = torch.from_numpy(np.log(TRUTH))
    np.testing.assert_allclose(temperature(2 * logits, torch.from_numpy(TRUTH)), 2.0, rtol=1e-6)
