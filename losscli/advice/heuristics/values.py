"""Rules for numbers: what they may be, how they lean, and how what a linear fit leaves over is spread."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.advice.heuristics import Advice, Pick, heuristic, percent
from losscli.advice.numbers import SKEWED, Numbers, figure
from losscli.advice.profile import Profile
from losscli.advice.spread import Dispersion
from losscli.tasks.guess import IF_VOTES

DISPERSION = "Cameron and Trivedi 1990, Regression-based tests for overdispersion"
FEW = 3  # rows that are not yet a tail
HEAVY = 0.002  # share of residuals beyond Tukey's far fences: 1000 times that of a normal distribution
WIDE = 1.5  # Pearson's dispersion, from which counts may be wider than Poisson's
OVERDISPERSED = 3.0  # standard errors of alpha above 0
EXCESS_ZEROS = 1.3  # zeros there are, beside those a Poisson regression expects
MANY_ZEROS = 0.05
ORDERS = 50.0  # largest beside smallest, from which errors are thought of as shares
UNEVEN, UNEVEN_P = 2.0, 1e-3  # ratio of spreads, and p of the test
COUNTED = 100  # means from which counts are as good as any numbers
AT_LIMIT, MANY_VALUES = 0.02, 20  # share of rows at the largest number, of so many different ones
PERCENT = 95.0  # a largest number between this and 100 looks like a percentage
LEAST_POWER, MOST_POWER = 0.8, 2.2  # measured powers that may be those of a Tweedie
BY_MEAN = ("rmse", "r2", "mae")
BY_COUNT = ("poisson-deviance", "rmse", "mae")
PLAINEST = "poisson-nll"  # of the losses of counts: mse may expect less than 0, which has no deviance
NOISE = 0.6  # a linear fit that explains less leaves enough open for an interval


@heuristic("regression")
def counts(profile: Profile) -> Advice | None:
    """Whole numbers from 0 on: a likelihood of counts, Poisson's or a wider one."""
    if not _counts(profile):
        return None
    reason = f"whole numbers from {_range(profile.numbers)} {_zeros(profile)}"
    measured, note = profile.dispersion, _metrics_note(profile)
    if measured is None:
        return Advice(
            reason, [Pick("poisson-nll"), Pick("negative-binomial-nll")], "", note, BY_COUNT, reference=PLAINEST
        )
    sure = measured.z >= OVERDISPERSED and measured.alpha > 0
    if not sure and measured.pearson >= WIDE:
        return _perhaps_wider(reason, measured, note)
    if not sure:
        detail = f"; they vary as Poisson's do (dispersion {measured.pearson:.2f}, 1 is Poisson)"
        return Advice(reason + detail, [Pick("poisson-nll")], DISPERSION, note, BY_COUNT, reference=PLAINEST)
    alpha = float(f"{measured.alpha:.2g}")
    detail = f"; variance grows faster than the mean: mean + {alpha:g} mean^2 (dispersion {measured.pearson:.2f}, 1 is Poisson)"
    if measured.zeros > EXCESS_ZEROS * measured.expected_zeros and measured.zeros > MANY_ZEROS:
        detail += f"; {percent(measured.zeros)} zeros where Poisson expects {percent(measured.expected_zeros)}"
    same = "poisson-nll has the same best answer, the mean; alpha changes how much rows with large counts are believed"
    picks = [Pick("negative-binomial-nll", {"alpha": alpha}), Pick("poisson-nll")]
    return Advice(reason + detail, picks, DISPERSION, f"{same}; {note}", BY_COUNT, reference=PLAINEST)


def _perhaps_wider(reason: str, measured: Dispersion, note: str) -> Advice:
    """Counts that vary more than Poisson's, where few rows make all of it."""
    alpha = float(f"{max(measured.alpha, measured.wider):.2g}")
    detail = (
        f"; they vary more than Poisson's do (dispersion {measured.pearson:.2f}, 1 is Poisson), but not certain: few rows "
        f"make it (z = {measured.z:.1f})"
    )
    picks = [Pick("negative-binomial-nll", {"alpha": alpha}), Pick("poisson-nll")]
    return Advice(reason + detail, picks, DISPERSION, note, BY_COUNT, reference=PLAINEST)


@heuristic("regression")
def zero_inflated_amounts(profile: Profile) -> Advice | None:
    """Amounts that are often exactly 0, else positive."""
    if not _amounts_with_zeros(profile):
        return None
    share = min(shape.zeros / shape.rows for shape in profile.numbers)
    picks = [*_tweedie(profile), Pick("msle")]
    return Advice(
        f"amounts from 0 on, of which {percent(share)} are exactly 0{_power_text(profile)}",
        picks,
        note="no loss of the shelf is a hurdle model, which asks first whether there is any amount (Cragg 1971)",
        metrics=BY_MEAN,
    )


