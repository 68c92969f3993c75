"""Every multiclass loss against an independent oracle, in float64.

Where no library has the loss, the oracle is the formula as its source writes it, row by row in NumPy and SciPy: other
steps than the code's, and without its stable forms.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, minimize_scalar
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.metrics import hinge_loss, log_loss
from torch.nn import functional

from losscli.losses import for_task

WEIGHT = torch.tensor([0.5, 2.0, 1.0, 0.1], dtype=torch.float64)
COUNTS = torch.tensor([50.0, 5.0, 10.0, 400.0], dtype=torch.float64)
A = np.log(1e-4)


def by_row(formula):
    """An oracle from a formula of one row: logits [K], and the class."""

    def oracle(x, y, **options):
        rows = zip(x.numpy(), y.tolist(), strict=True)
        return torch.tensor([formula(row, label, **options) for row, label in rows], dtype=torch.float64)

    return oracle


def one_hot(label, classes):
    return np.eye(classes)[label]


def plain_focal(x, y, gamma=2.0, alpha=None):
    """Lin et al. 2017, on the softmax of the right class."""
    p = np.exp(x.numpy()) / np.exp(x.numpy()).sum(-1, keepdims=True)
    right = np.array([row[label] for row, label in zip(p, y.tolist(), strict=True)])
    share = 1.0 if alpha is None else np.asarray(alpha)[y.numpy()]
    return torch.from_numpy(share * (1 - right) ** gamma * -np.log(right))


def plain_crammer_singer(x, label, margin=1.0):
    """scikit-learn's hinge_loss has margin 1; scores divided by the margin have it too."""
    return margin * hinge_loss([label], [x / margin], labels=range(len(x)))


def plain_logit_adjusted(x, label, tau=1.0, counts=COUNTS):
    """Menon et al. 2020, as a pairwise margin: every other class weighed by its prior over the right one's, to the power tau."""
    prior = counts.numpy() / counts.numpy().sum()
    return np.log(sum((prior[k] / prior[label]) ** tau * np.exp(x[k] - x[label]) for k in range(len(x))))


def plain_ldam(x, label, max_margin=0.5, scale=30.0, counts=COUNTS):
    """Cao et al. 2019, C such that the rarest class has the largest margin."""
    constant = max_margin * counts.min().item() ** 0.25
    z = x.copy()
    z[label] -= constant / counts[label].item() ** 0.25
    return np.log(np.exp(scale * (z - z.max())).sum()) - scale * (z[label] - z.max())


def plain_reverse(x, label):
    """-sum_k p_k log t_k with t clamped at 1e-4."""
    return -(softmax(x) * np.log(np.clip(one_hot(label, len(x)), 1e-4, 1.0))).sum()


def plain_nce_rce(x, label, alpha=1.0, beta=1.0):
    """Ma et al. 2020: cross-entropy over the sum of the cross-entropies with every class as the target."""
    every = [log_loss([k], [softmax(x)], labels=range(len(x))) for k in range(len(x))]
    return alpha * every[label] / sum(every) + beta * plain_reverse(x, label)


def plain_bi_tempered(x, label, t1=0.8, t2=1.2):
    """Amid et al. 2019, a Bregman divergence summed over the classes, with the normaliser from Brent's method."""

    def exp_t(u):
        return np.exp(u) if t2 == 1 else np.maximum(0.0, 1 + (1 - t2) * u) ** (1 / (1 - t2))

    def log_t(u):
        return np.log(u) if t1 == 1 else (u ** (1 - t1) - 1) / (1 - t1)

    p = exp_t(x - brentq(lambda c: exp_t(x - c).sum() - 1, x.max(), x.max() + 1e3, xtol=1e-15, rtol=1e-15))
    t = one_hot(label, len(x))
    gained = t * np.array([log_t(1.0) - log_t(one) for one in p])
    divergence = gained - (t ** (2 - t1) - p ** (2 - t1)) / (2 - t1)
    return divergence.sum()


def plain_sparsemax(x, label):
    """Martins and Astudillo 2016 as a Fenchel-Young loss: max over the simplex of <q, x> - |q|^2 / 2, less the same at the
    label. The maximum by its dual, min_c c + sum_k max(0, x_k - c)^2 / 2, a smooth problem of one number."""
    dual = minimize_scalar(
        lambda c: c + np.maximum(0, x - c) @ np.maximum(0, x - c) / 2,
        bounds=(x.max() - 1, x.max()),
        method="bounded",
        options={"xatol": 1e-13},
    )
    return dual.fun - (x[label] - 0.5)


