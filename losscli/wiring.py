"""Misuse of losses in a spec: the entry's wiring is held against the contract of its loss, its weights against the data.

Wrong activations between model and loss train without an error and cost quietly; weights that work against what they are
for depend on the options' numbers and on how rare a class is. The rules and their words are on the shelf in `losscli/rules/`;
here is what looks at a spec.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losscli.activations import ACTIVATIONS, NONE, Activation
from losscli.errors import Finding
from losscli.losses import Loss
from losscli.rules import rules
from losscli.rules.contract import Takes, misuses
from losscli.tasks import tasks


@dataclass(frozen=True)
class LossCall:
    """How one entry is wired: what the loss expects, and what it gets.

    `settings` are the options with their defaults, class weights as numbers. `shares` are the classes' shares of the training
    split: of no and yes where the target says so (over all labels), none for numbers.
    """

    entry: str
    task: str
    loss: Loss
    chain: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    shares: Sequence[float] = ()

    @property
    def last(self) -> Activation:
        return ACTIVATIONS[self.chain[-1]] if self.chain else NONE


@dataclass(frozen=True)
class Misuse:
    """A rule that an entry breaks, with the particulars if there are any, and a severity where it is not the rule's own."""

    rule: str
    particulars: str = ""
    severity: str | None = None


REACHED = ("softmax-before-cross-entropy", "bounded-scores")  # rules that say which probabilities are out of reach


def wiring(call: LossCall) -> Iterator[Misuse]:
    """The rules that an entry's output chain breaks."""
    if call.loss.expects == "values":
        if call.chain:
            yield Misuse("bounded-values")
        return
    chain = ("linear", *call.chain)
    takes = takes_of(call)
    for name, severity in misuses(takes, chain):
        if name == "log-softmax-before-cross-entropy" and call.chain != ("log-softmax",):
            continue  # what stands before it is the finding
        particulars = _reach(call) if name in REACHED else ""
        yield Misuse(name, particulars, severity)
    if _labels(call) and takes != "labels" and call.last.across:
        yield Misuse("softmax-over-labels")


def takes_of(call: LossCall) -> Takes:
    """What the entry's loss takes, in the words of the contract."""
    if call.loss.expects == "probabilities":
        return "probabilities"
    if call.loss.expects == "log-probabilities":
        return "log-probabilities"
    if tasks.get(call.task).outputs_compete:
        return "classes" if call.loss.expects == "logits" else "class scores"
    return "labels" if _labels(call) else "yes or no"


def _labels(call: LossCall) -> bool:
    task = tasks.get(call.task)
    return task.yes_or_no and task.rows_have_several_outputs


def _reach(call: LossCall) -> str:
    """Between which probabilities the last activation leaves a model; nothing if it has no bounds, or K is not known.

    >>> from losscli.losses import find
    >>> _reach(LossCall("e", "binary", find("bce-logits", "binary"), ("tanh",)))
    'no probability leaves 0.27 to 0.73'
    >>> _reach(LossCall("e", "multiclass", find("cross-entropy", "multiclass"), ("tanh",), shares=[0.1] * 10))
    'no probability leaves 0.015 to 0.45'
    """
    import torch

    task, loss = tasks.get(call.task), call.loss
    low, high = call.last.low, call.last.high
    classes = len(call.shares) if task.outputs_compete else 1
    if not classes or not math.isfinite(high - low):
        return ""
    prediction = torch.full((1, 2, classes), low, dtype=torch.float64)
    prediction[:, 0, 0], prediction[:, 1, 1:] = high, high  # one class above all others, and one below
    shaped = task.shape(prediction)
    point = None if loss.point is None else loss.point(shaped, call.settings)
    probabilities = task.read(shaped, loss.expects).probabilities if point is None else point
    if probabilities is None:
        return ""
    first = probabilities.reshape(1, 2, -1)[..., 0]
    return f"no probability leaves {float(first.min()):.2g} to {float(first.max()):.2g}"


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


def look(call: LossCall) -> list[Finding]:
    """What the rules say of one entry, and what was noticed when its loss was made."""
    return [*call.loss.findings, *(_finding(call, misuse) for misuse in (*wiring(call), *weighting(call)))]


def _finding(call: LossCall, misuse: Misuse) -> Finding:
    rule = rules.get(misuse.rule)
    particulars = f" ({misuse.particulars})" if misuse.particulars else ""
    cure = f"{rule.in_spec}; losscli explain {rule.code} shows the cost"
    return Finding(rule.code, misuse.severity or rule.severity, f"{call.entry}: {rule.what}{particulars}", cure)
