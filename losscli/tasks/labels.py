"""Labels as users write them: text, booleans or numbers, put in order and numbered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from losscli.errors import DataError, Finding, Place, Problem, SpecError, choose_from, counted, shown
from losscli.tasks import Column, TargetOptions, Task
from losscli.tasks.order import same_label

Value = TypeVar("Value")

EXACT = 2.0**53  # from here on, not every whole number is a double


def only_column(columns: Mapping[str, Column], task: str) -> tuple[str, Column]:
    """The name and the column of a task that has one target."""
    if len(columns) != 1:
        named = ", ".join(shown(name) for name in list(columns)[:5])
        raise SpecError(
            f"task {task} takes one target column, and {len(columns)} are given: {named}",
            cure="name one column, or use task: multilabel (columns of 0 and 1) or task: regression (numbers)",
        )
    return next(iter(columns.items()))


def refuse_beyond(options: TargetOptions, task: Task) -> None:
    """Keys that say nothing to the task are a misunderstanding; `SpecError` names them all."""
    if problems := task.beyond(options):
        raise SpecError(list(problems.values()))


def refuse_missing(columns: Mapping[str, Column]) -> None:
    """No row may lack its target; `DataError` with the first five places and the count."""
    problems = []
    for name, column in columns.items():
        rows = np.flatnonzero(column.missing)
        if len(rows):
            first = [place for row in rows[:5] if (place := place_of(column, row))]
            at = f" (first at {', '.join(str(place) for place in first)})" if first else ""
            problems.append(
                Problem(
                    f"the target {shown(name)} is missing in {len(rows)} of {counted(len(column.values), 'row')}{at}",
                    first[0] if first else None,
                    "fill them in, or leave these rows out with missing_target: drop",
                )
            )
    if problems:
        raise DataError(problems)


def place_of(column: Column, row: int) -> Place | None:
    """Where the value of a row stands, if the column came from a file."""
    return column.origin.place(int(row)) if column.origin else None


def label_of(number: float) -> str:
    """A number as a label: integers without a decimal point, as long as a double tells them all apart.

    >>> label_of(3.0), label_of(-100.0), label_of(0.5), label_of(1e300)
    ('3', '-100', '0.5', '1e+300')
    """
    plain = isinstance(number, int) or (float(number).is_integer() and abs(number) < EXACT)
    return str(int(number)) if plain else repr(float(number))


def as_label(value: str | bool | int | float) -> str:
    """A label as a spec gives it, as a column has it.

    >>> as_label("yes"), as_label(True), as_label(1.0)
    ('yes', 'True', '1')
    """
    if isinstance(value, (str, bool)):
        return str(value)
    return label_of(value)


def places_of(given: Mapping[Any, Value], labels: Sequence[str], purpose: str) -> dict[int, Value]:
    """The values of a mapping by label, by the places of the labels: true, "true" and "True" are one label, 1, 1.0 and "1" are.

    Errors: `SpecError` for a label that there is not, or that is named twice; `purpose` says what it is named for.

    >>> places_of({"owl": 2, 1.0: 3}, ("1", "cat", "owl"), "weigh")
    {2: 2, 0: 3}
    """
    values: dict[int, Value] = {}
    for label, value in given.items():
        name = same_label(as_label(label), labels)
        if name is None:
            raise SpecError(f"there is no label {shown(label)} to {purpose}", cure=choose_from(as_label(label), labels))
        place = labels.index(name)
        if place in values:
            raise SpecError(f"the label {shown(name)} is named twice to {purpose}", cure="name it once")
        values[place] = value
    return values


def occurring(column: Column) -> tuple[np.ndarray, list[str]]:
    """The index of every row's label [N] among the labels that occur, which are in no order of their own."""
    present, index = np.unique(column.values, return_inverse=True)
    if column.levels is None:
        return index, [label_of(number) for number in present]
    return index, [column.levels[int(code)] for code in present]


def same_words(labels: Sequence[str]) -> list[list[int]]:
    """The places of labels that differ in case or blanks only, those of one word together.

    >>> same_words(["Paris", "Rome", "PARIS", "paris "])
    [[0, 2, 3]]
    """
    by_words: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        by_words.setdefault(" ".join(label.casefold().split()), []).append(at)
    return [places for places in by_words.values() if len(places) > 1]


def alike(name: str, column: Column, index: np.ndarray, labels: Sequence[str]) -> Problem | None:
    """What there is to say of labels that differ in case or blanks only, with the place of the first of the rarest.

    `index` [N] says which of `labels` each row has.
    """
    same = next(iter(same_words(labels)), None)
    if same is None:
        return None
    counts = np.bincount(index, minlength=len(labels))
    same = sorted(same, key=lambda at: int(counts[at]))
    description = " and ".join(f"{shown(labels[at])} ({counted(int(counts[at]), 'row')})" for at in same)
    place = place_of(column, int(np.flatnonzero(index == same[0])[0]))
    message = f"labels of the target {shown(name)} differ in case or blanks only: {description}"
    return Problem(message, place, "write them alike in the file, if they mean the same")


def noticed_alike(problem: Problem | None) -> tuple[Finding, ...]:
    """The same as a finding, where the labels may be meant to differ."""
    if problem is None:
        return ()
    at = f"; the first {problem.place}" if problem.place else ""
    return (Finding("labels-alike", "warning", f"{problem.message}{at}", problem.cure or ""),)


def arranged(index: np.ndarray, names: Sequence[str], places: Sequence[int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The index of every row's label [N] when the names stand in the order of `places`, and the names in that order.

    >>> index, labels = arranged(np.array([0, 1, 0]), ["Yes", "no"], [1, 0])
    >>> index.tolist(), labels
    ([1, 0, 1], ('no', 'Yes'))
    """
    rank = np.empty(len(names), dtype=np.int64)
    rank[list(places)] = np.arange(len(names))
    return rank[index], tuple(names[at] for at in places)


def refuse_fractions(column: Column, name: str, task: str) -> None:
    """A number that is not whole names no class; `DataError` at the first one."""
    if column.is_category:
        return
    rows = np.flatnonzero(column.values != np.floor(column.values))
    if len(rows):
        raise DataError(
            f"the target {shown(name)} of task {task} must hold labels, and {label_of(column.values[rows[0]])} is not "
            f"a whole number ({len(rows)} such values)",
            place=place_of(column, rows[0]),
            cure="use task: regression, or turn the numbers into classes",
        )


def mapped(labels: Sequence[str], beside: str = "") -> tuple[Finding, ...]:
    """A finding that shows how labels were numbered, unless they already were 0, 1, 2 ...; `beside` is said after it."""
    if list(labels) == [str(index) for index in range(len(labels))]:
        return ()
    pairs = [f"{shown(label)} is {index}" for index, label in enumerate(labels)]
    listed = ", ".join(pairs if len(pairs) <= 12 else [*pairs[:10], "...", pairs[-1]])
    return (Finding("target-mapped", "info", f"the target's labels are numbered in their order: {listed}{beside}"),)
