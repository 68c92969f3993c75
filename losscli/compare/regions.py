"""Decision regions of two numeric features, at moments of training: what each entry says of a lattice, in a few bytes a point.

A frame holds a byte for each point of the lattice, row by row from the lowest, in Base64: `classes`, the index of what is
decided (empty where numbers are predicted), and `strength`, from 0 to 255: how sure of it (no more than chance to certain),
or where a number lies in the `range` of all that is predicted.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from losscli.tasks.predictions import EVEN

DOTS = 300  # training rows beside a picture
DIGITS = 4

Moments = Sequence[tuple[int, np.ndarray]]  # epoch, what is said of the lattice [G, k]


def regions_of(
    entries: Mapping[str, tuple[str, Moments]], names: Sequence[str], box: Sequence[Sequence[float]], rows: np.ndarray
) -> dict[str, Any]:
    """What `results.json` keeps under `why.regions`, from (kind of prediction, moments) of each entry.

    `rows` [n, 3] are some training rows: both features in the user's units, and the class or number. An entry that stopped
    early has fewer frames than there are epochs.
    """
    values = [frame for kind, moments in entries.values() if kind == "values" for _, frame in moments]
    low, high = (min(map(np.min, values)), max(map(np.max, values))) if values else (0.0, 1.0)
    return {
        "columns": list(names),
        "box": [[float(f"{end:.6g}") for end in axis] for axis in box],
        "side": round(len(next(iter(entries.values()))[1][0][1]) ** 0.5),
        "range": [float(low), float(high)],
        "epochs": max(([epoch for epoch, _ in moments] for _, moments in entries.values()), key=len),
        "entries": {
            name: [_frame(said.reshape(len(said), -1), kind, float(low), float(high)) for _, said in moments]
            for name, (kind, moments) in entries.items()
        },
        "rows": [[float(f"{value:.{DIGITS}g}") for value in row] for row in rows[:DOTS].tolist()],
    }


def _frame(said: np.ndarray, kind: str, low: float, high: float) -> dict[str, str]:
    """Of what a run says of the lattice, [G, k]."""
    if kind == "values":
        return {"classes": "", "strength": _packed((said[:, 0] - low) / ((high - low) or 1.0))}
    if said.shape[1] == 1:
        apart = said[:, 0] - EVEN[kind]
        classes, sure = (apart > 0).astype(int), 2 * np.abs(apart) if kind == "probabilities" else _squashed(apart)
    else:
        top = np.sort(said, axis=1)
        classes = said.argmax(axis=1)
        sure = top[:, -1] - top[:, -2] if kind == "probabilities" else _squashed(top[:, -1] - top[:, -2])
    return {"classes": _bytes(classes), "strength": _packed(sure)}


def _squashed(apart: np.ndarray) -> np.ndarray:
    """Scores have no scale: from 0 at the border to 1 far away."""
    squashed: np.ndarray = -np.expm1(-np.abs(apart))
    return squashed


def _packed(shares: np.ndarray) -> str:
    """Shares from 0 to 1 as bytes; what is not finite is 0."""
    return _bytes((255 * np.clip(np.nan_to_num(shares), 0, 1)).round())


def _bytes(values: np.ndarray) -> str:
    return base64.b64encode(values.astype(np.uint8).tobytes()).decode()


def unpacked(text: str, side: int) -> np.ndarray:
    """The bytes of a frame as [side, side], the lowest row first.

    >>> unpacked(_bytes(np.array([0, 1, 2, 3])), 2).tolist()
    [[0, 1], [2, 3]]
    """
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(side, side)
