"""Strips of the differences by seed: which way each leans and how far, on one scale, beside a reference without any."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from losscli.compare.result import Arena
from losscli.words.strip import BARS, MOST, strip, strips

BASE = [0.80, 0.81, 0.82, 0.83]


def test_each_seed_is_a_bar_from_the_lowest_to_the_highest(arena_of: Callable[..., Arena]) -> None:
    scores = {"a": BASE, "up": [value + 0.1 for value in BASE], "mixed": [0.70, 0.87, 0.82, 0.83]}
    column = strips(arena_of(scores))
    assert column is not None
    # by hand: differences -0.10, 0.06, 0, 0 of 0.10 at most, and three bars each way
    assert [cell.text for cell in column.cells] == ["", "▇▇▇▇", "▁▄▄" + BARS[3 + round(3 * 0.6)]]


def test_lost_runs_have_no_bar_and_one_seed_no_strip(arena_of: Callable[..., Arena]) -> None:
    lost = strips(arena_of({"a": BASE, "b": BASE, "c": BASE}, {"b": [1, 2], "c": range(4)}))
    assert lost is not None
    assert [cell.text for cell in lost.cells] == ["", "▄▄", ""]
    assert strips(arena_of({"a": [0.8], "b": [0.9]})) is None
    assert strips(arena_of({"a": BASE})) is None
    assert strips(arena_of({"a": BASE, "b": BASE}, {"a": range(4)})) is None


@pytest.mark.parametrize("count", [1, MOST, MOST + 1, 100])
def test_of_many_seeds_some_stand_for_all(count: int) -> None:
    values = [-1 + 2 * at / max(1, count - 1) for at in range(count)]
    drawn = strip(values, 1.0)
    assert len(drawn) == min(count, MOST)
    assert list(drawn) == sorted(drawn)
    assert drawn[0] == BARS[0]
    assert strip([0.0], 0.0) == "▄"
    assert math.isclose(len(BARS) % 2, 1)
