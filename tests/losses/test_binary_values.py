"""Every binary loss against an independent oracle, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from sklearn._loss.loss import ExponentialLoss
from sklearn.linear_model._sgd_fast import Hinge, ModifiedHuber
from sklearn.metrics import brier_score_loss, f1_score, hinge_loss, roc_auc_score
from torch.nn import functional

from losscli.losses import for_task
from losscli.losses.binary import ranking


def torch_bce(function):
    def oracle(x, y, pos_weight=None, label_smoothing=0.0):
        y = y - label_smoothing * (y - 0.5)
        return function(x, y, pos_weight)

    return oracle


def bce_of_probabilities(p, y, pos_weight):
    if pos_weight is None:
        return functional.binary_cross_entropy(p, y, reduction="none")
    both = [functional.binary_cross_entropy(p, torch.full_like(p, value), reduction="none") for value in (1.0, 0.0)]
    return pos_weight * y * both[0] + (1 - y) * both[1]


def plain_focal(x, y, gamma=2.0, alpha=None):
    """Lin et al. 2017, equations 1, 2, 5, case by case."""
    found = []
    for logit, label in zip(x.tolist(), y.tolist(), strict=True):
        p = 1 / (1 + np.exp(-logit))
        right = p if label == 1 else 1 - p
        share = 1.0 if alpha is None else alpha if label == 1 else 1 - alpha
        found.append(share * (1 - right) ** gamma * -np.log(right))
    return torch.tensor(found, dtype=torch.float64)


def by_sample(score):
    """An oracle that gives a weighted mean, asked for one sample at a time."""
    return lambda x, y, **options: torch.tensor(
        [score(x.numpy(), y.numpy(), only, **options) for only in np.eye(len(x))], dtype=torch.float64
    )


def scikit_hinge(x, y, only, margin=1.0):
    return margin * hinge_loss(y, x / margin, sample_weight=only)


def each(cost):
    """An oracle of one row, for p the probability of yes: cost(p, y, options...)."""
    return lambda x, y, **options: torch.tensor(
        [cost(1 / (1 + np.exp(-logit)), label, **options) for logit, label in zip(x.tolist(), y.tolist(), strict=True)],
        dtype=torch.float64,
    )


def of_margin(loss):
    """A margin loss of scikit-learn's linear models, by its own Cython."""
    return lambda x, y: torch.tensor(
        [loss.py_loss(2 * label - 1, score) for score, label in zip(x.tolist(), y.tolist(), strict=True)],
        dtype=torch.float64,
    )


def poly_1(p, y, epsilon=1.0):
    """Leng et al. 2022, equation 1, summed: -log(p_t) = sum_j (1 - p_t)^j / j, whose first term gets 1 + epsilon."""
    missing = 1 - p if y == 1 else p
    terms = missing ** np.arange(1, 40_000) / np.arange(1, 40_000)
    return terms[1:].sum() + (1 + epsilon) * terms[0]


def asymmetric(p, y, gamma_neg=4.0, gamma_pos=1.0, clip=0.05):
    """Ben-Baruch et al. 2020, equations 4, 5 and 7, case by case."""
    if y == 1:
        return -((1 - p) ** gamma_pos) * np.log(p)
    shifted = max(p - clip, 0)
    return -(shifted**gamma_neg) * np.log(1 - shifted)


def bi_tempered(x, y, t1=0.8, t2=1.2):
    """Amid et al. 2019, equations 4 to 7, with powers, and a root by scipy."""

    def exp_t(u):
        return np.exp(u) if t2 == 1 else max(0.0, 1 + (1 - t2) * u) ** (1 / (1 - t2))

    def log_t(p):
        return np.log(p) if t1 == 1 else (p ** (1 - t1) - 1) / (1 - t1)

    found = []
    for logit, label in zip(x.tolist(), y.tolist(), strict=True):
        top = max(logit, 0.0)
        c = brentq(lambda c, x=logit: exp_t(-c) + exp_t(x - c) - 1, top, top + 200, xtol=1e-14, rtol=1e-15)
        p = [exp_t(-c), exp_t(logit - c)]
        found.append(-log_t(p[int(label)]) - (1 - sum(each ** (2 - t1) for each in p)) / (2 - t1))
    return torch.tensor(found, dtype=torch.float64)


