"""How often a difference is declared where there is none: simulated boards (tests/benchmarks/boards.py), through `build_arena`.

Entries that are equal by construction make every `better` or `worse` an error. Where their differences are symmetric, at most
5 % of comparisons may have one, and of boards, too, for that is what Holm's correction is for; 1 % more is left to the
simulation. Where they are not symmetric there is no such promise, and the rate is what theory says.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import boards
import numpy as np
import pytest
from boards import RESAMPLED, SKEWED, SYMMETRIC, arena, error_rates, families, verdicts

COMPARISONS, MOST_ERRORS = 2_000, 0.06


@pytest.mark.parametrize(
    ("kind", "comparisons", "seeds"),
    [
        ("normal", 1, 6),
        ("skewed alike (exponential)", 1, 10),
        ("heavy tails (t, 2 df)", 1, 10),
        ("accuracy, 30 rows", 5, 10),
    ],
)
def test_equal_entries_on_a_fixed_split_are_told_apart_at_most_once_in_twenty(
    kind: str, comparisons: int, seeds: int
) -> None:
    found = list(families(SYMMETRIC[kind], comparisons, seeds, COMPARISONS // comparisons))
    assert sum(map(len, found)) == COMPARISONS
    assert max(error_rates(found)) <= MOST_ERRORS


@pytest.mark.parametrize(
    ("kind", "comparisons", "seeds"),
    [
        ("ridge, own features, MSE", 1, 10),
        ("ridge, own features, MSE", 5, 10),
        ("nearest mean, own features, accuracy", 1, 5),
    ],
)
def test_equal_entries_on_resampled_splits_are_told_apart_at_most_once_in_twenty(
    kind: str, comparisons: int, seeds: int
) -> None:
    found = list(families(RESAMPLED[kind], comparisons, seeds, COMPARISONS // comparisons, resampled=True))
    assert sum(map(len, found)) == COMPARISONS
    assert max(error_rates(found)) <= MOST_ERRORS


@pytest.mark.parametrize(
    ("kind", "positive"),
    [
        ("one-sided, exponential", 1 - 1 / math.e),  # an exponential variable is below its mean
        ("one-sided, lognormal", NormalDist().cdf(0.5)),  # log of the mean: half a standard deviation above the median
        ("collapse in a tenth of the seeds", 0.9),
    ],
)
def test_six_one_sided_differences_of_mean_zero_err_as_often_as_they_all_have_one_sign(
    kind: str, positive: float
) -> None:
    """No promise holds here, and the documentation says so: with six seeds only six equal signs make a verdict."""
    rate = positive**6 + (1 - positive) ** 6
    assert rate > MOST_ERRORS
    boards_of_two = list(families(SKEWED[kind], 1, 6, 1_000))
    assert error_rates(boards_of_two)[0] == pytest.approx(rate, abs=3 * math.sqrt(rate * (1 - rate) / 1_000))


def test_the_one_sided_noise_has_mean_zero_and_is_skewed_while_noise_alike_is_not() -> None:
    draws = {**SKEWED, **SYMMETRIC}
    kinds = ("one-sided, exponential", "collapse in a tenth of the seeds", "skewed alike (exponential)")
    for kind, skewness in zip(kinds, (-2.0, -8 / 3, 0.0), strict=True):  # of a Bernoulli: (1 - 2q) / sqrt(q (1 - q))
        reference, entry = draws[kind](np.random.default_rng(0), 2, 200_000)
        differences = (entry - reference) / (entry - reference).std()
        assert differences.mean() == pytest.approx(0, abs=0.01)
        assert (differences**3).mean() == pytest.approx(skewness, abs=0.15)


def test_a_board_without_differences_has_a_false_verdict_on_other_metrics_at_most_once_in_twenty() -> None:
    """Five alternatives, four metrics: the headline is one family, the other three together are one."""
    draw = boards.together(SYMMETRIC["normal"])
    chance, count = np.random.default_rng(20261121), 150
    wrong = [boards.claims(arena(draw(chance, 6, 10))) for _ in range(count)]
    headline, others = np.mean(wrong, axis=0)
    assert max(headline, others) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / count)


@pytest.mark.parametrize(
    ("rows", "seeds", "truth"),
    [(30, 6, 0.0067), (30, 10, 0.0067), (100, 6, 0.0051)],
)
def test_few_tied_rows_are_not_called_equivalent_beyond_the_margin(rows: int, seeds: int, truth: float) -> None:
    """The entry is right on more rows than the margin of 0.5 % allows, and yet all scores of a board are often equal."""
    chance, count = np.random.default_rng(20261122), 500
    equal = wrong = 0
    for _ in range(count):
        gained = chance.binomial(rows, truth, seeds)
        scores = np.stack([np.full(seeds, 0.8), 0.8 + gained / rows])
        board = arena({"score": scores}, steps={"score": 1 / rows}, equivalence={"score": 0.005})
        equal += not gained.any()
        wrong += verdicts(board)[0] in ("equivalent", "same")
    assert equal == pytest.approx(count * (1 - truth) ** (rows * seeds), abs=4 * math.sqrt(count / 4))
    assert wrong <= 0.025 * count
