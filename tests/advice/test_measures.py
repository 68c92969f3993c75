"""Measurements on samples whose truth is known: drawn from named distributions, or small enough to count by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from losscli.advice.heuristics import heuristics
from losscli.advice.numbers import far_out, numbers, skewness
from losscli.advice.profile import Profile
from losscli.advice.repeats import Repeats, copies, fingerprints, repeats
from losscli.advice.spread import dispersion, leftover
from losscli.data.dataset import Table
from losscli.tasks import Column, tasks


def table_of(rows: list[tuple[object, ...]]) -> Table:
    """The last column is the target."""
    *features, target = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    named = {f"x{index}": Column(values) for index, values in enumerate(features)}
    return Table("t", named, {"y": Column(target)})


def test_repeats_are_those_that_counting_tuples_finds() -> None:
    rng = np.random.default_rng(3)
    rows = [tuple(map(int, row)) for row in rng.integers(0, 3, size=(200, 4))]
    found = repeats(table_of(rows))  # type: ignore[arg-type]
    by_features: dict[tuple[int, ...], Counter[int]] = {}
    for *features, target in rows:
        by_features.setdefault(tuple(features), Counter())[target] += 1
    assert found.duplicates == len(rows) - len(set(rows))
    assert found.conflicting == sum(sum(each.values()) for each in by_features.values() if len(each) > 1)
    assert found.floor == sum(sum(each.values()) - max(each.values()) for each in by_features.values())
    assert found.floor > 0


def test_missing_values_and_signed_zeros_are_equal_to_themselves() -> None:
    one = Column(np.array([np.nan, -np.nan, 0.0, -0.0, 1.0]))
    first = fingerprints({"x": one}, 5)
    assert first[0] == first[1] != first[2]
    assert first[2] == first[3] != first[4]


def test_a_fit_without_a_copy_of_the_target_says_so() -> None:
    values = np.repeat(np.arange(30.0), 3)
    features = {"copy": Column(values * 2), "x": Column(np.tile([1.0, 5.0, 2.0], 30))}
    target = {"y": Column(values)}
    found = Profile(Table("t", features, target), "regression", tasks.get("regression").decode(target))
    assert found.leftover is not None
    assert found.leftover.explained < 0.1
    assert "without 'copy'" in found.leaks[-1].message


def test_the_order_of_columns_counts() -> None:
    x, y = Column(np.array([1.0, 2.0])), Column(np.array([2.0, 1.0]))
    found = fingerprints({"x": x, "y": y}, 2)
    assert found[0] != found[1]


def test_a_copy_of_the_target_is_seen_under_other_names() -> None:
    target = np.array([0, 1, 1, 0, 1, 0])
    features = {
        "id": Column(np.arange(6.0)),
        "copy": Column(target.astype(np.int32), ("no", "yes")),
        "x": Column(np.array([1.0, 5.0, 2.0, 2.0, 1.0, 4.0])),
    }
    table = Table("t", features, {"y": Column(target.astype(np.float64))})
    assert copies(table) == ("copy",)
    assert Profile(table, "binary", tasks.get("binary").decode(table.targets)).features.keys() == {"id", "x"}


@pytest.mark.parametrize("telling", ["step", "copy"])
def test_rows_that_one_column_tells_apart_neither_repeat_nor_contradict(telling: str) -> None:
    """A model gets every feature: also one that rises with the rows, and one that tells the target."""
    target = np.tile([0.0, 0.0, 1.0], 20)
    columns = {"step": Column(np.arange(60) + 1.5), "copy": Column(target.copy())}
    blunt = Table("t", {"x": Column(np.repeat(np.arange(20.0), 3))}, {"y": Column(target)})
    assert repeats(blunt) == Repeats(20, 60, 20)
    found = repeats(replace(blunt, features={**blunt.features, telling: columns[telling]}))
    assert found.floor == found.conflicting == 0
    assert found.duplicates == (0 if telling == "step" else 20)


def test_the_shape_of_numbers_is_that_of_scipy() -> None:
    values = stats.lognorm(0.8).rvs(500, random_state=1)
    found = numbers(np.append(values, np.nan))
    assert found is not None
    assert found.rows == 500
    assert found.skewness == pytest.approx(stats.skew(values))
    assert found.quarter == pytest.approx(stats.scoreatpercentile(values, 25))
    assert found.positive
    assert not found.count_like


def test_skewness_of_extreme_numbers_stays_finite() -> None:
    assert np.isfinite(skewness(np.array([1e-300, 1e300, 1e300])))
    assert skewness(np.full(5, 7.0)) == 0


def test_far_out_is_beyond_three_interquartile_ranges() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0])  # quartiles 1 and 3: the fences are -5 and 9
    assert far_out(np.append(values, [9.0]))[-1] == np.False_
    assert far_out(np.repeat(values, 20)).sum() == 0
    assert far_out(np.append(np.repeat(values, 20), [9.01, -5.01])).tolist()[-2:] == [True, True]


def sample(draw: str, rows: int = 4000) -> tuple[dict[str, Column], np.ndarray]:
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 1, size=rows)
    mean = np.exp(0.5 + 1.5 * x)
    drawn = {
        "normal": lambda: 10 + 5 * x + rng.normal(size=rows),
        "poisson": lambda: rng.poisson(mean).astype(np.float64),
        "negative binomial": lambda: rng.poisson(mean * rng.gamma(2.0, 0.5, size=rows)).astype(np.float64),
        "gamma": lambda: mean * rng.gamma(4.0, 0.25, size=rows),
        "uneven": lambda: 10 + 5 * x + rng.normal(size=rows) * (0.2 + 2 * x),
    }
    return {"x": Column(x)}, drawn[draw]()


@pytest.mark.parametrize(("draw", "power"), [("poisson", 1.0), ("gamma", 2.0)])
def test_the_power_of_the_variance_is_that_of_the_distribution(draw: str, power: float) -> None:
    found = leftover(*sample(draw))
    assert found is not None
    measured = found.power()
    assert measured == pytest.approx(power, abs=0.3)


def test_uneven_spread_is_told_from_an_even_one() -> None:
    even, uneven = leftover(*sample("normal")), leftover(*sample("uneven"))
    assert even is not None
    assert uneven is not None
    assert even.uneven() > 0.01 > 1e-6 > uneven.uneven()
    assert uneven.spread_ratio() > 4 > 1.5 > even.spread_ratio()


def test_alpha_is_that_of_the_gamma_that_was_mixed_in() -> None:
    poisson, mixed = (leftover(*sample(draw)) for draw in ("poisson", "negative binomial"))
    assert poisson is not None
    assert mixed is not None
    plain_one, wide = dispersion(poisson), dispersion(mixed)
    assert abs(plain_one.z) < 3
    assert plain_one.pearson == pytest.approx(1.0, abs=0.1)
    assert plain_one.zeros == pytest.approx(plain_one.expected_zeros, abs=0.02)
    assert wide.alpha == pytest.approx(0.5, abs=0.1)  # a gamma of shape 2 has variance 1 / 2
    assert wide.z > 5


def test_the_linear_fit_is_judged_on_rows_it_has_not_seen() -> None:
    rng = np.random.default_rng(0)
    features = {f"x{index}": Column(rng.normal(size=120)) for index in range(50)}
    found = leftover(features, rng.normal(size=120))
    assert found is not None
    assert found.explained < 0  # fifty columns of noise fit sixty rows, and nothing else


def test_too_few_rows_or_no_features_tell_nothing() -> None:
    features, target = sample("normal", 50)
    assert leftover(features, target) is None
    assert leftover({}, np.arange(100.0)) is None
    assert leftover({"x": Column(np.zeros(100))}, np.arange(100.0)) is None


def test_the_same_numbers_as_the_target_are_a_copy_however_many_there_are() -> None:
    values = np.random.default_rng(0).normal(size=400)
    table = Table("t", {"twin": Column(values.copy()), "other": Column(values + 1)}, {"y": Column(values)})
    profile = Profile(table, "regression", tasks.get("regression").decode(table.targets))
    assert profile.copies == ("twin",)
    assert list(profile.features) == ["other"]


def test_one_outlier_does_not_make_wide_counts_poissons() -> None:
    """The error of alpha is that of the outlier, so that z says nothing; Pearson's dispersion does."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=400)
    y = rng.poisson(np.exp(0.5 + 0.3 * x)).astype(float)
    y[7] = 400.0
    table = Table("t", {"x": Column(x)}, {"y": Column(y)})
    profile = Profile(table, "regression", tasks.get("regression").decode(table.targets))
    assert profile.dispersion is not None
    assert profile.dispersion.z < 3
    assert profile.dispersion.pearson > 5
    advice = heuristics.get("counts").advise(profile)
    assert advice is not None
    assert "not certain" in advice.reason
    assert [pick.loss for pick in advice.picks] == ["negative-binomial-nll", "poisson-nll"]


