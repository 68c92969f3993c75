"""The lines of a leaderboard: a spec's losses, the grids of their options and its learning rates, one entry for each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from losscli.errors import SpecError
from losscli.losses import Bounds, Loss, find
from losscli.spec.model import Entry, LossChoice, Spec
from losscli.stack.models import Output
from losscli.tasks import tasks

MOST_ENTRIES = 10_000


def entries(spec: Spec) -> list[Entry]:
    """Every entry of a spec, in its order: losses, then their grids, then learning rates.

    Raises `SpecError` where two entries would be the same, or there are more than 10,000.
    """
    rates = spec.train.lr if isinstance(spec.train.lr, list) else [spec.train.lr]
    chosen = [(choice, find(choice.name, spec.task)) for choice in spec.loss]
    count = sum(math.prod(len(grid) for grid in _grids(loss, choice).values()) for choice, loss in chosen) * len(rates)
    if count > MOST_ENTRIES:
        raise SpecError(f"the grids make {count} entries, more than {MOST_ENTRIES}", cure="shorten the lists of options")
    found: dict[Any, Entry] = {}
    for choice, loss in chosen:
        for options, lr in product(_combinations(loss, choice), rates):
            entry = _entry(spec, choice, loss, options, lr)
            everything = {name: option.default for name, option in loss.options.items()} | options
            same = repr((loss.name, sorted(_comparable(everything).items()), entry.output, lr))
            if same in found:
                raise SpecError(f"two entries are the same: {found[same].name}", cure="remove one of them")
            found[same] = entry
    return list(found.values())


def _grids(loss: Loss, choice: LossChoice) -> dict[str, list[Any]]:
    """The values of each option. A list is a grid where the option is a number, one value where it is one per class."""
    return {
        name: value if isinstance(value, list) and isinstance(loss.options[name].accepts, Bounds) else [value]
        for name, value in choice.options.items()
    }


def _combinations(loss: Loss, choice: LossChoice) -> Iterator[dict[str, Any]]:
    grids = _grids(loss, choice)
    for values in product(*grids.values()):
        yield dict(zip(grids, values, strict=True))


def _entry(spec: Spec, choice: LossChoice, loss: Loss, options: dict[str, Any], lr: float) -> Entry:
    grids = {name for name, grid in _grids(loss, choice).items() if len(grid) > 1}
    words = [loss.name]
    words += [
        f"{name}={_short(value)}"
        for name, value in options.items()
        if name in grids or value != loss.options[name].default
    ]
    output = choice.output if choice.output is not None else spec.model.output
    if output != "auto":
        words.append(f"output={'+'.join(output) if isinstance(output, list) else output}")
    if isinstance(spec.train.lr, list) and len(spec.train.lr) > 1:
        words.append(f"lr={_short(lr)}")
    return Entry(" ".join(words), loss.name, options, _chain(output, loss, spec.task), lr)


def _chain(output: str | list[Output], loss: Loss, task: str) -> tuple[Output, ...]:
    """The activations between the last layer and the loss; `auto` is what gives the loss that which it expects."""
    if output == "auto":
        link: Any = tasks.get(task).links[loss.expects]
        return (link,) if link is not None else ()
    chain: Any = output if isinstance(output, list) else [output]
    return tuple(each for each in chain if each != "none")


def _comparable(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with 2 and 2.0 made the same."""
    return {
        name: float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
        for name, value in options.items()
    }


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
