"""What minimisers say, against what is known of them from the literature and by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from losscli.explain.properness import properness
from losscli.losses import Loss, find, losses

SHELF = [pytest.param(item, id=f"{item.task}/{item.name}") for item in losses]

KNOWN = [
    ("binary", "bce-logits", {}, "strictly proper"),  # Good 1952
    ("binary", "bce", {}, "strictly proper"),
    ("binary", "brier", {}, "strictly proper"),  # Brier 1950
    ("multiclass", "cross-entropy", {}, "strictly proper"),
    ("multiclass", "nll", {}, "strictly proper"),
    ("multiclass", "brier", {}, "strictly proper"),
    ("binary", "hinge", {}, "classification-calibrated"),  # Bartlett, Jordan, McAuliffe 2006, example 3
    ("binary", "squared-hinge", {}, "classification-calibrated"),  # the same, example 2
    ("binary", "exponential", {}, "classification-calibrated"),  # the same, example 1
    ("binary", "modified-huber", {}, "classification-calibrated"),  # Zhang 2004
    ("binary", "perceptron", {}, "neither"),  # zero costs nothing, and decides nothing
    ("binary", "focal", {"gamma": 2.0}, "classification-calibrated"),  # Charoenphakdee et al. 2021
    ("binary", "focal", {"gamma": 0.0}, "strictly proper"),
    ("multiclass", "focal", {"gamma": 2.0}, "classification-calibrated"),
    ("multiclass", "focal", {"gamma": 0.0}, "strictly proper"),
    ("multiclass", "mae", {}, "classification-calibrated"),  # Ghosh et al. 2017: the minimiser is the Bayes class
    ("multiclass", "crammer-singer", {}, "neither"),  # Tewari and Bartlett 2007: no class above 1/2
    ("multiclass", "multi-margin", {}, "neither"),  # Weston and Watkins; the same source
    ("binary", "bce-logits", {"label_smoothing": 0.2}, "classification-calibrated"),
    ("binary", "bce-logits", {"pos_weight": 3.0}, "neither"),  # it minimises another cost than that of errors
]


@pytest.mark.parametrize(("task", "name", "options", "verdict"), KNOWN)
def test_what_is_known_is_found(task: str, name: str, options: dict[str, float], verdict: str) -> None:
    found = properness(find(name, task), options)
    assert found is not None
    assert found.verdict == verdict


def curve_of(item: Loss, **options: float) -> tuple[np.ndarray, np.ndarray]:
    found = properness(item, options)
    assert found is not None
    assert len(found.curve) > 5
    true, said = zip(*found.curve, strict=True)
    return np.array(true), np.array(said)


@pytest.mark.parametrize("smoothing", [0.1, 0.5])
def test_label_smoothing_pulls_towards_one_half(smoothing: float) -> None:
    true, said = curve_of(find("bce-logits", "binary"), label_smoothing=smoothing)
    np.testing.assert_allclose(said, true * (1 - smoothing) + smoothing / 2, atol=1e-4)


def test_a_positive_weight_multiplies_the_odds() -> None:
    true, said = curve_of(find("bce-logits", "binary"), pos_weight=3.0)
    np.testing.assert_allclose(said, 3 * true / (3 * true + 1 - true), atol=1e-4)


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_focal_says_what_scipy_finds(gamma: float) -> None:
    def expected(q: float, p: float) -> float:
        return -p * (1 - q) ** gamma * math.log(q) - (1 - p) * q**gamma * math.log1p(-q)

    true, said = curve_of(find("focal", "binary"), gamma=gamma)
    oracle = [minimize_scalar(expected, args=(p,), bounds=(1e-6, 1 - 1e-6), method="bounded").x for p in true]
    np.testing.assert_allclose(said, oracle, atol=1e-4)


def test_gce_sharpens_by_a_power() -> None:
    # sum_k p_k (1 - s_k^q) / q under sum s = 1: p_k s_k^(q - 1) is the same for all k (Lagrange)
    true, said = curve_of(find("gce", "multiclass"), q=0.7)
    others = np.stack([0.62 * (1 - true), 0.38 * (1 - true)])
    sharp = np.concatenate([true[None], others]) ** (1 / (1 - 0.7))
    np.testing.assert_allclose(said, (sharp / sharp.sum(0))[0], atol=1e-4)


def made(function, expects: str = "logits") -> Loss:
    return replace(find("brier", "binary"), name="made", function=function, expects=expects, options={})


def savage(scale: float):
    """Masnadi-Shirazi and Vasconcelos 2008: 1 / (1 + exp(2 v))^2, v the margin."""
    return lambda x, y: torch.sigmoid(-scale * (2 * y - 1) * x).square()


def test_savage_is_proper_with_its_own_link_only() -> None:
    true, said = curve_of(made(savage(2.0)))
    root = np.sqrt(true)
    np.testing.assert_allclose(said, root / (root + np.sqrt(1 - true)), atol=1e-4)  # v = log(p / (1 - p)) / 2
    verdicts = [properness(made(savage(scale))).verdict for scale in (2.0, 1.0)]  # type: ignore[union-attr]
    assert verdicts == ["classification-calibrated", "strictly proper"]


def flat(x: Tensor, y: Tensor) -> Tensor:
    return torch.zeros_like(x * y)


def upside_down(x: Tensor, y: Tensor) -> Tensor:
    return torch.sigmoid((2 * y - 1) * x)


def blunt(x: Tensor, y: Tensor) -> Tensor:
    return (torch.sigmoid(x) - y).square().mul(4).round()  # steps: many answers cost the same


@pytest.mark.parametrize(
    ("function", "verdict"), [(flat, "neither"), (upside_down, "neither"), (blunt, "classification-calibrated")]
)
def test_a_sick_loss_is_not_proper(function, verdict: str) -> None:
    found = properness(made(function))
    assert found is not None
    assert found.verdict == verdict


def test_scores_have_no_probabilities_but_may_rank() -> None:
    exponential, hinge = (properness(find(name, "binary")) for name in ("exponential", "hinge"))
    assert exponential is not None
    assert hinge is not None
    assert (exponential.curve, exponential.ranks, hinge.ranks) == ((), True, False)


@pytest.mark.parametrize("item", SHELF)
def test_every_loss_gets_an_answer(item: Loss) -> None:
    found = properness(item)
    if item.task == "regression":
        assert found is None
        return
    assert found is not None
    assert (found.verdict == "not decided") == item.over_batch
    assert all(0 < true < 1 and -1e-9 <= said <= 1 + 1e-9 for true, said in found.curve)
