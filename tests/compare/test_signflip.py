"""Oracles: scipy's exact permutation test, all sign flips written out, and scipy's BCa interval."""

from __future__ import annotations

import tracemalloc
from itertools import product

import numpy as np
import pytest
from scipy import stats

from losscli.compare.bootstrap import bca, expanded
from losscli.compare.signflip import is_exact, sign_flip
from losscli.compare.statistics import delta, holm

CHANCE = np.random.default_rng(5)
SETS = {
    "normal": CHANCE.normal(0.3, 1, 11),
    "ties": np.round(CHANCE.normal(0.2, 1, 12), 0),
    "skewed": CHANCE.exponential(1, 9) - 0.4,
    "two": np.array([0.1, 0.2]),
    "zeros": np.array([0.0, 0.0, 0.1, 0.2, -0.1]),
}


@pytest.mark.parametrize("name", SETS)
def test_two_sided_p_is_that_of_scipy(name: str) -> None:
    oracle = stats.permutation_test(
        (SETS[name],), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert sign_flip(SETS[name]) == pytest.approx(oracle.pvalue, abs=1e-12)


@pytest.mark.parametrize("name", SETS)
def test_one_sided_p_counts_the_flips_that_reach_the_sum(name: str) -> None:
    values = SETS[name]
    flips = [np.dot(signs, values) >= values.sum() - 1e-12 for signs in product((1, -1), repeat=len(values))]
    assert sign_flip(values, "greater") == pytest.approx(np.mean(flips), abs=1e-12)


def test_beyond_32_differences_flips_are_drawn_and_agree_with_the_normal_limit() -> None:
    values = CHANCE.normal(0.35, 1, 60)
    assert is_exact(32)
    assert not is_exact(33)
    limit = 2 * stats.norm.sf(abs(values.sum()) / np.sqrt((values**2).sum()))
    assert sign_flip(values) == sign_flip(values) == pytest.approx(limit, rel=0.15)
    assert sign_flip(np.ones(60)) == pytest.approx(2e-5)  # twice the observed signs among the hundred thousand


def test_sums_are_those_of_two_halves() -> None:
    """All flips of 22 differences at once would be 2**22 sums of eight bytes; those of two halves are 2 x 2**11."""
    tracemalloc.start()
    sign_flip(CHANCE.normal(size=22))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**22


def test_rounding_makes_no_difference_of_a_tie() -> None:
    steps = [0.81 - 0.80, 0.62 - 0.61, 0.71 - 0.70, 0.40 - 0.41, 0.93 - 0.92, 0.51 - 0.50]
    assert sign_flip(steps) == sign_flip([1, 1, 1, -1, 1, 1]) == 14 / 64


@pytest.mark.parametrize("name", ["normal", "skewed"])
def test_bca_is_that_of_scipy_at_the_expanded_level(name: str) -> None:
    values = SETS[name]
    level = 1 - 2 * expanded(0.025, len(values))
    oracle = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=level,
        n_resamples=40_000,
        method="BCa",
        random_state=np.random.default_rng(1),
    ).confidence_interval
    width = oracle.high - oracle.low
    assert bca(values) == pytest.approx((oracle.low, oracle.high), abs=0.03 * width)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_an_interval_in_another_unit_is_the_same_interval(unit: float) -> None:
    low, high = bca(SETS["skewed"])
    assert bca(unit * SETS["skewed"]) == pytest.approx((unit * low, unit * high), rel=1e-9)
    assert bca(100 * unit + unit * SETS["skewed"]) == pytest.approx((unit * (100 + low), unit * (100 + high)), rel=1e-9)


def test_expansion_leaves_out_as_much_as_students_t() -> None:
    assert expanded(0.025, 6) == pytest.approx(stats.norm.cdf(np.sqrt(6 / 5) * stats.t.ppf(0.025, 5)), rel=1e-12)


def test_the_interval_of_six_normal_values_misses_the_mean_about_once_in_twenty() -> None:
    chance = np.random.default_rng(3)
    missed = [not low <= 0 <= high for low, high in (bca(chance.normal(size=6)) for _ in range(800))]
    assert 0.03 < np.mean(missed) < 0.09  # without the expansion it is 0.15


def test_resampled_p_without_overlap_is_that_of_the_t_test() -> None:
    values = dict(enumerate(SETS["normal"]))
    found = delta("m", values, dict.fromkeys(values, 0.0), 1e-12)
    assert found is not None
    assert found.p == pytest.approx(stats.ttest_1samp(SETS["normal"], 0).pvalue, rel=1e-6)


def test_corrected_p_by_hand() -> None:
    found = delta("m", {0: 1.0, 1: 2.0, 2: 3.0}, dict.fromkeys(range(3), 0.0), 0.25)  # t = 2 / (1 * sqrt(1/3 + 1/4))
    assert found is not None
    assert found.p == pytest.approx(2 * stats.t.sf(2.6186147, 2), rel=1e-6)


def test_where_all_differences_are_equal_the_signs_alone_are_judged() -> None:
    found = delta("m", dict.fromkeys(range(6), 0.5), dict.fromkeys(range(6), 0.25), 0.25)
    assert found is not None
    assert (found.p, found.ci95) == (2 / 64, (0.25, 0.25))


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.001, 0.02, 0.03]) == pytest.approx([0.06, 0.004, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