@heuristic("regression")
def positive_skewed(profile: Profile) -> Advice | None:
    """Positive amounts with a long tail: the logarithm is what has an even spread."""
    if (
        not profile.numbers
        or _limit(profile)
        or not all(shape.positive and shape.skewness >= SKEWED and not _count(shape) for shape in profile.numbers)
    ):
        return None
    skewness = max(shape.skewness for shape in profile.numbers)
    picks = [Pick("gamma-nll"), Pick("msle"), *_tweedie(profile)]
    note = (
        "gamma-nll and tweedie learn the mean; msle comes nearer to the median, and so does any loss on the logarithm: "
        "try mse with data.transform: log (--set data.transform=log) in a comparison of its own"
    )
    return Advice(f"all above 0, with a long tail (skewness {skewness:.2g}){_power_text(profile)}", picks, note=note)


@heuristic("regression")
def outliers(profile: Profile) -> Advice | None:
    """Some rows are missed by far more than others: a square would listen to them alone."""
    far, of = profile.outliers
    if far < max(FEW, HEAVY * of) or _counts(profile) or _amounts_with_zeros(profile):
        return None
    what = "residuals of a linear fit" if profile.leftover is not None else "targets"
    reason = f"{percent(far / of)} of the {what} are far out (3 interquartile ranges; 0.0002 % in a normal sample)"
    picks = [Pick("huber"), Pick("mae"), Pick("student-t-nll")]
    note = "mae learns the median and huber something between: below the mean where the tail is on the right"
    return Advice(reason, picks, "Tukey 1977, Exploratory Data Analysis", note, claims=("robust",))


@heuristic("regression")
def uneven_spread(profile: Profile) -> Advice | None:
    """What is left over is wider for some predictions than for others: the spread can be learned with the mean."""
    left = profile.leftover
    if left is None or _counts(profile) or _amounts_with_zeros(profile):
        return None
    source = "White 1980, A heteroskedasticity-consistent covariance matrix estimator and a direct test"
    if left.spread_ratio() >= UNEVEN and left.uneven() <= UNEVEN_P:
        reason = (
            f"residuals spread {left.spread_ratio():.2g} times as wide in one tenth of the predictions as in another"
        )
    elif left.by_features.ratio >= UNEVEN and left.by_features.p <= UNEVEN_P:
        reason = (
            f"residuals spread {left.by_features.ratio:.2g} times as wide in the tenth of the rows whose features make them "
            "wide as in that whose features make them narrow"
        )
        source = "Harvey 1976, Estimating regression models with multiplicative heteroscedasticity"
    else:
        return None
    picks = [Pick("gaussian-nll"), Pick("beta-nll", {"beta": 0.5}), Pick("laplace-nll")]
    return Advice(reason, picks, source, claims=("probabilistic",))


@heuristic("regression")
def multiplicative_scale(profile: Profile) -> Advice | None:
    """Positive numbers over orders of magnitude: an error is a share of its number."""
    if not profile.numbers or _limit(profile):
        return None
    if not all(shape.positive and shape.high >= ORDERS * shape.low for shape in profile.numbers):
        return None
    low, high = min(shape.low for shape in profile.numbers), max(shape.high for shape in profile.numbers)
    picks = [Pick("msle"), Pick("smape"), Pick("mape")]
    note = "mape is least where predictions are too small; smape and msle are less one-sided"
    return Advice(
        f"all above 0, from {low:.5g} to {high:.5g}: the largest is {high / low:.2g} times the smallest",
        picks,
        note=note,
    )


@heuristic("regression")
def shares_of_one(profile: Profile) -> Advice | None:
    """Numbers between 0 and 1, or percentages: no error is larger than the range, but predictions may leave it."""
    limit = _limit(profile)
    if not limit:
        return None
    zeros = sum(shape.zeros for shape in profile.numbers) / sum(shape.rows for shape in profile.numbers)
    looks = "" if limit == 1 else ", like percentages"
    some = f", {percent(zeros)} exactly 0" if zeros else ""
    reason = f"all between 0 and {limit}{looks} ({_range(profile.numbers)}){some}"
    divided = "" if limit == 1 else " of the numbers divided by 100"
    note = (
        f"mse learns their mean, mae the median; predictions are not held within 0 and {limit}: clip them, or learn shares with "
        f"--task binary{divided}: bce-logits is then the fractional logit (Papke and Wooldridge 1996)"
    )
    return Advice(reason, [Pick("mse")], "Gneiting 2011, Making and evaluating point forecasts", note, BY_MEAN)


@heuristic("regression")
def wide_open(profile: Profile) -> Advice | None:
    """Features that leave much of the target open: an interval says what a mean hides."""
    left = profile.leftover
    if left is None or left.explained >= NOISE:
        return None
    reason = f"a linear fit explains {percent(max(0.0, left.explained))} of the variance: an interval would say what is left open"
    # A Gaussian would put much of its mass where counts and amounts with zeros cannot be.
    gaussian = [] if _counts(profile) or _amounts_with_zeros(profile) or _limit(profile) else [Pick("crps-gaussian")]
    note = "judge intervals by interval-score, which counts their width and what they miss"
    return Advice(
        reason,
        [Pick("multi-quantile", {"taus": [0.05, 0.25, 0.5, 0.75, 0.95]}), *gaussian],
        note=note,
        claims=("probabilistic",),
    )


