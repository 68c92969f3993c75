"""Lines of losses: as near to the kernel as the eye sees, and broken exactly where it jumps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from losscli.explain.curve import Strand, state, strands
from losscli.explain.polyline import Polyline, apart, polyline
from losscli.losses import Loss, find, losses

SHELF = [pytest.param(item, id=f"{item.task}/{item.name}") for item in losses]


def lines(task: str, name: str, **options: float | str) -> list[Polyline]:
    return [polyline(strand) for strand in strands(find(name, task), options)]


def gaps(line: Polyline, part: str) -> list[float]:
    """Where a line is broken."""
    return [place for place, value in zip(line.at, getattr(line, part), strict=True) if np.isnan(value)]


@pytest.mark.parametrize("item", SHELF)
def test_what_lies_between_two_points_lies_on_their_chord(item: Loss) -> None:
    """At places that the line was not made from; what is off by half a pixel in a chart of 300 pixels is not seen."""
    for strand in strands(item):
        line = polyline(strand)
        at, loss, slope = (np.array(part) for part in (line.at, line.loss, line.slope))
        places = np.random.default_rng(0).uniform(at[0], at[-1], 300)
        jumps = np.array(gaps(line, "slope") + gaps(line, "loss"))
        if len(jumps):
            places = places[np.abs(places[:, None] - jumps).min(1) > 1e-3 * (at[-1] - at[0])]
        dot = (at[-1] - at[0]) / 1250
        near = np.clip(
            places + dot * np.array([[-1], [0], [1]]), at[0], at[-1]
        )  # [3, places]: it may be off by a dot aside
        kernel = [state(strand.item, strand.settings, torch.from_numpy(row), strand.side) for row in near]
        for drawn, exact in zip((loss, slope), np.stack([torch.stack(row).numpy() for row in kernel], 1), strict=True):
            whole = ~np.isnan(drawn)
            line_there = np.interp(places, at[whole], drawn[whole])
            off = np.maximum(line_there - exact.max(0), exact.min(0) - line_there)
            assert off.max() <= 0.004 * (np.nanmax(drawn) - np.nanmin(drawn)) + 1e-9


@pytest.mark.parametrize(
    ("task", "name", "options", "jumps"),
    [
        ("binary", "hinge", {}, {1.0: (-1, 0)}),
        ("binary", "hinge", {"margin": 0.37}, {0.37: (-1, 0)}),  # between points of the grid
        ("binary", "perceptron", {}, {0.0: (-1, 0)}),
        ("binary", "squared-hinge", {}, {}),
        ("binary", "modified-huber", {}, {}),
        ("regression", "mae", {}, {0.0: (-1, 1)}),
        ("regression", "quantile", {"tau": 0.9}, {0.0: (-0.9, 0.1)}),
        ("regression", "epsilon-insensitive", {"epsilon": 0.33}, {-0.33: (-1, 0), 0.33: (0, 1)}),
        ("regression", "huber", {"delta": 0.37}, {}),
        ("regression", "tukey-biweight", {}, {}),
        ("multiclass", "crammer-singer", {"margin": 1.5}, {1.5: (-1, 0)}),
        ("gan", "hinge", {}, {-1.0: (0, 1)}),
    ],
)
def test_a_slope_jumps_where_it_does_by_hand(
    task: str, name: str, options: dict[str, float], jumps: dict[float, tuple[float, float]]
) -> None:
    line = lines(task, name, **options)[0]
    assert gaps(line, "slope") == pytest.approx(sorted(jumps), abs=1e-6)
    assert gaps(line, "loss") == []
    for place, ends in zip(gaps(line, "slope"), (jumps[key] for key in sorted(jumps)), strict=True):
        three = [slope for at, slope in zip(line.at, line.slope, strict=True) if at == place]
        assert (three[0], three[-1]) == pytest.approx(ends, abs=1e-6)
        assert len({loss for at, loss in zip(line.at, line.loss, strict=True) if at == place}) == 1
        assert len(three) == 3
    steep = [abs(one - other) for one, other in pairwise(line.slope)]
    assert np.nanmax(steep) < 0.4  # and nothing joins the ends


def test_a_loss_that_jumps_is_broken_too() -> None:
    """Mining takes other triplets from a place on, and their mean is another."""
    (line,) = lines("embedding", "triplet")
    (place,) = gaps(line, "loss")
    strand = strands(find("triplet", "embedding"))[0]
    around = torch.tensor([place - 1e-5, place + 1e-5], dtype=torch.float64)
    before, after = state(strand.item, strand.settings, around, strand.side)[0].tolist()
    assert after - before > 0.1
    ends = [loss for at, loss in zip(line.at, line.loss, strict=True) if at == place]
    assert (ends[0], ends[-1]) == pytest.approx((before, after), abs=1e-3)


def test_a_corner_of_the_slope_has_a_point_of_its_own() -> None:
    """Huber 1964: the slope is the residual up to delta, and delta beyond; delta lies between points of the grid."""
    line = lines("regression", "huber", delta=0.373)[0]
    at = np.array(line.at)
    assert np.abs(at - 0.373).min() < 0.002
    np.testing.assert_allclose(line.slope, np.clip(at, -0.373, 0.373), atol=1e-12)


def test_options_that_no_eye_can_tell_apart() -> None:
    rmse, huber = find("rmse", "regression"), find("huber", "regression")

    def told(item: Loss, one: dict[str, float], other: dict[str, float]) -> bool:
        pair: list[Strand] = [strands(item, options)[0] for options in (one, other)]
        return apart(*pair)

    assert not told(rmse, {"eps": 1e-9}, {"eps": 1e-8})
    assert told(huber, {"delta": 1.0}, {"delta": 1.1})


def test_values_are_short_and_null_where_there_are_none() -> None:
    line = Polyline("y = 1", (-0.0, 1 / 3), (float("nan"), 123456.789), (float("inf"), -1.0000001e-9))
    noisy = Polyline("y = 1", (0.0, 1.0), (2.0, 2.2e-16), (0.0, 1.0))
    assert noisy.to_json()["loss"] == [2.0, 0.0]
    assert line.to_json() == {"label": "y = 1", "at": [0.0, 0.333333], "loss": [None, 123500.0], "slope": [None, -1e-9]}
