"""Estimates over seeds, and paired differences between two entries. A seed that diverged has NaN, and is left out.

Where the split is resampled with each seed, the training sets of two seeds overlap, so the scores are not independent
and the naive variance of their mean is too small. The corrected resampled variance `var * (1/n + n_test/n_train)` takes
that into account (Nadeau & Bengio 2003, "Inference for the Generalization Error", Machine Learning 52).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from losscli.compare.result import Delta, Estimate


def estimate(
    values: Sequence[float], test_ratio: float = 0.0, low: float = -math.inf, high: float = math.inf
) -> Estimate:
    """Mean, sd (n - 1) and 95 % interval of the mean of the finite ones among `values` (Student's t).

    `test_ratio` is n_test / n_train where the split is resampled with each seed, 0 where it is fixed. `low` and `high`
    bound what the values can be, and so their mean: the interval is cut there. With one finite value sd is NaN, with
    none the mean too; with fewer than two there is no interval.

    >>> scores = estimate([0.8, 0.9, float("nan"), 1.0])
    >>> round(scores.mean, 12), round(scores.sd, 12)
    (0.9, 0.1)
    """
    known = [value for value in values if math.isfinite(value)]
    mean = math.fsum(known) / len(known) if known else math.nan
    sd = _sd(known, mean)
    ci95 = _ci95(mean, sd, len(known), test_ratio)
    if ci95 is not None:  # a mean that rounding has put outside its range stays within its interval
        ci95 = max(ci95[0], min(low, mean)), min(ci95[1], max(high, mean))
    return Estimate(mean, sd, ci95, tuple(map(float, values)))


def delta(
    metric: str, entry: Mapping[int, float], reference: Mapping[int, float], test_ratio: float = 0.0
) -> Delta | None:
    """The mean of `entry - reference` over the seeds that both finished, with its interval; None where there are none.

    >>> round(delta("auroc", {0: 0.9, 1: 0.8}, {0: 0.8, 1: 0.8, 2: 0.7}).mean, 12)
    0.05
    """
    differences = paired(entry, reference)
    if not differences:
        return None
    found = estimate(differences, test_ratio)
    return Delta(metric, found.mean, found.ci95, seeds=len(differences))


def paired(entry: Mapping[int, float], reference: Mapping[int, float]) -> list[float]:
    """The difference of every seed that has a finite value in both, in the order of `entry`."""
    differences = (entry[seed] - reference[seed] for seed in entry if seed in reference)
    return [difference for difference in differences if math.isfinite(difference)]


def _sd(known: Sequence[float], mean: float) -> float:
    if len(known) < 2:
        return math.nan
    return math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1))


def _ci95(mean: float, sd: float, n: int, test_ratio: float) -> tuple[float, float] | None:
    if n < 2:
        return None
    from scipy.special import stdtrit  # scipy.stats takes ten times as long to import

    half = float(stdtrit(n - 1, 0.975)) * sd * math.sqrt(1 / n + test_ratio)
    return mean - half, mean + half
