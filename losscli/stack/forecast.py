"""How sure a regression is: quantiles, an interval and the CRPS of every row, in the user's units.

A loss that gives no forecast is taken at its word: all its quantiles are its point, and its CRPS is its absolute error.
Quantiles go through a target's transform as they are; the closed form of a CRPS does not, and quantiles take its place.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from losscli.metrics.regression import LEVELS
from losscli.stack.output import Outlet
from losscli.tasks import Prediction, like

READS = ("interval", "quantiles", "crps")  # the fields of a prediction that this file fills
FEW = (0.05, 0.5, 0.95)  # what is told of a loss that gives every quantile
INTERVAL = 0.9  # the level of an interval whose loss gives every quantile
GRID = tuple((place + 0.5) / 99 for place in range(99))  # levels whose mean stands for the integral over all


def interval_level(outlet: Outlet) -> float | None:
    """The share of targets that the interval should hold: 90 %, or what lies between the outer levels that were learned.

    None where the loss gives no interval.
    """
    ends = _ends(outlet)
    return None if ends is None else round(ends[1] - ends[0], 12)


def levels_of(outlet: Outlet) -> tuple[float, ...]:
    """The levels of the quantiles that tell most: those that were learned, or 5, 50 and 95 %; none without a forecast."""
    forecast = outlet.loss.forecast
    if forecast is None:
        return ()
    return FEW if forecast.levels is None else forecast.levels(outlet.settings)


def quantiles_of(outlet: Outlet, output: Tensor) -> Tensor:
    """Those quantiles of raw outputs [r, N, ...], in the user's units: [r, N, Q], or [r, N, O, Q] of several targets."""
    received = outlet.receive(output)
    return torch.stack([_quantile(outlet, received, level) for level in levels_of(outlet)], -1)


def with_forecast(prediction: Prediction, outlet: Outlet, output: Tensor, truth: Tensor) -> Prediction:
    """The prediction of raw outputs [r, N, O] with what its loss forecasts; `truth` [r, N, ...] is in the user's units."""
    if outlet.loss.forecast is None:
        return without_forecast(prediction, truth)
    received, ends = outlet.receive(output), _ends(outlet)
    return replace(
        prediction,
        quantiles=torch.stack([_quantile(outlet, received, level) for level in LEVELS], -1),
        interval=None if ends is None else torch.stack([_quantile(outlet, received, end) for end in ends], -1),
        crps=_crps(outlet, received, truth),
    )


def without_forecast(prediction: Prediction, truth: Tensor) -> Prediction:
    """The prediction of a model that is taken at its word; `truth` [r or 1, N, ...] is in the user's units."""
    assert prediction.values is not None
    point = prediction.values
    return replace(prediction, quantiles=torch.stack([point] * len(LEVELS), -1), crps=(point - truth).abs())


def _ends(outlet: Outlet) -> tuple[float, float] | None:
    forecast = outlet.loss.forecast
    if forecast is None:
        return None
    if forecast.levels is None:
        return (1 - INTERVAL) / 2, (1 + INTERVAL) / 2
    levels = forecast.levels(outlet.settings)
    return (levels[0], levels[-1]) if len(levels) > 1 else None


def _quantile(outlet: Outlet, received: Tensor, level: float) -> Tensor:
    assert outlet.loss.forecast is not None
    found = outlet.loss.forecast.quantile(received, outlet.settings, level)
    return found if outlet.own_units or outlet.scale is None else outlet.scale.predicted(found)


def _crps(outlet: Outlet, received: Tensor, truth: Tensor) -> Tensor:
    """Each row's score: the closed form, or twice the mean pinball loss over a grid of levels."""
    forecast, scale = outlet.loss.forecast, outlet.scale
    assert forecast is not None
    if forecast.crps is not None and (scale is None or scale.transform == "none"):
        score = forecast.crps(received, outlet.truth(truth), outlet.settings)
        return score if outlet.own_units or scale is None else score * like(scale.scale, score)
    total = torch.zeros_like(truth)
    for level in GRID:
        short = truth - _quantile(outlet, received, level)
        total += torch.maximum(level * short, (level - 1) * short)
    return 2 * total / len(GRID)
