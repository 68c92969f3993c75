"""Columns that say where a row stands in the file, and nothing of what it is about."""

from __future__ import annotations

import numpy as np

from losscli.tasks import Column

FEW_ROWS = 50  # up to which numbers may count the rows by chance or by design


def counts_the_rows(column: Column | None) -> bool:
    """Whether a column holds the numbers n, n + 1, n + 2 ..., as a table's row names are.

    >>> counts_the_rows(Column(np.arange(1.0, 101.0))), counts_the_rows(Column(np.arange(0.0, 200.0, 2.0)))
    (True, False)
    """
    if column is None or column.is_category or len(column.values) <= FEW_ROWS:
        return False
    if column.values[-1] - column.values[0] != len(column.values) - 1:  # most columns end here
        return False
    return bool((np.diff(column.values) == 1).all())
