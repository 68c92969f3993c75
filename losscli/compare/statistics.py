"""Estimates over seeds, and paired differences between two entries. A seed that diverged has NaN, and is left out.

Where the split is resampled with each seed, the training sets of two seeds overlap, so the scores are not independent
and the naive variance of their mean is too small. The corrected resampled variance `var * (1/n + n_test/n_train)` takes
that into account, in the interval and in the t-test (Nadeau & Bengio 2003, "Inference for the Generalization Error", Machine
Learning 52). Where the split is fixed, differences are judged by a sign-flip test and a BCa bootstrap interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from losscli.compare.bootstrap import FEWEST_VALUES, bca
from losscli.compare.result import Delta, Estimate
from losscli.compare.signflip import is_exact, sign_flip
from losscli.lazy import special

ONE_SIDE = 0.025  # what a 95 % interval leaves out on either side
ROUNDING = 1e-9  # a spread this small, relative to the values, is that of rounding


def estimate(
    values: Sequence[float],
    test_ratio: float = 0.0,
    low: float = -math.inf,
    high: float = math.inf,
    share: float = 1.0,
) -> Estimate:
    """Mean, sd (n - 1) and 95 % interval of the mean of the finite ones among `values` (Student's t).

    `test_ratio` is n_test / n_train where the split is resampled with each seed, 0 where it is fixed. `low` and `high`
    bound what the values can be, and so their mean: the interval is cut there. With one finite value sd is NaN, with
    none the mean too; with fewer than two there is no interval. `share` is that of the 5 % which the interval may leave out,
    where it is that of one of several looks (see `losscli.looks`).

    >>> scores = estimate([0.8, 0.9, float("nan"), 1.0])
    >>> round(scores.mean, 12), round(scores.sd, 12)
    (0.9, 0.1)
    """
    finite = [value for value in values if math.isfinite(value)]
    mean = math.fsum(finite) / len(finite) if finite else math.nan  # fsum: the same in whatever order seeds come
    sd = _sd(finite, mean)
    ci95 = _ci95(mean, sd, len(finite), test_ratio, share)
    if ci95 is not None:  # a mean that rounding has put outside its range stays within its interval
        ci95 = max(ci95[0], min(low, mean)), min(ci95[1], max(high, mean))
    return Estimate(mean, sd, ci95, tuple(map(float, values)))


def delta(
    metric: str,
    entry: Mapping[int, float],
    reference: Mapping[int, float],
    test_ratio: float = 0.0,
    share: float = 1.0,
) -> Delta | None:
    """The mean of `entry - reference` over the seeds that both finished, with interval and p; None where there are none.

    With a fixed split (`test_ratio` 0): the sign-flip test and a BCa interval, of fewer than six pairs Student's t interval. With
    resampled splits: the corrected resampled t-test and its interval. One pair has neither interval nor p. At a look that may
    spend a `share` of the 5 %, p is divided by it, and the interval is as much wider: 0.05 and zero stay the lines to cross.

    >>> difference = delta("auroc", {0: 0.9, 1: 0.8}, {0: 0.8, 1: 0.8, 2: 0.7})
    >>> round(difference.mean, 12), difference.seeds, difference.p
    (0.05, 2, 1.0)
    """
    differences = paired(entry, reference)
    if not differences:
        return None
    summary, n = estimate(differences, test_ratio, share=share), len(differences)
    if n == 1:
        return Delta(metric, summary.mean, None, seeds=1)
    interval, p, test = summary.ci95, 0.0, "corrected-t"
    if test_ratio:
        p = _corrected_p(summary, n, test_ratio)
    else:
        interval = _bootstrapped(differences, interval, share)
        p, test = sign_flip(differences), "sign-flip" if is_exact(n) else "sign-flip-monte-carlo"
    return Delta(metric, summary.mean, interval, min(1.0, p / share), sd=summary.sd, seeds=n, test=test)


def _bootstrapped(
    differences: Sequence[float], students: tuple[float, float] | None, share: float
) -> tuple[float, float] | None:
    """The BCa interval of six pairs or more; at a look that may leave out less than 5 % at least Student's, as so many resamples
    do not reach into so thin a tail.
    """
    if len(differences) < FEWEST_VALUES or students is None:
        return students
    if share == 1:
        return bca(differences)
    low, high = bca(differences, 1 - 2 * ONE_SIDE * share)
    return min(low, students[0]), max(high, students[1])


def _corrected_p(summary: Estimate, n: int, test_ratio: float) -> float:
    """Two-sided p of the corrected resampled t-test; where all differences are equal there is no variance to go by.

    Then the signs alone are judged: n of n on one side.
    """
    if summary.sd <= ROUNDING * abs(summary.mean):
        return 2.0 ** (1 - n) if summary.mean else 1.0
    return float(2 * special.stdtr(n - 1, -abs(summary.mean) / (summary.sd * math.sqrt(1 / n + test_ratio))))


def holm(ps: Sequence[float]) -> list[float]:
    """The p-values of a family after Holm's step-down correction (Holm 1979, Scandinavian Journal of Statistics 6).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return adjusted


def unseen(n: int, test_ratio: float = 0.0, share: float = 1.0) -> float:
    """How many rows per seed may be judged otherwise although in n seeds none was, with 97.5 % confidence.

    Rows that differ come as rare events do (Poisson): none of them, with probability 0.025, where 3.69 were to be expected in
    all; of that probability a `share` at one of several looks. Where splits are resampled, n seeds tell as much as
    1 / (1/n + test_ratio) independent ones.

    >>> round(unseen(1), 2), round(unseen(10), 3), round(unseen(10, 0.2), 2)
    (3.69, 0.369, 1.11)
    """
    return -math.log(ONE_SIDE * share) * (1 / n + test_ratio)


def paired(entry: Mapping[int, float], reference: Mapping[int, float]) -> list[float]:
    """The difference of every seed that has a finite value in both, in the order of `entry`."""
    differences = (entry[seed] - reference[seed] for seed in entry if seed in reference)
    return [difference for difference in differences if math.isfinite(difference)]


def _sd(values: Sequence[float], mean: float) -> float:
    if len(values) < 2:
        return math.nan
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _ci95(mean: float, sd: float, n: int, test_ratio: float, share: float) -> tuple[float, float] | None:
    if n < 2:
        return None
    half = float(special.stdtrit(n - 1, 1 - ONE_SIDE * share)) * sd * math.sqrt(1 / n + test_ratio)
    return mean - half, mean + half
