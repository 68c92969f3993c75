"""Errors as a share of the target: for positive numbers of many sizes, in the user's own units."""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.losses import Positive, loss
from losscli.losses.finite import difference, widened

LOWEST = -0.5  # of a prediction for msle: below, log(1 + x) goes on as its tangent


@loss(
    "regression",
    "values",
    "number > 0",
    own_units=True,
    aliases=("MeanAbsolutePercentageError",),
)
def mape(prediction: Tensor, target: Tensor, *, eps: Positive = 1e-8) -> Tensor:
    """Absolute percentage error, as a fraction: being 10 % off costs 0.1 for a small target and for a large one.

    Use: positive targets of many sizes, where the error is told in percent.
    Avoid: targets near 0; the mean: it aims too low.

    Domain: positive numbers, in the user's units.
    Shapes: prediction and target [...] -> [...].

    Formula: L = r / max(|y|, eps).

    Elicits: weighted median; each target weighs 1 / y, so it lies below the median.

    Source: sklearn.metrics.mean_absolute_percentage_error; Gneiting 2011 (Making and Evaluating Point Forecasts) for what
    it elicits. Keras multiplies it by 100.

    Kin: mae divided by the target.

    Elsewhere: Keras MeanAbsolutePercentageError; LightGBM mape (a target below 1 counts as 1 there).

    >>> mape(torch.tensor([3.0, 30.0]), torch.tensor([4.0, 40.0])).tolist()
    [0.25, 0.25]
    """
    return difference(prediction, target).abs() / _at_least(widened(target).abs(), eps)


@loss("regression", "values", "number > 0", own_units=True, aliases=("symmetric-mape",))
def smape(prediction: Tensor, target: Tensor, *, eps: Positive = 1e-8) -> Tensor:
    """Symmetric percentage error, as a fraction of the mean of prediction and target: from 0 to 2.

    Use: a competition that is judged by it.
    Avoid: a mean or a median as the aim; targets near 0.

    Domain: positive numbers, in the user's units.
    Shapes: prediction and target [...] -> [...].

    Formula: L = r / max((|x| + |y|) / 2, eps).

    Elicits: M-estimate; it has no name, and the bound of 2 makes it indifferent to a prediction of the wrong sign.

    Source: Makridakis 1993, Accuracy Measures: Theoretical and Practical Concerns. There are several versions: some drop
    the 1/2 (0 to 1), most multiply by 100.

    Kin: mape with the mean of prediction and target for the target.

    >>> smape(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 1.0])).tolist()  # 2 / 2
    [1.0, 0.0]
    """
    middle = (widened(prediction).abs() + widened(target).abs()) / 2
    return difference(prediction, target).abs() / _at_least(middle, eps)


@loss(
    "regression",
    "values",
    "number >= 0",
    own_units=True,
    aliases=("MeanSquaredLogarithmicError", "mean-squared-log-error", "reg:squaredlogerror"),
)
def msle(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared logarithmic error: a factor of two costs the same for large targets, too low costs more than too high.

    Use: positive targets that grow by factors.
    Avoid: the mean of skewed targets: it aims too low.

    Domain: non-negative numbers, in the user's units. A prediction below -1/2, where the logarithm falls ever faster,
    is judged by the tangent at -1/2: finite, and always pulled back (Keras cuts it off at 0, where nothing pulls).
    Shapes: prediction and target [...] -> [...].

    Formula: L = (log(1 + x) - log(1 + y))^2.

    Elicits: log mean; exp(mean of log(1 + y)) - 1, below the mean.

    Source: sklearn.metrics.mean_squared_log_error; keras.losses.MeanSquaredLogarithmicError.

    Kin: mse of log(1 + x) and log(1 + y).

    Elsewhere: Keras MeanSquaredLogarithmicError; XGBoost reg:squaredlogerror.

    >>> round(msle(torch.tensor(1.0), torch.tensor(0.0)).item(), 4)  # log(2)^2
    0.4805
    """
    x = widened(prediction)
    inside = x.clamp(min=LOWEST)
    logarithm = torch.log1p(inside) + (x - inside) / (1 + LOWEST)
    return (logarithm - torch.log1p(widened(target))).square()


def _at_least(numbers: Tensor, eps: float | Tensor) -> Tensor:
    return torch.maximum(numbers, torch.as_tensor(eps, dtype=numbers.dtype, device=numbers.device))
