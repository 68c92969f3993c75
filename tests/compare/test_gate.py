"""A gate falls only on a drop beyond what chance explains. Oracles: scipy's t-tests, and sign flips counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from losscli.compare.gate import GateEntry, Scores, concluded, gate, vanished

OLD = [0.90, 0.91, 0.89, 0.92, 0.90, 0.88]
WORSE = [0.86, 0.88, 0.84, 0.87, 0.87, 0.83]


def judged(
    old: list[float], new: list[float], limit: float = 0.0, paired: bool = True, ratio: float = 0.0
) -> GateEntry:
    scores = [Scores(dict(enumerate(values)), ratio) for values in (old, new)]
    return concluded([gate("a", "auprc", "up", *scores, limit, paired)])[0]


@pytest.mark.parametrize(("limit", "outcome"), [(0.0, "dropped"), (0.01, "dropped"), (0.04, "held"), (0.1, "held")])
@pytest.mark.parametrize(("paired", "ratio"), [(True, 0.0), (True, 0.2), (False, 0.0)])
def test_only_more_than_the_limit_falls(limit: float, outcome: str, paired: bool, ratio: float) -> None:
    assert judged(OLD, WORSE, limit, paired, ratio).outcome == outcome


def test_p_values_are_those_of_the_tests_named() -> None:
    drops = [old - new - 0.01 for old, new in zip(OLD, WORSE, strict=True)]
    assert (
        judged(OLD, WORSE, 0.01).p == 1 / 64
    )  # every drop is beyond the limit: the one flip of 64 that keeps them all
    t = stats.ttest_1samp(drops, 0, alternative="greater")
    assert judged(OLD, WORSE, 0.01, ratio=1e-12).p == pytest.approx(t.pvalue, rel=1e-6)
    welch = stats.ttest_ind(OLD, [new + 0.01 for new in WORSE], equal_var=False, alternative="greater")
    assert judged(OLD, WORSE, 0.01, paired=False).p == pytest.approx(welch.pvalue, rel=1e-9)


def test_resampled_splits_widen_the_unpaired_test_too() -> None:
    """Variances (1/n + ratio) of equal sizes: Welch's t shrinks by sqrt(1 + n ratio), its degrees of freedom stay."""
    plain = stats.ttest_ind(OLD, WORSE, equal_var=False, alternative="greater")
    expected = stats.t.sf(plain.statistic / math.sqrt(1 + 6 * 0.2), plain.df)
    assert judged(OLD, WORSE, paired=False, ratio=0.2).p == pytest.approx(expected, rel=1e-9)


def test_a_gain_and_no_change_hold() -> None:
    assert judged(WORSE, OLD).outcome == "held"
    assert judged(OLD, OLD).outcome == "held"


def test_where_lower_is_better_a_rise_is_a_drop() -> None:
    found = gate("a", "log-loss", "down", Scores(dict(enumerate(WORSE))), Scores(dict(enumerate(OLD))), 0.0, True)
    assert found.drop == pytest.approx(0.25 / 6 + 0.0, abs=0.01)
    assert concluded([found])[0].outcome == "dropped"


@pytest.mark.parametrize(
    ("seeds", "paired", "outcome"), [(4, True, "too-few-seeds"), (5, True, "dropped"), (3, False, "too-few-seeds")]
)
def test_too_few_seeds_cannot_fall(seeds: int, paired: bool, outcome: str) -> None:
    assert judged(OLD[:seeds], WORSE[:seeds], paired=paired).outcome == outcome


def test_several_entries_share_the_level() -> None:
    drop = {"paired": True, "limit": 0.0}
    scores = Scores(dict(enumerate(OLD))), Scores(dict(enumerate(WORSE)))
    found = concluded([gate(name, "auprc", "up", *scores, **drop) for name in "abcd"])
    assert [each.p for each in found] == [4 / 64] * 4
    assert {each.outcome for each in found} == {"not-proven"}


def test_runs_that_diverge_now_and_did_not_before_fall() -> None:
    assert judged(OLD, [math.nan] * 6).test == "diverged"
    assert judged(OLD, [math.nan] * 6).outcome == "dropped"
    assert judged([*OLD, 0.9], [*OLD, math.nan]).outcome == "held"


DOUBTFUL = [0.01, 0.03, 0.02, 0.3, 0.41, 0.05, 0.02, 0.04]  # every seed drops, by very different amounts
EIGHT = [0.9, 0.88, 0.91, 0.9, 0.87, 0.9, 0.92, 0.89]


def test_a_drop_that_chance_may_explain_is_not_proven_and_not_held() -> None:
    new = [score - by for score, by in zip(EIGHT, DOUBTFUL, strict=True)]
    assert judged(EIGHT, new, ratio=0.2).outcome == "not-proven"
    assert judged(EIGHT, new, limit=0.2, ratio=0.2).outcome == "held"  # not beyond the limit
    little = [score - by / 100 for score, by in zip(EIGHT, DOUBTFUL, strict=True)]
    assert judged(EIGHT, little, ratio=0.2).outcome == "held"  # by less than what is of any importance


def test_what_has_no_value_is_not_held() -> None:
    nothing = [math.nan] * 6
    assert judged(nothing, nothing).outcome == "no-value"
    assert judged(nothing, OLD).outcome == "no-value"
    assert judged(OLD[:3], nothing[:3]).outcome == "vanished"  # too few seeds for a test, but nothing is left of them
    assert concluded([vanished("a", "auprc", Scores(dict(enumerate(OLD))), 0.0)])[0].outcome == "vanished"


