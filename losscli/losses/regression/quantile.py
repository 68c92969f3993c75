"""Losses whose best answer is a chosen place in the target's distribution rather than its centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from losscli.lazy import Tensor, torch
from losscli.losses import Bounds, Forecast, NonNegative, OpenFraction, Several, loss
from losscli.losses.finite import difference, widened

TAUS = [0.1, 0.5, 0.9]
Levels = Annotated[list[float] | Tensor, Several(Bounds(low=0, high=1, low_open=True, high_open=True))]


@loss("regression", "values", "any number", aliases=("pinball", "mean-pinball", "reg:quantileerror"))
def quantile(prediction: Tensor, target: Tensor, *, tau: OpenFraction = 0.5) -> Tensor:
    """Quantile (pinball): aims at the value that a share tau of targets stay below.

    Use: an upper or lower bound that a chosen share of targets stay below.
    Avoid: the mean; very few rows beyond tau.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = max(tau (y - x), (tau - 1) (y - x)).

    Elicits: quantile; the one of level tau.

    Source: Koenker and Bassett 1978, Regression Quantiles.

    Kin: tau 1/2 is mae / 2.

    Elsewhere: scikit-learn HistGradientBoostingRegressor(loss="quantile", quantile=0.5); LightGBM quantile(alpha=0.5); XGBoost
    reg:quantileerror(quantile_alpha=0.5).

    >>> quantile(torch.tensor([0.0, 0.0]), torch.tensor([1.0, -1.0]), tau=0.75).tolist()  # too low costs 3 times more
    [0.75, 0.25]
    """
    short = -difference(prediction, target)
    return torch.maximum(tau * short, (tau - 1) * short)


@loss("regression", "values", "any number", aliases=("asymmetric-mse", "reg:expectileerror"))
def expectile(prediction: Tensor, target: Tensor, *, tau: OpenFraction = 0.5) -> Tensor:
    """Expectile: squared error that costs tau where the prediction is too low and 1 - tau where it is too high.

    Use: a mean that is to err on one side, smoothly.
    Avoid: a bound that a chosen share of targets stay below (quantile); outliers.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = |tau - 1(y < x)| (x - y)^2.

    Elicits: expectile; the one of level tau.

    Source: Newey and Powell 1987, Asymmetric Least Squares Estimation and Testing.

    Kin: tau 1/2 is mse / 2; quantile with squares for distances.

    >>> expectile(torch.tensor([0.0, 0.0]), torch.tensor([2.0, -2.0]), tau=0.75).tolist()
    [3.0, 1.0]
    """
    over = difference(prediction, target)
    return tau * (-over).clamp(min=0).square() + (1 - tau) * over.clamp(min=0).square()


def _heads(outputs: int, options: Mapping[str, Any]) -> int:
    return len(options.get("taus", TAUS))


def _nearest_to_median(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    distance = [abs(float(tau) - 0.5) for tau in options.get("taus", TAUS)]
    return prediction[..., distance.index(min(distance))]


def _in_order(prediction: Tensor, options: Mapping[str, Any]) -> Tensor:
    """The outputs with the lowest at the lowest of the taus, and so on, wherever these stand."""
    taus = [float(tau) for tau in options.get("taus", TAUS)]
    return prediction.sort(-1).values[..., [_levels(options).index(tau) for tau in taus]]


def _levels(options: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(sorted(float(tau) for tau in options.get("taus", TAUS)))


def _learned(prediction: Tensor, options: Mapping[str, Any], level: float) -> Tensor:
    """The output of one of the taus."""
    return prediction[..., [float(tau) for tau in options.get("taus", TAUS)].index(level)]


@loss(
    "regression",
    "quantiles",
    "any number",
    heads=_heads,
    point=_nearest_to_median,
    forecast=Forecast(_learned, _levels, order=_in_order),
)
def multi_quantile(prediction: Tensor, target: Tensor, *, taus: Levels = TAUS, crossing: NonNegative = 1.0) -> Tensor:
    """Several quantiles at once, one output each: an interval as well as a point; quantiles that cross pay for it.

    Use: an interval and a point from one model.
    Avoid: levels beyond which there are only a few rows.

    Domain: any number.
    Shapes: prediction [..., m] for m taus, in their order, target [...] -> [...].

    Formula: L = (sum over taus of quantile(x_tau, y) + crossing sum over neighbours of max(0, x_lower - x_upper)) / m.

    Elicits: quantiles; each of its own level.

    Source: Koenker and Bassett 1978, Regression Quantiles; the penalty is the plain hinge on neighbours out of order.

    Kin: with one tau it is quantile; without crossing it is the mean of quantile over the taus.

    >>> multi_quantile(torch.tensor([[0.0, 2.0]]), torch.tensor([1.0]), taus=[0.25, 0.75]).tolist()  # (1/4 + 1/4) / 2
    [0.25]
    """
    outputs = widened(prediction)
    level, order = torch.as_tensor(
        taus, dtype=outputs.dtype, device=outputs.device
    ).sort()  # the penalty compares neighbours, whatever the order of the taus
    outputs = outputs.index_select(-1, order)
    short = widened(target)[..., None] - outputs  # [..., m]
    pinball = torch.maximum(level * short, (level - 1) * short).sum(-1)
    crossed = (-outputs.diff(dim=-1)).clamp(min=0).sum(-1)
    return (pinball + crossing * crossed) / len(level)
