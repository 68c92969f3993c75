"""Wrong activations between model and loss: the mistakes that train without an error and cost quietly."""

from __future__ import annotations

import math

from losscli.activations import LOGS, PROBABILITIES
from losscli.check import LossCall, rule
from losscli.tasks import tasks


def _reach(call: LossCall, low: float, high: float) -> bool | str:
    """Between which probabilities a model stays whose scores lie in [low, high]; True where it gives none, or K is not known.

    >>> from losscli.losses import find
    >>> _reach(LossCall("e", "binary", find("bce-logits", "binary"), ("tanh",)), -1.0, 1.0)
    'no probability leaves 0.27 to 0.73'
    >>> _reach(LossCall("e", "multiclass", find("cross-entropy", "multiclass"), ("tanh",), shares=[0.1] * 10), -1.0, 1.0)
    'no probability leaves 0.015 to 0.45'
    """
    import torch

    task, loss = tasks.get(call.task), call.loss
    classes = len(call.shares) if task.outputs_compete else 1
    if not classes:
        return True
    received = torch.full((1, 2, classes), low, dtype=torch.float64)
    received[:, 0, 0], received[:, 1, 1:] = high, high  # one class above all others, and one below
    shaped = task.shape(received)
    point = None if loss.point is None else loss.point(shaped, call.settings)
    probabilities = task.read(shaped, loss.expects).probabilities if point is None else point
    if probabilities is None:
        return True
    first = probabilities.reshape(1, 2, -1)[..., 0]
    return f"no probability leaves {float(first.min()):.2g} to {float(first.max()):.2g}"


@rule(
    "double-softmax",
    "error",
    says="a softmax stands before a loss that takes raw scores; between 0 and 1 they can hardly be told apart, and the "
    "gradients are small",
    cure="give the loss raw scores (model.output: none), or use nll after log-softmax",
    bad=(("multiclass", "cross-entropy", ("softmax",)), ("multiclass", "focal", ("relu", "softmax"))),
    good=(("multiclass", "cross-entropy", ()), ("multiclass", "nll", ("log-softmax",))),
)
def double_softmax(call: LossCall) -> bool | str:
    softmax = call.last.across and call.last.gives == PROBABILITIES
    applies = call.takes_raw_scores and softmax and tasks.get(call.task).outputs_compete
    return applies and _reach(call, 0.0, 1.0)


@rule(
    "double-sigmoid",
    "error",
    says="a sigmoid stands before a loss that takes raw scores; its output lies between 0 and 1, so the loss "
    "can never see a confident no and the gradients vanish",
    cure="give the loss raw scores (model.output: none), or use bce after the sigmoid",
    bad=(
        ("binary", "bce-logits", ("sigmoid",)),
        ("multilabel", "focal", ("sigmoid",)),
        ("binary", "hinge", ("sigmoid",)),
    ),
    good=(("binary", "bce-logits", ()), ("binary", "bce", ("sigmoid",))),
)
def double_sigmoid(call: LossCall) -> bool:
    return call.takes_raw_scores and call.last.gives == PROBABILITIES and not call.last.across


@rule(
    "raw-scores-into-probabilities",
    "error",
    says="the loss expects probabilities and gets raw scores; a score below 0 or above 1 is cut off there and gets no gradient",
    cure="put a sigmoid (or softmax) before it (model.output: auto), or use the loss that takes logits",
    bad=(("binary", "bce", ()), ("multilabel", "bce", ("tanh",))),
    good=(("binary", "bce", ("sigmoid",)),),
)
def raw_scores_into_probabilities(call: LossCall) -> bool:
    return call.loss.expects == PROBABILITIES and call.last.gives != PROBABILITIES


@rule(
    "not-log-probabilities",
    "error",
    says="the loss expects log-probabilities and gets something else; it then rewards large numbers, not likely classes",
    cure="put log-softmax before it (model.output: auto), or use cross-entropy on raw scores",
    bad=(("multiclass", "nll", ()), ("multiclass", "nll", ("softmax",))),
    good=(("multiclass", "nll", ("log-softmax",)),),
)
def not_log_probabilities(call: LossCall) -> bool:
    return call.loss.expects == LOGS and call.last.gives != LOGS


