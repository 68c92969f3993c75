"""What a page has of a loss for each position of its dials: valid values, and the kernel's numbers at each."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional

from losscli.explain.catalogue import named
from losscli.explain.dials import COMBINATIONS, FEW, VALUES, Family, dial_of, families, family
from losscli.explain.page import page
from losscli.explain.properness import properness
from losscli.losses import Bounds, Choice, Loss, PerClass, find, losses
from losscli.losses.options import check_options

SHELF = [pytest.param(item, id=f"{item.task}/{item.name}") for item in losses]


@pytest.mark.parametrize("item", SHELF)
def test_every_position_of_a_dial_is_one_that_the_loss_accepts(item: Loss) -> None:
    for option in item.options.values():
        start = 1.0 if option.required else option.default
        dial = dial_of(option, [start])
        if dial is None:
            assert not isinstance(option.accepts, (Bounds, Choice)) or not isinstance(start, (int, float, str))
            continue
        required = {name: 1.0 for name, other in item.options.items() if other.required}
        for value in dial.values:
            check_options(item, required | {option.name: value})
        assert start in dial.values
        assert (None in dial.values) == option.optional
        assert 2 <= len(dial.values) <= VALUES
        numbers = [value for value in dial.values if isinstance(value, float)]
        assert numbers == sorted(set(numbers))
        if isinstance(option.accepts, (Bounds, PerClass)):
            assert len(numbers) >= 5
            assert max(numbers) > (start if isinstance(start, float) else min(numbers)) or start == 1.0


def combinations(drawn: Family) -> list[dict[str, object]]:
    names = [dial.option for dial in drawn.dials]
    return [dict(zip(names, values, strict=True)) for values in product(*(dial.values for dial in drawn.dials))]


def test_focal_at_every_position_is_what_its_formula_says() -> None:
    """Lin et al. 2017: -a (1 - p_t)^gamma log p_t; a is alpha for yes, 1 - alpha for no, 1 without it."""
    drawn = family(find("focal", "binary"))
    assert len(drawn.lines) == len(combinations(drawn)) <= COMBINATIONS
    for options, both in zip(combinations(drawn), drawn.lines, strict=True):
        gamma, alpha = options["gamma"], options["alpha"]
        weights = [1.0] if alpha in (None, 0.5) else [alpha, 1 - alpha]  # with a half, yes and no are alike again
        assert len(both) == len(weights)
        for line, weight in zip(both, weights, strict=True):
            margin = np.array(line.at)
            right = 1 / (1 + np.exp(-margin))
            weight = 0.5 if alpha == 0.5 else weight
            np.testing.assert_allclose(line.loss, -weight * (1 - right) ** gamma * np.log(right), atol=1e-9)


def test_hinge_at_every_position_by_hand() -> None:
    drawn = family(find("hinge", "binary"))
    for options, (line,) in zip(combinations(drawn), drawn.lines, strict=True):
        margin = options["margin"]
        np.testing.assert_allclose(line.loss, np.maximum(0, margin - np.array(line.at)), atol=1e-6)
        jumps = [place for place, slope in zip(line.at, line.slope, strict=True) if math.isnan(slope)]
        assert jumps == ([] if margin > 4 else pytest.approx([margin], abs=1e-6))


@pytest.mark.parametrize(("task", "name"), [("regression", "barron"), ("multiclass", "sce"), ("binary", "bi-tempered")])
def test_lines_are_the_kernels_and_slopes_are_finite_differences(task: str, name: str) -> None:
    """The registered function itself on predictions made here, in float64; slopes by central differences."""
    item = find(name, task)
    drawn = family(item, most=9)
    for options, (line,) in zip(combinations(drawn), drawn.lines, strict=True):
        step = 1e-5
        at = torch.tensor(line.at, dtype=torch.float64)
        low, middle, high = (_called(item, at + move, options) for move in (-step, 0.0, step))
        np.testing.assert_allclose(line.loss, middle, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(line.slope, (high - low) / (2 * step), rtol=1e-4, atol=1e-6)


def _called(item: Loss, at: torch.Tensor, options: dict[str, object]) -> np.ndarray:
    if item.task == "multiclass":
        logits = functional.pad(at.unsqueeze(-1), (0, 2))  # the right class, and two at zero
        return item.function(logits, torch.zeros(len(at), dtype=torch.long), **options).numpy()
    target = torch.ones_like(at) if item.task == "binary" else torch.zeros_like(at)
    return item.function(at, target, **options).numpy()


def test_what_is_drawn_at_first_is_what_was_asked_for() -> None:
    drawn = family(find("focal", "binary"), [{"gamma": 0.0}, {"gamma": 2.0}, {"gamma": 7.0}])
    gammas = drawn.dials[0].values
    assert [gammas[entry.places[0]] for entry in drawn.entries] == [0.0, 2.0, 7.0]
    assert {entry.name for entry in drawn.entries} == {"focal"}  # the page adds where its dials stand
    assert {entry.set for entry in drawn.entries} == {("gamma",)}
    (entry,) = family(find("multi-quantile", "regression"), [{"taus": [0.1, 0.9]}]).entries
    assert entry.name == "multi-quantile taus=[0.1, 0.9]"  # which has no dial


def test_an_option_that_moves_no_line_is_no_dial() -> None:
    for task, name, idle in (("regression", "rmse", "eps"), ("gan", "r1", "gamma"), ("regression", "beta-nll", "beta")):
        drawn = family(find(name, task))
        assert (drawn.dials, drawn.idle) == ((), (idle,))


def test_yes_and_no_are_one_line_where_they_are_alike() -> None:
    drawn = family(find("bce-logits", "binary"), most=16)
    for options, both in zip(combinations(drawn), drawn.lines, strict=True):
        alike = options["pos_weight"] in (None, 1.0)
        assert [line.label for line in both] == (["y = 1"] if alike else ["y = 1", "y = 0"])


def test_with_many_losses_there_are_fewer_positions() -> None:
    items = named(["focal", "asymmetric"], "binary") * 20
    pages = [page(item) for item in items[:2]] * 20
    drawn = families(pages, items, [[{}]] * 40)
    assert sum(len(one.lines) for one in drawn) <= 500
    for item, one in zip(items, drawn, strict=True):
        assert [dial.option for dial in one.dials] == list(item.options)
        for dial, place in zip(one.dials, one.entries[0].places, strict=True):
            assert dial.values[place] == item.options[dial.option].default
        assert len(one.readings) == 1  # at first alone


def test_probabilities_are_read_at_each_position_of_one_dial() -> None:
    items = named(["poly-1", "gce"], "binary")
    assert len(items) <= FEW
    poly, gce = families([page(item) for item in items], items, [[{}], [{}]])
    for drawn in (poly, gce):
        assert sorted(drawn.readings) == list(range(len(drawn.dials[0].values)))
    true, read = np.array(poly.readings[poly.dials[0].values.index(0.0)]).T  # cross-entropy: what is read is true
    np.testing.assert_allclose(read, true, atol=1e-4)
    assert gce.readings[0] == properness(items[1], {"q": gce.dials[0].values[0]}).curve