def test_what_is_told_of_pairs_is_of_the_seeds_that_count() -> None:
    """The old record has two seeds more; old minus new is the drop."""
    old = Scores({seed: 0.8 + 0.01 * seed for seed in range(10)})
    new = Scores({seed: 0.7 + 0.01 * seed for seed in range(8)})
    found = gate("focal", "auprc", "up", old, new, 0.0, paired=True)
    assert (found.old, found.new) == (pytest.approx(0.835), pytest.approx(0.735))
    assert found.drop == pytest.approx(found.old - found.new)


# Metrics with a target, values that some seeds lack, two tests


def test_a_coverage_that_goes_away_from_its_level_drops_and_one_that_comes_closer_does_not() -> None:
    near, all_of_it = ({seed: value + 0.001 * seed for seed in range(8)} for value in (0.905, 0.985))
    drop = gate("a", "coverage", "target", Scores(near), Scores(all_of_it), 0.01, True)
    assert drop.drop == pytest.approx(0.08)
    assert (drop.old, drop.new) == (pytest.approx(0.9085), pytest.approx(0.9885))  # what is told is the coverage
    assert concluded([drop])[0].outcome == "dropped"
    assert (
        concluded([gate("a", "coverage", "target", Scores(all_of_it), Scores(near), 0.01, True)])[0].outcome == "held"
    )
    own = [Scores(all_of_it, target=0.98), Scores(all_of_it, target=0.5)]
    assert gate("a", "coverage", "target", *own, 0.0, False).drop == pytest.approx(0.4885 - 0.0085, abs=0.002)


@pytest.mark.parametrize("new", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("paired", [True, False])
def test_what_exists_on_some_seeds_only_neither_holds_nor_drops(new: float, paired: bool) -> None:
    """8 of 30 seeds have a value in either record, and their runs finished."""
    some = {seed: new if seed < 8 else math.nan for seed in range(30)}
    before = {seed: 0.9 if seed < 8 else math.nan for seed in range(30)}
    missing = frozenset(range(8, 30))
    scores = Scores(before, undefined=missing), Scores(some, undefined=missing)
    (found,) = concluded([gate("a", "precision", "up", *scores, 0.0, paired)])
    assert found.outcome == "undefined"
    assert found.reason == "precision has a value in 8 of 30 seeds of the new record, and in 8 of 30 seeds of the old"


def test_values_that_are_gone_on_more_seeds_than_chance_explains_have_vanished() -> None:
    old = Scores(dict.fromkeys(range(30), 0.9))
    few, many = (
        Scores({seed: math.nan if seed < gone else 0.95 for seed in range(30)}, undefined=frozenset(range(gone)))
        for gone in (2, 22)
    )
    assert concluded([gate("a", "precision", "up", old, few, 0.0, True)])[0].outcome == "undefined"
    assert concluded([gate("a", "precision", "up", old, many, 0.0, True)])[0].outcome == "vanished"
    none = Scores(dict.fromkeys(range(30), math.nan), undefined=frozenset(range(30)))
    assert concluded([gate("a", "precision", "up", old, none, 0.0, True)])[0].outcome == "vanished"


def test_two_tests_are_each_at_half_the_level() -> None:
    """Of seven seeds one is lost now: the six pairs that are left, and McNemar's 1/2, both count."""
    new = [*WORSE, math.nan]
    assert judged([*OLD, 0.9], new).p == 2 / 64
    assert judged([*OLD, 0.9], [*WORSE, 0.8]).p == 1 / 128  # none is lost: one test, as it is
    lost = judged([*OLD, *OLD], [*OLD, *[math.nan] * 6])
    assert (lost.p, lost.test, lost.outcome) == (2 / 64, "diverged", "dropped")
    assert judged([*OLD, *OLD[:5]], [*OLD, *[math.nan] * 5]).outcome == "held"  # 2 x 1/32: not at 5 %


def test_twice_a_p_is_no_more_than_one() -> None:
    """All that is left has gained, and one run is lost in either record: neither test finds anything."""
    result = gate("a", "auprc", "up", *(Scores(dict(enumerate(values))) for values in (
        [*WORSE, math.nan, 0.9], [*OLD, 0.9, math.nan])), 0.0, True)  # fmt: skip
    assert result.p == 1.0


@pytest.mark.parametrize(("seeds", "share", "paired"), [(30, 0.3, True), (40, 0.4, True), (30, 0.3, False)])
def test_no_more_than_one_gate_in_twenty_falls_by_chance_where_runs_diverge(
    seeds: int, share: float, paired: bool
) -> None:
    """Old and new are the same: every run diverges with the same probability, and differences are symmetric.

    Of 3,000 gates 150 may fall, and by chance 189 (binomial, 99.9 %). The better of two tests at 5 % each lets 220 to 255 of
    these fall; each at half the level 110 to 140.
    """
    chance = np.random.default_rng(8)
    falls = 0
    for _ in range(3000):
        values = chance.normal(0.9, 0.02, (2, seeds))
        values[chance.random((2, seeds)) < share] = math.nan
        falls += judged(*values.tolist(), 0.0, paired, 1e-12).outcome == "dropped"
    assert falls <= stats.binom.ppf(0.999, 3000, 0.05)
