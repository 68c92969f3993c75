"""Values that are missing: no verdict is built on a choice of seeds, and every mean says of how many it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from losscli.compare.expect import unmet
from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, RunResult, TestRows
from losscli.compare.verdict import seeds_wanted
from losscli.reports.json import to_json
from losscli.stack.fingerprint import Fingerprint, fingerprint
from losscli.words.columns import columns, described
from losscli.words.paragraph import paragraph

MakeArena = Callable[..., Arena]
NAN = math.nan


def board(scores: Mapping[str, Sequence[float]], metric: str = "precision", **facts: Any) -> Arena:
    entries = [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in scores]
    runs = [
        RunResult(name, seed, "ok", 1, 1, {"test": {metric: value}}, [], 0.1)
        for name, values in scores.items()
        for seed, value in enumerate(values)
    ]
    given = {"task": "binary", "data": "d", "headline": metric, "directions": {metric: "up"}, "baseline": {}, **facts}
    return build_arena(entries, runs, rows={"train": 140, "valid": 30, "test": 30}, **given)


DARING = [0.5 + 0.01 * (seed % 5) for seed in range(30)]
SHY = [1.0 if seed < 8 else NAN for seed in range(30)]  # predicts a positive with eight seeds only


@pytest.mark.parametrize("resampled", [True, False])
@pytest.mark.parametrize("order", [("daring", "shy"), ("shy", "daring")])
def test_a_metric_without_a_value_on_some_seeds_gives_no_verdict(order: tuple[str, str], resampled: bool) -> None:
    scores = {"daring": DARING, "shy": SHY}
    arena = board({name: scores[name] for name in order}, resampled=resampled)
    entry = arena.entries[1]
    assert entry.verdict == "undefined"
    assert entry.delta is not None
    assert (entry.delta.seeds, entry.delta.of, entry.delta.ci95, entry.delta.p) == (8, 30, None, None)
    assert entry.delta.seeds_needed is None  # more seeds promise no cure
    shy = next(each for each in arena.entries if each.entry == "shy").scores["test"]["precision"]
    assert (shy.n, shy.of, shy.mean) == (8, 30, 1.0)


def test_every_way_out_says_of_how_many_seeds_a_mean_is(comparison_of: Callable[..., Any]) -> None:
    arena = board({"daring": DARING, "shy": SHY})
    assert "8 of 30" in columns(arena)[0].lines[1]
    assert "30" not in columns(arena)[0].lines[0]  # all of them need no word
    assert described(arena.entries[1], arena) == "no verdict, both have precision in 8 of 30 seeds"
    assert "No verdict: shy (both have precision in 8 of 30 seeds)." in paragraph(arena)
    told = to_json(comparison_of(arena))["arenas"][0]["entries"][1]
    assert (told["test"]["precision"]["n"], told["test"]["precision"]["of"]) == (8, 30)
    assert told["test"]["precision"]["values"].count(None) == 22
    assert told["verdict"] == told["delta"]["verdict"] == "undefined"
    (finding,) = arena.findings
    assert finding.code == "metric-undefined"
    assert "8 of 30 seeds for shy" in finding.message


def test_a_metric_that_nobody_has_at_ten_seeds_is_not_too_few_seeds() -> None:
    arena = board({"a": [NAN] * 10, "b": [NAN] * 10, "c": [0.5] * 10})
    assert [entry.verdict for entry in arena.entries] == ["reference", "undefined", "undefined"]
    assert described(arena.entries[1], arena) == "has no precision"
    assert described(arena.entries[2], arena) == "the reference has no precision"
    assert arena.findings == []  # its mean is not that of a choice of seeds


def test_a_metric_that_every_run_has_is_named_instead() -> None:
    """Also where the last entry was never trained, as after a stop."""
    tests = [{"precision": value, "accuracy": 0.8} for value in SHY]
    runs = [RunResult("shy", seed, "ok", 1, 1, {"test": test}, [], 0.1) for seed, test in enumerate(tests)]
    entries = [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in ("shy", "untrained")]
    directions: dict[str, Any] = {"precision": "up", "accuracy": "up"}
    facts = {"task": "binary", "data": "d", "headline": "precision", "directions": directions, "baseline": {}}
    (finding,) = build_arena(entries, runs, **facts).findings
    assert finding.code == "metric-undefined"
    assert str(finding.cure).endswith("judge by a metric that every run has (--metric accuracy)")


def test_a_seed_on_which_nobody_can_have_a_value_is_left_out_and_said() -> None:
    steps = [0.001 * (seed % 3) for seed in range(10)]
    better = {"a": [0.5 + step for step in steps], "b": [0.6 + 2 * step for step in steps]}
    holes = {
        name: [NAN if seed in (2, 5) else value for seed, value in enumerate(values)] for name, values in better.items()
    }
    arena = board(holes, "recall", test=TestRows(impossible={"recall": {2, 5}}))
    assert arena.entries[1].verdict == "better"
    assert arena.entries[1].delta is not None
    assert (arena.entries[1].delta.seeds, arena.entries[1].delta.of) == (8, 10)
    (finding,) = arena.findings
    assert finding.code == "metric-impossible"
    assert "recall cannot be measured on the test rows of seeds 2, 5" in finding.message
    assert (
        board(holes, "recall").entries[1].verdict == "undefined"
    )  # it could have been: somebody must know why it is not


def test_where_hardly_a_seed_can_be_measured_that_is_why_there_is_no_verdict() -> None:
    rare = [0.5 if seed < 3 else NAN for seed in range(10)]
    arena = board({"a": rare, "b": rare}, "recall", test=TestRows(impossible={"recall": set(range(3, 10))}))
    assert described(arena.entries[1], arena) == "no verdict, recall can be measured in 3 of 10 seeds"


def test_runs_that_are_lost_for_both_decide_nothing(arena_of: MakeArena) -> None:
    scores = {"a": [0.8 + 0.01 * seed for seed in range(8)], "b": [0.9 + 0.011 * seed for seed in range(8)]}
    assert arena_of(scores).entries[1].verdict == "better"
    assert arena_of(scores, diverged={"a": [3], "b": [3]}).entries[1].verdict == "inconclusive"
    assert arena_of({"a": scores["a"], "b": scores["a"]}, diverged={"b": [3]}).entries[1].verdict == "inconclusive"


def test_seeds_that_compare_nothing_count_in_no_mean(comparison_of: Callable[..., Any]) -> None:
    """A precision of 0 where no row is positive says nothing: it would pull down whoever dared to say yes there."""
    alarms = [0.5, 0.6, 0.0, 0.5, 0.6, 0.0, 0.5, 0.6]
    arena = board({"a": alarms, "b": alarms}, test=TestRows(impossible={"precision": {2, 5}}))
    assert arena.impossible == {"precision": [2, 5]}
    score = arena.entries[0].scores["test"]["precision"]
    assert (score.mean, score.n, score.of) == (pytest.approx(0.55), 6, 8)
    told = to_json(comparison_of(arena))["arenas"][0]
    assert told["impossible"] == {"precision": [2, 5]}
    assert told["entries"][0]["test"]["precision"]["values"][2] is None


def test_an_expectation_asks_for_the_seeds_that_can_be_measured() -> None:
    test = TestRows(impossible={"precision": {2}})
    assert unmet({"test.precision": ">= 0.5"}, board({"a": [0.6, 0.6, NAN]}, test=test)) == []
    assert unmet({"test.precision": ">= 0.5"}, board({"a": [0.6, 0.6, NAN]})) == [
        "test.precision must be >= 0.5, and has a value in 2 of 3 seeds only (mean 0.6)"
    ]
    assert unmet({"test.precision": ">= 0.5"}, board({"a": [NAN]}, test=TestRows(impossible={"precision": {0}})))


def test_of_new_seeds_too_some_compare_nothing() -> None:
    """Half of the seeds can be measured, so twice as many are needed as where all can."""
    chance = np.random.default_rng(3)
    base, other = chance.normal(0.5, 0.02, (2, 20))
    every = board({"a": base[::2], "b": other[::2] + 0.01}, resampled=False)
    holes = {
        name: [value if seed % 2 == 0 else NAN for seed, value in enumerate(values)]
        for name, values in (("a", base), ("b", other + 0.01))
    }
    half = board(holes, resampled=False, test=TestRows(impossible={"precision": set(range(1, 20, 2))}))
    assert every.entries[1].verdict == half.entries[1].verdict == "inconclusive"
    assert seeds_wanted(half) == 2 * seeds_wanted(every)


def test_what_has_no_verdict_lets_nobody_else_through() -> None:
    """Holm goes on to a milder level only behind what is declared: `half` cannot be, so x needs p < 0.05 / 2."""
    chance = np.random.default_rng(5)
    base = chance.normal(0.5, 0.01, 10)
    x = base + 0.004 + chance.normal(0, 0.005, 10)
    half = base + 0.1 + chance.normal(0, 0.001, 10)
    half[0] = NAN
    arena = board({"a": base, "half": half, "x": x}, resampled=False)
    deltas = {entry.entry: entry.delta for entry in arena.entries[1:]}
    assert arena.entries[1].verdict == "undefined"
    assert deltas["x"] is not None
    assert deltas["x"].p is not None
    assert deltas["x"].p_holm == pytest.approx(2 * deltas["x"].p)


def test_an_open_question_names_its_reason(arena_of: MakeArena) -> None:
    """No run is lost: what is in the way is chance with several comparisons, or rows that are too few to show it."""
    base = [0.80, 0.82, 0.79, 0.84, 0.81, 0.83, 0.78, 0.80]
    steps = [0.03, 0.025, 0.006, 0.04, 0.022, 0.028, 0.008, 0.02]
    many = {
        "a": base,
        **{f"b{n}": [score + step + 0.0001 * n for score, step in zip(base, steps, strict=True)] for n in range(12)},
    }
    text = paragraph(arena_of(many, resampled=True))
    assert "while others did not" not in text
    assert "which chance may explain with 12 comparisons at once, p = " in text
    tied = board(
        {"a": [0.9] * 6, "b": [0.9] * 6}, "accuracy", resampled=False, test=TestRows(resolution={"accuracy": 1 / 30})
    )
    assert "equal in every run, but 30 test rows cannot show a difference of 0.0050" in paragraph(tied)


# Equal predictions


def test_equal_predictions_are_the_same_at_any_number_of_seeds() -> None:
    numbers = np.linspace(0, 1, 50)
    prints = [fingerprint(numbers > 0.5, numbers + 1e-3 * seed) for seed in range(3)]
    for seeds in (1, 3):
        arena = board({"a": [0.8] * seeds, "b": [0.8] * seeds, "c": [0.8] * seeds})
        mark = {"a": prints, "b": prints, "c": prints[::-1]}
        runs = [
            replace(run, fingerprint=mark[run.entry][run.seed] if seeds > 1 or run.entry != "c" else None)
            for run in arena.runs
        ]
        entries = [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in mark]
        again = build_arena(
            entries, runs, task="binary", data="d", headline="f1", directions={"f1": "up"}, baseline={}, resampled=False
        )
        assert again.entries[1].verdict == "same"
        assert described(again.entries[1], again) == "the same"
        assert again.entries[2].verdict != "same"
        twins = build_arena(
            entries[:2], runs[: 2 * seeds], task="binary", data="d", headline="f1", directions={"f1": "up"}, baseline={}
        )
        assert "b predicts the same as a in every run" in paragraph(twins)
        assert "anecdote" not in paragraph(twins)
        assert seeds_wanted(twins) == 0


def test_a_fingerprint_tells_decisions_and_numbers_apart() -> None:
    numbers = np.linspace(0, 1, 5000)
    one = fingerprint(numbers > 0.5, numbers)
    assert one.numbers.shape == (1000, 1)
    assert one.matches(fingerprint(numbers > 0.5, numbers + 1e-6))
    assert not one.matches(fingerprint(numbers > 0.5, numbers + 1e-3))
    assert not one.matches(fingerprint(numbers > 0.4995, numbers))  # a single row is decided otherwise
    for row in (0, -1):
        other = numbers.copy()
        other[row] += 1e-3
        assert not one.matches(fingerprint(numbers > 0.5, other))  # both ends are among the rows that are kept
    assert not one.matches(Fingerprint(one.decisions, one.numbers[:10]))


# Resolution


@pytest.mark.parametrize(("rows", "verdict"), [(30, "inconclusive"), (1000, "equivalent")])
def test_equal_scores_on_few_rows_are_not_equivalent(rows: int, verdict: str) -> None:
    """Six seeds without a difference leave 3.69 / 6 rows per seed that may differ, each 1/30 of accuracy."""
    scores = {"a": [0.9, 0.8, 0.9, 0.7, 0.8, 0.9], "b": [0.9, 0.8, 0.9, 0.7, 0.8, 0.9]}
    test = TestRows(resolution={"accuracy": 1 / rows})
    arena = board(scores, "accuracy", resampled=False, test=test)
    assert arena.entries[1].verdict == verdict
    wanted = seeds_wanted(arena)
    if verdict == "inconclusive":  # 3.69 / n rows of 30 are at most 0.005 from n = 24.6
        assert wanted == 25


# The board


def test_other_metrics_are_one_family_beside_the_headline() -> None:
    chance = np.random.default_rng(0)
    names, metrics = ["a", "b", "c"], ["m0", "m1", "m2", "m3"]
    entries = [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in names]
    runs = [
        RunResult(
            name, seed, "ok", 1, 1, {"test": dict(zip(metrics, chance.normal(0.5, 0.1, 4), strict=True))}, [], 0.1
        )
        for name in names
        for seed in range(10)
    ]
    directions: dict[str, Any] = dict.fromkeys(metrics, "up")
    arena = build_arena(
        entries, runs, task="binary", data="d", headline="m0", directions=directions, baseline={}, resampled=False
    )
    deltas = {(entry.entry, metric): delta for entry in arena.entries[1:] for metric, delta in entry.deltas.items()}
    assert len(deltas) == 8
    for family in ([key for key in deltas if key[1] == "m0"], [key for key in deltas if key[1] != "m0"]):
        smallest = min(family, key=lambda key: deltas[key].p or 1.0)
        assert deltas[smallest].p_holm == pytest.approx(min(1.0, len(family) * (deltas[smallest].p or 1.0)))


# Verdicts that hang by a thread


@pytest.mark.parametrize(("loud", "code"), [(0.0009, None), (0.1, "one-seed")])
def test_one_seed_that_carries_a_verdict_is_told(arena_of: MakeArena, loud: float, code: str | None) -> None:
    base = [0.80, 0.82, 0.79, 0.84, 0.81, 0.83, 0.78]
    steps = [0.0011, 0.0012, 0.0010, loud, 0.0011, 0.0013, 0.0012]
    scores = {"a": base, "b": [score + step for score, step in zip(base, steps, strict=True)]}
    arena = arena_of(scores, resampled=False, equivalence={"auroc": 0.0015} if code else {"auroc": 0.0})
    assert arena.entries[1].verdict == "better"
    messages = [finding.message for finding in arena.findings if finding.code == "one-seed"]
    assert messages == ["b is better because of seed 3: without it there is no difference in auroc"] * bool(code)


def test_a_seed_far_from_the_others_is_told_where_nothing_is_claimed(arena_of: MakeArena) -> None:
    base = [0.80, 0.82, 0.79, 0.84, 0.81, 0.83, 0.78, 0.80]
    steps = [0.01, -0.012, 0.011, -0.009, 0.012, -0.2, 0.010, 0.011]
    arena = arena_of({"a": base, "b": [score + step for score, step in zip(base, steps, strict=True)]})
    (finding,) = [finding for finding in arena.findings if finding.code == "odd-seed"]
    assert "in the differences of b (seed 5)" in finding.message
