"""Every loss of multilabel against an independent oracle, in float64: its own, and those that it borrows from binary."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from sklearn.metrics import f1_score
from torch.nn import functional

import losscli
from losscli.errors import DataError
from losscli.losses import for_task

LABELS = 5
SERVING = {name: item for name, item in for_task("multilabel").items() if item.task == "multilabel"}


def sample(rows=40):
    """Rows with any number of labels; the first has none, the second all."""
    chance = torch.Generator().manual_seed(12)
    x = torch.randn(rows, LABELS, generator=chance, dtype=torch.float64) * 2
    y = torch.randint(2, (rows, LABELS), generator=chance).double()
    y[0], y[1] = 0.0, 1.0
    return x, y


def torch_margin(x, y):
    """torch takes the indices of the labels, then -1."""
    indices = torch.full(y.shape, -1)
    for row, has in enumerate(y):
        found = has.nonzero().flatten()
        indices[row, : len(found)] = found
    return functional.multilabel_margin_loss(x, indices, reduction="none")


def zlpr(x, y):
    """Su et al. 2022, equation 2, as log-sum-exps of scipy that hold a zero."""
    rows = zip(x.numpy(), y.numpy(), strict=True)
    return torch.tensor(
        [logsumexp([0, *row[has == 0]]) + logsumexp([0, *-row[has == 1]]) for row, has in rows], dtype=torch.float64
    )


def all_pairs(x, y):
    found = []
    for row, has in zip(x.tolist(), y.tolist(), strict=True):
        own = [score for score, label in zip(row, has, strict=True) if label]
        others = [score for score, label in zip(row, has, strict=True) if not label]
        found.append(math.log1p(sum(math.exp(other - mine) for other in others for mine in own)))
    return torch.tensor(found, dtype=torch.float64)


def expected_macro_f1(x, y):
    """scikit-learn's F1 of each label, where every row decides yes with weight p, and no with weight 1 - p."""
    found = []
    for p, truth in zip(torch.sigmoid(x).T.numpy(), y.T.numpy(), strict=True):
        decided = np.concatenate([np.ones_like(p), np.zeros_like(p)])
        found.append(f1_score(np.tile(truth, 2), decided, sample_weight=np.concatenate([p, 1 - p])))
    return torch.tensor(1 - np.mean(found), dtype=torch.float64)


ORACLES = {
    "multilabel-margin": torch_margin,
    "zlpr": zlpr,
    "pairwise": all_pairs,
    "soft-f1": expected_macro_f1,
}


def test_every_multilabel_loss_has_an_oracle():
    assert set(ORACLES) == set(SERVING)


@pytest.mark.parametrize("name", ORACLES)
def test_values(name):
    x, y = sample()
    wanted = ORACLES[name](x, y)
    assert wanted.shape == (() if SERVING[name].over_batch else (40,))
    torch.testing.assert_close(SERVING[name].function(x, y), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["multilabel-margin", "pairwise"])
def test_a_row_without_pairs_costs_nothing_and_pulls_nowhere(name):
    x, y = (part[:2].clone() for part in sample())
    x.requires_grad_()
    values = SERVING[name].function(x, y)
    values.sum().backward()
    assert values.tolist() == [0, 0]
    assert not x.grad.any()


def test_zlpr_where_a_plain_exponential_overflows():
    x = torch.tensor([[1e4, -1e4, 200.0]])
    y = torch.tensor([[0.0, 1.0, 0.0]])
    assert SERVING["zlpr"].function(x, y).item() == pytest.approx(2e4)
    assert SERVING["pairwise"].function(x, y).item() == pytest.approx(2e4)


def test_zlpr_predicts_above_zero():
    """Its minimum for a label of probability q, alone in its row, is the logit of q: yes from one half on."""
    grid = torch.linspace(-4, 4, 8001, dtype=torch.float64)[:, None]
    no, yes = (SERVING["zlpr"].function(grid, torch.full_like(grid, y)) for y in (0.0, 1.0))
    for share in (0.3, 0.7):
        best = grid[(share * yes + (1 - share) * no).argmin()].item()
        assert best == pytest.approx(math.log(share / (1 - share)), abs=1e-3)


@pytest.mark.parametrize("name", ["bce-logits", "soft-margin"])
def test_a_borrowed_loss_is_torchs_mean_over_labels(name):
    x, y = sample()
    wanted = functional.multilabel_soft_margin_loss(x, y, reduction="none")
    torch.testing.assert_close(losscli.loss(name, task="multilabel")(x, y), wanted, rtol=1e-12, atol=1e-14)


def test_pos_weight_per_label_is_torchs():
    x, y = sample()
    weight = torch.tensor([0.5, 1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    wanted = functional.binary_cross_entropy_with_logits(x, y, pos_weight=weight, reduction="none").mean(-1)
    found = losscli.loss("bce-logits", task="multilabel", pos_weight=weight.tolist())(x, y)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-14)


def test_asymmetric_is_the_authors_sum_over_labels_divided():
    """Ben-Baruch et al. 2020: -sum of (1 - p)^1 log p over labels that are there, p_m^4 log(1 - p_m) over the others."""
    x, y = sample()
    p = torch.sigmoid(x).numpy()
    shifted = np.maximum(p - 0.05, 0)
    total = np.where(y.numpy() == 1, (1 - p) * np.log(p), shifted**4 * np.log(1 - shifted)).sum(-1)
    found = losscli.loss("AsymmetricLossMultiLabel", task="multilabel")(x, y)
    np.testing.assert_allclose(found.numpy(), -total / LABELS, rtol=1e-12)


def test_losses_over_a_batch_are_not_borrowed():
    names = set(for_task("multilabel"))
    assert {"bce", "focal", "asymmetric", "gce", "bi-tempered", "hinge", "zlpr", "pairwise", "soft-f1"} <= names
    assert names.isdisjoint({"dice", "tversky", "auc-pairwise"})
    assert for_task("multilabel")["soft-f1"].task == "multilabel"


@pytest.mark.parametrize("name", SERVING)
def test_one_row_without_its_dimension_is_refused(name):
    with pytest.raises(DataError, match=r"needs shape \[B, L\]"):
        losscli.loss(name, task="multilabel")([0.5, 1.0], [1.0, 0.0])
