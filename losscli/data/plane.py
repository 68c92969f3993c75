"""Two numeric features as a plane: the box that the training rows lie in, and a coarse lattice over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from losscli.data.dataset import Dataset

SIDE = 28  # points of the lattice along each axis
ROOM = 0.1  # around the training rows, as a share of their width


@dataclass(frozen=True)
class Plane:
    """The features as networks see them, from `low` to `high` [2], and how they are called and scaled by the user."""

    names: tuple[str, str]
    low: np.ndarray
    high: np.ndarray
    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, dataset: Dataset) -> Plane | None:
        """That of a dataset with two numeric features and nothing else, whose rows are held in memory; else None."""
        codes, features = dataset.encoder.get("columns", ()), dataset.parts["train"].features
        if len(codes) != 2 or any(code["kind"] != "number" for code in codes):
            return None
        if not isinstance(features, np.ndarray) or features.shape[1] != 2:
            return None
        low, high = features.min(axis=0).astype(np.float64), features.max(axis=0).astype(np.float64)
        room = ROOM * (high - low)
        center, scale = (np.array([code[name] for code in codes], np.float64) for name in ("center", "scale"))
        return cls((codes[0]["name"], codes[1]["name"]), low - room, high + room, center, scale)

    def lattice(self) -> np.ndarray:
        """float32 [SIDE * SIDE, 2], row by row from the lowest: the centres of equal cells."""
        steps = (np.arange(SIDE) + 0.5) / SIDE
        across, up = (self.low[axis] + steps * (self.high[axis] - self.low[axis]) for axis in (0, 1))
        return np.stack([np.tile(across, SIDE), np.repeat(up, SIDE)], axis=1).astype(np.float32)

    def box(self) -> list[list[float]]:
        """From where to where either axis goes, in the user's units."""
        return [[float(end[axis]) for end in map(self.units, (self.low, self.high))] for axis in (0, 1)]

    def units(self, rows: np.ndarray) -> np.ndarray:
        """Rows [..., 2] in the user's units."""
        values: np.ndarray = rows * self.scale + self.center
        return values
