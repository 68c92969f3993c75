"""Coverage is compared by its distance from what is promised; widths only where that is held. Oracles: plain loops, scipy."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from scipy import stats

from losscli.compare.breakdown import crossing
from losscli.compare.expect import unmet
from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, Delta, RunResult
from losscli.compare.tuning import best
from losscli.reports.json import to_json
from losscli.reports.recall import _delta
from losscli.spec.model import Entry
from losscli.words.caveats import contrary
from losscli.words.columns import headed
from losscli.words.paragraph import paragraph
from losscli.words.phrases import better, between, by
from losscli.words.view import View, select

SEEDS = 10
DIRECTIONS = {"rmse": "down", "coverage": "target", "interval-width": "down", "interval-score": "down"}


def run(entry: str, seed: int, scores: Mapping[str, float], level: float | None = 0.9, **chosen: float) -> RunResult:
    calibration = ({} if level is None else {"level": level}) | chosen
    every = {split: dict(scores) for split in ("test", "valid")}
    return RunResult(entry, seed, "ok", 1, 1, every, (), 0.0, calibration)


def arena(headline: str, *, rows: int = 1000, levels: Mapping[str, float] | None = None, **values: object) -> Arena:
    """Entries with `headline` as named, and per-seed values of the metrics that are given: {entry: {metric: values}}."""
    runs = []
    for entry, of in values.items():
        assert isinstance(of, Mapping)
        for seed in range(SEEDS):
            scores = {metric: float(numbers[seed]) for metric, numbers in of.items()}
            runs.append(run(entry, seed, scores, (levels or {}).get(entry, 0.9)))
    entries = [Entry(name, name, {}, (), 1e-3) for name in values]
    order = [headline, *(name for name in DIRECTIONS if name != headline)]
    return build_arena(
        entries,
        runs,
        task="regression",
        data="made",
        headline=headline,
        directions={name: DIRECTIONS[name] for name in order},
        baseline={},
        rows={"train": 10 * rows, "test": rows} if rows else {},
        resampled=False,
    )


def around(mean: float, sd: float = 0.004, seed: int = 0) -> np.ndarray:
    """Ten numbers of exactly this mean."""
    noise = np.random.default_rng(seed).normal(0, sd, SEEDS)
    return mean + noise - noise.mean()


def verdict(found: Arena, metric: str, entry: str = "b") -> str | None:
    return next(each for each in found.entries if each.entry == entry).deltas[metric].verdict


@pytest.mark.parametrize(
    ("reference", "other", "expected"),
    [(0.985, 1.0, "worse"), (1.0, 0.985, "better"), (0.80, 0.90, "better"), (0.95, 0.85, "equivalent")],
)
def test_coverage_is_better_where_it_is_closer_to_what_is_promised(
    reference: float, other: float, expected: str
) -> None:
    noise = {"a": around(reference, 0.002, 1), "b": around(other, 0.002, 2)}
    found = arena("coverage", a={"coverage": noise["a"]}, b={"coverage": noise["b"]})
    assert found.entries[1].verdict == expected
    apart = [abs(b - 0.9) - abs(a - 0.9) for a, b in zip(noise["a"], noise["b"], strict=True)]
    delta = found.entries[1].delta
    assert delta is not None
    assert delta.mean == pytest.approx(sum(apart) / SEEDS)
    assert delta.sd == pytest.approx(stats.tstd(apart))
    assert found.entries[1].scores["test"]["coverage"].mean == pytest.approx(other)  # what is shown is the coverage


def test_each_run_has_the_level_of_its_own_interval_for_target() -> None:
    """0.8 is perfect for an interval of 80 %, and 0.1 off for one of 90 %."""
    scores = {"coverage": around(0.8)}
    assert arena("coverage", levels={"b": 0.8}, a=scores, b=scores).entries[1].verdict == "better"
    assert arena("coverage", levels={"a": 0.8}, a=scores, b=scores).entries[1].verdict == "worse"


def test_where_the_test_rows_are_not_known_nothing_is_granted_to_chance() -> None:
    """With a single row the standard error of a coverage of 0.9 would be sqrt(0.9 x 0.1) = 0.3."""
    width = around(2.0)
    a, b = {"coverage": [0.92] * SEEDS, "interval-width": width}, {"coverage": [0.7] * SEEDS, "interval-width": width}
    assert verdict(arena("interval-width", rows=0, a=a, b=b), "interval-width") == "undefined"
    assert verdict(arena("interval-width", rows=1, a=a, b=b), "interval-width") == "equivalent"


def test_a_distance_is_said_as_one() -> None:
    found = arena("coverage", a={"coverage": around(0.82)}, b={"coverage": around(0.89, seed=5)})
    delta = found.entries[1].delta
    assert delta is not None
    assert delta.mean < 0
    assert by(delta) == f"{-delta.mean:.4f} closer to its 90 %"
    assert "closer" in between(delta)
    told = paragraph(found)
    assert "closer to the interval's own level is better" in told
    assert "higher" not in told
    assert "lower" not in told
    assert better(found) == "closer to the interval's own level"
    assert headed(found, "coverage") == "coverage → 0.9"


def test_an_open_distance_is_said_both_ways() -> None:
    delta = Delta("coverage", 0.01, (-0.02, 0.04), margin=0.005, target=0.9)
    assert between(delta) == "between 0.0200 closer and 0.0400 farther"
    assert by(delta) == "0.0100 farther from its 90 %"


def test_entries_are_ordered_by_their_distance() -> None:
    found = arena(
        "coverage", a={"coverage": around(1.0)}, b={"coverage": around(0.905)}, c={"coverage": around(0.93, seed=3)}
    )
    assert [entry.entry for entry in select(found, View(sort="coverage")).entries] == ["b", "c", "a"]
    assert found.goodness(found.entries[0], "coverage") == pytest.approx(-np.abs(around(1.0) - 0.9).mean())


COVERED = {"coverage": around(0.91)}
SHORT = {"coverage": around(0.70)}
NARROW = {"interval-width": around(2.0, 0.1)}
WIDE = {"interval-width": around(4.0, 0.1, 4)}


def test_the_narrower_of_two_intervals_that_hold_is_better() -> None:
    found = arena("rmse", a={**COVERED, **WIDE}, b={**COVERED, **NARROW})
    assert verdict(found, "interval-width") == "better"


@pytest.mark.parametrize(("a", "b", "who"), [(COVERED, SHORT, "b"), (SHORT, COVERED, "a"), (SHORT, SHORT, "a")])
def test_a_width_says_nothing_where_coverage_is_not_held(a: dict, b: dict, who: str) -> None:
    found = arena("rmse", a={**a, **WIDE, "rmse": around(1)}, b={**b, **NARROW, "rmse": around(1)})
    assert verdict(found, "interval-width") == "undefined"
    assert f"{who} covers 70 % of the test rows, less than its 90 %" in str(
        found.entries[1].deltas["interval-width"].reason
    )
    assert not [delta for delta in contrary(found.entries[1]) if delta.metric == "interval-width"]


@pytest.mark.parametrize(("rows", "expected"), [(100, "better"), (10_000, "undefined")])
def test_coverage_may_miss_what_chance_makes_of_so_many_rows(rows: int, expected: str) -> None:
    """0.88 of 100 rows is within sqrt(.9 x .1 / 100) = 0.03 of 0.9; of 10,000 rows it is not within 0.003."""
    near = {"coverage": around(0.88)}
    found = arena("rmse", rows=rows, a={**near, **WIDE}, b={**near, **NARROW})
    assert verdict(found, "interval-width") == expected


@pytest.mark.parametrize("metric", ["interval-score", "interval-width"])
def test_intervals_of_different_levels_are_not_compared(metric: str) -> None:
    scores = {**COVERED, **WIDE, "interval-score": around(5.0)}
    less = {**COVERED, **NARROW, "interval-score": around(3.0)}
    found = arena("interval-score", levels={"b": 0.8}, a=scores, b=less)
    assert verdict(found, metric) == "undefined"
    assert found.entries[1].verdict == "undefined"
    assert [finding.code for finding in found.findings] == ["interval-levels"]
    assert "a promise 90 %, those of b 80 %" in found.findings[0].message
    assert "No verdict: b (the intervals of b promise 80 %" in paragraph(found)


def test_scores_of_the_same_level_are_compared_whatever_is_covered() -> None:
    found = arena(
        "interval-score", a={**SHORT, "interval-score": around(5)}, b={**COVERED, "interval-score": around(3)}
    )
    assert found.entries[1].verdict == "better"
    assert found.findings == []


def test_rows_on_which_quantiles_crossed_are_told() -> None:
    runs = [
        run(name, seed, {"rmse": 1.0}, crossed=share) for name, share in (("a", 0.0), ("b", 0.04)) for seed in (0, 1)
    ]
    runs += [run("b", 2, {"rmse": 1.0}), run("a", 2, {"rmse": 1.0})]
    made = build_arena(
        [Entry(name, name, {}, (), 1e-3) for name in "ab"], runs, task="regression", data="made", headline="rmse",
        directions={"rmse": "down"}, baseline={},
    )  # fmt: skip
    (found,) = made.findings
    assert (found.code, found.severity) == ("quantiles-crossed", "warning")
    assert "b (on 2.67 % of the test rows)" in found.message  # (4 + 4 + 0) / 3
    assert "a (" not in found.message


def test_tuning_takes_what_is_closest_to_the_level() -> None:
    """Coverage 1 is what an interval without end has."""
    tried = [run(str(value), 0, {"coverage": value}) for value in (0.7, 0.93, 1.0)]
    assert best(tried, "coverage", "target").entry == "0.93"
    own = [run("wide", 0, {"coverage": 0.9}, level=0.5), run("right", 0, {"coverage": 0.55}, level=0.5)]
    assert best(own, "coverage", "target").entry == "right"


def test_a_breakdown_of_coverage_is_a_distance_that_grows() -> None:
    """Clean it is at 0.9; 5 % of that is 0.045, and from 0.9 to 1.0 that is passed at 45 % of the way; no fall before."""
    assert crossing([0, 0.1, 0.2], [0.9, 0.9, 1.0], "target") == pytest.approx(0.145)
    assert crossing([0, 0.2], [0.8, 0.9], "target") == math.inf


def test_machine_output_says_of_what_a_difference_is_and_is_read_back() -> None:
    from losscli.comparison import Comparison

    values: dict[str, Mapping[str, Sequence[float]]] = {
        "a": {**SHORT, **WIDE, "rmse": around(1)},
        "b": {**COVERED, **NARROW, "rmse": around(1)},
    }
    made = to_json(Comparison([arena("rmse", **values)], "cpu", None, {}))
    deltas = json.loads(json.dumps(made))["arenas"][0]["entries"][1]["deltas"]
    assert deltas["coverage"]["target"] == 0.9
    assert "target" not in deltas["rmse"]
    assert deltas["interval-width"]["verdict"] == "undefined"
    assert deltas["interval-width"]["reason"].startswith("a covers 70 %")
    back = _delta(deltas["coverage"])
    assert back is not None
    assert back.target == 0.9


def test_an_expectation_of_coverage_is_of_the_plain_number() -> None:
    found = arena("coverage", a={"coverage": around(0.99)}, b={"coverage": around(0.8)})
    assert unmet({"test.coverage": ">= 0.9"}, found) == []
    assert unmet({"test.coverage": "<= 0.95"}, found) == [
        "test.coverage must be <= 0.95, and is 0.99 (mean of 10 seeds)"
    ]
