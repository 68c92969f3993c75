"""What is wrong with the options given to a loss: all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from losscli.errors import Problem, SpecError, choose_from, nearest, shown
from losscli.lazy import Tensor
from losscli.losses import Bounds, Choice, Loss, Option, PerClass, Several
from losscli.tasks import tasks

CLASS_WEIGHT = Option("weight", None, PerClass())  # what every loss of classes takes, whether its kernel does or not


def check_options(item: Loss, options: Mapping[str, Any]) -> None:
    """Refuse an option that the loss does not have or that is missing, or a value outside its bounds: all mistakes in one
    `SpecError`.
    """
    problems = [*missing_from(item, options), *problems_of(item, options)]
    if problems:
        raise SpecError(problems)


def problems_of(loss: Loss, options: Mapping[str, Any]) -> list[Problem]:
    """Unknown options, wrong types, and numbers outside their bounds; a list is a grid, or one number per class."""
    problems: list[Problem] = []
    for name, value in options.items():
        if name not in loss.options:
            problems.append(_unknown(loss, str(name)))
        elif not (value is None and loss.options[name].optional):
            problems += _refused(loss, loss.options[name], value)
    return problems


def problems_of_weight(loss: Loss, task: str, value: Any) -> list[Problem]:
    """What is wrong with class weights for a loss that does not weigh classes itself."""
    serves = tasks.get(task)
    if not serves.rows_have_one_class or loss.over_batch:
        why = "is defined over a whole batch" if loss.over_batch else f"serves {task}, where rows have no one class"
        return [Problem(f"{loss.name} takes no class weights: it {why}", cure="leave weight out")]
    every = isinstance(value, Mapping) and len(value) > 1 and not serves.outputs_compete  # no or yes: both are named
    return [] if value is None else _refused(loss, CLASS_WEIGHT, list(value.values()) if every else value)


def missing_from(loss: Loss, options: Mapping[str, Any]) -> list[Problem]:
    """The options without a default that are not given: at most one problem, which names them all."""
    required = [option for option in loss.options.values() if option.required]
    absent = [option.name for option in required if option.name not in options]
    if not absent:
        return []
    example = ", ".join(f"{option.name}: {_instance(option)}" for option in required)
    return [
        Problem(
            f"{loss.name} needs {' and '.join(absent)}, which {'has' if len(absent) == 1 else 'have'} no default",
            cure=f"for example {{name: {loss.name}, {example}}}",
        )
    ]


def _instance(option: Option) -> str:
    """A value that a required option accepts."""
    accepts = option.accepts
    if isinstance(accepts, Choice):
        return accepts.names[0]
    bounds = accepts if isinstance(accepts, Bounds) else accepts.bounds
    example = next((number for number in (1.0, 0.5, bounds.high, bounds.low) if bounds.allow(number)), None)
    return f"[{example}]" if isinstance(accepts, Several) else str(example)


def _unknown(loss: Loss, name: str) -> Problem:
    if not loss.options:
        return Problem(f"{loss.name} has no option {shown(name)}", cure=f"{loss.name} has no options")
    return Problem(f"{loss.name} has no option {shown(name)}", cure=choose_from(name, loss.options))


def _refused(loss: Loss, option: Option, value: Any) -> list[Problem]:
    accepts = option.accepts
    if isinstance(accepts, Choice):
        return [_unlisted(loss, option, accepts, word) for word in _listed(value) if word not in accepts.names]
    bounds = accepts if isinstance(accepts, Bounds) else accepts.bounds
    if isinstance(accepts, Several):
        if not isinstance(value, (list, tuple, Tensor)):
            return [_outside(loss, option, bounds, value)]
        values = [number for part in _listed(value) for number in _listed(part)]
    elif isinstance(accepts, PerClass):
        if isinstance(value, str):
            return [] if value in accepts.rules else [_unruly(loss, option, accepts, value)]
        values = list(value.values()) if isinstance(value, Mapping) else _listed(value)
    elif isinstance(value, (str, Mapping)):
        return [_outside(loss, option, bounds, value)]
    else:
        values = _listed(value)
    if not values:
        return [Problem(f"{loss.name}: {option.name} is an empty list", cure=f"give a number {bounds}")]
    several = isinstance(accepts, PerClass) and isinstance(value, (list, tuple, Mapping))
    problems = [_outside(loss, option, bounds, number, several) for number in values if not _allowed(bounds, number)]
    # The labels that a mapping does not name count 1; which they are only the data tell.
    if not problems and isinstance(accepts, PerClass) and not any(values) and not isinstance(value, Mapping):
        problems = [
            Problem(f"{loss.name}: {option.name} is all zero: no row would count", cure="give a positive weight")
        ]
    return problems


def _unlisted(loss: Loss, option: Option, accepts: Choice, value: Any) -> Problem:
    return Problem(
        f"{loss.name}: {option.name} must be one of {', '.join(accepts.names)}, and {shown(value)} is given",
        cure=choose_from(str(value), accepts.names),
    )


def _listed(value: Any) -> list[Any]:
    if isinstance(value, Tensor):
        return list(value.flatten().tolist())
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _allowed(bounds: Bounds, value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and bounds.allow(float(value))


def _outside(loss: Loss, option: Option, bounds: Bounds, value: Any, several: bool = False) -> Problem:
    requirement = f"must hold one number {bounds} per class" if several else f"must be a number {bounds}"
    if isinstance(value, Mapping) and value:
        cure = "a number for each class is what weight takes, beside the loss or among its options: weight: {LABEL: NUMBER}"
        return Problem(f"{loss.name}: {option.name} {requirement}, and not one per class", cure=cure)
    return Problem(f"{loss.name}: {option.name} {requirement}, and {shown(value)} is given", cure=_example(option))


def _unruly(loss: Loss, option: Option, accepts: PerClass, value: str) -> Problem:
    close = nearest(value, accepts.rules)
    return Problem(
        f"{loss.name}: {option.name} is one or more numbers {accepts.bounds}, or {' or '.join(accepts.rules)}, "
        f"and {shown(value)} is given",
        cure=f"did you mean {close}?" if close else _example(option),
    )


def _example(option: Option) -> str:
    if option.required:
        return f"for example {option.name}: {_instance(option)}"
    default = "null" if option.optional else str(option.default)
    return f"the default is {option.name}: {default}"
