"""Oracles: scipy's skewness and skewness test, normal samples, and differences made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from losscli.compare.shape import carrier, not_excluded, odd_seed, one_sided, skewness


def test_skewness_is_scipys() -> None:
    values = np.random.default_rng(0).exponential(size=12)
    assert skewness(list(values)) == pytest.approx(stats.skew(values), rel=1e-12)
    assert skewness([0.25] * 6) == 0


@pytest.mark.parametrize("n", [8, 10, 20, 50])
def test_the_limit_is_that_of_scipys_test_at_one_percent(n: int) -> None:
    """scipy's transformation is D'Agostino's, too, but it goes from the sample to p, not from p to a limit."""
    chance = np.random.default_rng(n)
    samples = [chance.exponential(size=n) for _ in range(200)]
    expected = [stats.skewtest(sample).pvalue < 0.01 for sample in samples]
    assert 20 < sum(expected) < 200
    assert [one_sided(list(sample)) for sample in samples] == expected


@pytest.mark.parametrize("n", [5, 6, 7, 10, 30])
def test_one_normal_sample_in_a_hundred_looks_one_sided(n: int) -> None:
    samples = np.random.default_rng(1).normal(size=(4000, n))
    assert np.mean([one_sided(list(sample)) for sample in samples]) == pytest.approx(0.01, abs=0.006)


@pytest.mark.parametrize("n", [3, 6, 7, 12])
def test_the_odd_seed_is_the_one_farthest_from_the_median(n: int) -> None:
    samples = np.random.default_rng(5).exponential(size=(200, n)) * np.random.default_rng(6).choice([-1, 1], (200, 1))
    expected = np.abs(samples - np.median(samples, axis=1, keepdims=True)).argmax(1)
    assert [odd_seed(dict(enumerate(sample))) for sample in samples] == expected.tolist()


@pytest.mark.parametrize("n", [6, 10, 20])
def test_one_collapse_among_many_seeds_is_seen_and_named(n: int) -> None:
    values = 0.02 + 0.005 * np.random.default_rng(2).normal(size=n)
    values[3] = -0.3
    assert one_sided(list(values))
    assert odd_seed(dict(enumerate(values))) == 3


def test_a_seed_that_carries_the_difference_is_named_and_a_real_difference_has_none() -> None:
    small = dict(enumerate(0.001 + 0.0005 * np.random.default_rng(3).random(10)))
    assert carrier(small | {4: 0.2}, margin=0.005) == 4
    assert carrier(small | {4: 0.2}, margin=0.0005) is None  # the others differ by more than that
    assert carrier(small, margin=0.005) is None  # none has half of it
    assert carrier({seed: -value for seed, value in (small | {7: 0.2}).items()}, margin=0.005) == 7
    assert carrier({0: 0.1, 1: 0.2}) is None


def test_a_significant_difference_of_one_sd_has_no_carrier_in_99_of_100_samples() -> None:
    samples = np.random.default_rng(4).normal(1, 1, size=(1000, 10))
    claims = [sample for sample in samples if stats.ttest_1samp(sample, 0).pvalue < 0.05]
    assert len(claims) > 700
    assert np.mean([carrier(dict(enumerate(sample)), margin=0.1) is not None for sample in claims]) <= 0.01


def test_what_is_not_excluded_would_have_been_missed_once_in_twenty() -> None:
    for seeds in (1, 6, 30):
        assert (1 - not_excluded(seeds)) ** seeds == pytest.approx(0.05)
