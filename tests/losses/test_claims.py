"""What docstrings say of every input, tried on many: bounds, and which of two losses is the larger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from losscli.explain.trial import settings_of
from losscli.losses import Loss, find, losses

RNG = torch.Generator().manual_seed(0)
LOGITS = 4 * torch.randn(4000, 5, dtype=torch.float64, generator=RNG)
CLASS = torch.randint(5, (4000,), generator=RNG)
SCORES, YES = LOGITS[:, 0], CLASS.remainder(2).double()
LABELS = (torch.rand(4000, 5, generator=RNG) < 0.4).double()


def of_classes(name: str, **options: float) -> Tensor:
    return find(name, "multiclass").function(LOGITS, CLASS, **options)


def of_two(name: str, **options: float) -> Tensor:
    return find(name, "binary").function(SCORES, YES, **options)


def of_labels(name: str) -> Tensor:
    return find(name, "multilabel").function(LOGITS, LABELS)


def test_crammer_singer_is_at_most_k_times_multi_margin_where_p_is_1() -> None:
    best = of_classes("crammer-singer")
    assert (best <= 5 * of_classes("multi-margin", p=1.0) + 1e-12).all()
    assert (best > 5 * of_classes("multi-margin", p=2.0)).any()  # a shortfall below 1 is smaller squared
    assert "with p = 1" in find("crammer-singer", "multiclass").section("Kin")


@pytest.mark.parametrize(
    ("costs", "most"),
    [
        (lambda: of_two("brier"), 1.0),
        (lambda: of_two("gce", q=0.4), 1 / 0.4),
        (lambda: of_classes("gce", q=0.4), 1 / 0.4),
        (lambda: of_classes("mae"), 2.0),
        (lambda: of_classes("brier"), 2.0),
    ],
)
def test_a_row_costs_at_most_so_much_and_nearly_that(costs: Callable[[], Tensor], most: float) -> None:
    found = costs()
    assert found.max() <= most + 1e-12
    assert found.max() > 0.9 * most
    assert found.min() >= 0


def test_which_of_two_losses_is_the_larger() -> None:
    assert (of_labels("zlpr") >= of_labels("pairwise") - 1e-12).all()
    assert (of_two("modified-huber") <= of_two("squared-hinge") + 1e-12).all()
    near = (2 * YES - 1) * SCORES >= -1
    torch.testing.assert_close(of_two("modified-huber")[near], of_two("squared-hinge")[near])


BY_ROW = [item for item in losses if item.task == "binary" and not item.over_batch]


@pytest.mark.parametrize("item", [pytest.param(item, id=item.name) for item in BY_ROW])
def test_a_binary_loss_takes_shares_of_yes_if_its_slope_is_a_mean_over_no_and_yes(item: Loss) -> None:
    """Then what is cheapest for a share is what is cheapest for rows of which that share is yes."""
    at = torch.linspace(0.05, 0.95, 19, dtype=torch.float64).requires_grad_()
    given = at if item.expects == "probabilities" else 6 * at - 3

    def slope(share: float) -> Tensor:
        cost = item.function(given, torch.full_like(at, share), **settings_of(item))
        return torch.autograd.grad(cost.sum(), at, retain_graph=True)[0]

    mixed = 0.3 * slope(1.0) + 0.7 * slope(0.0)
    takes = bool(torch.allclose(slope(0.3), mixed, rtol=1e-9, atol=1e-12)) if item.name != "bi-tempered" else False
    assert takes == (item.target == "0 to 1")
