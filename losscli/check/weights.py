"""Weights that work against what they are for: they depend on the options' numbers and on how rare a class is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from losscli.check import LossCall, rule
from losscli.tasks import tasks

RARE = 0.3  # the share of a class below which it is called rare
RARELY_YES: dict[str, Any] = {"shares": (0.9, 0.1)}
EVEN: dict[str, Any] = {"shares": (0.5, 0.5)}


@rule(
    "focal-alpha-lowers-the-rare-class",
    "warning",
    says="an alpha below 0.5 makes the positives count less than the negatives, and the positives are the rare class",
    cure="leave alpha out (null), or give one above 0.5; 0.25, the default elsewhere, was tuned together with gamma 2",
    bad=(("binary", "focal", (), {"settings": {"alpha": 0.25}} | RARELY_YES),),
    good=(
        ("binary", "focal", (), {"settings": {"alpha": None}} | RARELY_YES),
        ("binary", "focal", (), {"settings": {"alpha": 0.75}} | RARELY_YES),
        ("binary", "focal", (), {"settings": {"alpha": 0.25}} | EVEN),
        ("binary", "focal", (), {"settings": {"alpha": 0.25}}),
    ),
)
def focal_alpha_lowers_the_rare_class(call: LossCall) -> str:
    """The weights of a positive and of a negative, where the rare one is the lighter; else nothing."""
    alpha = call.settings.get("alpha")
    of_yes_or_no = call.loss.name == "focal" and tasks.get(call.loss.task).yes_or_no
    if not of_yes_or_no or alpha is None or not call.shares:
        return ""
    share = call.shares[1]
    if alpha >= 0.5 or share >= RARE:
        return ""
    return f"alpha {alpha:g} at {share:.2g} positives weighs a positive {alpha:.4g} and a negative {1 - alpha:.4g}"


@rule(
    "weights-against-smoothing",
    "error",
    says="label smoothing gives every row a share of the other classes, and the class weights blow that share up beyond the "
    "row's own: the loss is least where the answer is wrong",
    cure="set label_smoothing to 0, or take class weights that are less apart",
    bad=(
        ("multiclass", "cross-entropy", (), {"settings": {"weight": [0.01, 0.99], "label_smoothing": 0.1}}),
        ("binary", "bce-logits", (), {"settings": {"pos_weight": 99.0, "label_smoothing": 0.1}}),
        ("binary", "bce", ("sigmoid",), {"settings": {"pos_weight": 0.01, "label_smoothing": 0.1}}),
        ("multilabel", "bce-logits", (), {"settings": {"pos_weight": [1.0, 99.0], "label_smoothing": 0.1}}),
    ),
    good=(
        ("multiclass", "cross-entropy", (), {"settings": {"weight": [0.01, 0.99], "label_smoothing": 0.0}}),
        ("multiclass", "cross-entropy", (), {"settings": {"weight": [0.1, 0.9], "label_smoothing": 0.1}}),
        ("multiclass", "cross-entropy", (), {"settings": {"weight": None, "label_smoothing": 0.1}}),
        ("multiclass", "cross-entropy", (), {"settings": {"weight": [0.0, 1.0], "label_smoothing": 0.0}}),
        ("binary", "bce-logits", (), {"settings": {"pos_weight": 9.0, "label_smoothing": 0.1}}),
    ),
)
def weights_against_smoothing(call: LossCall) -> str:
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
