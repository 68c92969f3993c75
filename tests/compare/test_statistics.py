"""Oracles: scipy.stats (not the code under test), and the formula of Nadeau & Bengio worked out by hand."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from losscli.compare.statistics import delta, estimate, paired

SCORES = [0.81, 0.84, 0.79, 0.90, 0.86]
OTHERS = [0.80, 0.80, 0.81, 0.85, 0.80]


def by_seed(values: list[float]) -> dict[int, float]:
    return dict(enumerate(values))


def test_mean_and_sd_are_those_of_the_standard_library() -> None:
    found = estimate(SCORES)
    assert found.mean == pytest.approx(statistics.mean(SCORES), rel=1e-14)
    assert found.sd == pytest.approx(statistics.stdev(SCORES), rel=1e-14)
    assert found.values == tuple(SCORES)


def test_interval_on_a_fixed_split_is_students() -> None:
    low, high = stats.t.interval(0.95, df=4, loc=statistics.mean(SCORES), scale=stats.sem(SCORES))
    assert estimate(SCORES).ci95 == pytest.approx((low, high), rel=1e-12)


def test_paired_interval_is_that_of_ttest_rel() -> None:
    found = delta("auroc", by_seed(SCORES), by_seed(OTHERS))
    oracle = stats.ttest_rel(SCORES, OTHERS).confidence_interval(0.95)
    assert found is not None
    assert found.mean == pytest.approx(0.028)  # (0.01 + 0.04 - 0.02 + 0.05 + 0.06) / 5
    assert found.ci95 == pytest.approx((oracle.low, oracle.high), rel=1e-12)
    assert (
        found.p == 6 / 32
    )  # by hand: a sum of 0.14 is reached by no flip, by that of -0.02, and by that of 0.01 with it
    assert found.p_holm is None  # a matter of the whole arena


def test_resampled_splits_widen_the_interval_as_nadeau_and_bengio_say() -> None:
    # 1, 2, 3: mean 2, variance 1; t(2, 0.975) = 4.302653 (printed tables); n_test / n_train = 15 / 70
    half = 4.302653 * math.sqrt(1 / 3 + 15 / 70)
    assert half == pytest.approx(3.184019, abs=1e-6)
    assert estimate([1.0, 2.0, 3.0], 15 / 70).ci95 == pytest.approx((2 - half, 2 + half), rel=1e-6)


def test_values_that_are_not_finite_keep_their_place_and_count_for_nothing() -> None:
    found = estimate([0.5, math.nan, 0.7, math.inf])
    assert found.mean == pytest.approx(0.6)
    assert found.sd == pytest.approx(math.sqrt(0.02))
    assert [math.isfinite(value) for value in found.values] == [True, False, True, False]


@pytest.mark.parametrize("values", [[], [math.nan], [math.nan, math.inf]])
def test_nothing_finite_has_no_mean(values: list[float]) -> None:
    found = estimate(values)
    assert math.isnan(found.mean)
    assert math.isnan(found.sd)
    assert found.ci95 is None


def test_one_value_has_a_mean_but_no_spread() -> None:
    found = estimate([0.7, math.nan])
    assert found.mean == 0.7
    assert math.isnan(found.sd)
    assert found.ci95 is None


def test_equal_values_have_a_spread_of_zero() -> None:
    assert estimate([0.5, 0.5, 0.5]).sd == 0.0
    assert estimate([0.5, 0.5, 0.5]).ci95 == (0.5, 0.5)


def test_pairs_are_the_seeds_that_both_finished() -> None:
    entry = {0: 0.9, 3: 0.8, 4: math.nan, 5: 0.7}
    reference = {5: 0.6, 0: 0.7, 3: math.nan, 4: 0.5, 9: 0.1}
    assert paired(entry, reference) == pytest.approx([0.2, 0.1])
    assert delta("auroc", {0: 1.0}, {1: 1.0}) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12), st.floats(0, 1))
def test_the_interval_holds_the_mean_and_a_shift_moves_both(values: list[float], ratio: float) -> None:
    found = estimate(values, ratio)
    assert found.ci95 is not None
    assert found.ci95[0] <= found.mean <= found.ci95[1]
    moved = estimate([value + 1000 for value in values], ratio)
    assert moved.mean == pytest.approx(found.mean + 1000, abs=1e-6)
    assert moved.sd == pytest.approx(found.sd, abs=1e-6)


@pytest.mark.parametrize("ratio", [1e-12, 0.25])
def test_the_corrected_t_test_looks_at_both_sides(ratio: float) -> None:
    """Nadeau and Bengio's statistic is the plain one, shrunk by sqrt(1 / (1 + n ratio)); the tails are scipy's."""
    differences = [0.03, 0.01, -0.01, 0.04, 0.02, 0.02]
    t = stats.ttest_1samp(differences, 0).statistic / math.sqrt(1 + 6 * ratio)
    for sign in (1, -1):
        found = delta(
            "auroc", {seed: sign * each for seed, each in enumerate(differences)}, dict.fromkeys(range(6), 0.0), ratio
        )
        assert found is not None
        assert found.test == "corrected-t"
        assert found.p == pytest.approx(2 * stats.t.sf(t, 5), rel=1e-9)
