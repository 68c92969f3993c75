"""Zeros of counts: drawn from known mixtures, and the score test against its formula without features, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from losscli.advice.heuristics.counts import excess_zeros
from losscli.advice.profile import Profile
from losscli.advice.recommend import recommend
from losscli.advice.spread import Leftover, leftover, rates_of
from losscli.advice.zeros import zeros
from losscli.data.dataset import Table
from losscli.data.exposure import Exposure
from losscli.losses import for_task
from losscli.tasks import Column, tasks

ROWS = 3000


def drawn(kind: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A feature and counts of it."""
    chance = np.random.default_rng(seed)
    x = chance.normal(size=ROWS)
    mean = np.exp(0.7 + 0.4 * x)
    wide = mean * chance.gamma(2.0, 0.5, ROWS) if "negative" in kind else mean
    counts = chance.poisson(wide)
    if kind.startswith("zero-inflated"):
        counts = np.where(chance.random(ROWS) < 0.3, 0, counts)
    return x, counts.astype(float)


def profile(x: np.ndarray, y: np.ndarray, exposure: np.ndarray | None = None) -> Profile:
    columns = {"y": Column(y)}
    given = None if exposure is None else Exposure("years", Column(exposure))
    table = Table("counts", {"x": Column(x)}, columns, exposure=given)
    return Profile(table, "regression", tasks.get("regression").decode(columns))


KINDS = {
    "poisson": None,
    "negative-binomial": "negative-binomial-nll",
    "zero-inflated-poisson": "zero-inflated-poisson-nll",
    "zero-inflated-negative-binomial": "zero-inflated-negative-binomial-nll",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_what_counts_were_drawn_from_is_advised(kind: str, seed: int) -> None:
    said = excess_zeros(profile(*drawn(kind, seed)))
    assert (None if said is None else said.picks[0].loss) == KINDS[kind]
    if said is not None and kind == "zero-inflated-negative-binomial":
        assert said.picks[0].options["alpha"] == pytest.approx(0.5, rel=0.4)
    if said is not None and "inflated" in kind:
        assert [pick.loss.startswith("hurdle") for pick in said.picks] == [False, True]


def test_the_score_test_without_features_is_van_den_broeks() -> None:
    """S = (n0 - n p0)^2 / (n p0 (1 - p0) - n mean p0^2), with p0 = exp(-mean)."""
    _, y = drawn("zero-inflated-poisson")
    flat = Leftover(y, np.full(ROWS, y.mean()), np.ones((ROWS, 1)))
    none, expected = (y == 0).sum(), np.exp(-y.mean())
    statistic = (none - ROWS * expected) ** 2 / (ROWS * expected * (1 - expected) - ROWS * y.mean() * expected**2)
    assert zeros(flat).z ** 2 == pytest.approx(statistic, rel=0.01)  # the rates are those of a ridge regression


def test_the_size_of_the_test_is_its_own() -> None:
    """Of Poisson counts hardly any are told to have too many zeros."""
    scores = [zeros(leftover({"x": Column(x)}, y)).z for x, y in (drawn("poisson", seed) for seed in range(40))]
    assert 0.6 < np.std(scores) < 1.4
    assert max(scores) < 3.0


def test_exposure_explains_zeros_and_rates_know_of_it() -> None:
    """Short times have many zeros: without their exposure that looks like inflation."""
    chance = np.random.default_rng(1)
    x, years = chance.normal(size=ROWS), chance.choice([0.05, 4.0], ROWS)
    y = chance.poisson(years * np.exp(0.3 * x)).astype(float)
    assert excess_zeros(profile(x, y)) is not None
    told = profile(x, y, years)
    assert excess_zeros(told) is None
    assert told.leftover is not None
    np.testing.assert_allclose(rates_of(told.leftover), years * np.exp(0.3 * x), rtol=0.15)


def test_beside_an_exposure_only_losses_that_take_one_are_advised() -> None:
    x, y = drawn("zero-inflated-poisson")
    said = recommend(profile(x, y, np.random.default_rng(2).uniform(1, 2, ROWS)))
    assert said.losses[0].pick.loss == "poisson-nll"
    assert {loss.pick.loss for loss in said.losses} >= {"zero-inflated-poisson-nll", "hurdle-poisson-nll"}
    assert all(for_task("regression")[loss.pick.loss].takes_exposure for loss in said.losses)
    assert all(advice.picks for advice in said.advice.values())
