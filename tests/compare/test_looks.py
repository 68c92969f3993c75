"""Looks: their levels, what a verdict at one of them takes, and how often all of them err (tests/benchmarks/LOOKS.md)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from boards import RESAMPLED, SYMMETRIC, arena, growing, usual_looks
from scipy import stats

from losscli.compare.power import power, seeds_for
from losscli.compare.result import RunResult
from losscli.compare.statistics import delta, estimate, unseen
from losscli.looks import Looks, block_of, default_start, first_possible, minimum_seeds
from losscli.words.paragraph import paragraph

BOARDS, CLAIMS = 400, ("better", "worse")


@pytest.mark.parametrize("start", [5, 6, 9, 12, 40])
@pytest.mark.parametrize("most", [40, 41, 100, 10_000])
def test_looks_spend_five_percent_and_no_more(start: int, most: int) -> None:
    looks = Looks.between(start, most)
    assert (looks.sizes[0], looks.sizes[-1]) == (start, most)
    assert math.fsum(looks.levels) == pytest.approx(0.05)
    assert all(late > early for early, late in pairwise(looks.sizes))
    before = (0, *looks.sizes)
    assert looks.levels == pytest.approx([0.05 * (late - early) / most for early, late in pairwise(before)])


@pytest.mark.parametrize("most", [20, 40, 100])
@pytest.mark.parametrize("comparisons", [1, 2, 5, 20])
def test_no_look_is_earlier_than_the_floor_of_the_sign_flip_test(comparisons: int, most: int) -> None:
    """The smallest p of n pairs is 2 / 2**n; it must be able to fall below the look's level over all comparisons."""
    least = first_possible(comparisons, False, most)
    assert 2 / 2**least < 0.05 * least / most / comparisons
    assert 2 / 2 ** (least - 1) >= 0.05 * (least - 1) / most / comparisons
    looks = usual_looks(comparisons, False, most)
    assert looks.sizes[0] == default_start(comparisons, False, most) >= least
    for size, level in zip(looks.sizes, looks.levels, strict=True):  # every later one may settle something, too
        assert 2 / 2**size < level / comparisons


def test_the_first_look_that_is_possible_can_make_a_verdict_and_one_seed_less_cannot() -> None:
    for seeds, verdict in ((8, "better"), (7, "too-few-seeds")):
        scores = np.stack([np.zeros(seeds), np.linspace(1, 2, seeds)])
        found = arena({"score": scores}, looks=Looks.between(seeds, 40))
        assert found.entries[1].verdict == verdict
    assert (minimum_seeds(1, share=8 / 40), minimum_seeds(1, share=7 / 40)) == (8, 8)


def test_p_and_interval_at_a_look_are_those_of_its_level() -> None:
    """Against scipy's t-test and interval, with the variance of Nadeau and Bengio put in by hand."""
    differences = np.random.default_rng(0).normal(0.5, 1, 12)
    ratio, share = 0.2, 0.15
    found = delta("score", dict(enumerate(differences)), dict.fromkeys(range(12), 0.0), ratio, share)
    assert found is not None
    error = differences.std(ddof=1) * math.sqrt(1 / 12 + ratio)
    assert found.p == pytest.approx(min(1, stats.t(11).sf(differences.mean() / error) * 2 / share))
    low, high = stats.t.interval(1 - 0.05 * share, 11, differences.mean(), error)
    assert found.ci95 == pytest.approx((low, high))


def test_the_sign_flip_p_and_interval_at_a_look_are_wider_by_its_share() -> None:
    differences = np.random.default_rng(1).normal(0.5, 1, 12)
    arguments = "score", dict(enumerate(differences)), dict.fromkeys(range(12), 0.0)
    whole, part = delta(*arguments), delta(*arguments, share=0.1)
    assert whole is not None
    assert part is not None
    assert part.p == pytest.approx(min(1, 10 * (whole.p or 0)))
    low, high = stats.t.interval(0.995, 11, differences.mean(), differences.std(ddof=1) / math.sqrt(12))
    assert part.ci95 is not None
    assert part.ci95[0] <= low + 1e-12
    assert part.ci95[1] >= high - 1e-12


def test_the_interval_of_a_mean_at_a_look_is_wider_too() -> None:
    values = [0.8, 0.9, 0.85, 0.95, 0.7]
    low, high = stats.t.interval(0.99, 4, np.mean(values), stats.sem(values))
    assert estimate(values, share=0.2).ci95 == pytest.approx((low, high))


