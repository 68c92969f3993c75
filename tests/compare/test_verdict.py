"""Verdicts on differences whose answer is known, and how they are said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from losscli.compare.pairs import Pairs
from losscli.compare.power import power, seeds_for
from losscli.compare.result import Arena, Delta
from losscli.compare.signflip import sign_flip
from losscli.compare.verdict import Terms, concluded, judge
from losscli.looks import minimum_seeds
from losscli.words.columns import described
from losscli.words.paragraph import paragraph

MakeArena = Callable[..., Arena]
BASE = [0.80, 0.82, 0.79, 0.84, 0.81, 0.83, 0.78, 0.80, 0.82, 0.85]
WHOLE = Pairs({}, {}, planned=10)
WOBBLE = [0.001, -0.001, 0.002, 0.0, -0.002, 0.001, 0.0, -0.001, 0.002, -0.001]


def shifted(by: float, wobble: float = 1.0) -> list[float]:
    return [score + by + wobble * step for score, step in zip(BASE, WOBBLE, strict=True)]


@pytest.mark.parametrize("resampled", [True, False])
@pytest.mark.parametrize(
    ("by", "wobble", "verdict"),
    [
        (0.05, 1, "better"),
        (-0.05, 1, "worse"),
        (0.0, 1, "equivalent"),
        (0.003, 0.5, "equivalent"),
        (0.004, 20, "inconclusive"),
    ],
)
def test_a_known_difference_gets_its_verdict(
    arena_of: MakeArena, by: float, wobble: float, verdict: str, resampled: bool
) -> None:
    arena = arena_of({"a": BASE, "b": shifted(by, wobble)}, resampled=resampled)
    assert arena.entries[1].verdict == verdict


def test_identical_runs_are_equivalent_and_a_lower_error_is_better(arena_of: MakeArena) -> None:
    same = arena_of({"a": BASE, "b": BASE}).entries[1]
    assert (same.verdict, same.delta.p, same.delta.ci95) == ("equivalent", 1.0, (0.0, 0.0))
    down = arena_of({"a": BASE, "b": shifted(-0.05)}, directions={"auroc": "down"})
    assert down.entries[1].verdict == "better"
    assert down.entries[1].delta.margin == pytest.approx(0.01 * np.mean(BASE))


def test_a_margin_of_the_spec_counts(arena_of: MakeArena) -> None:
    scores = {"a": BASE, "b": shifted(0.05)}
    assert arena_of(scores, equivalence={"auroc": 0.1}).entries[1].verdict == "equivalent"
    assert arena_of(scores, equivalence={"auroc": "10%"}).entries[1].delta.margin == pytest.approx(0.1 * np.mean(BASE))
    assert arena_of(scores, equivalence={"accuracy": 0.1}).entries[1].verdict == "better"


def test_more_comparisons_ask_for_more_seeds_and_a_smaller_p(arena_of: MakeArena) -> None:
    ten = {"a": BASE[:8], **{f"b{n}": shifted(0.05)[:8] for n in range(10)}}
    fixed = arena_of(ten, resampled=False)
    assert {entry.verdict for entry in fixed.entries[1:]} == {"too-few-seeds"}  # ten comparisons ask for 9
    deltas = [entry.delta for entry in arena_of({"a": BASE, "b": shifted(0.05), "c": shifted(0.002, 9)}).entries[1:]]
    assert deltas[0].p_holm == pytest.approx(2 * deltas[0].p)
    assert deltas[1].p_holm == deltas[1].p


def test_an_entry_does_not_win_by_losing_runs(arena_of: MakeArena) -> None:
    scores = {"a": BASE, "b": shifted(0.05), "c": shifted(-0.05)}
    arena = arena_of(scores, diverged={"b": [3], "c": [4]})
    assert [entry.verdict for entry in arena.entries] == ["reference", "inconclusive", "worse"]
    assert described(arena.entries[1], arena) == "inconclusive, 1 run diverged"
    assert arena.entries[1].delta.seeds_needed is None


def test_significance_alone_is_not_enough() -> None:
    found = Delta("m", 0.02, (-0.001, 0.04), p=0.01, p_holm=0.01, seeds=10, margin=0.005)
    assert judge(found, WHOLE, Terms("up", 1)) == "inconclusive"  # the interval holds zero


def test_the_p_that_counts_is_the_one_corrected_for_all_comparisons() -> None:
    alone = Delta("m", 0.02, (0.001, 0.04), p=0.01, p_holm=0.01, seeds=10, margin=0.005)
    assert judge(alone, WHOLE, Terms("up", 4)) == "better"
    assert judge(replace(alone, p_holm=0.06), WHOLE, Terms("up", 4)) == "inconclusive"


def test_what_is_open_needs_the_seeds_that_are_not_there_yet() -> None:
    """Half a standard deviation takes about 34 pairs, says every textbook; ten are there."""
    found = Delta("m", 0.5, (-0.2, 1.2), p=0.14, p_holm=0.14, sd=1.0, seeds=10)
    told, verdict = concluded(found, WHOLE, Terms("up", 1))
    assert told is not None
    assert (verdict, told.seeds_needed) == ("inconclusive", 24)
    few = Delta("m", 0.5, (-0.2, 1.2), p=0.25, p_holm=0.25, sd=1.0, seeds=4)
    told, verdict = concluded(few, Pairs({}, {}, planned=4), Terms("up", 1))
    assert told is not None
    assert (verdict, told.seeds_needed) == ("too-few-seeds", 6)  # ten are advised where nothing is known


def test_a_difference_that_is_there_leaves_less_room_within_the_margin() -> None:
    """Both ends of the interval lie within 0.3 when z(0.975) + z(0.9) standard errors fit between 0.1 and 0.3."""
    normal = ((1.959964 + 1.281552) / (0.3 - 0.1)) ** 2  # 262.7; Student's t asks for one or two more
    assert seeds_for(0.1, 1.0, within=0.3) == pytest.approx(normal + 1.5, abs=1.5)


def test_what_is_open_may_be_settled_as_no_difference() -> None:
    """Without an effect nothing is ever found; that it lies within half an sd takes ((z(0.975) + z(0.9)) / 0.5)**2 pairs."""
    normal = ((1.959964 + 1.281552) / 0.5) ** 2  # 42.03; Student's t asks for one or two more
    tie = Delta("m", 0.0, (-0.007, 0.007), p=1.0, p_holm=1.0, sd=0.01, seeds=10, margin=0.005)
    difference, verdict = concluded(tie, WHOLE, Terms("up", 1))
    assert difference is not None
    assert verdict == "inconclusive"
    assert difference.seeds_needed == pytest.approx(normal + 1.5 - 10, abs=1.5)


@pytest.mark.parametrize(("seeds", "answer"), [(9_999, 9_999), (10_000, 10_000), (10_001, None)])
def test_more_than_ten_thousand_seeds_are_no_answer(seeds: int, answer: int | None) -> None:
    effect = (stats.t.ppf(0.975, seeds - 1) + stats.t.ppf(0.8, seeds - 1)) / seeds**0.5
    assert seeds_for(effect * (1 + 1e-9), 1.0) == answer


def test_minimum_seeds_are_where_the_sign_flip_test_can_reach_the_level() -> None:
    for comparisons in range(1, 60):
        least = minimum_seeds(comparisons)
        assert sign_flip([1.0] * least) < 0.05 / comparisons <= sign_flip([1.0] * (least - 1))


def test_verdicts_in_words(arena_of: MakeArena) -> None:
    def said(**scores: list[float]) -> list[str]:
        arena = arena_of(scores, resampled=False)
        return [described(entry, arena) for entry in arena.entries]

    assert said(a=[0.8], b=[0.9]) == ["reference", "one seed, an anecdote"]
    assert said(a=BASE[:4], b=BASE[:4]) == ["reference", "too few seeds, 6 more"]
    (_, open_one) = said(a=BASE, b=shifted(0.004, 5))
    assert open_one.startswith("inconclusive, about ")
    arena = arena_of({"a": BASE, "b": BASE}, diverged={"b": range(10)})
    assert described(arena.entries[1], arena) == "every run diverged"


@pytest.mark.parametrize(("effect", "n", "comparisons"), [(1.0, 10, 1), (0.8, 16, 1), (1.5, 10, 5)])
def test_power_is_that_of_the_simulated_test(effect: float, n: int, comparisons: int) -> None:
    chance = np.random.default_rng(0)
    found = [sign_flip(chance.normal(effect, 1, n)) < 0.05 / comparisons for _ in range(1000)]
    assert power(n, effect, 1.0, comparisons=comparisons) == pytest.approx(np.mean(found), abs=0.06)
    assert np.mean(found) > 0.7


def test_without_any_spread_what_is_there_is_found_and_what_is_not_is_not() -> None:
    assert (power(10, 0.1, 0.0), power(10, 0.0, 0.0)) == (1.0, 0.0)


def test_seeds_for_gives_four_in_five_and_one_seed_fewer_does_not() -> None:
    needed = seeds_for(0.6, 1.0)
    assert needed is not None
    assert power(needed, 0.6, 1.0) >= 0.79 > power(needed - 2, 0.6, 1.0)
    assert seeds_for(0.0, 1.0, within=0.5) is not None
    assert seeds_for(0.0, 1.0, test_ratio=0.2, within=0.5) is None  # the same rows are split again and again


@pytest.mark.parametrize("count", [2, 40])
def test_the_paragraph_names_what_matters_and_has_no_markup(arena_of: MakeArena, count: int) -> None:
    arena = arena_of(
        {f"loss {n}": shifted(0.02 * (n % 3)) for n in range(count)}, resampled=False, data="ti\x1b[1mtanic"
    )
    text = paragraph(arena)
    assert "ti\\x1b[1mtanic" in text
    assert "10 random seeds" in text
    assert len(text) < 1600
    assert not set(text) & set("*_`<>\n|#")
    assert ("Better than loss 0" in text) == (count == 2)
    assert ("Too few seeds" in text) == (count == 40)  # 39 comparisons ask for eleven


def test_the_paragraph_says_who_is_what(arena_of: MakeArena) -> None:
    scores = {"a": BASE, "b": shifted(0.05), "c": shifted(-0.05), "d": BASE, "e": shifted(0.004, 20)}
    text = paragraph(arena_of(scores, resampled=False))
    assert "Better than a, beyond what chance explains, even with 4 comparisons at once: b (0.0501 higher" in text
    assert "Worse than a, beyond what chance explains, even with 4 comparisons at once: c (0.0499 lower" in text
    assert "d (equal in every run)" in text
    assert "Still open: e (" in text
    assert "more seeds" in text


def test_the_paragraph_says_which_way_is_better(arena_of: MakeArena) -> None:
    """Where lower is better, the same numbers win that lost, and what is lower is still called lower."""
    scores = {"a": BASE, "b": shifted(0.05), "c": shifted(-0.05)}
    for direction, better, worse in (("up", "b", "c"), ("down", "c", "b")):
        text = paragraph(arena_of(scores, resampled=False, directions={"auroc": direction}))
        assert f"test rows: {'higher' if direction == 'up' else 'lower'} is better" in text
        said = {"b": "b (0.0501 higher, plausibly from ", "c": "c (0.0499 lower, plausibly from "}
        assert f"at once: {said[better]}" in text.partition("Better than a")[2].partition("Worse")[0]
        assert f"at once: {said[worse]}" in text.partition("Worse than a")[2]


def test_the_paragraph_gives_intervals_from_the_nearer_end(arena_of: MakeArena) -> None:
    arena = arena_of({"a": BASE, "c": shifted(-0.05)}, resampled=False, equivalence={"auroc": 0.001})
    delta = arena.entries[1].delta
    assert delta is not None
    assert delta.ci95 is not None
    low, high = delta.ci95
    assert f"plausibly from {-high:.4f} to {-low:.4f} lower" in paragraph(arena)


def test_the_paragraph_adds_the_seeds_that_are_missing_to_those_there_are(arena_of: MakeArena) -> None:
    arena = arena_of({"a": BASE[:4], "b": shifted(0.05)[:4]}, resampled=False)
    assert "Next: 6 more seeds, 10 in all, for a verdict." in paragraph(arena)


def test_the_paragraph_tells_a_difference_that_is_real_from_one_that_may_not_be(arena_of: MakeArena) -> None:
    text = paragraph(arena_of({"a": BASE, "b": shifted(0.003, 0.5), "c": shifted(0.0)}, resampled=False))
    assert text.count("real but too little to matter") == 1
    assert "real but too little to matter" in text.partition("b (")[2].partition("c (")[0]


def test_one_seed_is_an_anecdote_and_one_entry_no_comparison(arena_of: MakeArena) -> None:
    assert "anecdote" in paragraph(arena_of({"a": [0.8], "b": [0.9]}))
    assert "10 seeds" in paragraph(arena_of({"a": [0.8], "b": [0.9]}))
    assert "Nothing was compared" in paragraph(arena_of({"a": BASE}))
    assert "anecdote" in paragraph(arena_of({"a": [0.8]}))


@pytest.mark.parametrize("effect", [0.0, 0.5, 1.5, 2.0, 5.0, 40.0, 1e6])
def test_power_is_a_probability_whatever_the_effect(effect: float) -> None:
    for seeds in (5, 6, 7, 10, 30, 1000):
        for ratio in (0.0, 0.2):
            assert 0 <= power(seeds, effect, 1.0, ratio) <= 1
    assert power(6, 1.5, 1.0) == pytest.approx(0.9331928**6, abs=1e-4)  # six of one sign, by the table of the normal
