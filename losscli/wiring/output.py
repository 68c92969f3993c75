"""Wrong activations between model and loss: the mistakes that train without an error and cost quietly."""

from __future__ import annotations

import math
from collections.abc import Iterator

from losscli.rules.contract import Takes, misuses
from losscli.tasks import tasks
from losscli.wiring.call import LossCall, Misuse

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
