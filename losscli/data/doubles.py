"""Numerical features that say the same twice: a copy, a rounded copy, the same in another unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscli.data.dataset import Table
from losscli.errors import Finding, dropped, listed, shown

MOST_ROWS, MOST_COLUMNS = 4000, 200
LEAST_ROWS = 20
SAME = 0.9999  # correlation


def doubles(table: Table) -> list[Finding]:
    """A finding for features that follow another one on a line; the parts of a date are left aside."""
    names = [name for name, column in table.features.items() if name in table.columns and not column.is_category]
    pairs = _pairs(table, names[:MOST_COLUMNS])
    if not pairs:
        return []
    several = listed([f"{shown(second)} with {shown(first)}" for first, second in pairs], most=4)
    message = f"{several}: the same numbers twice, but for unit and rounding (correlation above {SAME})"
    return [Finding("doubles", "info", message, f"one of them is enough: leave it out with {dropped(pairs[0][1])}")]


def _pairs(table: Table, names: Sequence[str]) -> list[tuple[str, str]]:
    """Each feature that repeats one before it, behind the first that it repeats."""
    scaled = {}
    for name in names:
        values = table.features[name].values
        sample = values[:: max(1, len(values) // MOST_ROWS)].astype(np.float64)
        present = np.isfinite(sample)
        largest = float(np.abs(sample[present]).max(initial=0.0))
        sample = sample / (largest or 1.0)  # or squares of far numbers would overflow
        if 2 * present.sum() > len(sample) >= LEAST_ROWS and sample[present].std() > 0:
            centred = np.where(present, sample - sample[present].mean(), 0.0)  # a hole says nothing
            scaled[name] = centred / np.sqrt((centred**2).sum())
    if len(scaled) < 2:
        return []
    rows, kept = np.stack(list(scaled.values())), list(scaled)
    with np.errstate(all="ignore"):
        same = np.triu(np.abs(rows @ rows.T) > SAME, 1)
    return [(kept[int(same[:, at].argmax())], kept[at]) for at in np.flatnonzero(same.any(axis=0)).tolist()]
