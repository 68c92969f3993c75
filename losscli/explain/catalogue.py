"""Looking things up: the losses that match a wish, the losses that names mean, and the values that an option is to take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import getdoc
from itertools import product
from typing import Any

from losscli.errors import SpecError, choose_from, shown
from losscli.explain.facts import MEANINGS, Facts, stored
from losscli.losses import REQUIRED, Loss, Several, by_name, catalogue, find, unknown
from losscli.losses.options import check_options
from losscli.tasks import tasks

MOST_SETTINGS = 8  # values of options drawn over each other: as many as there are colours


@dataclass(frozen=True)
class Line:
    """One loss in the table."""

    item: Loss
    tags: tuple[str, ...]
    verdict: str  # empty for a loss of numbers

    def to_json(self) -> dict[str, Any]:
        item = self.item
        return {
            "name": item.name,
            "task": item.task,
            "summary": item.summary,
            "expects": item.expects,
            "target": item.target,
            "tags": list(self.tags),
            "properness": self.verdict or None,
            "options": list(item.options),
            "aliases": list(item.aliases),
        }


def lines(
    task: str | None = None, expects: str | None = None, search: str | None = None, tag: str | None = None
) -> list[Line]:
    """The losses that meet every wish, in the order of the shelf; `SpecError` for a word that does not exist.

    >>> [line.item.name for line in lines(task="binary", search="brier")]
    ['brier']
    """
    if task is not None:
        tasks.get(task)
    kinds = list(dict.fromkeys(item.expects for item in catalogue()))
    if expects is not None and expects not in kinds:
        raise SpecError(f"no loss expects {shown(expects)}", cure=choose_from(expects, kinds))
    if tag is not None and tag not in MEANINGS:
        raise SpecError(f"there is no tag {shown(tag)}", cure=choose_from(tag, MEANINGS))
    items = [item for item in catalogue(task) if expects in (None, item.expects) and _mentions(item, search)]
    table = (_line(item) for item in items)
    return [line for line in table if tag is None or tag in line.tags]


def _line(item: Loss) -> Line:
    entry = stored().get(f"{item.task}/{item.name}") if item.is_in_package else None
    facts = entry or computed(item)
    return Line(item, facts.tags, facts.verdict)


def computed(item: Loss) -> Facts:
    """What a loss is at its defaults, found by asking it: that takes torch, and a tenth of a second."""
    from losscli.explain.properness import properness
    from losscli.explain.tags import tags_of

    result = properness(item)
    return Facts(tags_of(item, result), result.verdict if result else "")


def _mentions(item: Loss, search: str | None) -> bool:
    """Whether every word of the search stands somewhere in what is written about the loss, or it is one of its names."""
    text = " ".join([item.name, *item.aliases, item.expects, item.target, getdoc(item.function) or ""]).casefold()
    words = (search or "").casefold().split()
    return all(word in text for word in words) or bool(by_name(search or "", [item]))


def named(names: Sequence[str], task: str | None = None) -> list[Loss]:
    """The losses of those names, aliases or files (FILE.py:NAME); without a task, of the first task that has them all.

    >>> [(item.task, item.name) for item in named(["ce", "focal"])]
    [('multiclass', 'cross-entropy'), ('multiclass', 'focal')]
    """
    from losscli.losses.own import adopt, refers

    if task is not None:
        return [adopt(name, task) if refers(name) else find(name, task) for name in names]
    for own in filter(refers, names):
        raise SpecError(f"which task {shown(own)} is for must be told", cure=f"--task NAME: {', '.join(tasks.names())}")
    homes_of = {name: {item.task for item in by_name(name, catalogue())} for name in names}
    for name, homes in homes_of.items():
        if not homes:
            raise unknown(name)
    for candidate in tasks.names():
        if all(by_name(name, catalogue(candidate)) for name in names):
            return [find(name, candidate) for name in names]
    description = "; ".join(f"{shown(name)} is for {' and '.join(sorted(homes))}" for name, homes in homes_of.items())
    raise SpecError(f"no task has all of these losses: {description}", cure="explain losses of one task together")


def settings(items: Sequence[Loss], sets: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """For each loss every combination of the values that `sets` gives to options which it has.

    A list is several values, for an option that is a list itself (the rows of each class) one value. Options that must be
    given are 1, 2 ... where they are not. `SpecError` for an option that none has.

    >>> settings(named(["focal"], "binary"), {"gamma": [0.0, 2.0]})
    [[{'gamma': 0.0}, {'gamma': 2.0}]]
    """
    for name in sets:
        if not any(name in item.options for item in items):
            every = dict.fromkeys(option for item in items for option in item.options)
            names = ", ".join(item.name for item in items)
            cure = choose_from(name, every) if every else "leave out --set"
            raise SpecError(f"{names}: there is no option {shown(name)}", cure=cure)
    combinations = [list(_combinations(item, sets)) for item in items]
    if sum(map(len, combinations)) > MOST_SETTINGS:
        raise SpecError(
            f"{sum(map(len, combinations))} curves are asked for, and {MOST_SETTINGS} can be told apart",
            cure="give fewer values",
        )
    return combinations


def _combinations(item: Loss, sets: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    from losscli.explain.trial import settings_of

    own = {name: value for name, value in sets.items() if name in item.options}
    values = [_values(item, name, value) for name, value in own.items()]
    needed = {name: settings_of(item)[name] for name, option in item.options.items() if option.default is REQUIRED}
    for combination in product(*values):
        options = needed | dict(zip(own, combination, strict=True))
        check_options(item, options)
        yield options


def _values(item: Loss, name: str, value: Any) -> list[Any]:
    option = item.options[name]
    if isinstance(option.accepts, Several) or option.default == "training":  # one number for each class
        return value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    return value if isinstance(value, list) else [value]
