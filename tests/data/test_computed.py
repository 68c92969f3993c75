"""Targets that features make together, and features that are there for something else: weights, the status of a time."""

import numpy as np
import pytest

from losscli.data.dataset import Table
from losscli.data.functions import computed
from losscli.data.leaks import leaks
from losscli.tasks import Column, tasks

RNG = np.random.default_rng(7)
ROWS = 400
A, B, C = (RNG.normal(50, 12, ROWS).round(2) for _ in range(3))
NOISE = RNG.normal(size=ROWS)
D, E = RNG.normal(0, 3, ROWS), RNG.choice([-1, 1], ROWS) * RNG.uniform(1, 4, ROWS)
COUNT = RNG.integers(1, 9, ROWS).astype(float)


def findings(target, name="y", **features):
    columns = {key: Column(np.asarray(values, dtype=float)) for key, values in features.items()}
    table = Table("t", columns, {name: Column(np.asarray(target, dtype=float))})
    return leaks(table, tasks.get("regression").decode(table.targets), [], False)


MADE = {
    "sum": (A + B, {"a", "b"}, "'a' + 'b'"),
    "difference": (A - B, {"a", "b"}, "'a' - 'b'"),
    "sum of three": (A + B + C, {"a", "b", "c"}, "'a' + 'b' + 'c'"),
    "rounded sum": ((A + B).round(), {"a", "b"}, "'a' + 'b'"),
    "linear": (3 * A - 0.5 * C + 7, {"a", "c"}, "a linear function of a and c"),
    "mean": ((A + B) / 2, {"a", "b"}, "a linear function of a and b"),
    "product": (A * COUNT, {"a", "n"}, "'a' * 'n'"),
    "ratio": (A / B, {"a", "b"}, "'a' / 'b'"),
    "body mass index": (A / B**2, {"a", "b"}, "a product of powers of a and b"),
    "largest": (np.maximum(A, B), {"a", "b"}, "max('a', 'b')"),
    "smallest": (np.minimum(A, C), {"a", "c"}, "min('a', 'c')"),
    "largest of three": (np.maximum(np.maximum(A, B), C), {"a", "b", "c"}, "max('a', 'b', 'c')"),
    "weighted sum": (0.3 * A + 0.7 * B, {"a", "b"}, "a linear function of a and b"),
    "rounded weighted sum": ((0.3 * A + 0.7 * B).round(1), {"a", "b"}, "a linear function of a and b"),
    "distance": (np.abs(A - B), {"a", "b"}, "|'a' - 'b'|"),
    "percentage": (100 * A / (B + 1e-9), {"a", "b"}, "'a' / 'b'"),
    "price and fee": (A * COUNT + C, {"a", "c", "n"}, "computed from a, c and n"),
}


@pytest.mark.parametrize(("target", "columns", "formula"), MADE.values(), ids=MADE)
def test_a_target_that_is_computed_is_a_leak_with_its_columns(target, columns, formula):
    (leak,) = [found for found in findings(target, a=A, b=B, c=C, n=COUNT, noise=NOISE) if found.code == "leak"]
    assert formula in leak.message
    function = computed({k: Column(v) for k, v in {"a": A, "b": B, "c": C, "n": COUNT}.items()}, target)
    assert set(function.columns) == columns


SIGNED = {
    "product": (D * E, "'d' * 'e'"),
    "ratio": (D / E, "'d' / 'e'"),
    "ratio, rounded": ((D / E).round(4), "'d' / 'e'"),
    "ratio in percent": (100 * D / E, "a multiple of 'd' / 'e'"),
    "difference": (D - E, "'d' - 'e'"),
    "largest": (np.maximum(D, E), "max('d', 'e')"),
}


@pytest.mark.parametrize(("target", "formula"), SIGNED.values(), ids=SIGNED)
def test_numbers_of_either_sign_make_a_target_too(target, formula):
    (leak,) = [finding for finding in findings(target, a=A, d=D, e=E, noise=NOISE) if finding.code == "leak"]
    assert formula in leak.message


def test_what_is_only_related_is_no_leak():
    assert findings(A + B + 5 * NOISE, a=A, b=B, c=C) == []
    assert findings(np.sin(A) * B, a=A, b=B, c=C) == []
    assert findings(NOISE, a=A, b=B, c=C) == []


def test_missing_values_do_not_hide_it():
    holed = A.copy()
    holed[::7] = np.nan
    assert [found.code for found in findings(A + B, a=holed, b=B, c=C)] == ["leak"]


def test_few_rows_say_nothing():
    assert findings((A + B)[:40], a=A[:40], b=B[:40]) == []


CENSORED = {
    "lung": ("time", {"status": RNG.integers(1, 3, ROWS)}),
    "days": ("days_to_event", {"event": RNG.integers(0, 2, ROWS)}),
    "tenure": ("tenure", {"Churn": RNG.integers(0, 2, ROWS)}),
    "survival": ("survival_months", {"death": RNG.integers(0, 2, ROWS)}),
}


@pytest.mark.parametrize(("name", "status"), CENSORED.values(), ids=CENSORED)
def test_a_time_beside_a_status_is_noticed(name, status):
    (found,) = findings(np.abs(A) + 1, name, b=B, **status)
    assert found.code == "censored"
    assert "a mean of such times is wrong" in found.message
    assert "no loss here handles censored times" in found.cure


def test_a_time_without_a_status_and_a_status_without_a_time_are_not():
    assert findings(A, "time", b=B, smoker=RNG.integers(0, 2, ROWS)) == []
    assert findings(A, "price", b=B, status=RNG.integers(0, 2, ROWS)) == []


@pytest.mark.parametrize("name", ["sample_weight", "fnlwgt", "freq", "counts", "survey_weight", "weights"])
def test_a_weight_of_the_rows_is_suggested(name):
    (found,) = findings(A, b=B, **{name: COUNT})
    assert (found.code, f"--set data.weight={name}" in found.cure) == ("weight-column", True)


def test_what_things_weigh_is_no_weight_of_rows():
    assert findings(A, height=B, weight=C) == []
    assert findings(A, horsepower=B, weight=C * 60) == []
    assert findings(A, b=B, n_rooms=COUNT) == []


@pytest.mark.parametrize(
    "name", ["exposure", "person_years", "PersonYears", "Population", "pop", "n_insured", "policy-years"]
)
def test_an_exposure_of_counts_is_suggested(name):
    years = RNG.uniform(0.5, 9, ROWS)
    counts = RNG.poisson(years)
    (found,) = [one for one in findings(counts, **{name: years, "x": NOISE}) if one.code == "exposure-column"]
    assert f"--set data.exposure={name}" in found.cure
    logs = findings(counts, **{f"log_{name}": np.log(years), "x": NOISE})
    (found,) = [one for one in logs if one.code == "exposure-column"]
    assert f"--set data.offset=log_{name}" in found.cure
    assert "exposure-column" not in [one.code for one in findings(counts + 0.5, **{name: years, "x": NOISE})]
    assert "exposure-column" not in [one.code for one in findings(counts, **{name: years - 5, "x": NOISE})]


def test_few_whole_times_that_look_like_codes_are_censored_times_too():
    time = np.minimum(RNG.exponential(6, ROWS).astype(int) + 1, 9).astype(float)
    table = Table(
        "t", {"churned": Column((time < 9).astype(float)), "x": Column(NOISE)}, {"tenure_months": Column(time)}
    )
    target = tasks.get("multiclass").decode(table.targets)
    assert "censored" in [found.code for found in leaks(table, target, [], True)]