def plain_asymmetric(x, label, gamma_pos=0.0, gamma_neg=4.0, label_smoothing=0.1):
    """timm's AsymmetricLossSingleLabel, step by step."""
    p = softmax(x)
    targets = one_hot(label, len(x))
    weight = (1 - p * targets - (1 - p) * (1 - targets)) ** (gamma_pos * targets + gamma_neg * (1 - targets))
    smoothed = targets * (1 - label_smoothing) + label_smoothing / len(x)
    return -(smoothed * np.log(p) * weight).sum()


def plain_coral(x, label):
    """Cao et al. 2019: as many binary log-losses as there are steps."""
    levels = torch.tensor([float(label > k) for k in range(len(x))], dtype=torch.float64)
    return functional.binary_cross_entropy(torch.sigmoid(torch.from_numpy(x)), levels, reduction="sum").item()


def plain_corn(x, label):
    """Shi et al. 2021: the steps of whose training set a row is part, those with label > k - 1."""
    f = 1 / (1 + np.exp(-x))
    asked = [k for k in range(len(x)) if label > k - 1]
    return -sum(np.log(f[k]) if label > k else np.log(1 - f[k]) for k in asked)


def plain_rps(x, label):
    """Hou et al. 2016: the squared differences of the two cumulative distributions."""
    return ((np.cumsum(softmax(x)) - (np.arange(len(x)) >= label)) ** 2).sum()


def cross_entropy(x, label):
    return log_loss([label], [softmax(x)], labels=range(len(x)))


def right(x, label):
    return softmax(x)[label]


