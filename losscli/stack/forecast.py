"""How sure a regression is: quantiles, an interval and the CRPS of every row, in the user's units.

A loss that gives no forecast is taken at its word: all its quantiles are its point, and its CRPS is its absolute error.
Quantiles go through a target's transform as they are; the closed form of a CRPS does not, and quantiles take its place.

Learned quantiles may cross: that of 90 % below that of 10 %. They are put in order wherever they are used, which brings each
closer to the true one (Chernozhukov, Fernandez-Val and Galichon 2010, Quantile and Probability Curves Without Crossing,
https://doi.org/10.3982/ECTA7880); on how many rows they crossed is told.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from losscli.direction import LEVEL
from losscli.metrics.regression import LEVELS
from losscli.stack.head import Head
from losscli.tasks import Prediction, like

READS = ("interval", "quantiles", "crps")  # the fields of a prediction that this file fills
FEW = (0.05, 0.5, 0.95)  # what is told of a loss that gives every quantile
GRID = tuple((place + 0.5) / 99 for place in range(99))  # levels whose mean stands for the integral over all


def interval_level(head: Head) -> float | None:
    """The share of targets that the interval should hold: 90 %, or what lies between the outer levels that were learned.

    None where the loss gives no interval.
    """
    forecast = head.loss.forecast
    return None if forecast is None else forecast.level(head.settings)


def levels_of(head: Head) -> tuple[float, ...]:
    """The levels of the quantiles that tell most: those that were learned, or 5, 50 and 95 %; none without a forecast."""
    forecast = head.loss.forecast
    if forecast is None:
        return ()
    return FEW if forecast.levels is None else forecast.levels(head.settings)


def quantiles_of(head: Head, output: Tensor) -> Tensor:
    """Those quantiles of raw outputs [r, N, ...], in the user's units: [r, N, Q], or [r, N, O, Q] of several targets."""
    quantile = _quantiles(head, head.receive(output))
    return torch.stack([quantile(level) for level in levels_of(head)], -1)


def crossed(head: Head, output: Tensor) -> Tensor:
    """The share [r] of rows of raw outputs [r, N, ...] on which learned quantiles are out of order."""
    if head.loss.forecast is None or head.loss.forecast.levels is None:
        return output.new_zeros(len(output))
    wrong = (_learned(head, head.receive(output)).diff(dim=-1) < 0).any(-1)  # [r, N] or [r, N, O]
    return wrong.flatten(2).any(-1).float().mean(-1) if wrong.ndim > 2 else wrong.float().mean(-1)


def with_forecast(prediction: Prediction, head: Head, output: Tensor, truth: Tensor) -> Prediction:
    """The prediction of raw outputs [r, N, O] with what its loss forecasts; `truth` [r, N, ...] is in the user's units."""
    forecast = head.loss.forecast
    if forecast is None:
        return without_forecast(prediction, truth)
    loss_input, ends = head.receive(output), forecast.ends(head.settings)
    quantile = _quantiles(head, loss_input)
    return replace(
        prediction,
        quantiles=torch.stack([quantile(level) for level in LEVELS], -1),
        interval=None if ends is None else torch.stack([quantile(end) for end in ends], -1),
        level=interval_level(head) or LEVEL,
        crps=_crps(head, loss_input, quantile, truth),
    )


def without_forecast(prediction: Prediction, truth: Tensor) -> Prediction:
    """The prediction of a model that is taken at its word; `truth` [r or 1, N, ...] is in the user's units."""
    assert prediction.values is not None
    point = prediction.values
    return replace(prediction, quantiles=torch.stack([point] * len(LEVELS), -1), crps=(point - truth).abs())


def _quantiles(head: Head, loss_input: Tensor) -> Callable[[float], Tensor]:
    """The quantile of every level, in the user's units, from what the loss received."""
    forecast = head.loss.forecast
    assert forecast is not None
    knots = None if forecast.levels is None else _learned(head, loss_input).sort(-1).values  # [..., Q]

    def quantile(level: float) -> Tensor:
        value = (
            forecast.quantile(loss_input, head.settings, level)
            if knots is None
            else _between(levels_of(head), knots, level)
        )
        return value if head.own_units or head.scale is None else head.scale.predicted(value)

    return quantile


def _learned(head: Head, loss_input: Tensor) -> Tensor:
    """The quantiles [..., Q] of the levels that were learned, rising, as the model puts them out."""
    assert head.loss.forecast is not None
    read, settings = head.loss.forecast.quantile, head.settings
    return torch.stack([read(loss_input, settings, level) for level in levels_of(head)], -1)


def _between(levels: Sequence[float], knots: Tensor, level: float) -> Tensor:
    """Between the levels that were learned a straight line, beyond the outer ones nothing is known: the outer quantile."""
    above = bisect_left(levels, level)
    if above == len(levels):
        return knots[..., -1]
    if above == 0 or levels[above] == level:
        return knots[..., above]
    low, high = levels[above - 1], levels[above]
    return torch.lerp(knots[..., above - 1], knots[..., above], (level - low) / (high - low))


def _crps(head: Head, loss_input: Tensor, quantile: Callable[[float], Tensor], truth: Tensor) -> Tensor:
    """Each row's score: the closed form, or twice the mean pinball loss over a grid of levels."""
    forecast, scale = head.loss.forecast, head.scale
    assert forecast is not None
    if forecast.crps is not None and (scale is None or scale.transform == "none"):
        score = forecast.crps(loss_input, head.truth(truth), head.settings)
        return score if head.own_units or scale is None else score * like(scale.scale, score)
    total = torch.zeros_like(truth)
    for level in GRID:
        short = truth - quantile(level)
        total += torch.maximum(level * short, (level - 1) * short)
    return 2 * total / len(GRID)
