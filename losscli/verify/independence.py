"""Who may depend on whom: runs on nobody, samples on their own row, options on their own run."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from losscli.errors import CodeError
from losscli.losses import Bounds, PerClass
from losscli.stack.head import Head
from losscli.stack.objective import Group
from losscli.tasks import tasks
from losscli.tasks.phases import LossInputs
from losscli.verify import Case, Sample, must
from losscli.verify.draw import choices, numbers, ordinary, width

RELATIVE, ABSOLUTE = 1e-10, 1e-12  # float64, where only the order of a sum may differ


def difference(values: Tensor, expected: Tensor, what: str) -> str | None:
    """None where two results are the same up to rounding; else the first place where they are not."""
    if values.shape != expected.shape:
        return f"{what}: the shape is {list(values.shape)}, not {list(expected.shape)}"
    wrong = ~torch.isclose(values.double(), expected.double(), rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    if not wrong.any():
        return None
    return f"{what}: {values[wrong][0].item():.6g}, not {expected[wrong][0].item():.6g}"


def over_batch(case: Case) -> str | None:
    """Why a property of single samples does not apply."""
    return "it is defined over a whole batch" if case.loss.over_batch else None


def on_nan(case: Case, prediction: Tensor, target: Tensor) -> Tensor:
    """The loss of a prediction that holds a NaN; `CodeError` says that it raises where it does."""
    try:
        return case.judge(prediction, target)
    except CodeError as error:
        message = f"it raises on a NaN, which would stop a whole stack: {error}"
        raise CodeError(message, place=error.problems[0].place, cure=error.problems[0].cure) from error


@must(
    "stack-equals-loop",
    "a stack of runs gives each run what it gets alone",
    why="all runs of a comparison are judged in one call; a loss that looks across them makes each depend on its rivals",
    draws=ordinary,
)
def stack_equals_loop(case: Case, sample: Sample) -> str | None:
    """The runs together, and one by one without a run dimension."""
    alone = [case.value(Sample(sample.raw[run], sample.target[run])) for run in range(len(sample.raw))]
    return difference(case.value(sample), torch.stack(alone), "together and alone")


@must(
    "nan-stays-in-its-run",
    "a NaN in one run leaves the values and gradients of the others as they were, bit for bit",
    why="one run that diverges must not take the whole stack with it",
    draws=ordinary,
)
def nan_stays(case: Case, sample: Sample) -> str | None:
    """The last run is poisoned."""
    sick = case.prediction(sample.raw).clone()
    sick[-1] = math.nan
    outcomes = []
    for judge, prediction in ((Case.judge, case.prediction(sample.raw)), (on_nan, sick)):
        leaf = prediction.detach().requires_grad_()
        values = judge(case, leaf, sample.target_as(torch.float64))
        slopes = torch.zeros_like(leaf)
        if values.requires_grad:
            (slopes,) = torch.autograd.grad(values.sum(), leaf, allow_unused=True, materialize_grads=True)
        outcomes.append((values.detach()[:-1], slopes[:-1]))
    for what, before, after in zip(("value", "gradient"), *outcomes, strict=True):
        if not torch.allclose(before, after, rtol=0, atol=0, equal_nan=True):
            return f"the {what} of another run changes"
    return None


@must(
    "order-does-not-matter",
    "permuting the samples permutes the result, or leaves the loss of the batch as it is",
    why="the order of a batch is chance; a loss that reads it learns noise",
    draws=ordinary,
)
def order_does_not_matter(case: Case, sample: Sample) -> str | None:
    """The samples of each run, the other way round."""
    flipped = case.value(Sample(sample.raw.flip(1), sample.target.flip(1)))
    values = case.value(sample)
    return difference(flipped, values if case.loss.over_batch else values.flip(1), "after turning the batch round")


class AsGiven(Head):
    """Between a model and a loss that gets what it is given."""

    def __init__(self) -> None:
        """It needs nothing of any run."""

    def receive(self, output: Tensor) -> Tensor:
        return output

    def truth(self, target: Tensor) -> Tensor:
        return target


def mean(case: Case, sample: Sample, weight: Tensor | None = None, class_weight: Tensor | None = None) -> Tensor:
    """The mean loss of each run as the engine computes it, [R]."""
    kernel = class_weight is not None and "weight" in case.loss.options
    fitted = dict(case.options) | ({"weight": class_weight} if kernel else {})
    options = {name: case.fitted(name, value, sample.raw) for name, value in fitted.items()}
    own = case.loss.examples(sample.raw, options)
    group = Group(case.loss, AsGiven(), options, None if kernel else class_weight, own)
    return group.judge(LossInputs((case.prediction(sample.raw),), sample.target_as(torch.float64), weight)).mean


@must(
    "weight-two-is-twice",
    "a sample of weight 2 counts as if its row were there twice",
    why="weighted means divide by the sum of weights; a sample whose loss depends on its neighbours cannot be weighted",
    draws=ordinary,
    unless=over_batch,
)
def weight_two_is_twice(case: Case, sample: Sample) -> str | None:
    """The first row, by weight and by repetition, through the engine's weighted mean."""
    weight = torch.ones(sample.raw.shape[:2], dtype=torch.float64)
    weight[:, 0] = 2
    twice = Sample(torch.cat([sample.raw, sample.raw[:, :1]], 1), torch.cat([sample.target, sample.target[:, :1]], 1))
    return difference(mean(case, sample, weight), mean(case, twice), "by weight and by repetition")