ORACLES = {
    "cross-entropy": lambda x, y, **options: functional.cross_entropy(x, y, reduction="none", **options),
    "nll": lambda x, y, **options: functional.nll_loss(x, y, reduction="none", **options),
    "focal": plain_focal,
    "poly-1": by_row(lambda x, y, epsilon=1.0: cross_entropy(x, y) + epsilon * (1 - right(x, y))),
    "confidence-penalty": by_row(lambda x, y, beta=0.1: cross_entropy(x, y) - beta * entropy(softmax(x))),
    "multi-margin": lambda x, y, **options: functional.multi_margin_loss(x, y, reduction="none", **options),
    "crammer-singer": by_row(plain_crammer_singer),
    "logit-adjusted": by_row(plain_logit_adjusted),
    "ldam": by_row(plain_ldam),
    "mae": by_row(lambda x, y: np.abs(softmax(x) - one_hot(y, len(x))).sum()),
    "gce": by_row(lambda x, y, q=0.7: (1 - right(x, y) ** q) / q),
    "sce": by_row(lambda x, y, alpha=0.1, beta=1.0: alpha * cross_entropy(x, y) + beta * plain_reverse(x, y)),
    "nce-rce": by_row(plain_nce_rce),
    "bi-tempered": by_row(plain_bi_tempered),
    "bootstrap-soft": by_row(
        lambda x, y, beta=0.95: -((beta * one_hot(y, len(x)) + (1 - beta) * softmax(x)) @ np.log(softmax(x)))
    ),
    "bootstrap-hard": by_row(
        lambda x, y, beta=0.8: beta * cross_entropy(x, y) + (1 - beta) * cross_entropy(x, int(x.argmax()))
    ),
    "brier": by_row(lambda x, y: np.linalg.norm(softmax(x) - one_hot(y, len(x))) ** 2),
    "sparsemax": by_row(plain_sparsemax),
    "ova-bce": lambda x, y: functional.multilabel_soft_margin_loss(x, functional.one_hot(y, 4), reduction="none"),
    "asymmetric": by_row(plain_asymmetric),
    "coral": by_row(plain_coral),
    "corn": by_row(plain_corn),
    "rps": by_row(plain_rps),
}
OPTIONS = {
    "cross-entropy": [{"weight": WEIGHT}, {"label_smoothing": 0.1}, {"weight": WEIGHT, "label_smoothing": 0.3}],
    "nll": [{"weight": WEIGHT}],
    "focal": [{"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 3.0, "alpha": WEIGHT}],
    "poly-1": [{"epsilon": -1.0}, {"epsilon": 4.0}],
    "confidence-penalty": [{"beta": 0.0}, {"beta": 2.0}],
    "multi-margin": [{"p": 2}, {"margin": 0.5}, {"p": 2, "margin": 3.0}],
    "crammer-singer": [{"margin": 0.3}, {"margin": 4.0}],
    "logit-adjusted": [{"counts": COUNTS}, {"tau": 0.3, "counts": COUNTS}, {"tau": 2.0, "counts": COUNTS}],
    "ldam": [{"counts": COUNTS}, {"max_margin": 2.0, "counts": COUNTS}, {"scale": 1.0, "counts": COUNTS}],
    "gce": [{"q": 1.0}, {"q": 0.01}],
    "sce": [{"alpha": 6.0, "beta": 0.1}],
    "nce-rce": [{"alpha": 10.0, "beta": 0.1}],
    "bi-tempered": [{"t1": 0.0, "t2": 3.0}, {"t1": 1.0, "t2": 1.0}, {"t1": 0.5, "t2": 1.0}],
    "bootstrap-soft": [{"beta": 0.0}, {"beta": 0.5}],
    "bootstrap-hard": [{"beta": 0.0}, {"beta": 0.5}],
    "asymmetric": [{"gamma_pos": 1.0, "gamma_neg": 2.0}, {"label_smoothing": 0.0}, {"gamma_neg": 0.0}],
}
SERVING = {name: item for name, item in for_task("multiclass").items() if item.task == "multiclass"}
COARSE = {"sparsemax": 1e-9, "bi-tempered": 1e-11}  # what an oracle that searches reaches


def sample(classes=4):
    chance = torch.Generator().manual_seed(6)
    x = torch.randn(40, classes, generator=chance, dtype=torch.float64) * 2
    return x, torch.randint(classes, (40,), generator=chance)


def received(item, x):
    if item.heads is not None:
        return x[..., : item.heads(x.shape[-1], {})]
    return torch.log_softmax(x, -1) if item.expects == "log-probabilities" else x


def test_every_multiclass_loss_has_an_oracle():
    assert set(ORACLES) == set(SERVING)


@pytest.mark.parametrize("name", ORACLES)
def test_values(name):
    item = SERVING[name]
    x, y = sample()
    prediction = received(item, x)
    given = OPTIONS.get(name, [])
    for options in given if "counts" in item.options else [{}, *given]:
        wanted = ORACLES[name](prediction, y, **options)
        assert wanted.shape == (40,)
        found = item.function(prediction, y, **options)
        torch.testing.assert_close(found, wanted, rtol=COARSE.get(name, 1e-12), atol=COARSE.get(name, 1e-14) / 10)


@pytest.mark.parametrize("options", [{}, *OPTIONS["cross-entropy"]])
def test_cross_entropy_with_probabilities_agrees_with_torch(options):
    x, _ = sample()
    t = torch.softmax(torch.flip(x, (0,)), -1)
    wanted = functional.cross_entropy(x, t, reduction="none", **options)
    torch.testing.assert_close(SERVING["cross-entropy"].function(x, t, **options), wanted, rtol=1e-12, atol=1e-14)


def test_focal_keeps_its_digits_for_a_confident_right_answer_in_float32():
    """1 - p_y is 9e-5 here, of which float32 keeps three digits beside 1."""
    wrong = 2 * np.exp(-10.0) / (1 + 2 * np.exp(-10.0))
    confident = torch.tensor([[10.0, 0.0, 0.0]]), torch.tensor([0])
    cost = SERVING["focal"].function(*confident, gamma=8.0)
    assert cost.item() == pytest.approx(wrong**8 * -np.log1p(-wrong), rel=2e-5, abs=0)


TARGETS = [
    pytest.param(item, id=name) for name, item in SERVING.items() if item.target == "class index or probabilities"
]


@pytest.mark.parametrize("item", TARGETS)
def test_probabilities_as_a_target(item):
    """One-hot probabilities are class indices; what is linear in the target is the mean over classes."""
    x, y = sample()
    options = {"counts": COUNTS} if "counts" in item.options else {}
    found = item.function(x, torch.eye(4, dtype=torch.float64)[y], **options)
    torch.testing.assert_close(found, item.function(x, y, **options), rtol=1e-12, atol=1e-14)
    t = torch.softmax(torch.flip(x, (0,)), -1)
    each = torch.stack([item.function(x, torch.full((40,), k), **options) for k in range(4)], -1)
    spread = {  # how far the mean over one-hot targets lies above: the spread of the target itself
        "brier": 1 - t.square().sum(-1),
        "sparsemax": (1 - t.square().sum(-1)) / 2,
    }.get(item.name, torch.zeros(40, dtype=torch.float64))
    if item.name != "mae":
        wanted = (t * each).sum(-1) - spread
        torch.testing.assert_close(item.function(x, t, **options), wanted, rtol=1e-11, atol=1e-13)


def test_mae_of_probabilities_is_their_l1_distance():
    x, _ = sample()
    t = torch.softmax(torch.flip(x, (0,)), -1)
    wanted = torch.cdist(torch.softmax(x, -1)[:, None], t[:, None], p=1).flatten()
    torch.testing.assert_close(SERVING["mae"].function(x, t), wanted, rtol=1e-12, atol=1e-14)


def test_sparsemax_gradient_is_the_projection_less_the_label():
    """The projection by its optimality: inside all scores less p are one number, outside they are below it."""
    x, y = sample(6)
    leaf = x.clone().requires_grad_()
    SERVING["sparsemax"].function(leaf, y).sum().backward()
    p = leaf.grad + torch.eye(6, dtype=torch.float64)[y]
    torch.testing.assert_close(p, SERVING["sparsemax"].point(x, {}), rtol=1e-12, atol=1e-14)
    assert (p == 0).any()
    assert (p >= 0).all()
    torch.testing.assert_close(p.sum(-1), torch.ones(40, dtype=torch.float64))
    threshold = (x - p).masked_fill(p == 0, -np.inf).amax(-1, keepdim=True)
    assert ((x - p - threshold).abs()[p > 0] < 1e-12).all()
    assert (x <= threshold + 1e-12)[p == 0].all()


POINTS = [pytest.param(item, id=name) for name, item in SERVING.items() if item.point is not None]


@pytest.mark.parametrize("item", POINTS)
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_points_are_probabilities(item, size):
    x, _ = sample()
    p = item.point(received(item, x.float() * size), {"t1": 0.8, "t2": 1.2})
    assert p.shape == (40, 4)
    assert ((p >= 0) & (p <= 1)).all()
    if item.name != "ova-bce":
        torch.testing.assert_close(p.sum(-1), torch.ones(40), rtol=1e-5, atol=0)


def test_ranks_are_read_off_by_hand():
    """Above 0 with 3/4, above 1 with 1/2 (coral) or with 1/2 of those (corn)."""
    x = torch.tensor([[3.0, 1.0]]).log()
    assert SERVING["coral"].point(x, {}).flatten().tolist() == pytest.approx([0.25, 0.25, 0.5])
    assert SERVING["corn"].point(x, {}).flatten().tolist() == pytest.approx([0.25, 0.375, 0.375])
    crossed = torch.tensor([[1.0, 3.0]]).log()  # above 1 more probable than above 0: lowered to it
    assert SERVING["coral"].point(crossed, {}).flatten().tolist() == pytest.approx([0.5, 0.0, 0.5])


@pytest.mark.parametrize("name", ["mae", "gce", "sce", "nce-rce", "brier", "bi-tempered", "rps"])
def test_bounded_losses_stop_growing(name):
    """What makes them robust: a row that is wrong by 10 costs nearly what one wrong by 10,000 costs."""
    options = {"alpha": 0.0} if name == "sce" else {}
    cost = SERVING[name].function(torch.tensor([[0.0, 20.0, 0.0], [0.0, 1e4, 0.0]]), torch.tensor([0, 0]), **options)
    assert cost[1] > 0.9
    assert cost[0] > 0.6 * cost[1]


@pytest.mark.parametrize("name", ["logit-adjusted", "ldam"])
def test_counts_may_be_larger_than_half_precision_holds(name):
    x, y = sample()
    counts = torch.tensor([1e6, 70000.0, 3.0, 100000.0])
    found = SERVING[name].function(x.half(), y, counts=counts)
    torch.testing.assert_close(
        found.double(), SERVING[name].function(x, y, counts=counts.double()), rtol=0.02, atol=0.05
    )


def test_a_class_never_seen_counts_as_seen_once():
    x, y = sample()
    for name in ("logit-adjusted", "ldam"):
        none, once = (SERVING[name].function(x, y, counts=torch.tensor([9.0, n, 4.0, 2.0])) for n in (0.0, 1.0))
        assert torch.equal(none, once)


@pytest.mark.parametrize(("name", "fade"), [("focal", "gamma"), ("asymmetric", "gamma_pos")])
@pytest.mark.parametrize("power", [0.0, 2.0, 2.4])
@pytest.mark.parametrize("size", [20.0, 3333.0, 1e4])
def test_a_hopeless_row_pulls_as_in_cross_entropy_in_single_precision(name, fade, power, size):
    """Where p_y is 0, (1 - p_y) ** gamma is 1 and flat, so that the slope is softmax(x) less the one-hot: by hand."""
    x = torch.tensor([[size, size, -size, size]], requires_grad=True)
    options = {fade: power} | ({"label_smoothing": 0.0} if name == "asymmetric" else {})
    SERVING[name].function(x, torch.tensor([2]), **options).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([[1 / 3, 1 / 3, -1.0, 1 / 3]]), rtol=1e-6, atol=0)
