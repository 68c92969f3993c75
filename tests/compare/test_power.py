"""What an earlier comparison tells of one to come, from arenas whose spreads are known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from losscli.compare.power import experience, outlook
from losscli.compare.result import Arena

MakeArena = Callable[..., Arena]
BASE = [0.80, 0.82, 0.78, 0.84]  # mean 0.81
STEP = [0.01, -0.01, 0.01, -0.01]  # sd sqrt(4e-4 / 3)
SD = (4e-4 / 3) ** 0.5


def varied(by: float) -> list[float]:
    return [score + by * step for score, step in zip(BASE, STEP, strict=True)]


def test_experience_is_the_middle_of_the_spreads_and_the_reference(arena_of: MakeArena) -> None:
    """Paired differences to `a` spread by once, twice and nine times as much; one odd entry must not decide."""
    arena = arena_of({"a": BASE, "b": varied(1), "c": varied(9), "d": varied(2)})
    found = experience([arena], "binary", "auroc")
    assert found == pytest.approx((2 * SD, 0.81))


def test_there_is_no_experience_of_another_task_or_metric(arena_of: MakeArena) -> None:
    arena = arena_of({"a": BASE, "b": varied(1)})
    assert experience([arena], "regression", "auroc") is None
    assert experience([arena], "binary", "accuracy") is None
    assert experience([arena_of({"a": BASE})], "binary", "auroc") is None
    assert experience([], "binary", "auroc") is None


def test_too_few_seeds_see_nothing() -> None:
    assert outlook(5, 1, 0.0).visible_sd is None
    assert outlook(6, 1, 0.0).visible_sd is not None
    assert outlook(34, 1, 0.0).visible_sd == pytest.approx(0.5, abs=0.01)  # the textbook's 34 pairs for half an sd
