"""Runs become entries in the order that was asked for; a diverged run is counted, and counts in nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, RunResult
from losscli.compare.statistics import estimate

MakeArena = Callable[..., Arena]
FIVE = [0.80, 0.82, 0.84, 0.86, 0.88]
SIX = [*FIVE, 0.90]


def test_entries_keep_their_order_and_the_first_is_the_reference(arena_of: MakeArena) -> None:
    arena = arena_of({"hinge": FIVE, "bce-logits": FIVE, "brier": FIVE})
    assert [entry.entry for entry in arena.entries] == ["hinge", "bce-logits", "brier"]
    assert arena.reference == "hinge"
    assert arena.entries[0].delta is None
    assert [run.seed for run in arena.runs] == [0, 1, 2, 3, 4] * 3


def test_another_reference_can_be_named(arena_of: MakeArena) -> None:
    arena = arena_of({"hinge": FIVE, "brier": [0.9] * 5}, reference="brier")
    assert [entry.verdict for entry in arena.entries] == ["worse", "reference"]
    assert arena.entries[0].delta is not None
    assert arena.entries[0].delta.mean == pytest.approx(-0.06)  # mean of FIVE is 0.84


@pytest.mark.parametrize(
    ("seeds", "resampled", "verdict"),
    [(4, True, "too-few-seeds"), (5, True, "better"), (5, False, "too-few-seeds"), (6, False, "better")],
)
def test_the_fewest_seeds_are_those_of_the_test_in_use(
    arena_of: MakeArena, seeds: int, resampled: bool, verdict: str
) -> None:
    other = [score + step for score, step in zip(SIX, [0.1, 0.11, 0.09, 0.1, 0.12, 0.1], strict=True)]
    arena = arena_of({"a": SIX[:seeds], "b": other[:seeds]}, resampled=resampled)
    assert [entry.verdict for entry in arena.entries] == ["reference", verdict]


def test_a_diverged_run_is_nan_in_its_place_and_in_no_mean(arena_of: MakeArena) -> None:
    arena = arena_of({"a": SIX, "b": SIX}, diverged={"b": [1]})
    auroc = arena.entries[1].scores["test"]["auroc"]
    assert [math.isnan(value) for value in auroc.values] == [False, True, False, False, False, False]
    assert auroc.mean == pytest.approx((0.80 + 0.84 + 0.86 + 0.88 + 0.90) / 5)
    assert arena.entries[1].verdict == "inconclusive"  # six seeds were planned: it is the lost run that says no


def test_diverged_runs_are_a_finding_that_counts_them(arena_of: MakeArena) -> None:
    arena = arena_of({"a": FIVE, "b": FIVE, "c": FIVE}, diverged={"b": [1, 3], "c": range(5)})
    some, every = arena.findings
    assert (some.code, some.severity) == ("diverged", "warning")
    assert "2 of 5 runs of b diverged (seeds 1, 3)" in some.message
    assert every.severity == "error"
    assert arena.entries[2].delta is None


@pytest.mark.parametrize(
    ("lost", "seeds"),
    [
        (1, "seed 0"),
        (8, "seeds 0, 1, 2, 3, 4, 5, 6, 7"),
        (9, "seeds 0, 1, 2, 3, 4, 5, 6, 7 and 1 more"),
    ],
)
def test_up_to_eight_seeds_are_named(arena_of: MakeArena, lost: int, seeds: str) -> None:
    arena = arena_of({"a": [0.8] * 10, "b": [0.8] * 10}, diverged={"b": range(lost)})
    (finding,) = arena.findings
    assert f"{lost} of 10 runs of b diverged ({seeds}) and" in finding.message


def test_intervals_are_wider_where_splits_are_resampled(arena_of: MakeArena) -> None:
    fixed = arena_of({"a": FIVE}, resampled=False).entries[0].scores["test"]["auroc"]
    resampled = arena_of({"a": FIVE}).entries[0].scores["test"]["auroc"]
    assert fixed == estimate(FIVE)
    assert resampled == estimate(FIVE, 15 / 70)


def test_the_time_of_an_entry_is_that_of_its_runs(arena_of: MakeArena) -> None:
    assert arena_of({"a": FIVE}).entries[0].seconds == pytest.approx(2.5)


def test_an_entry_without_any_run_has_no_scores(arena_of: MakeArena) -> None:
    arena = arena_of({"a": FIVE, "b": []})
    assert arena.entries[1].scores == {}
    assert arena.entries[1].verdict == "undefined"
    assert arena.findings == []


def test_an_interval_of_a_mean_stays_within_what_the_metric_can_be(arena_of: MakeArena) -> None:
    scores = {"a": [0.4, 0.99], "b": [0.1, 0.2]}
    free = arena_of(scores).entries
    cut = arena_of(scores, ranges={"auroc": (0.0, 1.0)}).entries
    low, high = free[0].scores["test"]["auroc"].ci95
    assert low < 0
    assert high > 1
    assert cut[0].scores["test"]["auroc"].ci95 == (0.0, 1.0)
    assert cut[0].scores["test"]["accuracy"].ci95 == free[0].scores["test"]["accuracy"].ci95
    assert cut[1].delta == free[1].delta  # a difference is no rate


def test_an_entry_that_never_says_yes_is_told(arena_of: MakeArena) -> None:
    def told(score: list[float], metric: str, positive: str | None = "yes") -> list[str]:
        runs = [
            RunResult("bce-logits", seed, "ok", 1, 1, {"test": {metric: value, "accuracy": 0.9}}, [], 0.1)
            for seed, value in enumerate(score)
        ]
        entries = [SimpleNamespace(name="bce-logits", loss="bce-logits", options={}, beside={})]
        arena = build_arena(
            entries,
            runs,
            task="binary",
            data="d",
            headline=metric,
            directions={metric: "up"},
            baseline={},
            labels=("no", "yes"),
            positive=positive,
        )
        return [found.message for found in arena.findings if found.code == "never-positive"]

    said = "bce-logits recognises no test row of the class 'yes' in 2 of "
    assert told([0.0, 0.0], "f1") == [said + "2 seeds"]
    assert told([0.0, math.nan, 0.0], "recall") == [said + "3 seeds"]
    assert told([0.0, 0.1], "f1") == []
    assert told([math.nan], "f1") == []
    assert told([0.0, 0.0], "accuracy") == []
    assert told([0.0, 0.0], "f1", positive=None) == []


def test_what_stands_beside_the_options_is_among_them(arena_of: MakeArena) -> None:
    entry = SimpleNamespace(name="a", loss="a", options={"gamma": 1.0}, beside={"output": "softmax", "lr": 0.1})
    arena = build_arena([entry], [], task="binary", data="d", headline="f1", directions={"f1": "up"}, baseline={})
    assert arena.entries[0].options == {"gamma": 1.0, "output": "softmax", "lr": 0.1}
