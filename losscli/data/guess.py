"""Which task a target is for, from its values alone, and why: a guess that is always told, and that `task:` overrules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from losscli.errors import shown
from losscli.tasks import Column, TargetOptions
from losscli.tasks.labels import EXACT, label_of

MOST_CLASSES = 20  # different whole numbers that may be the numbers of classes
RAREST = 0.1  # of the rows that a class would have if all were equally frequent: rarer ones are counts, not classes
ONE = 1e-3  # how far from 1 the shares of a row may sum to


@dataclass(frozen=True)
class Guess:
    """A task and half a sentence that says what in the target tells it."""

    task: str
    reason: str


def guess_task(targets: Mapping[str, Column], options: TargetOptions | None = None) -> Guess:
    """The task that these target columns are most likely meant for.

    >>> guess_task({"y": Column(np.array([0, 1, 0]), ("no", "yes"))})
    Guess(task='binary', reason="'y' holds two values: 'no' and 'yes'")
    >>> guess_task({"y": Column(np.array([0.5, 2.0, 1.25]))}).task
    'regression'
    """
    options = options or TargetOptions()
    if len(targets) > 1:
        return _of_several(targets)
    ((name, column),) = targets.items()
    if options.separator is not None:
        return Guess(
            "multilabel", f"a cell of {shown(name)} holds several labels, divided by {shown(options.separator)}"
        )
    if options.transform != "none":
        return Guess("regression", f"data.transform is {options.transform}")
    values = column.values[~column.missing]
    present, counts = np.unique(values, return_counts=True)
    if column.levels is not None:
        names = [column.levels[int(code)] for code in present[:2]]
        return _of_classes(name, names, len(present), "texts")
    integral = bool((present == np.floor(present)).all())
    if len(present) <= 2 and integral:
        return _of_classes(name, [label_of(number) for number in present], len(present), "whole numbers")
    return _of_numbers(name, present, counts, integral, ordered=options.order is not None)


def _of_classes(name: str, two: list[str], count: int, what: str) -> Guess:
    if count == 2:
        return Guess("binary", f"{shown(name)} holds two values: {shown(two[0])} and {shown(two[1])}")
    if count < 2:
        return Guess("binary", f"{shown(name)} holds {'one value only' if count else 'no value'}")
    return Guess("multiclass", f"{shown(name)} holds {count} different {what}")


def _of_numbers(name: str, present: np.ndarray, counts: np.ndarray, integral: bool, *, ordered: bool) -> Guess:
    """Of more than two different numbers: the numbers of classes, counts, or measurements."""
    if len(present) and max(-present[0], present[-1]) >= EXACT:  # all of them are whole, as doubles
        return Guess("regression", f"{shown(name)} holds numbers as large as {max(-present[0], present[-1]):.3g}")
    if not integral and present[0] >= 0 and present[-1] <= 1:
        hint = "--task binary learns them as shares of yes"
        return Guess("regression", f"{shown(name)} holds numbers with decimals, all within 0 and 1: {hint}")
    if not integral:
        return Guess("regression", f"{shown(name)} holds numbers with decimals")
    span = f"whole numbers from {label_of(present[0])} to {label_of(present[-1])}"
    if ordered:
        return Guess("multiclass", f"{shown(name)} holds {span}, and data.order puts them in order")
    numbered = len(present) <= MOST_CLASSES and present[0] in (0, 1) and (np.diff(present) == 1).all()
    if numbered and counts.min() >= RAREST * counts.mean():
        return Guess("multiclass", f"{shown(name)} holds {span}, each of them often: they look like numbers of classes")
    if present[0] >= 0 and (counts.argmax() == 0 or numbered):
        return Guess("regression", f"{shown(name)} holds {span}, and the large ones are rare: they look like counts")
    return Guess("regression", f"{shown(name)} holds {span}")


def _of_several(targets: Mapping[str, Column]) -> Guess:
    numbers = {name: column for name, column in targets.items() if column.levels is None}
    if all(_is_yes_or_no(column) for column in targets.values()):
        return Guess("multilabel", f"each of the {len(targets)} targets holds 0 and 1 (or no and yes) only")
    if len(numbers) < len(targets):
        odd = next(name for name, column in targets.items() if not _is_yes_or_no(column))
        return Guess("multilabel", f"there are {len(targets)} targets, and they are not all numbers (see {shown(odd)})")
    values = np.stack([column.values for column in numbers.values()], axis=1)
    values = values[~np.isnan(values).any(axis=1)]
    if len(values) and (values >= 0).all() and (np.abs(values.sum(axis=1) - 1) < ONE).all():
        return Guess("multiclass", f"the {len(targets)} targets are shares that sum to 1 in each row: soft labels")
    return Guess("regression", f"the {len(targets)} targets are numbers")


def _is_yes_or_no(column: Column) -> bool:
    present = np.unique(column.values[~column.missing])
    if column.levels is None:
        return bool(np.isin(present, (0.0, 1.0)).all())
    return {column.levels[int(code)].casefold() for code in present} <= {"0", "1", "no", "yes", "false", "true"}
