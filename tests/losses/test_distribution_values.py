"""Losses of distributions against scipy, torch and plain float64 formulas, at ordinary and at extreme logits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.special import log_softmax, rel_entr, softmax
from scipy.stats import entropy, wasserstein_distance
from torch import Tensor

import losscli
from losscli.errors import DataError, SpecError
from losscli.losses import Loss, find, for_task, losses
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides

CHANCE = np.random.default_rng(0)
LOGITS = 3 * CHANCE.normal(size=(40, 5))
TARGET = np.concatenate([CHANCE.dirichlet(np.ones(5), 20), CHANCE.multinomial(4, np.full(5, 0.2), 15) / 4, np.eye(5)])
HOME = [item for item in losses if item.task == "distribution"]
LEAST = float(np.finfo(np.float32).tiny)
Oracle = Callable[..., Any]


def by_row(oracle: Oracle) -> Oracle:
    return lambda x, t, **options: np.array([oracle(a, b, **options) for a, b in zip(softmax(x, -1), t, strict=True)])


def carried(q: np.ndarray, t: np.ndarray) -> float:
    bins = np.arange(len(q))
    return float(wasserstein_distance(bins, bins, q, t))


def softened(x: np.ndarray, t: np.ndarray, temperature: float = 2.0) -> np.ndarray:
    with np.errstate(divide="ignore"):
        teacher = softmax(np.log(t) / temperature, -1)
    return temperature**2 * rel_entr(teacher, softmax(x / temperature, -1)).sum(-1)


ORACLES: dict[str, Oracle] = {
    "kl-div": by_row(lambda q, t: rel_entr(t, q).sum()),
    "reverse-kl": by_row(lambda q, t: rel_entr(q, np.maximum(t, LEAST)).sum()),
    "js-div": by_row(lambda q, t: jensenshannon(t, q) ** 2),
    "emd": by_row(carried),
    "cramer": by_row(lambda q, t: sum((q[:k].sum() - t[:k].sum()) ** 2 for k in range(1, len(q)))),
    "hellinger": by_row(lambda q, t: 1 - np.sqrt(q * t).sum()),
    "total-variation": by_row(lambda q, t: max((q - t)[list(some)].sum() for some in subsets(len(q)))),
    "distillation": softened,
    "cross-entropy": lambda x, t: -(t * log_softmax(x, -1)).sum(-1),
    "brier": by_row(lambda q, t: ((q - t) ** 2).sum()),
}


def subsets(count: int) -> list[tuple[int, ...]]:
    """The total variation is the most by which two distributions differ on any set of classes."""
    return [tuple(k for k in range(count) if code >> k & 1) for code in range(1, 2**count)]


def tensors(x: np.ndarray = LOGITS, t: np.ndarray = TARGET) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(x).clone().requires_grad_(), torch.from_numpy(t)


@pytest.mark.parametrize("name", ORACLES)
def test_the_value_is_that_of_the_oracle(name: str) -> None:
    values = find(name, "distribution").function(*tensors()).detach().numpy()
    assert values.shape == (40,)
    np.testing.assert_allclose(values, ORACLES[name](LOGITS, TARGET), rtol=1e-9, atol=1e-12)


def test_every_loss_of_the_shelf_has_an_oracle() -> None:
    assert {item.name for item in HOME} <= set(ORACLES) <= set(for_task("distribution"))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_distillation_at_other_temperatures(temperature: float) -> None:
    values = find("distillation", "distribution").function(*tensors(), temperature=temperature).detach()
    np.testing.assert_allclose(values, softened(LOGITS, TARGET, temperature), rtol=1e-9, atol=1e-12)
    if temperature == 1.0:
        np.testing.assert_allclose(values, ORACLES["kl-div"](LOGITS, TARGET), rtol=1e-9, atol=1e-12)


def test_the_mean_over_the_batch_is_torch_s_batchmean_and_its_mean_is_off_by_k() -> None:
    x, t = (part.detach() for part in tensors())
    ours = losscli.loss("kl-div", task="distribution")(x, t).mean()
    logs = torch.log_softmax(x, -1)
    torch.testing.assert_close(ours, torch.nn.functional.kl_div(logs, t, reduction="batchmean"))
    torch.testing.assert_close(ours / 5, torch.nn.functional.kl_div(logs, t, reduction="none").mean())


def test_cross_entropy_is_kl_div_and_the_entropy_of_the_target_and_has_the_same_gradient() -> None:
    slopes, values = [], []
    for name in ("kl-div", "cross-entropy"):
        x, t = tensors()
        cost = find(name, "distribution").function(x, t)
        values.append(cost.detach().numpy())
        slopes.append(torch.autograd.grad(cost.sum(), x)[0].numpy())
    np.testing.assert_allclose(values[1] - values[0], entropy(TARGET, axis=-1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(slopes[0], softmax(LOGITS, -1) - TARGET, rtol=1e-9, atol=1e-14)
    assert "cross-entropy less the entropy of t" in find("kl-div", "distribution").section("Kin")


@pytest.mark.parametrize("item", [pytest.param(item, id=item.name) for item in HOME])
def test_the_gradient_is_the_slope_of_the_oracle(item: Loss) -> None:
    x, t = tensors(LOGITS[:12], np.concatenate([TARGET[:8], TARGET[22:26]]))
    (given,) = torch.autograd.grad(item.function(x, t).sum(), x)
    at, truth, step = x.detach().numpy(), t.numpy(), 1e-6
    slopes = np.empty_like(at)
    for k in range(at.shape[1]):
        moved = step * (np.arange(at.shape[1]) == k)
        ends = [ORACLES[item.name](at + sign * moved, truth) for sign in (1, -1)]
        slopes[:, k] = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(given.numpy(), slopes, atol=2e-6 if item.name != "js-div" else 2e-5)


@pytest.mark.parametrize("item", [pytest.param(item, id=item.name) for item in HOME])
def test_equal_distributions_cost_nothing_and_no_rounding_makes_it_less(item: Loss) -> None:
    soft = torch.from_numpy(CHANCE.dirichlet(np.full(8, 0.3), 2000)).float().clamp(min=1e-30)
    values = item.function(soft.log().requires_grad_(), soft).detach()
    assert (values >= 0).all()
    assert values.max() < 3e-6


def test_plain_float32_would_go_below_zero_here() -> None:
    soft = torch.from_numpy(CHANCE.dirichlet(np.full(8, 0.3), 2000)).float().clamp(min=1e-30)
    plain = (soft * (soft.log() - torch.log_softmax(soft.log(), -1))).sum(-1)
    assert plain.min() < 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("item", [pytest.param(item, id=item.name) for item in HOME])
def test_extremes_are_finite_and_confident_mistakes_cost_what_they_should(item: Loss, dtype: torch.dtype) -> None:
    ends = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 0.0, 1e4], [0.0, 0.0, 0.0]], dtype=dtype)
    x = ends.repeat_interleave(4, 0).requires_grad_()
    t = torch.tensor([[1, 0, 0], [0, 0, 1], [0, 0.5, 0.5], [1e-30, 0, 1]], dtype=dtype).repeat(3, 1)
    values = item.function(x, t)
    (slope,) = torch.autograd.grad(values.sum(), x)
    assert values.isfinite().all()
    assert slope.isfinite().all()
    assert values[0] == 0  # certain and right
    most = {"emd": 2.0, "cramer": 2.0, "hellinger": 1.0, "total-variation": 1.0, "js-div": math.log(2)}
    if item.name in most:
        assert values[1].item() == pytest.approx(most[item.name])  # all of it two bins off
    else:
        assert values[1] > 80


@pytest.mark.parametrize("name", ["emd", "cramer", "js-div", "hellinger", "total-variation"])
def test_the_gradient_vanishes_on_confident_mistakes_as_its_page_says(name: str) -> None:
    x = torch.tensor([[-20.0, 0.0, -20.0], [-1.0, 0.0, -1.0]], requires_grad=True)
    item = find(name, "distribution")
    (slope,) = torch.autograd.grad(item.function(x, torch.tensor([[1.0, 0.0, 0.0]] * 2)).sum(), x)
    assert slope[0].abs().max() < 1e-3 * slope[1].abs().max()
    assert "the gradient of a confident mistake vanishes" in item.section("Avoid")


def test_emd_goes_by_the_order_of_the_bins_and_others_do_not() -> None:
    x, t = (part.detach() for part in tensors())
    order = torch.tensor([2, 0, 4, 1, 3])
    for item in HOME:
        same = torch.allclose(item.function(x[:, order], t[:, order]), item.function(x, t))
        assert same != item.in_order, item.name


def test_rps_is_cramer_of_one_hot_targets_and_emd_means_wasserstein_only() -> None:
    rank = torch.arange(5)
    x = torch.from_numpy(LOGITS[:5])
    ranked = find("rps", "multiclass").function(x, rank)
    torch.testing.assert_close(ranked, find("cramer", "distribution").function(x, torch.eye(5, dtype=torch.float64)))
    assert find("emd", "multiclass").name == "rps"
    assert find("emd", "distribution").task == "distribution"


def test_the_name_of_before_is_taken_with_a_notice() -> None:
    spec = build_spec(Overrides(task="multiclass", losses=["emd"]))
    assert [choice.name for choice in spec.loss] == ["rps"]
    (notice,) = [note for note in spec.notes if note.code == "loss-renamed"]
    assert notice.message.startswith("the loss 'emd' of task multiclass is called rps now: it is squared")
    assert not [
        note for note in build_spec(Overrides(task="multiclass", losses=["rps"])).notes if "renamed" in note.code
    ]


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (torch.tensor([0, 2]), "must hold probabilities over the classes, and it holds torch.int64"),
        (torch.tensor([[3.0, 1.0, 0.0], [0.0, 1.0, 0.0]]), "must be 0 to 1, and 3 is given"),
        (torch.tensor([[0.5, 0.2, 0.2], [0.0, 1.0, 0.0]]), "must sum to 1"),
        (torch.tensor([0.5, 0.5]), r"must be \[2, 3\] like the prediction"),
    ],
)
@pytest.mark.parametrize("name", ["kl-div", "cross-entropy", "emd"])
def test_what_is_no_distribution_is_refused_in_python(name: str, target: Tensor, says: str) -> None:
    with pytest.raises(DataError, match=says):
        losscli.loss(name, task="distribution")(torch.zeros(2, 3), target)


def test_a_task_borrows_what_takes_its_targets_and_nothing_else() -> None:
    serving = for_task("distribution")
    assert {item.task for item in serving.values()} == {"distribution", "multiclass"}
    assert all(item.takes_shares for item in serving.values())
    for name in ("nll", "focal", "rps", "coral", "hinge"):
        with pytest.raises(SpecError):
            find(name, "distribution")
    assert not {"kl-div", "emd"} & set(for_task("multilabel"))
