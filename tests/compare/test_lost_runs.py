"""What runs that diverged do to the verdicts on others and on themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from losscli.compare.result import Arena

MakeArena = Callable[..., Arena]
SEEDS = 12
BASE = [0.80 + 0.01 * (seed % 5) for seed in range(SEEDS)]
NEARLY = [value + (0.0002 if seed % 2 else -0.0003) for seed, value in enumerate(BASE)]  # far within any margin
BETTER = [value + 0.01 + 0.008 * np.cos(seed) for seed, value in enumerate(BASE)]


@pytest.mark.parametrize(
    ("diverged", "verdict"),
    [
        ({}, "equivalent"),
        ({"b": [3]}, "inconclusive"),
        ({"a": [3]}, "inconclusive"),
        ({"a": [3], "b": [3]}, "inconclusive"),  # a planned seed of which nothing is known
        ({"a": [3], "b": [7]}, "inconclusive"),
    ],
)
def test_nobody_is_equivalent_by_losing_the_runs_that_differ(
    arena_of: MakeArena, diverged: dict[str, list[int]], verdict: str
) -> None:
    arena = arena_of({"a": BASE, "b": NEARLY}, diverged=diverged)
    assert arena.entries[1].verdict == verdict


def test_a_difference_without_a_p_counts_in_holm_s_family_as_one_that_shows_nothing(arena_of: MakeArena) -> None:
    """Of c one run is left, so it has no p. The family is two all the same, and b's p is doubled, not left alone."""
    alone = arena_of({"a": BASE, "b": BETTER}).entries[1].delta
    arena = arena_of({"a": BASE, "b": BETTER, "c": BASE}, diverged={"c": range(1, SEEDS)})
    _, b, c = (entry.delta for entry in arena.entries)
    assert alone is not None
    assert b is not None
    assert c is not None
    assert (c.p, c.p_holm) == (None, None)
    assert 0 < b.p == alone.p == alone.p_holm
    assert b.p_holm == pytest.approx(min(1.0, 2 * b.p), rel=1e-12)
