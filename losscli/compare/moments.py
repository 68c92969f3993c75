"""What rows that were made up look like beside real ones, at moments of training: a little of each entry, for pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

DIGITS = 4
COLUMNS = 2  # of a picture: the first two

Moments = Sequence[tuple[int, np.ndarray]]  # epoch, rows [n, F]


def moments_of(entries: Mapping[str, Moments], real: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    """What `results.json` keeps under `why.moments`: columns, epochs, real rows, and each entry's rows at each epoch.

    One column alone is drawn against the share of rows below it.

    >>> moments_of({"r1": [(1, np.array([[2.0], [1.0]]))]}, np.array([[0.0], [1.0]]), ["x"])["entries"]
    {'r1': [[[1.0, 0.0], [2.0, 1.0]]]}
    """
    epochs = next(([epoch for epoch, _ in moments] for moments in entries.values() if moments), [])
    return {
        "columns": list(labels[:COLUMNS]) if len(labels) > 1 else [labels[0], "share of rows below"],
        "epochs": epochs,
        "real": _dots(real),
        "entries": {name: [_dots(rows) for _, rows in moments] for name, moments in entries.items()},
    }


def _dots(rows: np.ndarray) -> list[list[float]]:
    if rows.shape[1] == 1:
        values = np.sort(rows[:, 0])
        rows = np.stack([values, np.linspace(0, 1, len(values))], axis=1)
    finite = rows[np.isfinite(rows).all(axis=1), :COLUMNS]
    return [[float(f"{value:.{DIGITS}g}") for value in row] for row in finite.tolist()]
