"""All that is known of one loss, as plain data: the terminal, JSON and HTML show the same page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from inspect import Parameter
from typing import Any

from losscli.explain.curve import Curve, curves, slopes_where_lost
from losscli.explain.properness import Properness, properness
from losscli.explain.tags import tags_of
from losscli.losses import Bounds, Choice, Loss, Option, PerClass, Several, for_task, losses
from losscli.tasks import tasks


@dataclass(frozen=True)
class OptionLine:
    """One option: its default as it would be written in a spec (empty where it must be given), and what it takes."""

    name: str
    default: str
    takes: str


@dataclass(frozen=True)
class Reading:
    """How the predictions may be read, with the options that `name` tells."""

    name: str
    verdict: str
    meaning: str
    curve: tuple[tuple[float, float], ...]
    link: bool  # the cheapest output can be turned back into the true probabilities
    weights: tuple[float, ...]  # of the classes in the error that it decides rightly for; empty for plain errors


@dataclass(frozen=True)
class Side:
    """One side of a pair: its slope where scores are even, and where the discriminator is sure of a made-up row."""

    name: str
    even: float
    sure: float


@dataclass(frozen=True)
class Page:
    """One loss. `use`, `avoid` and `asked` are empty where its docstring says nothing; `readings` where it is for numbers;
    `sides` where it is one function.
    """

    name: str
    task: str
    serves: tuple[str, ...]
    other_tasks: tuple[str, ...]
    summary: str
    use: str
    avoid: str
    expects: str
    target: str
    formula: str
    source: str
    kin: str
    elsewhere: tuple[tuple[str, str], ...]
    aliases: tuple[str, ...]
    options: tuple[OptionLine, ...]
    tags: tuple[str, ...]
    readings: tuple[Reading, ...]
    curves: tuple[Curve, ...]
    asked: str = ""
    sides: tuple[Side, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The page as JSON takes it: no tuple, and null for what is not finite."""
        fields: dict[str, Any] = _plain(asdict(self))
        return fields | {"elsewhere": dict(self.elsewhere)}


def page(item: Loss, settings: Sequence[Mapping[str, Any]] = ({},)) -> Page:
    """The page of a loss; with several `settings` of its options, a curve and a reading of each.

    >>> from losscli.losses import find
    >>> shown = page(find("focal", "binary"), [{"gamma": 0.0}, {"gamma": 2.0}])
    >>> [(reading.name, reading.verdict) for reading in shown.readings]
    [('focal gamma=0', 'strictly proper'), ('focal gamma=2', 'classification-calibrated')]
    """
    variants = [(called(item, options), options, properness(item, options)) for options in settings]
    at_defaults = next((result for _, options, result in variants if not options), None)
    return Page(
        item.name,
        item.task,
        tuple(task for task in tasks.names() if for_task(task).get(item.name) is item),
        tuple(sorted({other.task for other in losses if other.name == item.name} - {item.task})),
        item.summary,
        item.section("Use"),
        item.section("Avoid"),
        item.expects,
        item.target,
        item.section("Formula"),
        item.section("Source"),
        item.section("Kin"),
        elsewhere(item),
        item.aliases,
        tuple(_line(option) for option in item.options.values()),
        tags_of(item, at_defaults),
        tuple(_reading(name, result) for name, _, result in variants if result is not None),
        tuple(curve for name, options, _ in variants for curve in curves(item, options, name)),
        item.section("Asked"),
        tuple(Side(name, *slopes) for name, slopes in slopes_where_lost(item, settings[0]).items()),
    )


def called(item: Loss, options: Mapping[str, Any]) -> str:
    """A loss with options, as a leaderboard would name it.

    >>> from losscli.losses import find
    >>> called(find("focal", "binary"), {"gamma": 2.0})
    'focal gamma=2'
    """
    return " ".join([item.name, *(f"{name}={written(value)}" for name, value in options.items())])


def elsewhere(item: Loss) -> tuple[tuple[str, str], ...]:
    """What other libraries call the same thing, from the docstring: `Elsewhere: torch BCELoss; Keras BinaryCrossentropy.`

    >>> from losscli.losses import find
    >>> dict(elsewhere(find("hinge", "binary")))["Keras"]
    'Hinge'
    """
    parts = (part.strip().rstrip(".") for part in item.section("Elsewhere").split(";"))
    pairs = (part.partition(" ") for part in parts if part)
    return tuple((library, name.strip()) for library, _, name in pairs)


def _reading(name: str, result: Properness) -> Reading:
    weights = result.costs.weights if result.costs else ()
    return Reading(name, result.verdict, result.meaning, result.curve, result.link, weights)


def _line(option: Option) -> OptionLine:
    return OptionLine(option.name, "" if option.default is Parameter.empty else written(option.default), _takes(option))


def _takes(option: Option) -> str:
    accepts = option.accepts
    if isinstance(accepts, Choice):
        return " | ".join(accepts.names)
    if isinstance(accepts, Several):
        return f"numbers {accepts.bounds}"
    if isinstance(accepts, PerClass):
        return " | ".join([f"number {accepts.bounds}, one for all or per class", *accepts.rules])
    assert isinstance(accepts, Bounds)
    return f"number {accepts}" + (", or null" if option.optional else "")


def written(value: Any) -> str:
    """A value of an option as it would be written in a spec."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(written, value)) + "]"
    return "null" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
