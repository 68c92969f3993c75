"""Shapes in the plane that generators learn to make, and the mixtures among them, whose lumps are known.

Each makes rows [N, 2] and what part of the shape each row is of [N]. scikit-learn has moons and swiss_roll.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MOST_SIDE = 100  # of a grid or a board: 10,000 lumps or squares


@dataclass(frozen=True)
class Mixture:
    """Gaussians of equal shares: `centers` [M, F] and the standard deviation `sd` that all have in every direction.

    >>> ring_of(n_modes=4, radius=2.0, sd=0.1).centers.round(6).tolist()
    [[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [-0.0, -2.0]]
    """

    centers: np.ndarray
    sd: float

    def draw(self, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """So many rows [N, F], and of which lump each is [N]."""
        rng = np.random.default_rng(seed)
        modes = rng.integers(len(self.centers), size=rows)
        return self.centers[modes] + self.sd * rng.normal(size=(rows, self.centers.shape[1])), modes


def ring_of(*, n_modes: int = 8, radius: float = 2.0, sd: float = 0.1) -> Mixture:
    """Lumps in a circle, evenly."""
    _refuse(n_modes >= 1 and radius > 0 and sd > 0, "n_modes of 1, a radius and an sd above 0 are the least")
    angles = 2 * np.pi * np.arange(n_modes) / n_modes
    return Mixture(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), sd)


def grid_of(*, side: int = 5, step: float = 2.0, sd: float = 0.1) -> Mixture:
    """side x side lumps, `step` apart, about 0."""
    _refuse(side >= 1 and step > 0 and sd > 0, "a side of 1, a step and an sd above 0 are the least")
    _refuse(side <= MOST_SIDE, f"a side of {MOST_SIDE} is the most")
    ticks = step * (np.arange(side) - (side - 1) / 2)
    return Mixture(np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2), sd)


def ring(
    n_samples: int = 100, *, n_modes: int = 8, radius: float = 2.0, sd: float = 0.1, random_state: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Eight gaussians in a circle."""
    return ring_of(n_modes=n_modes, radius=radius, sd=sd).draw(n_samples, random_state)


def grid(
    n_samples: int = 100, *, side: int = 5, step: float = 2.0, sd: float = 0.1, random_state: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """25 gaussians in a square."""
    return grid_of(side=side, step=step, sd=sd).draw(n_samples, random_state)


def pinwheel(
    n_samples: int = 100, *, n_arms: int = 5, twist: float = 0.25, radial: float = 0.3, random_state: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Arms that bend as they leave the middle. `radial` is how long they are, `twist` how much they bend."""
    _refuse(n_arms >= 1 and radial > 0, "n_arms of 1 and a radial above 0 are the least")
    rng = np.random.default_rng(random_state)
    arms = rng.integers(n_arms, size=n_samples)
    out, aside = 1 + radial * rng.normal(size=n_samples), 0.1 * rng.normal(size=n_samples)
    angle = 2 * np.pi * arms / n_arms + twist * np.exp(out)
    turned = [out * np.cos(angle) - aside * np.sin(angle), out * np.sin(angle) + aside * np.cos(angle)]
    return 2 * np.stack(turned, axis=1), arms


def checkerboard(n_samples: int = 100, *, squares: int = 4, random_state: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The dark squares of a board with so many squares on a side, each of size 1, evenly filled."""
    _refuse(1 <= squares <= MOST_SIDE, f"squares are 1 to {MOST_SIDE}")
    rng = np.random.default_rng(random_state)
    dark = [(row, column) for row in range(squares) for column in range(squares) if (row + column) % 2 == 0]
    square = rng.integers(len(dark), size=n_samples)
    return np.array(dark)[square] + rng.random((n_samples, 2)) - squares / 2, square


def spiral(
    n_samples: int = 100, *, n_classes: int = 2, turns: float = 1.25, noise: float = 0.0, random_state: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Arms that wind about each other, one for each class, from the middle out to 1. `turns` is how often each goes around.

    >>> points, arms = spiral(4, turns=1.0)
    >>> sorted(arms.tolist()), bool((np.hypot(*points.T) <= 1).all())
    ([0, 0, 1, 1], True)
    """
    _refuse(n_classes >= 2 and turns > 0 and noise >= 0, "n_classes of 2, turns above 0 and a noise of 0 are the least")
    rng = np.random.default_rng(random_state)
    arms = rng.permutation(np.arange(n_samples) % n_classes)
    out = 0.1 + 0.9 * np.sqrt(rng.random(n_samples))  # as many where the arms are long
    angle = 2 * np.pi * (arms / n_classes + turns * out)
    points = out[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + noise * rng.normal(size=points.shape), arms


def _refuse(holds: bool, least: str) -> None:
    if not holds:
        raise ValueError(least)


MIXTURES: dict[str, Callable[..., Mixture]] = {"ring": ring_of, "grid": grid_of}
