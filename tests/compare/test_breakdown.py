"""Breakdown curves: which arenas make one, and where each seed has lost 5 % of its own clean score."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from losscli.compare.breakdown import BreakdownPoint, breakdowns, crossing
from losscli.compare.result import Arena

MakeArena = Callable[..., Arena]


def at_level(
    arena_of: MakeArena, scores: dict[str, list[float]], level: float, kind: str = "labels", **facts: Any
) -> Arena:
    spec = {"data": {"source": "builtin", "corrupt": {"labels": 0.0, "missing": 0.0, kind: level}}}
    return replace(arena_of(scores, spec=spec, **facts), corrupt={kind: level} if level else {})


@pytest.mark.parametrize(
    ("values", "direction", "expected"),
    [
        ([1.0, 0.9, 0.5], "up", 0.05),
        ([0.8, 0.8, 0.72], "up", 0.15),
        ([0.8, 0.79, 0.78], "up", math.inf),
        ([0.8, 0.5, 0.9], "up", 0.1 * 0.04 / 0.3),  # the first fall counts
        ([10.0, 11.0, 12.0], "down", 0.05),
        ([10.0, 10.2, 10.4], "down", math.inf),
        ([-2.0, -2.2, -3.0], "up", 0.05),  # 5 % of a negative score is lost downwards, too
        ([0.9, math.nan, 0.9], "up", 0.1),  # diverged: fallen there, and nothing is known of before
        ([math.nan, 0.9, 0.9], "up", math.nan),
        ([0.0, 0.0, 0.1], "down", 0.1),  # a perfect score has nothing to lose 5 % of: it falls as soon as it changes
    ],
)
def test_where_five_percent_are_lost_by_hand(values, direction, expected) -> None:
    assert crossing([0.0, 0.1, 0.2], values, direction) == pytest.approx(expected, nan_ok=True)


def test_crossings_agree_with_numpys_interpolation() -> None:
    rng = np.random.default_rng(0)
    levels = [0.0, 0.1, 0.3, 0.4]
    fallen = 0
    for _ in range(50):
        scores = np.sort(rng.uniform(0.93, 1.0, 4))[::-1]
        expected = float(np.interp(-0.95 * scores[0], -scores, levels, right=math.inf))
        assert crossing(levels, scores.tolist(), "up") == pytest.approx(expected)
        fallen += math.isfinite(expected)
    assert 10 < fallen < 50


def test_the_median_counts_seeds_that_do_not_fall_as_beyond() -> None:
    some = BreakdownPoint((0.1, math.inf, 0.3, math.nan))
    assert (some.median, some.range, some.reached, len(some.levels)) == (0.3, (0.1, math.inf), 2, 3)
    assert math.isinf(BreakdownPoint((0.1, math.inf, math.inf)).median)
    assert BreakdownPoint((0.2, math.inf)).median == 0.2
    assert math.isnan(BreakdownPoint((math.nan,)).median)


def test_arenas_that_differ_in_one_level_make_one_breakdown(arena_of: MakeArena) -> None:
    levels = {0.2: [0.7, 0.6], 0.0: [0.9, 0.8], 0.1: [0.9, 0.79]}
    arenas = [at_level(arena_of, {"a": scores, "b": [0.9, 0.9]}, level) for level, scores in levels.items()]
    other = at_level(arena_of, {"a": [0.9, 0.8]}, 0.2, data="other")
    (found,) = breakdowns([*arenas, other])
    assert (found.kind, found.metric, found.levels, found.arenas) == ("labels", "auroc", (0.0, 0.1, 0.2), (1, 2, 0))
    assert [score.mean for score in found.lines[0].scores] == pytest.approx([0.85, 0.845, 0.65])
    assert found.lines[0].fall.values == pytest.approx((0.1 + 0.1 * 0.045 / 0.2, 0.1 + 0.1 * 0.03 / 0.19))
    assert found.lines[1].fall.values == (math.inf, math.inf)
    assert found.baseline == 0.5


def test_kinds_are_kept_apart_and_need_a_clean_arena(arena_of: MakeArena) -> None:
    clean = at_level(arena_of, {"a": [0.9]}, 0.0)
    noisy, holed = at_level(arena_of, {"a": [0.8]}, 0.3), at_level(arena_of, {"a": [0.7]}, 0.3, kind="missing")
    assert [(each.kind, each.arenas) for each in breakdowns([clean, noisy, holed])] == [("labels", (0, 1))]
    assert breakdowns([noisy, at_level(arena_of, {"a": [0.7]}, 0.4)]) == []
    assert breakdowns([clean]) == []
    pairs = replace(noisy, corrupt={"labels": {"x": {"y": 0.2}}})
    assert breakdowns([clean, pairs]) == []


def test_a_diverged_run_falls_at_its_level(arena_of: MakeArena) -> None:
    clean = at_level(arena_of, {"a": [0.9, 0.8]}, 0.0)
    ill = at_level(arena_of, {"a": [0.9, 0.8]}, 0.2, diverged={"a": [1]})
    (found,) = breakdowns([clean, ill])
    assert found.lines[0].fall.values == (math.inf, 0.2)
