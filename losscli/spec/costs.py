"""`costs:` of a spec, what a decision (column) costs for each truth (row): a square of numbers, or a mapping by label.

Which classes there are only the data tell: `table_of` makes the square of them, once they are read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from losscli.errors import SpecError, shown
from losscli.tasks import tasks
from losscli.tasks.labels import places_of

Costs = list[list[float]] | dict[str, dict[str, float]]

MOST_CLASSES = 1000
LARGEST = 1e12  # so that sums over rows keep their digits


def mistake_in(costs: Any, task: str) -> str | None:
    """What is wrong with the value, in words that follow `costs:`; None where nothing is.

    >>> mistake_in([[0, 1], [5, 0]], "binary") is None
    True
    >>> mistake_in([[0, 1], [5]], "multiclass")
    'expected as many numbers in every row as there are rows (2), and row 2 has 1'
    """
    if not tasks.get(task).decides_one_class:
        return f"a decision is one of several classes, and the task is {task}"
    if isinstance(costs, Mapping) and costs and all(isinstance(row, Mapping) and row for row in costs.values()):
        wrong = next((one for row in costs.values() for one in row.values() if not _is_number(one)), 0)
        return None if _is_number(wrong) else f"expected numbers, at most {LARGEST:g} in size, and got {shown(wrong)}"
    if not isinstance(costs, list) or not 2 <= len(costs) <= MOST_CLASSES:
        return f"expected a list of rows, one for each class, and got {shown(costs)}"
    if tasks.get(task).yes_or_no and len(costs) != 2:
        return f"expected 2 rows, for no and for yes, and got {len(costs)}"
    for number, row in enumerate(costs, start=1):
        if not isinstance(row, list):
            return f"expected a list of rows, and row {number} is {shown(row)}"
        wrong = next((one for one in row if not _is_number(one)), None)
        if wrong is not None or None in row:
            return f"expected numbers, at most {LARGEST:g} in size, and row {number} holds {shown(wrong)}"
        if len(row) != len(costs):
            return f"expected as many numbers in every row as there are rows ({len(costs)}), and row {number} has {len(row)}"
    return None


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) <= LARGEST
    )


def table_of(costs: Costs | None, labels: Sequence[str]) -> list[list[float]] | None:
    """The square of numbers. What a mapping {truth: {decision: cost}} does not name costs 1, and nothing where it is right.

    Errors: `SpecError` for a label that there is not, another number of classes, or more than `MOST_CLASSES`.

    >>> table_of({"yes": {"no": 5}}, ("no", "yes"))
    [[0.0, 1.0], [5, 0.0]]
    """
    if not isinstance(costs, Mapping):
        refuse_other_classes(costs, labels)
        return costs
    if len(labels) > MOST_CLASSES:
        message = f"costs: the target has {len(labels)} classes, and a table of costs is for at most {MOST_CLASSES}"
        raise SpecError(message, cure="take costs out of the spec, or join the rarest classes to one in the data")
    table = [[float(truth != decision) for decision in labels] for truth in labels]
    for truth, row in places_of(costs, labels, "give costs").items():
        for decision, cost in places_of(row, labels, "give costs").items():
            table[truth][decision] = cost
    return table


def refuse_other_classes(costs: Sequence[Sequence[float]] | None, labels: Sequence[str]) -> None:
    """`SpecError` where the costs are those of more or fewer classes than the target has."""
    if costs is None or len(costs) == len(labels):
        return
    order = ", ".join(shown(label) for label in labels[:8]) + (" ..." if len(labels) > 8 else "")
    raise SpecError(
        f"costs: there are {len(costs)} rows, and the target has {len(labels)} classes",
        cure=f"one row and one column for each class, in this order: {order}",
    )
