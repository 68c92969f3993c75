"""What minimisers say, against what is known of them from the literature and by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, minimize_scalar
from torch import Tensor

from losscli.explain.properness import properness
from losscli.explain.trial import Trial, settings_of
from losscli.losses import Loss, find, losses
from losscli.tasks import tasks

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
    ("binary", "bce-logits", {"label_smoothing": 1e-4}, "classification-calibrated"),  # off by 5e-5
    ("binary", "bce-logits", {"pos_weight": 3.0}, "cost-calibrated"),  # Scott 2012: another cost than that of errors
    ("binary", "bce-logits", {"pos_weight": 99.0, "label_smoothing": 0.1}, "neither"),  # always yes
    ("binary", "gce", {"q": 1.0}, "classification-calibrated"),  # the minimisers are at infinity, 0 or 1
    ("binary", "bi-tempered", {"t2": 4.0}, "strictly proper"),  # Amid et al. 2019; the outputs are near 3e8
    ("multiclass", "bi-tempered", {"t1": 0.5, "t2": 3.0}, "strictly proper"),
    ("multiclass", "multi-margin", {"p": 2.0}, "classification-calibrated"),  # Zhang 2004: differentiable, falling at 0
    ("multiclass", "cross-entropy", {"label_smoothing": 0.9}, "classification-calibrated"),
    ("multiclass", "cross-entropy", {"label_smoothing": 1.0}, "neither"),  # all targets are uniform
    ("multiclass", "cross-entropy", {"weight": "balanced"}, "cost-calibrated"),
    ("multiclass", "cross-entropy", {"weight": 3.0}, "strictly proper"),
    ("multiclass", "logit-adjusted", {}, "cost-calibrated"),  # Menon et al. 2020, theorem 1
    ("multiclass", "logit-adjusted", {"tau": 0.0}, "strictly proper"),
    ("multiclass", "ldam", {}, "neither"),  # 10000/100/1 rows: see below
    ("multiclass", "ldam", {"max_margin": 0.0, "scale": 1.0}, "strictly proper"),
    ("multiclass", "nce-rce", {"beta": 0.0}, "neither"),  # see below
    ("multiclass", "nce-rce", {"alpha": 0.0}, "classification-calibrated"),  # a multiple of mae
    ("multiclass", "sce", {"beta": 0.0}, "strictly proper"),
    ("multiclass", "sce", {"alpha": 0.0}, "classification-calibrated"),
    ("multiclass", "bootstrap-soft", {"beta": 0.0}, "neither"),  # the target does not count
    ("multiclass", "bootstrap-hard", {"beta": 0.0}, "neither"),
    ("multiclass", "poly-1", {"epsilon": -1.0}, "classification-calibrated"),
    ("multiclass", "asymmetric", {"label_smoothing": 0.0}, "strictly proper"),  # cross-entropy: gamma_pos is 0
    ("multiclass", "coral", {}, "strictly proper"),
    ("multilabel", "pairwise", {}, "neither"),  # where zero lies is free
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


ISSUE = (0.54, 0.001, 0.459)


def test_ldam_decides_for_a_rare_class_that_is_not_the_likeliest() -> None:
    """By scipy and the formula of Cao et al. 2019, in plain numbers; the loss is convex, so the minimum is the only one."""
    counts = np.array([10_000.0, 100.0, 1.0])
    margins = 0.5 * (counts.min() / counts) ** 0.25

    def expected(x: np.ndarray) -> float:
        rows = 30 * (x - np.diag(margins))
        return float(
            np.dot(ISSUE, np.log(np.exp(rows - rows.max(1, keepdims=True)).sum(1)) + rows.max(1) - np.diag(rows))
        )

    best = minimize(
        expected, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14, "maxiter": 5000}
    )
    assert best.x.argmax() == 2
    found = properness(find("ldam", "multiclass"), {"counts": [10_000, 100, 1]})
    assert found is not None
    assert found.verdict == "neither"
    assert "10000, 100, 1" in found.meaning


def test_right_and_wrong_decisions_of_normalised_cross_entropy_share_the_infimum() -> None:
    """Two classes at +-d, the third at -t: whoever wins, the expected cost goes to the third's probability as t grows."""
    p = np.array([0.6, 0.3, 0.1])
    for lead in (0.5, -0.5):
        logits = np.array([lead, 0.0, -1e9])
        logs = logits - np.logaddexp.reduce(logits)
        assert np.dot(p, logs / logs.sum()) == pytest.approx(0.1, abs=1e-8)


