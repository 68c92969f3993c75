"""The lines of a leaderboard: a spec's losses, the grids of their options, its learning rates; one entry for each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from losscli.activations import ACTIVATIONS, Output
from losscli.errors import SpecError
from losscli.losses import Bounds, Choice, Loss, Option, PerClass, Several, find
from losscli.losses.options import CLASS_WEIGHT
from losscli.spec.arenas import as_list
from losscli.spec.model import Entry, LossChoice, Spec
from losscli.tasks import tasks

MOST_ENTRIES = 10_000


def entries(spec: Spec) -> list[Entry]:
    """Every entry of a spec, in its order: losses, then their grids, then class weights, then learning rates.

    Raises `SpecError` where two entries would be the same, or there are more than 10,000.
    """
    choices = [(choice, find(choice.name, spec.task), _rates(spec, choice)) for choice in spec.loss]
    count = sum(
        math.prod(map(len, _grids(spec, loss, choice).values())) * len(rates) for choice, loss, rates in choices
    )
    if count > MOST_ENTRIES:
        raise SpecError(f"the lists make {count} entries, more than {MOST_ENTRIES}", cure="shorten the lists")
    rates_vary = len({rate for *_, rates in choices for rate in rates}) > 1
    by_identity: dict[str, Entry] = {}
    for choice, loss, rates in choices:
        for values, lr in product(_combinations(spec, loss, choice), rates):
            entry = _entry(spec, choice, loss, values, lr, rates_vary)
            identity = _identity(loss, entry)
            if identity in by_identity:
                raise SpecError(
                    f"two entries are the same: {by_identity[identity].name}",
                    cure=f"remove one of them, or try an equal under another name: `losscli explain {loss.name}` tells its kin",
                )
            by_identity[identity] = entry
    return list(by_identity.values())


def _rates(spec: Spec, choice: LossChoice) -> list[float]:
    return as_list(spec.train.lr) if choice.lr is None else [choice.lr]


def is_grid(option: Option, value: Any, task: str) -> bool:
    """Whether the value of an option is a list of values, each an entry of its own: not where a list is one value.

    A list of numbers is one value of an option per class; with anything else in it, such as null or balanced, it is a grid.
    """
    if not isinstance(value, list) or not value:
        return False
    accepts = option.accepts
    if isinstance(accepts, Several):
        return any(isinstance(part, list) for part in value)
    if isinstance(accepts, PerClass):
        one_label = accepts.of_labels and not tasks.get(task).rows_have_several_outputs
        return one_label or not all(type(part) in (int, float) for part in value)
    return isinstance(accepts, (Bounds, Choice))


def _grids(spec: Spec, loss: Loss, choice: LossChoice) -> dict[str, list[Any]]:
    """The values of each option; the class weights that the engine applies stand among them."""
    accepted = {"weight": CLASS_WEIGHT} | dict(loss.options)
    given = choice.options if choice.weight is None else {**choice.options, "weight": choice.weight}
    return {name: value if is_grid(accepted[name], value, spec.task) else [value] for name, value in given.items()}


def _combinations(spec: Spec, loss: Loss, choice: LossChoice) -> Iterator[dict[str, Any]]:
    grids = _grids(spec, loss, choice)
    for values in product(*grids.values()):
        yield dict(zip(grids, values, strict=True))


def _entry(spec: Spec, choice: LossChoice, loss: Loss, values: dict[str, Any], lr: float, rates_vary: bool) -> Entry:
    """One entry; its name tells what is not default, and what varies."""
    options = {name: value for name, value in values.items() if name in loss.options}
    weight = None if "weight" in options else values.get("weight")
    varying = {name for name, grid in _grids(spec, loss, choice).items() if len(grid) > 1}
    notable = {name: value for name, value in options.items() if name in varying or value != loss.options[name].default}
    output = choice.output if choice.output is not None else spec.model.output
    beside: dict[str, Any] = {}
    if weight is not None or ("weight" in varying and "weight" not in options):
        beside["weight"] = weight
    if output != "auto":
        beside["output"] = output
    if rates_vary or choice.lr is not None:
        beside["lr"] = lr
    name_parts = notable | beside
    if not rates_vary:
        name_parts.pop("lr", None)
    name = " ".join([loss.name, *(f"{key}={_text_of(key, value)}" for key, value in name_parts.items())])
    return Entry(name, loss.name, options, _chain(output, loss, spec.task), lr, weight, beside)


def _text_of(key: str, value: Any) -> str:
    return "+".join(value) if key == "output" and isinstance(value, list) else _short(value)


def _identity(loss: Loss, entry: Entry) -> str:
    """The same text for entries that would train the same: with defaults filled in, and 2 as 2.0."""
    options = {name: option.default for name, option in loss.options.items()} | dict(entry.options)
    parts = [f"{name}={_short(value)}" for name, value in sorted(options.items())]
    return repr((loss.name, parts, entry.output, entry.lr, _short(entry.weight)))


def _chain(output: str | list[Output], loss: Loss, task: str) -> tuple[Output, ...]:
    """The activations between the last layer and the loss; `auto` is what gives the loss that which it expects."""
    if output == "auto":
        link: Any = tasks.get(task).links[loss.expects]
        return (link,) if link is not None else ()
    chain: Any = output if isinstance(output, list) else [output]
    if any(ACTIVATIONS[name].across for name in chain) and not tasks.get(task).rows_have_several_outputs:
        raise SpecError(
            f"output: a softmax needs several outputs per row, and {task} has one, of which it would always make 1",
            cure="use sigmoid, or none",
        )
    return tuple(activation for activation in chain if activation != "none")


def _short(value: Any) -> str:
    """A value in the name of an entry: exact, without what says nothing.

    >>> _short(2.0), _short(0.25), _short([1.0, 2.5]), _short("balanced")
    ('2', '0.25', '[1,2.5]', 'balanced')
    """
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_short(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_short(item) for item in value) + "]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # larger ones keep their e notation
        return str(int(value))
    return "null" if value is None else str(value)
