"""Rules for numbers: what they may be, how they lean, and how what a linear fit leaves over is spread."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.advice.evidence import Evidence
from losscli.advice.numbers import SKEWED, Numbers
from losscli.advice.rules import Advice, Pick, percent, rule

FEW = 3  # rows that are not yet a tail
HEAVY = 0.002  # share of residuals beyond Tukey's far fences: 1000 times that of a normal distribution
OVERDISPERSED = 3.0  # standard errors of alpha above 0
EXCESS_ZEROS = 1.3  # zeros there are, beside those a Poisson regression expects
MANY_ZEROS = 0.05
ORDERS = 50.0  # largest beside smallest, from which errors are thought of as shares
UNEVEN, UNEVEN_P = 2.0, 1e-3  # ratio of spreads, and p of the test
COUNTED = 100  # means from which counts are as good as any numbers
NOISE = 0.6  # a linear fit that explains less leaves enough open for an interval


@rule("regression")
def counts(found: Evidence) -> Advice | None:
    """Whole numbers from 0 on: a likelihood of counts, Poisson's or a wider one."""
    if not _counts(found):
        return None
    reason = f"whole numbers from {_range(found.numbers)} {_zeros(found)}"
    measured = found.dispersion
    if measured is None:
        return Advice(reason, [Pick("poisson-nll"), Pick("negative-binomial-nll")])
    if measured.z < OVERDISPERSED or measured.alpha <= 0:
        told = f"; they vary as Poisson's do (dispersion {measured.pearson:.2f}, 1 is Poisson)"
        return Advice(
            reason + told, [Pick("poisson-nll")], "Cameron and Trivedi 1990, Regression-based tests for overdispersion"
        )
    alpha = float(f"{measured.alpha:.2g}")
    told = f"; variance grows faster than the mean: mean + {alpha:g} mean^2 (dispersion {measured.pearson:.2f}, 1 is Poisson)"
    if measured.zeros > EXCESS_ZEROS * measured.expected_zeros and measured.zeros > MANY_ZEROS:
        told += f"; {percent(measured.zeros)} zeros where Poisson expects {percent(measured.expected_zeros)}"
    return Advice(
        reason + told,
        [Pick("negative-binomial-nll", {"alpha": alpha}), Pick("poisson-nll")],
        "Cameron and Trivedi 1990, Regression-based tests for overdispersion",
        "poisson-nll has the same best answer, the mean; alpha changes how much rows with large counts are believed",
    )


@rule("regression")
def zero_inflated_amounts(found: Evidence) -> Advice | None:
    """Amounts that are often exactly 0, else positive."""
    if not _amounts_with_zeros(found):
        return None
    share = min(each.zeros / each.rows for each in found.numbers)
    power = _tweedie_power(found)
    picks = [Pick("tweedie", {"power": power}), Pick("msle")]
    return Advice(f"amounts from 0 on, of which {percent(share)} are exactly 0{_power_said(found)}", picks)


@rule("regression")
def positive_skewed(found: Evidence) -> Advice | None:
    """Positive amounts with a long tail: the logarithm is what has an even spread."""
    if not found.numbers or not all(
        each.positive and each.skewness >= SKEWED and not _count(each) for each in found.numbers
    ):
        return None
    skewness = max(each.skewness for each in found.numbers)
    picks = [Pick("gamma-nll"), Pick("msle"), Pick("tweedie", {"power": _tweedie_power(found)})]
    note = (
        "gamma-nll and tweedie learn the mean; msle, and a target learned as its logarithm, come nearer to the median"
    )
    return Advice(f"all above 0, with a long tail (skewness {skewness:.2g}){_power_said(found)}", picks, note=note)


@rule("regression")
def outliers(found: Evidence) -> Advice | None:
    """Some rows are missed by far more than others: a square would listen to them alone."""
    far, of = found.outliers
    if far < max(FEW, HEAVY * of) or _counts(found) or _amounts_with_zeros(found):
        return None
    what = "residuals of a linear fit" if found.leftover is not None else "targets"
    reason = f"{percent(far / of)} of the {what} are far out (3 interquartile ranges; 0.0002 % in a normal sample)"
    picks = [Pick("huber"), Pick("mae"), Pick("student-t-nll")]
    note = "mae learns the median and huber something between: below the mean where the tail is on the right"
    return Advice(reason, picks, "Tukey 1977, Exploratory Data Analysis", note)