@heuristic("regression")
def at_the_limit(profile: Profile) -> Advice | None:
    """Many rows at exactly the largest number: what was measured may go on beyond it."""
    limits = [
        shape for shape in profile.numbers if shape.distinct >= MANY_VALUES and shape.ceiling >= AT_LIMIT * shape.rows
    ]
    if not limits or limits[0].ceiling < FEW:
        return None
    reason = (
        f"{percent(limits[0].ceiling / limits[0].rows)} of the rows are exactly {figure(limits[0].high)}, the largest number: "
        "is it a limit of what was measured?"
    )
    note = (
        "if so, the mean of what there is is too small; the median (mae) is not moved by how far rows lie beyond a limit. "
        "No loss of the shelf is made for censored targets, as Tobit's is"
    )
    return Advice(
        reason,
        [Pick("mae")],
        "Powell 1984, Least absolute deviations for the censored regression model",
        note,
        claims=("robust",),
    )


@heuristic("regression")
def plain_numbers(profile: Profile) -> Advice | None:
    """Nothing stands out: the mean is what there is to learn, with some insurance."""
    if not profile.numbers or any(other(profile) for other in (counts, zero_inflated_amounts, outliers, uneven_spread)):
        return None
    skewness = max((shape.skewness for shape in profile.numbers), key=abs)
    if abs(skewness) >= SKEWED:
        return None
    even = ", an even spread" if profile.leftover is not None else ""
    reason = f"no outliers, no long tail (skewness {skewness:.2g}){even}: the mean is what there is to learn"
    note = "both are mse for small errors, and an insurance against large ones"
    return Advice(reason, [Pick("huber"), Pick("log-cosh")], note=note, claims=("robust",))


def _counts(profile: Profile) -> bool:
    return bool(profile.numbers) and all(_count(shape) for shape in profile.numbers)


def _amounts_with_zeros(profile: Profile) -> bool:
    amounts = bool(profile.numbers) and all(shape.low >= 0 and not shape.whole for shape in profile.numbers)
    return amounts and min(shape.zeros / shape.rows for shape in profile.numbers) >= MANY_ZEROS


def _count(shape: Numbers) -> bool:
    return shape.count_like and shape.mean < COUNTED


def _limit(profile: Profile) -> int:
    """Where the numbers of a proportion end: 1, or 100 for what looks like percentages; 0 for other numbers."""
    if not profile.numbers:
        return 0
    if all(shape.unit for shape in profile.numbers):
        return 1
    hundred = all(
        shape.low >= 0 and PERCENT <= shape.high <= 100 and (shape.mark == "%" or not shape.whole)
        for shape in profile.numbers
    )
    return 100 if hundred else 0


def _metrics_note(profile: Profile) -> str:
    """Which metric sees what a loss of counts learns, and how much there is to see."""
    text = (
        "these learn the mean: judge them by poisson-deviance, which sees an error beside the count that was expected (and is "
        "infinite where a model expects 0 or less), and by rmse"
    )
    if profile.leftover is not None:
        explained = max(0.0, profile.leftover.explained)
        below = percent(1 - (1 - explained) ** 0.5)
        text += f" (a linear fit reaches an r2 of {explained:.2g} here: an rmse {below} below that of always saying the mean)"
    if all(shape.median == 0 for shape in profile.numbers):
        text += "; mae is least for a model that always says 0, the median"
    return text if len(profile.numbers) == 1 else f"{text}; {IF_VOTES}"


def _range(shapes: Sequence[Numbers]) -> str:
    return f"{min(shape.low for shape in shapes):.4g} to {max(shape.high for shape in shapes):.4g}"


def _zeros(profile: Profile) -> str:
    zeros, rows = sum(shape.zeros for shape in profile.numbers), sum(shape.rows for shape in profile.numbers)
    mean = sum(shape.mean for shape in profile.numbers) / len(profile.numbers)
    return f"(mean {mean:.3g}, {percent(zeros / rows)} zeros)"


def _tweedie(profile: Profile) -> list[Pick]:
    """Tweedie with the measured power, if it is near those between Poisson's 1 and gamma's 2; 1.5 if none was measured."""
    power = profile.leftover.power() if profile.leftover is not None else None
    if power is not None and not LEAST_POWER <= power <= MOST_POWER:
        return []
    return [Pick("tweedie", {"power": 1.5 if power is None else round(min(1.9, max(1.1, power)), 1)})]


def _power_text(profile: Profile) -> str:
    power = profile.leftover.power() if profile.leftover is not None else None
    return "" if power is None else f"; variance grows as the mean to the power {power:.1f} (1 Poisson, 2 gamma)"
