"""Weights that work against what they are for: they depend on the options' numbers and on how rare a class is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from losscli.tasks import tasks
from losscli.wiring.call import LossCall, Misuse

RARE = 0.3  # the share of a class below which it is called rare


def weighting(call: LossCall) -> Iterator[Misuse]:
    """The rules that an entry's weights break."""
    if particulars := _alpha_lowers_the_rare_class(call):
        yield Misuse("focal-alpha-lowers-the-rare-class", particulars)
    if particulars := _weights_against_smoothing(call):
        yield Misuse("weights-against-smoothing", particulars)


def _alpha_lowers_the_rare_class(call: LossCall) -> str:
    """The weights of a positive and of a negative, where the rare one is the lighter; else nothing."""
    alpha = call.settings.get("alpha")
    of_yes_or_no = call.loss.name == "focal" and tasks.get(call.loss.task).yes_or_no
    if not of_yes_or_no or alpha is None or not call.shares:
        return ""
    share = call.shares[1]
    if alpha >= 0.5 or share >= RARE:
        return ""
    return f"alpha {alpha:g} at {share:.2g} positives weighs a positive {alpha:.4g} and a negative {1 - alpha:.4g}"


def _weights_against_smoothing(call: LossCall) -> str:
    """What a row of the lightest class counts for its own class and for another, where that is more; else nothing."""
    smoothing = call.settings.get("label_smoothing") or 0.0
    for weights in _weights(call):
        light, heavy = min(weights), max(weights)
        spread = smoothing / len(weights)
        own, other = light * (1 - smoothing + spread), heavy * spread
        if own < other:
            return (
                f"with weights from {light:.4g} to {heavy:.4g} and smoothing {smoothing:g}, a row of the lightest class "
                f"counts {own:.3g} for its own class and {other:.3g} for the heaviest"
            )
    return ""


def _weights(call: LossCall) -> list[Sequence[float]]:
    """The weights of the classes that compete with one another: of no and yes, for each label apart."""
    settings = call.settings
    if (positive := settings.get("pos_weight")) is not None:
        return [(1.0, float(weight)) for weight in np.atleast_1d(positive)]
    weight: Any = settings.get("weight")
    return [tuple(float(number) for number in weight)] if np.ndim(weight) else []