def cells(x, y):
    """The expected confusion matrix: TP, FP, FN."""
    p = 1 / (1 + np.exp(-x.numpy()))
    return sum(p[y == 1]), sum(p[y == 0]), sum(1 - p[y == 1])


def tversky(x, y, alpha=0.5, beta=0.5, smooth=1.0):
    """As in keras.losses.Tversky, with its epsilon as smooth."""
    found, alarms, missed = cells(x, y)
    return torch.tensor(1 - (found + smooth) / (found + alpha * alarms + beta * missed + smooth))


def dice(x, y, smooth=1.0):
    """As in keras.losses.Dice, with smooth above and below."""
    p = 1 / (1 + np.exp(-x.numpy()))
    return torch.tensor(1 - (2 * np.dot(p, y.numpy()) + smooth) / (p.sum() + y.numpy().sum() + smooth))


def expected_f1(x, y):
    """scikit-learn's F1 where every row decides yes with weight p, and no with weight 1 - p."""
    p, y = 1 / (1 + np.exp(-x.numpy())), y.numpy()
    decided = np.concatenate([np.ones_like(p), np.zeros_like(p)])
    found = f1_score(np.concatenate([y, y]), decided, sample_weight=np.concatenate([p, 1 - p]))
    return torch.tensor(1 - found, dtype=torch.float64)


def all_pairs(x, y, surrogate="logistic"):
    phi = {
        "logistic": lambda lead: np.log(1 + np.exp(-lead)),
        "hinge": lambda lead: max(0, 1 - lead),
        "squared-hinge": lambda lead: max(0, 1 - lead) ** 2,
    }[surrogate]
    leads = [yes - no for yes in x[y == 1].tolist() for no in x[y == 0].tolist()]
    assert len(leads) > 100
    return torch.tensor(np.mean([phi(lead) for lead in leads]))