def test_better_at_five_percent_is_not_better_at_a_look_and_neither_is_equivalent() -> None:
    chance = np.random.default_rng(3)
    scores = np.stack([np.zeros(12), 0.75 + np.linspace(-1.6, 1.6, 12)])
    once, first = arena({"score": scores}), arena({"score": scores}, looks=Looks((12, 40)))
    assert (once.entries[1].verdict, first.entries[1].verdict) == ("better", "inconclusive")
    near = np.stack([np.zeros(12), chance.normal(0, 0.01, 12)])
    width = max(map(abs, arena({"score": near}).entries[1].delta.ci95))  # type: ignore[union-attr, arg-type]
    margin = {"score": 1.05 * width}
    once = arena({"score": near}, equivalence=margin)
    first = arena({"score": near}, equivalence=margin, looks=Looks((12, 40)))
    assert (once.entries[1].verdict, first.entries[1].verdict) == ("equivalent", "inconclusive")
    assert first.looks is not None
    assert first.looks.open == ("entry 1",)


def test_equal_rows_exclude_less_at_a_look() -> None:
    """No row differs in n seeds with probability exp(-n rows), which may be the look's part of 2.5 %."""
    assert math.exp(-12 * unseen(12, share=0.1)) == pytest.approx(0.0025)


def test_more_seeds_are_advised_at_a_look() -> None:
    scores = np.stack([np.zeros(12), 0.4 + np.linspace(-1.6, 1.6, 12)])
    needed = [arena({"score": scores}, looks=looks).entries[1].delta.seeds_needed for looks in (None, Looks((12, 40)))]  # type: ignore[union-attr]
    assert needed[0] is not None
    assert needed[1] is not None
    assert needed[1] > needed[0]


def test_as_many_seeds_settle_less_where_less_may_be_spent() -> None:
    assert power(20, 1.0, 1.0, share=0.2) < power(20, 1.0, 1.0)
    more, fewer = seeds_for(0.5, 1.0, share=0.2), seeds_for(0.5, 1.0)
    assert more is not None
    assert fewer is not None
    assert more > fewer


def test_runs_that_are_lost_on_both_sides_are_not_waited_for() -> None:
    """No verdict can come of them, however many seeds there are."""
    from types import SimpleNamespace

    from losscli.compare.leaderboard import build_arena

    def runs(name: str, lost: int) -> list[RunResult]:
        of = [("diverged" if seed == lost else "ok", {"test": {"score": seed % 3 * 1.0}}) for seed in range(6)]
        return [RunResult(name, seed, status, 1, 1, scores, [], 0) for seed, (status, scores) in enumerate(of)]  # type: ignore[arg-type]

    def open_of(lost: int) -> tuple[str, ...]:
        entries = [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in ("a", "b")]
        found = build_arena(
            entries,  # type: ignore[arg-type]
            [*runs("a", 2), *runs("b", lost)],
            task="regression",
            data="simulated",
            headline="score",
            directions={"score": "up"},
            baseline={},
            rows={"train": 70, "test": 15},
            looks=Looks.between(6, 40),
        )
        assert found.looks is not None
        return found.looks.open

    assert open_of(lost=9) == ("b",)
    assert open_of(lost=3) == ()


@pytest.mark.parametrize(
    ("kind", "comparisons", "resampled"),
    [
        ("normal", 1, False),
        ("ridge, own features, MSE", 1, True),
        ("ridge, own features, MSE", 3, True),
    ],
)
def test_equal_entries_are_told_apart_at_most_once_in_twenty_over_all_looks(
    kind: str, comparisons: int, resampled: bool
) -> None:
    """Any look, any entry: 5 %, and what so few boards may miss it by (two standard errors are 2.2 %)."""
    chance, looks = np.random.default_rng(20261126), usual_looks(comparisons, resampled, 24)
    draw = (RESAMPLED if resampled else SYMMETRIC)[kind]
    assert len(looks.sizes) > 1
    wrong = []
    for _ in range(BOARDS if comparisons == 1 else BOARDS // 2):
        scores = draw(chance, comparisons + 1, looks.most)
        told = list(growing(scores, looks, resampled))
        wrong.append(any(verdict in CLAIMS for _, verdicts in told for verdict in verdicts))
    assert np.mean(wrong) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / len(wrong))


def test_the_paragraph_says_how_it_ended() -> None:
    scores = np.stack([np.zeros(12), np.linspace(1, 2, 12)])
    found = arena({"score": scores}, True, looks=Looks((6, 12, 24, 40), done=2))
    assert "stages: settled after 12 of 40 seeds (look 2 of 4)." in paragraph(found)
    assert "6 seeds (0.75 %), 12 (0.75 %), 24 (1.5 %) and 40 (2 %)" in paragraph(found)


def test_blocks_end_where_the_usual_looks_are() -> None:
    places = [place for place in range(1, 100) if block_of(place) != block_of(place - 1)]
    assert places == [6, 12, 24, 48, 96]
