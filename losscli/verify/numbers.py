"""What the numbers must be: slopes that are slopes, finite at the extremes, exact enough in few digits, and lower when right."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from losscli.tasks import tasks
from losscli.verify import Case, Sample, must
from losscli.verify.draw import extreme, few, many, ordinary, width
from losscli.verify.independence import on_nan, over_batch

STEP, SLOPE = 1e-6, 1e-4  # how far finite differences look, and how far they may be off
DIGITS, TINY = 2e-6, 3e-7  # float32 against float64
CLEAR = 4.0  # a prediction that leaves no doubt


@must(
    "gradient-is-the-slope",
    "the gradient of autograd equals finite differences in float64",
    why="a wrong gradient trains, slowly and to the wrong place; detach(), item() and rounding are the usual causes",
    draws=few,
    unless=lambda case: "it holds back a part of the gradient by definition" if case.loss.detached else None,
)
def gradient_is_the_slope(case: Case, sample: Sample) -> str | None:
    """torch.autograd.gradcheck; where it disagrees at a kink (slopes left and right differ), either slope will do."""
    leaf = case.prediction(sample.raw).detach().requires_grad_()
    target = sample.target_as(torch.float64)
    total = case.judge(leaf, target).sum()
    if not total.requires_grad:
        return "the result has no gradient: it does not depend on the prediction through torch operations"
    if torch.autograd.gradcheck(lambda x: case.judge(x, target), leaf, raise_exception=False):
        return None
    (slopes,) = torch.autograd.grad(total, leaf, allow_unused=True, materialize_grads=True)
    point, base = leaf.detach(), float(total.detach())
    for index in range(point.numel()):
        left, right = (
            sign * (case.judge(_moved(point, index, sign), target).detach().sum().item() - base) / STEP
            for sign in (-1, 1)
        )
        given = float(slopes.flatten()[index])
        kink = abs(right - left) > SLOPE * max(1.0, abs(left), abs(right))
        if not kink and not abs(given - (left + right) / 2) <= SLOPE * max(1.0, abs(given)):
            return f"the slope is {(left + right) / 2:.5g}, and the gradient says {given:.5g}"
    return None


def _moved(point: Tensor, index: int, sign: int) -> Tensor:
    moved = point.clone()
    moved.view(-1)[index] += sign * STEP
    return moved


def _finite(case: Case, sample: Sample, dtype: torch.dtype) -> str | None:
    leaf = case.prediction(sample.raw.to(dtype)).detach().requires_grad_()
    values = case.judge(leaf, sample.target_as(dtype))
    if not values.isfinite().all():
        return f"the value is {values[~values.isfinite()][0].item():g}"
    if values.requires_grad:
        (slopes,) = torch.autograd.grad(values.sum(), leaf, allow_unused=True, materialize_grads=True)
        if not slopes.isfinite().all():
            return f"the gradient is {slopes[~slopes.isfinite()][0].item():g}"
    return None


@must(
    "finite-at-extremes",
    "value and gradient are finite for outputs up to 1e4 in float32 (1e-30 and 0 too; logarithms up to 30)",
    why="one infinity or NaN ends a run: log(sigmoid(x)), exp(x) and sqrt(0) are the usual causes",
    draws=extreme,
)
def finite_at_extremes(case: Case, sample: Sample) -> str | None:
    """Every corner with every target."""
    return _finite(case, sample, torch.float32)


@must(
    "finite-in-half-precision",
    "value and gradient are finite in float32, float16 and bfloat16, and the result is of that type or float32",
    why="mixed precision feeds a loss float16, whose largest number is 65504 and whose smallest step near 1 is 0.001",
    draws=ordinary,
)
def finite_in_half_precision(case: Case, sample: Sample) -> str | None:
    """Numbers of ordinary size."""
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        failure = _finite(case, sample, dtype)
        result = case.value(sample, dtype).dtype
        if failure is None and result not in (dtype, torch.float32):
            failure = f"the result is {str(result).removeprefix('torch.')}"
        if failure:
            return f"in {str(dtype).removeprefix('torch.')}: {failure}"
    return None


@must(
    "float32-keeps-its-digits",
    "float32 gives what float64 gives, to 2e-6 of the value",
    why="1 - sigmoid(x) and log(1 + exp(x)) lose digits where a model is confident, and with them the gradient",
    draws=many,
)
def float32_keeps_its_digits(case: Case, sample: Sample) -> str | None:
    """The same rounded inputs in both."""
    prediction, target = case.prediction(sample.raw.float()), sample.target_as(torch.float32)
    rough = case.judge(prediction, target).double()
    exact = case.judge(prediction.double(), target.double() if target.is_floating_point() else target).double()
    wrong = ~torch.isclose(rough, exact, rtol=DIGITS, atol=TINY, equal_nan=True)
    return f"float32 gives {rough[wrong][0]:.9g}, float64 gives {exact[wrong][0]:.9g}" if wrong.any() else None


@must(
    "nan-is-shown",
    "a NaN in a prediction is a NaN in the loss of its sample, and in no other",
    why="a clamp or a maximum that hides NaN lets a run that has diverged look well",
    draws=ordinary,
    unless=over_batch,
)
def nan_is_shown(case: Case, sample: Sample) -> str | None:
    """The first sample of each run is poisoned."""
    prediction = case.prediction(sample.raw).clone()
    prediction[:, 0] = math.nan
    hidden = on_nan(case, prediction, sample.target_as(torch.float64)).isnan()
    if not hidden[:, 0].all():
        return "a NaN is hidden"
    return "a NaN spreads to other samples" if hidden[:, 1:].any() else None


def _no_direction(case: Case) -> str | None:
    if case.loss.heads is not None and case.loss.expects != "rank-logits":
        return "it has several outputs per target"
    return None


@must(
    "lower-when-right",
    "clear right predictions cost less than clear wrong ones",
    why="a minus sign too many, or classes in another order, trains towards the wrong answer",
    draws=few,
    unless=_no_direction,
)
def lower_when_right(case: Case, sample: Sample) -> str | None:
    """The whole batch right, and the whole batch wrong."""
    ends = tasks.get(case.task).extremes(sample.target, width(case), case.loss.expects, CLEAR)
    costs = [case.value(Sample(raw, sample.target)).detach().mean().item() for raw in ends]
    return None if costs[0] < costs[1] else f"right costs {costs[0]:.4g}, wrong costs {costs[1]:.4g}"