ORACLES = {
    "bce-logits": torch_bce(
        lambda x, y, w: functional.binary_cross_entropy_with_logits(
            x, y, pos_weight=None if w is None else torch.tensor([w], dtype=x.dtype), reduction="none"
        )
    ),
    "bce": torch_bce(bce_of_probabilities),
    "focal": plain_focal,
    "soft-margin": lambda x, y: functional.soft_margin_loss(x, 2 * y - 1, reduction="none"),
    "brier": by_sample(lambda x, y, only: brier_score_loss(y, 1 / (1 + np.exp(-x)), sample_weight=only)),
    "hinge": by_sample(scikit_hinge),
    "squared-hinge": by_sample(lambda x, y, only, margin=1.0: scikit_hinge(x, y, only, margin) ** 2),
    "modified-huber": of_margin(ModifiedHuber()),
    "perceptron": of_margin(Hinge(0.0)),
    "exponential": lambda x, y: torch.from_numpy(ExponentialLoss().loss(y.numpy(), x.numpy())),
    "poly-1": each(poly_1),
    "asymmetric": each(asymmetric),
    "gce": each(lambda p, y, q=0.7: (1 - (p if y == 1 else 1 - p) ** q) / q),
    "bi-tempered": bi_tempered,
    "cost-sensitive": each(
        lambda p, y, false_positive, false_negative: p * false_positive if y == 0 else (1 - p) * false_negative
    ),
    "dice": dice,
    "tversky": tversky,
    "soft-f1": expected_f1,
    "auc-pairwise": all_pairs,
}
OPTIONS = {
    "bce-logits": [{"pos_weight": 3.0}, {"label_smoothing": 0.1}, {"pos_weight": 0.5, "label_smoothing": 0.3}],
    "bce": [{"pos_weight": 3.0}, {"label_smoothing": 0.1}, {"pos_weight": 0.5, "label_smoothing": 0.3}],
    "focal": [{"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 5.0, "alpha": 0.25}],
    "hinge": [{"margin": 0.5}],
    "squared-hinge": [{"margin": 2.0}],
    "poly-1": [{"epsilon": -1.0}, {"epsilon": 2.0}],
    "asymmetric": [{"clip": 0.0}, {"clip": 0.4, "gamma_neg": 0.5}, {"gamma_neg": 0.0, "gamma_pos": 0.0}],
    "gce": [{"q": 1.0}, {"q": 0.1}],
    "bi-tempered": [{"t1": 0.0}, {"t1": 1.0}, {"t2": 1.0}, {"t1": 0.3, "t2": 3.0}],
    "cost-sensitive": [{"false_positive": 1.0, "false_negative": 10.0}, {"false_positive": 3.0, "false_negative": 0.0}],
    "dice": [{"smooth": 1e-3}],
    "tversky": [{"alpha": 0.0, "beta": 1.0}, {"alpha": 0.3, "beta": 0.7, "smooth": 5.0}],
    "auc-pairwise": [{"surrogate": "hinge"}, {"surrogate": "squared-hinge"}],
}
SERVING = {name: item for name, item in for_task("binary").items() if item.task == "binary"}


def test_every_binary_loss_has_an_oracle():
    assert set(ORACLES) == set(SERVING)


@pytest.mark.parametrize("name", ORACLES)
def test_values(name):
    item = SERVING[name]
    chance = torch.Generator().manual_seed(5)
    x = torch.randn(40, generator=chance, dtype=torch.float64) * 2
    y = torch.randint(2, (40,), generator=chance).double()
    prediction = torch.sigmoid(x) if item.expects == "probabilities" else x
    defaults = [] if any(option.required for option in item.options.values()) else [{}]
    for options in [*defaults, *OPTIONS.get(name, [])]:
        wanted = ORACLES[name](prediction, y, **options)
        assert wanted.shape == (() if item.over_batch else (40,))
        torch.testing.assert_close(item.function(prediction, y, **options), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["bce", "bce-logits"])  # those that torch has; all others: test_claims.py
def test_soft_targets_agree_with_torch(name):
    item = SERVING[name]
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)
    y = torch.linspace(0, 1, 7, dtype=torch.float64)
    prediction = torch.sigmoid(x) if item.expects == "probabilities" else x
    torch.testing.assert_close(item.function(prediction, y), ORACLES[name](prediction, y), rtol=1e-12, atol=1e-14)


def test_bce_agrees_with_torch_where_a_probability_is_0_or_1():
    p = torch.tensor([0.0, 0.0, 1.0, 1.0, 1e-30, 1e-30])
    y = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    wanted = functional.binary_cross_entropy(p, y, reduction="none")
    assert wanted[:4].tolist() == [0.0, 100.0, 100.0, 0.0]
    torch.testing.assert_close(SERVING["bce"].function(p, y), wanted, rtol=2e-6, atol=0)


def test_a_confident_right_answer_keeps_its_digits_in_float32():
    logits = torch.tensor([30.0, 60.0])
    exact = [np.log1p(np.exp(-30.0)), np.log1p(np.exp(-60.0))]
    for y in (0.0, 1.0):
        signed = logits * (2 * y - 1)
        for name in ("bce-logits", "soft-margin"):
            assert SERVING[name].function(signed, torch.full((2,), y)).tolist() == pytest.approx(exact, rel=2e-6, abs=0)
        squares = SERVING["brier"].function(signed / 4, torch.full((2,), y)).tolist()
        assert squares == pytest.approx([(1 + np.exp(7.5)) ** -2, (1 + np.exp(15.0)) ** -2], rel=2e-6, abs=0)


def test_a_confident_right_answer_keeps_its_digits_over_a_batch():
    x = torch.tensor([30.0, -30.0])
    y = torch.tensor([1.0, 0.0])
    wrong = np.exp(-30.0) / (1 + np.exp(-30.0))
    assert SERVING["soft-f1"].function(x, y).item() == pytest.approx(wrong, rel=2e-6, abs=0)
    assert SERVING["dice"].function(x, y).item() == pytest.approx(wrong * 2 / 3, rel=2e-6, abs=0)
    assert SERVING["gce"].function(x, y, q=0.5).tolist() == pytest.approx([wrong, wrong], rel=2e-6, abs=0)


def test_the_exponential_goes_on_as_its_tangent():
    x = torch.tensor([-19.0, -20.0, -25.0, -1e4], requires_grad=True)
    values = SERVING["exponential"].function(x, torch.ones(4))
    values.sum().backward()
    e20 = np.exp(20.0)
    assert values.tolist() == pytest.approx([np.exp(19.0), e20, 6 * e20, (1e4 - 19) * e20], rel=2e-6)
    assert x.grad.tolist() == pytest.approx([-np.exp(19.0), -e20, -e20, -e20], rel=2e-6)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_batch_of_one_class_has_no_order(label):
    x = torch.tensor([3.0, -1.0, 0.5], requires_grad=True)
    for surrogate in ranking.SURROGATES:
        value = SERVING["auc-pairwise"].function(x, torch.full((3,), label), surrogate=surrogate)
        value.backward()
        assert value.item() == 0
        assert x.grad.tolist() == [0, 0, 0]


def test_pairs_in_parts_are_all_pairs(monkeypatch):
    chance = torch.Generator().manual_seed(8)
    x, y = torch.randn(3, 20, generator=chance).double(), torch.randint(2, (3, 20), generator=chance).double()
    whole = SERVING["auc-pairwise"].function(x, y)
    monkeypatch.setattr(ranking, "PAIRS", 7 * x.numel())
    torch.testing.assert_close(SERVING["auc-pairwise"].function(x, y), whole, rtol=1e-12, atol=0)


def test_the_pairwise_hinge_of_ranks_is_positive_where_auroc_loses():
    """Ranks differ by at least 1, so that a pair costs something just where its order is wrong."""
    chance = torch.Generator().manual_seed(9)
    x, y = torch.randn(60, generator=chance).double(), torch.randint(2, (60,), generator=chance).double()
    ranks = x.argsort().argsort().double()
    lag = [max(0, 1 - (a - b)) for a in ranks[y == 1].tolist() for b in ranks[y == 0].tolist()]
    assert SERVING["auc-pairwise"].function(ranks, y, surrogate="hinge").item() == pytest.approx(np.mean(lag))
    assert np.mean(np.array(lag) > 0) == pytest.approx(1 - roc_auc_score(y, x))


def test_a_batch_without_positives_costs_its_false_alarms():
    few, many = torch.tensor([-3.0, -2.0]), torch.tensor([3.0, 2.0])
    none = torch.zeros(2)
    assert SERVING["soft-f1"].function(few, none).item() == pytest.approx(torch.sigmoid(few).sum().item())
    assert SERVING["soft-f1"].function(many, none).item() == 1


def test_an_easy_no_costs_nothing_and_pulls_nowhere():
    x = torch.tensor([-3.0, -2.0], requires_grad=True)  # p = 0.047 and 0.119, around the clip of 0.05
    values = SERVING["asymmetric"].function(x, torch.zeros(2), gamma_neg=0.5)
    values.sum().backward()
    assert (values[0].item(), x.grad[0].item()) == (0, 0)
    assert min(values[1].item(), x.grad[1].item()) > 0


def test_the_cheapest_decision_turns_at_the_costs():
    """Elkan 2001: yes pays from a probability of fp / (fp + fn) on, here 1/5."""
    costs = {"false_positive": 1.0, "false_negative": 4.0}
    decided = torch.tensor([-20.0, 20.0]).double()
    no, yes = (SERVING["cost-sensitive"].function(decided, torch.full((2,), y).double(), **costs) for y in (0.0, 1.0))
    for probability, cheapest in ((0.19, 0), (0.21, 1)):
        assert (probability * yes + (1 - probability) * no).argmin().item() == cheapest


def test_the_probability_of_bi_tempered_is_where_its_expected_loss_is_least():
    item = SERVING["bi-tempered"]
    grid = torch.linspace(-10, 10, 40_001, dtype=torch.float64)
    no, yes = (item.function(grid, torch.full_like(grid, y), t2=2.0) for y in (0.0, 1.0))
    for probability in (0.1, 0.5, 0.8):
        best = (probability * yes + (1 - probability) * no).argmin()
        assert item.point(grid[best], {"t1": 0.8, "t2": 2.0}).item() == pytest.approx(probability, abs=1e-4)