def of_margin(phi):
    return lambda x, y: phi((2 * y - 1) * x)


@pytest.mark.parametrize(
    ("phi", "verdict", "link"),
    [  # Bartlett, Jordan and McAuliffe 2006, theorem 2: a convex loss of the margin is calibrated iff its slope at 0 is below 0
        (lambda v: (1 - v).square(), "classification-calibrated", True),
        (lambda v: (1 - v).abs(), "classification-calibrated", False),
        (lambda v: torch.relu(0.01 - v), "classification-calibrated", False),
        (lambda v: torch.relu(1 - v).pow(3), "classification-calibrated", True),
        (lambda v: torch.relu(-v).square(), "neither", False),
        (lambda v: torch.relu(v), "neither", False),
        (lambda v: v.square(), "neither", False),
        # and these are not convex
        (lambda v: 1 - torch.tanh(v), "classification-calibrated", False),  # the infimum is at infinity
        (lambda v: 1 / (1 + v.square()), "neither", False),  # and there it is shared
        (lambda v: torch.exp(-v) + 1 / (1 + v.square()).sqrt(), "classification-calibrated", True),
    ],
)
def test_losses_of_the_margin_are_as_theory_says(phi, verdict: str, link: bool) -> None:
    found = properness(made(of_margin(phi), "scores"))
    assert found is not None
    assert (found.verdict, found.link) == (verdict, link)


@pytest.mark.parametrize(
    ("task", "name", "options", "weights"),
    [
        ("binary", "bce-logits", {"pos_weight": 7.0}, (1, 7)),
        ("binary", "bce-logits", {"pos_weight": 0.2}, (5, 1)),
        # yes wins where w (p (1 - e) + e / 2) > 1 / 2 (1 + ...): by hand p = 0.2222 for w = 3, e = 0.1
        ("binary", "bce-logits", {"pos_weight": 3.0, "label_smoothing": 0.1}, (1, 3.5)),
        ("binary", "cost-sensitive", {"false_positive": 2.0, "false_negative": 5.0}, (2, 5)),  # Elkan 2001, equation 2
        ("binary", "focal", {"alpha": 0.25}, (3, 1)),  # 1 - alpha against alpha
        ("multiclass", "cross-entropy", {"weight": [4.0, 1.0, 2.0]}, (4, 1, 2)),
        ("multiclass", "focal", {"alpha": [4.0, 1.0, 2.0]}, (4, 1, 2)),
        ("multiclass", "logit-adjusted", {"counts": [100, 10, 1]}, (1, 10, 100)),  # one over the rows
        ("multiclass", "logit-adjusted", {"counts": [64, 16, 1], "tau": 0.5}, (1, 2, 8)),  # n^-tau
    ],
)
def test_a_loss_says_for_which_error_it_decides_rightly(task: str, name: str, options, weights) -> None:
    found = properness(find(name, task), options)
    assert found is not None
    assert found.costs is not None
    np.testing.assert_allclose(np.array(found.costs.weights), np.array(weights) / min(weights), rtol=2e-3)


def test_the_costs_are_said_in_words() -> None:
    said = {
        "balanced": properness(find("logit-adjusted", "multiclass")),
        "above 0.25": properness(find("bce-logits", "binary"), {"pos_weight": 3.0}),
        "2 times": properness(find("cost-sensitive", "binary")),  # the costs that it is shown with are 1 and 2
        "1 : 2 : 5": properness(find("nll", "multiclass"), {"weight": [1.0, 2.0, 5.0]}),
    }
    for words, found in said.items():
        assert found is not None
        assert words in found.meaning


