"""A loss for use in Python: what it is given is checked before the kernel runs.

torch broadcasts [N, 1] against [N] without a word, takes a target of 2 for a probability, and finds a cross-entropy of
one class to be 0 for ever. Here each of these is an error with a cure. The engine calls `Loss.function` directly, since
a task has shaped and decoded what it gives.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from losscli.activations import ACTIVATIONS
from losscli.errors import DataError, SpecError, shown
from losscli.lazy import Tensor, torch
from losscli.losses import SHARES, Choice, Loss, PerClass, Several
from losscli.losses.domain import DOMAINS
from losscli.losses.finite import widened
from losscli.losses.options import check_options
from losscli.losses.pages import see
from losscli.tasks import Task, tasks

CLASS_TARGETS = ("class index", "class index or probabilities", "class rank", "probabilities", "probabilities in order")
LABEL_TARGETS = ("class label", "class label or pairs")
CLOSE = 1e-3  # how far a sum of probabilities may be from 1: float16 has three digits


def guarded(item: Loss, options: Mapping[str, Any], task: str | None = None) -> Callable[[Any, Any], Tensor]:
    """The loss as a function of (prediction, target), one number per sample.

    `task` is the task that it serves, where that is not its home: multilabel averages over the labels, the last
    dimension. Raises `SpecError` for a wrong option; the function raises `DataError` for wrong tensors.

    >>> from losscli.losses import find
    >>> guarded(find("hinge", "binary"), {"margin": 2.0})([0.5, 3.0], [1, 1]).tolist()
    [1.5, 0.0]
    """
    check_options(item, options)
    _refuse_missing_counts(item, options)
    settings = {name: _setting(item, name, value) for name, value in options.items()}
    serves = tasks.get(task or item.task)
    over_labels = item.averages_for(serves.name)

    def call(prediction: Any, target: Any, **learned: Any) -> Tensor:
        predicted, truth = widened(_tensor(prediction, "prediction")), _tensor(target, "target")
        _check_prediction(item, predicted, serves)
        _check_heads(item, predicted, settings)
        read = _labels if item.target in LABEL_TARGETS else _values
        read = _distribution if serves.domain in SHARES else _classes if item.target in CLASS_TARGETS else read
        truth = read(item, predicted, truth.to(predicted.device))
        width = _width(item, predicted) if item.target in CLASS_TARGETS or over_labels else 1
        own = _learned(item, predicted, learned)
        values = item.value(predicted, truth, _fitted(item, settings, predicted, width), own)
        return values.mean(-1) if over_labels else values

    call.__name__ = item.name.replace("-", "_")
    call.__doc__ = item.function.__doc__
    return call


def _refuse_missing_counts(item: Loss, options: Mapping[str, Any]) -> None:
    """What the training split knows of the classes must be told to a function, which has none."""
    for name, option in item.options.items():
        if option.default == "training" and isinstance(options.get(name, option.default), str):
            raise SpecError(
                f"{item.name}: {name} must be given: how many training rows each class has, in the order of the classes",
                cure=f"{name}=torch.bincount(labels, minlength=classes), of the labels that are trained on",
            )


def _setting(item: Loss, name: str, value: Any) -> Any:
    """An option as the kernel takes it: a number, or a tensor of one number per class."""
    per_class = isinstance(item.options[name].accepts, PerClass)
    if isinstance(value, str) and isinstance(item.options[name].accepts, Choice):
        return value
    if isinstance(value, (str, Mapping)):
        raise SpecError(
            f"{item.name}: {name} {shown(value)} needs a training split with labels, and a function has none",
            cure="give one number per class, in the order of the classes",
        )
    if isinstance(value, (list, tuple)):
        if isinstance(item.options[name].accepts, Several) and not any(isinstance(one, (list, tuple)) for one in value):
            return list(value)
        if not per_class:
            raise SpecError(f"{item.name}: {name} takes one number here", cure="a list is a grid in a spec only")
        return torch.tensor(value, dtype=torch.float64)
    return value


def _tensor(given: Any, what: str) -> Tensor:
    try:
        tensor = torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"the {what} must be numbers in a tensor, and {shown(given)} is not: {error}") from error
    if tensor.is_complex():
        raise DataError(f"the {what} must hold real numbers, and it holds {tensor.dtype}")
    if tensor.ndim == 0:
        raise DataError(f"the {what} must have a dimension of samples, and it is one number", cure="give a tensor [B]")
    if tensor.numel() == 0:
        raise DataError(f"the {what} is empty: its shape is {list(tensor.shape)}", cure="give at least one sample")
    return tensor


def _check_prediction(item: Loss, prediction: Tensor, serves: Task) -> None:
    if not prediction.is_floating_point():
        raise DataError(
            f"{item.name}: the prediction must hold floating-point numbers, and it holds {prediction.dtype}",
            cure="give what the model puts out, or prediction.float()",
        )
    if bool(prediction.isnan().any()):
        raise DataError(
            f"{item.name}: the prediction holds NaN", cure="the model has diverged; lower its learning rate"
        )
    if serves.target_ndim > 1 and prediction.ndim < 2:
        raise DataError(f"{item.name} for {serves.name} needs shape [B, L], and {list(prediction.shape)} is given")
    if item.expects == "probabilities":
        cure = f"pass the model's output through sigmoid or softmax first; {see('logits-into-bce')} shows the cost"
        _refuse_outside(item, prediction, "prediction", cure)
    if item.target in CLASS_TARGETS:
        _check_classes(item, prediction)


def _check_classes(item: Loss, prediction: Tensor) -> None:
    if prediction.ndim < 2:
        raise DataError(f"{item.name}: the prediction must be [B, K], and its shape is {list(prediction.shape)}")
    if _width(item, prediction) < 2:
        raise DataError(
            f"{item.name}: one class is always right, so the loss is the same for ever; the shape is "
            f"{list(prediction.shape)}",
            cure="put out one logit per class, or use bce-logits for task binary with shape [B]",
        )
    if item.expects in ("probabilities", "log-probabilities"):
        given = prediction.exp() if item.expects == "log-probabilities" else prediction
        _check_sums(item, given, "prediction", f"pass the model's output through {_link(item)} first")


def _link(item: Loss) -> str:
    """The function that makes what the loss expects of raw outputs."""
    return ACTIVATIONS[tasks.get(item.task).links[item.expects] or "none"].written


def _width(item: Loss, prediction: Tensor) -> int:
    """How many classes or labels there are: one output for each, or one for each step between two ranks."""
    return prediction.shape[-1] + (item.expects == "rank-logits")


def _check_sums(item: Loss, probabilities: Tensor, what: str, cure: str) -> None:
    sums = probabilities.sum(-1)
    worst = sums.flatten()[(sums - 1).abs().flatten().argmax()].item()
    if not abs(worst - 1) <= CLOSE:
        raise DataError(
            f"{item.name}: probabilities of the {what} must sum to 1 over the classes, and a row sums to {worst:.4g}",
            cure=cure,
        )


def _check_heads(item: Loss, prediction: Tensor, settings: Mapping[str, Any]) -> None:
    """Several outputs for one number, as many as the kind of loss or its options say."""
    if item.heads is None or item.target in CLASS_TARGETS:
        return
    needed = item.heads(1, settings)
    if prediction.ndim < 2 or prediction.shape[-1] != needed:
        raise DataError(
            f"{item.name}: the prediction must be [B, {needed}] ({item.expects}), and its shape is "
            f"{list(prediction.shape)}",
            cure=f"put out {needed} numbers per target",
        )


def _classes(item: Loss, prediction: Tensor, target: Tensor) -> Tensor:
    """A target of classes, as indices or as probabilities."""
    classes = _width(item, prediction)
    if target.is_floating_point():
        return _distribution(item, prediction, target)
    if target.shape != prediction.shape[:-1]:
        raise DataError(
            f"{item.name}: a prediction {list(prediction.shape)} needs class indices {list(prediction.shape[:-1])}, "
            f"and the target is {list(target.shape)}",
            cure="one class index per sample; for [N, 1] use target.squeeze(-1)",
        )
    target = target.long()
    low, high = int(target.min()), int(target.max())
    if low < 0 or high >= classes:
        word = "rank" if item.target == "class rank" else "class index"
        raise DataError(
            f"{item.name}: a {word} must be 0 to {classes - 1}, and {low if low < 0 else high} is given",
            cure="leave out the rows to be ignored: no index means ignore" if low < 0 else _more_outputs(item),
        )
    return target


def _more_outputs(item: Loss) -> str:
    per = "step between two ranks" if item.expects == "rank-logits" else "class"
    return f"put out one logit per {per}; {see('targets-beyond-outputs')} shows the mistake"


def _distribution(item: Loss, prediction: Tensor, target: Tensor) -> Tensor:
    if not item.takes_shares:
        raise DataError(
            f"{item.name}: the target must hold class indices, and it holds {target.dtype}",
            cure="target.argmax(-1)" if target.shape == prediction.shape else "target.long()",
        )
    if not target.is_floating_point():
        raise DataError(
            f"{item.name}: the target must hold probabilities over the classes, and it holds {target.dtype}",
            cure=f"one_hot(target, {prediction.shape[-1]}).float() for class indices; counts / counts.sum(-1, keepdim=True)",
        )
    if target.shape != prediction.shape:
        raise DataError(
            f"{item.name}: probabilities as a target must be {list(prediction.shape)} like the prediction, and "
            f"they are {list(target.shape)}",
            cure="for class indices use target.long()"
            if item.target.startswith("class")
            else "give one number per class",
        )
    _refuse_outside(item, target, "target", "give probabilities over the classes")
    _check_sums(item, target, "target", "divide each row by its sum")
    return target.to(prediction.dtype)


def _values(item: Loss, prediction: Tensor, target: Tensor) -> Tensor:
    """A target of one number per output, or per several heads of one."""
    if target.shape != (prediction.shape if item.heads is None else prediction.shape[:-1]):
        requirement = "the same shape" if item.heads is None else "the same shape but for the last dimension"
        raise DataError(
            f"{item.name}: prediction and target must have {requirement}, and they are {list(prediction.shape)} and "
            f"{list(target.shape)}",
            cure="squeeze(-1) the one that is [N, 1]: broadcasting would compare every sample with every other; "
            f"{see('broadcast-n1-n')} shows the cost",
        )
    if not bool(torch.isfinite(target).all()):
        raise DataError(f"{item.name}: the target holds NaN or infinity", cure="leave out the rows without a target")
    domain = DOMAINS[item.target]
    stray = target[~domain.holds(target)]
    if stray.numel():
        raise DataError(
            f"{item.name}: the target must be {domain.description}, and {stray[0].item():g} is given", cure=domain.cure
        )
    return target.to(prediction.dtype)


def _labels(item: Loss, prediction: Tensor, target: Tensor) -> Tensor:
    """A class for each vector, a whole number from 0; or 1 and 0 for pairs that are the same and that are not."""
    if prediction.ndim < 2 or target.shape != prediction.shape[:-1]:
        raise DataError(
            f"{item.name}: vectors [B, D] need labels [B], and they are {list(prediction.shape)} and {list(target.shape)}",
            cure="one label for each vector",
        )
    if not target.is_floating_point():
        if bool((target < 0).any()):  # as -100 marks rows that do not count elsewhere: here it would be a class
            raise DataError(
                f"{item.name}: labels count from 0, and {int(target.min())} is given",
                cure="leave out rows without a class",
            )
        _notice(item, target)
        return target.long()
    if item.target != LABEL_TARGETS[1]:
        raise DataError(f"{item.name}: labels must be whole numbers, and they are {target.dtype}", cure="target.long()")
    if target.shape[-1] % 2 or not bool(((target == 0) | (target == 1)).all()):
        raise DataError(
            f"{item.name}: floating-point labels are those of pairs, 1 or 0 for rows 2 i and 2 i + 1, and these are not",
            cure="target.long() for classes",
        )
    return target


def _notice(item: Loss, labels: Tensor) -> None:
    """A warning where a batch lacks what a loss without weights of its own compares."""
    if item.weights or labels.ndim > 1:
        return
    counts = torch.unique(labels, return_counts=True)[1]
    lack = (
        "no two rows of one class"
        if counts.max() < 2
        else "no two rows of different classes"
        if len(counts) < 2
        else ""
    )
    if lack:
        warnings.warn(f"{item.name}: the batch has {lack}; what it lacks costs 0 and teaches nothing", stacklevel=4)


def _learned(item: Loss, prediction: Tensor, given: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights of the loss's own, which Python must give: `SpecError` where one is missing or no one's."""
    wrong = [
        *(name for name in item.weights if name not in given),
        *(name for name in given if name not in item.weights),
    ]
    if wrong:
        needs = (
            f"takes {' and '.join(item.weights)}, one vector for each class [C, D]" if item.weights else "takes none"
        )
        raise SpecError(
            f"{item.name}: what it learns itself is given by name; it {needs}",
            cure=f"call it with {wrong[0]}=torch.randn(classes, D)" if item.weights else f"leave {wrong[0]} out",
        )
    return {name: _tensor(given[name], name).to(prediction) for name in item.weights}


def _refuse_outside(item: Loss, numbers: Tensor, what: str, cure: str) -> None:
    stray = numbers[~((numbers >= 0) & (numbers <= 1))]
    if stray.numel():
        raise DataError(f"{item.name}: the {what} must be 0 to 1, and {stray[0].item():g} is given", cure=cure)


def _fitted(item: Loss, settings: Mapping[str, Any], prediction: Tensor, width: int) -> dict[str, Any]:
    """The options in the prediction's number type, with one number for each of its `width` classes or labels."""
    fitted = dict(settings)
    for name, value in settings.items():
        counted = item.options[name].default == "training"
        if counted and not (isinstance(value, Tensor) and value.ndim):
            raise SpecError(f"{item.name}: {name} must be one number for each of {width} classes, and {value} is given")
        if isinstance(value, Tensor):  # a count may be more than float16 holds
            fitted[name] = value.to(prediction.device) if counted else value.to(prediction)
        per_class = isinstance(item.options[name].accepts, PerClass)
        if per_class and isinstance(value, Tensor) and value.ndim and value.shape[-1] != width:
            given = value.shape[-1]
            raise SpecError(f"{item.name}: {name} must be one number for each of {width}, and {given} are given")
    return fitted