def test_classes_that_overlap_are_not_wrong_labels() -> None:
    """Two yes-or-no features have four kinds of rows: that classes meet there says nothing of their labels."""
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 2, 600), rng.integers(0, 2, 600)
    y = (rng.uniform(size=600) < 0.35 + 0.15 * a).astype(float)
    table = Table("t", {"a": Column(a.astype(float)), "b": Column(b.astype(float))}, {"y": Column(y)})
    profile = Profile(table, "binary", tasks.get("binary").decode(table.targets))
    assert heuristics.get("contradicting-rows").advise(profile) is None


@pytest.mark.parametrize(("order", "kept"), [((0.0, 3.0, 6.0), True), ((0.0, 9.0, 1.0), False)])
def test_features_that_contradict_an_order_of_words_stop_ordinal_losses(order: tuple[float, ...], kept: bool) -> None:
    codes = np.repeat([0, 1, 2], 60)
    x = np.array(order)[codes] + np.random.default_rng(5).normal(size=180) / 4
    levels = Column(codes.astype(np.int32), ("low", "medium", "very high"))
    table = Table("t", {"x": Column(x)}, {"y": levels})
    profile = Profile(table, "multiclass", tasks.get("multiclass").decode(table.targets))
    assert (heuristics.get("ordered-labels").advise(profile) is not None) == kept
