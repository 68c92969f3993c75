"""Expectations are checked on the reference entry's mean, and said in words when they are not met."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from losscli.compare.expect import unmet
from losscli.compare.result import Arena

MakeArena = Callable[..., Arena]


@pytest.mark.parametrize(
    ("condition", "met"),
    [(">= 0.8", True), ("> 0.8", False), ("<= 0.8", True), ("< 0.8", False), (">=.79", True), ("< 8e-1", False)],
)
def test_the_mean_of_the_reference_is_compared(arena_of: MakeArena, condition: str, met: bool) -> None:
    arena = arena_of({"a": [0.75, 0.85], "b": [0.1, 0.1]})
    assert (unmet({"test.auroc": condition}, arena) == []) is met


def test_what_is_unmet_is_said_in_words(arena_of: MakeArena) -> None:
    arena = arena_of({"a": [0.75, 0.7532]})
    assert unmet({"test.auroc": ">= 0.78"}, arena) == ["test.auroc must be >= 0.78, and is 0.7516 (mean of 2 seeds)"]
    assert unmet({"train.auroc": "< 0.5"}, arena) == ["train.auroc must be < 0.5, and is 0.7716 (mean of 2 seeds)"]


@pytest.mark.parametrize("condition", [">= -1e9", "< 1e9"])
def test_a_value_that_is_not_a_number_meets_nothing(arena_of: MakeArena, condition: str) -> None:
    arena = arena_of({"a": [0.8, 0.8]})
    assert unmet({"test.log-loss": condition}, arena) == [
        f"test.log-loss must be {condition[:2].strip()} {float(condition[2:]):g}, and has no value"
    ]


def test_what_was_not_measured_is_unmet(arena_of: MakeArena) -> None:
    assert unmet({"test.f1": "> 0"}, arena_of({"a": [0.8]})) == ["test.f1 must be > 0, and was not measured"]


@pytest.mark.parametrize("lost", [[], [2]])
def test_what_some_seeds_lack_is_not_met(arena_of: MakeArena, lost: list[int]) -> None:
    """Whether a run diverged, or finished without a value: the mean of the others is not that of all."""
    arena = arena_of({"a": [0.9, 0.95, 0.9 if lost else float("nan")]}, diverged={"a": lost})
    assert unmet({"test.auroc": ">= 0.8"}, arena) == [
        "test.auroc must be >= 0.8, and has a value in 2 of 3 seeds only (mean 0.925)"
    ]