def _no_class_weight(case: Case) -> str | None:
    if not tasks.get(case.task).rows_have_one_class:
        return f"a row of task {case.task} has no one class"
    if "weight" in case.loss.options and case.options.get("label_smoothing"):
        return "label smoothing gives every row a part of every class"
    return over_batch(case)


@must(
    "class-weight-two-is-twice",
    "a class of weight 2 counts as if each of its rows were there twice",
    why="class weights stand in for more rows of a rare class, so they must do what more rows would do",
    draws=ordinary,
    unless=_no_class_weight,
)
def class_weight_two_is_twice(case: Case, sample: Sample) -> str | None:
    """Class 1, by weight and by repetition; run by run, since each has other rows of it."""
    classes = tasks.get(case.task).outcomes(width(case))
    assert classes is not None  # a row has one
    weight = torch.ones(1, 1, len(classes), dtype=torch.float64)
    weight[..., 1] = 2
    plain = Case(case.loss, case.task, {name: value for name, value in case.options.items() if name != "weight"})
    for run in range(len(sample.raw)):
        one, target = sample.raw[run : run + 1], sample.target[run : run + 1]
        positive = target[0] == 1
        twice = Sample(torch.cat([one, one[:, positive]], 1), torch.cat([target, target[:, positive]], 1))
        failure = difference(
            mean(plain, Sample(one, target), class_weight=weight), mean(plain, twice), "by weight and by repetition"
        )
        if failure:
            return failure
    return None


def _no_options(case: Case) -> str | None:
    return None if _per_run(case) else "it has no options that are numbers"


def _per_run(case: Case) -> Iterator[str] | list[str]:
    return [name for name, option in case.loss.options.items() if isinstance(option.accepts, (Bounds, PerClass))]


@must(
    "an-option-per-run",
    "an option that differs between runs gives each run what it gets alone",
    why="a grid of options is one call of the loss",
    draws=ordinary,
    unless=_no_options,
)
def an_option_per_run(case: Case, sample: Sample) -> str | None:
    """Every option that is a number or one per class, [R, 1] or [R, 1, K]."""
    prediction, target = case.prediction(sample.raw), sample.target_as(torch.float64)
    runs = len(sample.raw)
    for name in _per_run(case):
        values = _values(case, name, runs)
        inner = target.ndim - 1 if case.loss.per_value else 1
        stacked = values[:, None, :] if values.ndim == 2 else values.view(-1, *(1,) * inner)
        together = case.judge(prediction, target, **{name: stacked})
        alone = [
            case.judge(prediction[run], target[run], **{name: values[run] if values.ndim == 2 else float(values[run])})
            for run in range(runs)
        ]
        failure = difference(together, torch.stack(alone), f"{name} as one tensor and as a number of each run")
        if failure:
            return failure
    return None


def _values(case: Case, name: str, runs: int) -> Tensor:
    """A value of the option for each run, [R] or [R, K]."""
    option = case.loss.options[name]
    values = numbers(option.accepts) if isinstance(option.accepts, Bounds) else choices(option)
    return torch.tensor([values[run % len(values)] for run in range(runs)], dtype=torch.float64)
