"""The lines of a leaderboard: a spec's losses, the grids of their options, its learning rates; one entry for each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from losscli.errors import SpecError
from losscli.losses import Bounds, Choice, Loss, Option, Several, find
from losscli.spec.arenas import as_list
from losscli.spec.model import Entry, LossChoice, Spec
from losscli.stack.models import Output
from losscli.tasks import tasks

MOST_ENTRIES = 10_000


def entries(spec: Spec) -> list[Entry]:
    """Every entry of a spec, in its order: losses, then their grids, then learning rates.

    Raises `SpecError` where two entries would be the same, or there are more than 10,000.
    """
    chosen = [(choice, find(choice.name, spec.task), _rates(spec, choice)) for choice in spec.loss]
    count = sum(math.prod(map(len, _grids(loss, choice).values())) * len(rates) for choice, loss, rates in chosen)
    if count > MOST_ENTRIES:
        raise SpecError(f"the lists make {count} entries, more than {MOST_ENTRIES}", cure="shorten the lists")
    rates_vary = len({rate for *_, rates in chosen for rate in rates}) > 1
    found: dict[str, Entry] = {}
    for choice, loss, rates in chosen:
        for options, lr in product(_combinations(loss, choice), rates):
            entry = _entry(spec, choice, loss, options, lr, rates_vary)
            same = _identity(loss, entry)
            if same in found:
                raise SpecError(f"two entries are the same: {found[same].name}", cure="remove one of them")
            found[same] = entry
    return list(found.values())


def _rates(spec: Spec, choice: LossChoice) -> list[float]:
    return as_list(spec.train.lr) if choice.lr is None else [choice.lr]


def is_grid(option: Option, value: Any) -> bool:
    """Whether the value of an option is a list of values, each an entry of its own: not where a list is one value."""
    if isinstance(option.accepts, Several):
        return isinstance(value, list) and any(isinstance(part, list) for part in value)
    return isinstance(value, list) and isinstance(option.accepts, (Bounds, Choice))


def _grids(loss: Loss, choice: LossChoice) -> dict[str, list[Any]]:
    """The values of each option."""
    return {name: value if is_grid(loss.options[name], value) else [value] for name, value in choice.options.items()}


def _combinations(loss: Loss, choice: LossChoice) -> Iterator[dict[str, Any]]:
    grids = _grids(loss, choice)
    for values in product(*grids.values()):
        yield dict(zip(grids, values, strict=True))


def _entry(spec: Spec, choice: LossChoice, loss: Loss, options: dict[str, Any], lr: float, rates_vary: bool) -> Entry:
    """One entry; its name tells what is not default, and what varies."""
    varying = {name for name, grid in _grids(loss, choice).items() if len(grid) > 1}
    told = {name: value for name, value in options.items() if name in varying or value != loss.options[name].default}
    output = choice.output if choice.output is not None else spec.model.output
    if choice.weight is not None:
        told["weight"] = choice.weight
    if output != "auto":
        told["output"] = "+".join(output) if isinstance(output, list) else output
    if rates_vary:
        told["lr"] = lr
    name = " ".join([loss.name, *(f"{key}={_short(value)}" for key, value in told.items())])
    return Entry(name, loss.name, options, _chain(output, loss, spec.task), lr, choice.weight)


def _identity(loss: Loss, entry: Entry) -> str:
    """The same text for entries that would train the same: with defaults filled in, and 2 as 2.0."""
    options = {name: option.default for name, option in loss.options.items()} | dict(entry.options)
    told = [f"{name}={_short(value)}" for name, value in sorted(options.items())]
    return repr((loss.name, told, entry.output, entry.lr, _short(entry.weight)))


def _chain(output: str | list[Output], loss: Loss, task: str) -> tuple[Output, ...]:
    """The activations between the last layer and the loss; `auto` is what gives the loss that which it expects."""
    if output == "auto":
        link: Any = tasks.get(task).links[loss.expects]
        return (link,) if link is not None else ()
    chain: Any = output if isinstance(output, list) else [output]
    return tuple(each for each in chain if each != "none")


def _short(value: Any) -> str:
    """A value in the name of an entry: exact, without what says nothing.

    >>> _short(2.0), _short(0.25), _short([1.0, 2.5]), _short("balanced")
    ('2', '0.25', '[1,2.5]', 'balanced')
    """
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_short(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_short(each) for each in value) + "]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "null" if value is None else str(value)
