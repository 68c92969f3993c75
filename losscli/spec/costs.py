"""`costs:` of a spec, what a decision (column) costs for each truth (row): it must be a square of numbers.

How many classes there are only the data tell: `refuse_other_classes` compares, once they are read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from losscli.errors import SpecError, shown

MOST_CLASSES = 1000
LARGEST = 1e12  # so that sums over rows keep their digits


def mistake_in(costs: Any, task: str) -> str | None:
    """What is wrong with the value, in words that follow `costs:`; None where nothing is.

    >>> mistake_in([[0, 1], [5, 0]], "binary") is None
    True
    >>> mistake_in([[0, 1], [5]], "multiclass")
    'expected as many numbers in every row as there are rows (2), and row 2 has 1'
    """
    if task not in ("binary", "multiclass"):
        return f"a decision is one of several classes, and the task is {task}"
    if not isinstance(costs, list) or not 2 <= len(costs) <= MOST_CLASSES:
        return f"expected a list of rows, one for each class, and got {shown(costs)}"
    if task == "binary" and len(costs) != 2:
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


def refuse_other_classes(costs: Sequence[Sequence[float]] | None, labels: Sequence[str]) -> None:
    """`SpecError` where the costs are those of more or fewer classes than the target has."""
    if costs is None or len(costs) == len(labels):
        return
    order = ", ".join(shown(label) for label in labels[:8]) + (" ..." if len(labels) > 8 else "")
    raise SpecError(
        f"costs: there are {len(costs)} rows, and the target has {len(labels)} classes",
        cure=f"one row and one column for each class, in this order: {order}",
    )