@rule(
    "relu-before-sigmoid",
    "error",
    says="a ReLU stands before the sigmoid or softmax; after it no score is negative, so no probability falls below one half "
    "(binary) and where the ReLU is off there is no gradient",
    cure="let the last layer be linear: remove the relu from model.output",
    bad=(("binary", "bce", ("relu", "sigmoid")), ("multiclass", "nll", ("relu", "log-softmax"))),
    good=(("binary", "bce", ("sigmoid",)),),
)
def relu_before_sigmoid(call: LossCall) -> bool:
    return call.before("relu", lambda later: later.gives is not None)


@rule(
    "clipped-scores",
    "error",
    says="a ReLU stands before a loss that takes raw scores; it can never see a negative one, and where the ReLU is off "
    "there is no gradient",
    cure="let the last layer be linear (model.output: none)",
    bad=(("binary", "bce-logits", ("relu",)), ("multiclass", "cross-entropy", ("relu",))),
    good=(("binary", "bce-logits", ()), ("regression", "mse", ("relu",))),
)
def clipped_scores(call: LossCall) -> bool:
    return call.takes_raw_scores and call.last.low == 0 and call.last.gives is None


@rule(
    "bounded-scores",
    "warning",
    says="a tanh stands before a loss that takes raw scores; between -1 and 1 none is sure",
    cure="let the last layer be linear (model.output: none)",
    bad=(("binary", "bce-logits", ("tanh",)),),
    good=(("binary", "bce-logits", ()),),
)
def bounded_scores(call: LossCall) -> bool | str:
    low, high = call.last.low, call.last.high
    bounded = low < 0 and math.isfinite(low) and math.isfinite(high)
    return call.takes_raw_scores and bounded and _reach(call, low, high)


@rule(
    "sigmoid-before-softmax-loss",
    "error",
    says="classes that exclude each other are squeezed one by one before a loss that applies softmax itself; between 0 and 1 "
    "its logits can hardly be told apart",
    cure="give the loss raw scores (model.output: none)",
    bad=(("multiclass", "nll", ("sigmoid", "log-softmax")),),
    good=(("multiclass", "cross-entropy", ()), ("multiclass", "cross-entropy", ("sigmoid",))),
)
def sigmoid_before_softmax_loss(call: LossCall) -> bool:
    return call.before("sigmoid", lambda later: later.across)


@rule(
    "softmax-over-labels",
    "error",
    says="a softmax makes labels compete that may hold together; their probabilities cannot all be high",
    cure="use a sigmoid per label (model.output: auto)",
    bad=(("multilabel", "bce", ("softmax",)), ("multilabel", "bce-logits", ("softmax",))),
    good=(("multilabel", "bce", ("sigmoid",)),),
)
def softmax_over_labels(call: LossCall) -> bool:
    task = tasks.get(call.task)
    many = task.yes_or_no and task.rows_have_several_outputs
    return many and call.last.across


@rule(
    "needless-log-softmax",
    "info",
    says="log-softmax before a loss that applies it itself changes nothing: it is its own repetition",
    cure="leave it out (model.output: none)",
    bad=(("multiclass", "cross-entropy", ("log-softmax",)),),
    good=(("multiclass", "nll", ("log-softmax",)),),
)
def needless_log_softmax(call: LossCall) -> bool:
    applies = call.loss.expects == "logits" and len(call.chain) == 1 and call.last.gives == LOGS
    return applies and tasks.get(call.task).outputs_compete


@rule(
    "bounded-values",
    "warning",
    says="an activation bounds predictions of a standardised target; values beyond it cannot be predicted",
    cure="let the last layer be linear (model.output: none)",
    bad=(("regression", "mse", ("relu",)), ("regression", "huber", ("sigmoid",))),
    good=(("regression", "mse", ()),),
)
def bounded_values(call: LossCall) -> bool:
    return call.loss.expects == "values" and bool(call.chain)