@rule("regression")
def uneven_spread(found: Evidence) -> Advice | None:
    """What is left over is wider for some predictions than for others: the spread can be learned with the mean."""
    left = found.leftover
    if left is None or _counts(found) or _amounts_with_zeros(found):
        return None
    if left.spread_ratio() < UNEVEN or left.uneven() > UNEVEN_P:
        return None
    reason = f"residuals spread {left.spread_ratio():.2g} times as wide in one tenth of the predictions as in another"
    picks = [Pick("gaussian-nll"), Pick("beta-nll", {"beta": 0.5}), Pick("laplace-nll")]
    return Advice(
        reason, picks, "White 1980, A heteroskedasticity-consistent covariance matrix estimator and a direct test"
    )


@rule("regression")
def multiplicative_scale(found: Evidence) -> Advice | None:
    """Positive numbers over orders of magnitude: an error is a share of its number."""
    if not found.numbers or not all(each.positive and each.high >= ORDERS * each.low for each in found.numbers):
        return None
    low, high = min(each.low for each in found.numbers), max(each.high for each in found.numbers)
    picks = [Pick("msle"), Pick("smape"), Pick("mape")]
    note = "mape is least where predictions are too small; smape and msle are less one-sided"
    return Advice(
        f"all above 0, from {low:.5g} to {high:.5g}: the largest is {high / low:.2g} times the smallest",
        picks,
        note=note,
    )


@rule("regression")
def shares_of_one(found: Evidence) -> Advice | None:
    """Numbers between 0 and 1: no error is larger than 1, but predictions may leave the range."""
    if not found.numbers or not all(each.unit for each in found.numbers):
        return None
    zeros = sum(each.zeros for each in found.numbers) / sum(each.rows for each in found.numbers)
    reason = f"all between 0 and 1 ({_range(found.numbers)}), {percent(zeros)} exactly 0"
    note = "the mean of such numbers is learned by mse; predictions are not held within 0 and 1: clip them"
    return Advice(reason, [Pick("mae"), Pick("log-cosh")], "Gneiting 2011, Making and evaluating point forecasts", note)


@rule("regression")
def wide_open(found: Evidence) -> Advice | None:
    """Features that leave much of the target open: an interval says what a mean hides."""
    left = found.leftover
    if left is None or left.explained >= NOISE:
        return None
    reason = f"a linear fit explains {percent(max(0.0, left.explained))} of the variance: an interval would say what is left open"
    taus = [0.05, 0.25, 0.5, 0.75, 0.95]
    return Advice(reason, [Pick("multi-quantile", {"taus": taus}), Pick("crps-gaussian")])


@rule("regression")
def plain_numbers(found: Evidence) -> Advice | None:
    """Nothing stands out: the mean is what there is to learn, with some insurance."""
    if not found.numbers or any(other(found) for other in (counts, zero_inflated_amounts, outliers, uneven_spread)):
        return None
    skewness = max((each.skewness for each in found.numbers), key=abs)
    if abs(skewness) >= SKEWED:
        return None
    even = ", an even spread" if found.leftover is not None else ""
    reason = f"no outliers, no long tail (skewness {skewness:.2g}){even}: the mean is what there is to learn"
    note = "both are mse for small errors, and an insurance against large ones"
    return Advice(reason, [Pick("huber"), Pick("log-cosh")], note=note)


def _counts(found: Evidence) -> bool:
    return bool(found.numbers) and all(_count(each) for each in found.numbers)


def _amounts_with_zeros(found: Evidence) -> bool:
    amounts = bool(found.numbers) and all(each.low >= 0 and not each.whole for each in found.numbers)
    return amounts and min(each.zeros / each.rows for each in found.numbers) >= MANY_ZEROS


def _count(shape: Numbers) -> bool:
    return shape.count_like and shape.mean < COUNTED


def _range(shapes: Sequence[Numbers]) -> str:
    return f"{min(each.low for each in shapes):.4g} to {max(each.high for each in shapes):.4g}"


def _zeros(found: Evidence) -> str:
    zeros, rows = sum(each.zeros for each in found.numbers), sum(each.rows for each in found.numbers)
    mean = sum(each.mean for each in found.numbers) / len(found.numbers)
    return f"(mean {mean:.3g}, {percent(zeros / rows)} zeros)"


def _tweedie_power(found: Evidence) -> float:
    """The measured power, held within those that tweedie takes."""
    power = found.leftover.power() if found.leftover is not None else None
    return 1.5 if power is None else round(min(1.9, max(1.1, power)), 1)


def _power_said(found: Evidence) -> str:
    power = found.leftover.power() if found.leftover is not None else None
    return "" if power is None else f"; variance grows as the mean to the power {power:.1f} (1 Poisson, 2 gamma)"
