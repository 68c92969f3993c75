"""Patients made ill on purpose: `verify` names exactly the property that is ill, with an example one can read."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from losscli.losses import Bounds, Loss, Option, PerClass, losses
from losscli.losses.weights import sample_weights
from losscli.verify import properties
from losscli.verify.draw import settings
from losscli.verify.trial import verify


def patient(function: Callable[..., Tensor], task: str = "regression", expects: str = "values", **facts) -> Loss:
    target = {"regression": "any number", "multiclass": "class index"}.get(task, "0 or 1")
    given = {"per_value": task == "regression", "over_batch": False, "options": {}, "aliases": (), **facts}
    return Loss("patient", task, expects, target, function, **given)


def squared(prediction, target):
    return (prediction - target) ** 2


class _Wrong(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, slope):
        return 2 * slope


def wrong_gradient(prediction, target):
    return squared(_Wrong.apply(prediction), target)


def overflows(prediction, target):
    return torch.log(1 + torch.exp((prediction - target).abs())) * (prediction - target).abs()


def mixes_runs(prediction, target):
    values = squared(prediction, target)
    return values / values.amax(0, keepdim=True).clamp(min=1) if values.ndim > 1 else values


def leaks_nan(prediction, target):
    return squared(prediction, target) + 0 * prediction.sum()


def random(prediction, target):
    return squared(prediction, target) + torch.rand_like(prediction)


def broadcasts(prediction, target):
    return (prediction.unsqueeze(-1) - target.unsqueeze(-2)) ** 2


def reads_the_order(prediction, target):
    return squared(prediction, target) * torch.linspace(0.5, 1, prediction.shape[-1], dtype=prediction.dtype)


def looks_at_neighbours(prediction, target):
    return squared(prediction, target) + 0.1 * prediction.mean(-1, keepdim=True)


def in_place(prediction, target):
    with torch.no_grad():
        target.clamp_(min=0)
    return squared(prediction, target)


def hides_nan(prediction, target):
    return squared(torch.nan_to_num(prediction), target)


def loses_digits(prediction, target):
    return squared(prediction + 1000, target + 1000)


def overflows_in_half(prediction, target):
    return (1e5 * (prediction - target)) ** 2 / 1e10


def upside_down(prediction, target):
    return -squared(prediction, target)


def no_gradient(prediction, target):
    return squared(prediction.detach(), target)


def raises(prediction, target):
    raise KeyError("no such thing")


def raises_on_nan(prediction, target):
    if prediction.isnan().any():
        raise ValueError("a number, please")
    return squared(prediction, target)


def disconnected(prediction, target):
    return squared(prediction, target).detach().double().requires_grad_()


ILL = {
    wrong_gradient: {"gradient-is-the-slope"},
    overflows: {"finite-at-extremes"},
    mixes_runs: {"stack-equals-loop", "nan-stays-in-its-run"},
    leaks_nan: {"nan-stays-in-its-run", "nan-is-shown"},
    random: {"same-twice"},
    broadcasts: {"one-number-per-sample"},
    reads_the_order: {"order-does-not-matter", "weight-two-is-twice"},
    looks_at_neighbours: {"weight-two-is-twice", "nan-is-shown"},
    in_place: {"inputs-unchanged"},
    hides_nan: {"nan-is-shown"},
    loses_digits: {"float32-keeps-its-digits"},
    overflows_in_half: {"finite-in-half-precision"},
    no_gradient: {"gradient-is-the-slope"},
    raises: {"one-number-per-sample"},
    upside_down: {"lower-when-right"},
    raises_on_nan: {"nan-stays-in-its-run", "nan-is-shown"},
    disconnected: {"gradient-is-the-slope", "finite-in-half-precision"},
}


@pytest.mark.parametrize("function", ILL, ids=lambda function: function.__name__)
def test_exactly_the_ill_property_is_named(function):
    report = verify(patient(function), "regression")
    assert {outcome.tried.name for outcome in report.failed} == ILL[function]


def test_the_healthy_pass_and_every_property_is_judged():
    report = verify(patient(squared), "regression")
    assert report.failed == []
    assert {outcome.tried.name for outcome in report.outcomes} == set(properties.names())
    assert report.count("passed") >= 12


def test_the_example_is_as_small_as_it_gets():
    (failure,) = verify(patient(overflows), "regression").failed
    assert failure.sample is not None
    assert failure.sample.raw.numel() == 1  # one run of one sample
    assert abs(float(failure.sample.raw) - float(failure.sample.target)) > 80
    assert "inf" in failure.message
    (failure,) = verify(patient(broadcasts), "regression").failed
    assert failure.sample.raw.tolist() == failure.sample.target.tolist() == [[0.0]]
    assert "[1, 1, 1], not [1, 1]" in failure.message


def test_a_raise_on_nan_is_told_apart_from_a_nan_that_is_hidden():
    failed = verify(patient(raises_on_nan), "regression").failed
    assert {failure.message.split(":")[0] for failure in failed} == {
        "it raises on a NaN, which would stop a whole stack"
    }


def test_what_must_be_given_is_1_and_the_rest_is_tried_as_ever():
    item = losses.get("binary/cost-sensitive")
    assert settings(item, {}, "binary")[0] == {"false_positive": 1.0, "false_negative": 1.0}
    assert settings(item, {"false_negative": 5.0}, "binary") == [{"false_positive": 1.0, "false_negative": 5.0}]


def test_nothing_else_is_tried_on_sand():
    report = verify(patient(random), "regression")
    skipped = [outcome for outcome in report.outcomes if outcome.message == "not tried, since same-twice fails"]
    assert len(skipped) == len(report.outcomes) - 3


def test_a_kink_is_no_wrong_gradient():
    rounded = patient(lambda prediction, target: ((prediction * 2).round() / 2 - target).abs() + prediction.relu())
    failed = {outcome.tried.name for outcome in verify(rounded, "regression").failed}
    assert "gradient-is-the-slope" not in failed


def test_a_loss_of_several_classes_and_of_a_batch():
    chosen = patient(lambda p, t: -p.log_softmax(-1).gather(-1, t.unsqueeze(-1)).squeeze(-1), "multiclass", "logits")
    assert verify(chosen, "multiclass").failed == []
    cancels = patient(lambda p, t: p.logsumexp(-1) - p.gather(-1, t.unsqueeze(-1)).squeeze(-1), "multiclass", "logits")
    assert [failure.tried.name for failure in verify(cancels, "multiclass").failed] == ["float32-keeps-its-digits"]
    batch = patient(lambda p, t: squared(p, t).mean(-1), over_batch=True, per_value=False)
    report = verify(batch, "regression")
    assert report.failed == []
    assert {o.tried.name for o in report.outcomes if o.status == "not applicable"} >= {"weight-two-is-twice"}


def test_an_option_that_cannot_differ_between_runs():
    ill = patient(
        lambda p, t, scale: squared(p, t) * torch.as_tensor(scale).mean(),
        options={"scale": Option("scale", 1.0, Bounds(0))},
    )
    assert [failure.tried.name for failure in verify(ill, "regression", {"scale": 2.0}).failed] == ["an-option-per-run"]


def test_class_weights_that_are_not_what_rows_are():
    def squared_weight(prediction, target, weight=None):
        values = -prediction.log_softmax(-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
        return values if weight is None else values * sample_weights(weight, target) ** 2

    ill = patient(squared_weight, "multiclass", "logits", options={"weight": Option("weight", None, PerClass())})
    failed = verify(ill, "multiclass").failed
    assert [failure.tried.name for failure in failed] == ["class-weight-two-is-twice"]
    assert failed[0].sample.target.tolist() == [[1]]  # weight 2 alone: 4 L / 2, and twice the row: 2 L / 2


def test_options_are_tried_as_given():
    focal = losses.get("binary/focal")
    report = verify(focal, "binary", {"gamma": 0.0})
    assert report.failed == []
    assert math.isclose(len(report.outcomes), len(properties.names()))