@pytest.mark.parametrize(
    ("task", "name", "options", "link"),
    [
        ("binary", "exponential", {}, True),  # half of the logit: Friedman, Hastie and Tibshirani 2000
        ("binary", "squared-hinge", {}, True),  # 2 p - 1: Zhang 2004
        ("binary", "modified-huber", {}, True),
        ("binary", "focal", {"gamma": 5.0}, True),  # Charoenphakdee et al. 2021, theorem 11
        ("multiclass", "focal", {"gamma": 3.0}, True),
        ("binary", "gce", {"q": 0.7}, True),  # the odds to the power 1 / (1 - q)
        ("binary", "hinge", {}, False),  # -1 or 1
        ("binary", "cost-sensitive", {}, False),
        ("multiclass", "mae", {}, False),
        ("multiclass", "crammer-singer", {}, False),
    ],
)
def test_a_link_of_its_own(task: str, name: str, options, link: bool) -> None:
    found = properness(find(name, task), options)
    assert found is not None
    assert found.link is link
    assert ("through its own link (Reid and Williamson 2010; Charoenphakdee 2021)" in found.meaning) is link


BY_ROW = [item for item in losses if item.task in ("binary", "multiclass") and not item.over_batch]
ASKED = {"binary": [(0.7, 0.3), (0.45, 0.55)], "multiclass": [(0.5, 0.3, 0.2), (0.05, 0.43, 0.52)]}


@pytest.mark.parametrize("item", [pytest.param(item, id=f"{item.task}/{item.name}") for item in BY_ROW])
def test_what_is_said_of_a_loss_is_what_scipy_finds(item: Loss) -> None:
    """Nelder-Mead on the kernel, from the truth's logarithms and from zero, at the loss's own defaults."""
    trial, found = Trial(item, settings_of(item)), properness(item)
    assert found is not None
    for truth in ASKED[item.task]:
        p = torch.tensor(truth, dtype=torch.float64)

        def expected(x: np.ndarray, p: Tensor = p) -> float:
            return float(trial.cost(torch.from_numpy(np.clip(x, -30, 30))) @ p)

        starts = [np.zeros(trial.width), np.log(np.resize(truth[-1:] + truth, trial.width)) + 1]
        options = {"xatol": 1e-6, "fatol": 1e-12, "maxiter": 600}
        best = min(
            (minimize(expected, x, method="Nelder-Mead", options=options) for x in starts), key=lambda one: one.fun
        )
        raw = torch.from_numpy(np.clip(best.x, -30, 30))
        if found.verdict in ("strictly proper", "classification-calibrated"):
            assert trial.leads(raw).argmax() == p.argmax()
        if found.verdict == "strictly proper":
            said = trial.probabilities(raw)
            assert said is not None
            np.testing.assert_allclose(said, p[-len(said) :], atol=1e-3)


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
    if tasks.get(item.task).truths() is None:
        assert found is None
        return
    assert found is not None
    assert (found.verdict == "not decided") == item.over_batch
    assert all(0 < true < 1 and -1e-9 <= said <= 1 + 1e-9 for true, said in found.curve)


@pytest.mark.parametrize("tau", [0.5, 1.2, 1.5, 2.0, 3.0])
def test_logits_adjusted_more_or_less_decide_for_costs_of_their_own(tau: float) -> None:
    """The minimiser is log p - tau log n, so each class counts n^-tau, whatever tau (Menon et al. 2020)."""
    result = properness(find("logit-adjusted", "multiclass"), {"tau": tau, "counts": [600, 300, 100]})
    assert result.verdict == "cost-calibrated"
    assert result.costs is not None
    assert result.costs.weights == pytest.approx([1.0, 2.0**tau, 6.0**tau], rel=1e-3)
    assert properness(find("logit-adjusted", "multiclass"), {"tau": tau}).verdict == "cost-calibrated"
