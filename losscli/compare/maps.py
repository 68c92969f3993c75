"""Where vectors lie: the plane in which they are spread most, as numbers that a record keeps. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from losscli.tasks.predictions import Predictions

DOTS = 400  # rows of an entry that a terminal shows, evenly chosen
DIGITS = 4


def plane(vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Vectors [N, D] along their first two principal components, [N, 2], and the share of the variance that these hold.

    The largest weight of each component is positive. (Pearson 1901, On Lines and Planes of Closest Fit.)

    >>> dots, share = plane(np.array([[0.0, 0.0, 5.0], [2.0, 0.0, 5.0], [1.0, 0.5, 5.0], [1.0, -0.5, 5.0]]))
    >>> dots.round(6).tolist(), share
    ([[-1.0, 0.0], [1.0, 0.0], [0.0, 0.5], [0.0, -0.5]], 1.0)
    """
    centered = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, sizes, axes = np.linalg.svd(centered, full_matrices=False)
    axes = np.concatenate([axes, np.zeros((2, axes.shape[1]))])[:2]  # one column has one axis
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
    variance = float((sizes**2).sum())
    return centered @ (axes * signs[:, None]).T + 0.0, float((sizes[:2] ** 2).sum()) / variance if variance else 1.0


def maps_of(vectors: Mapping[str, Predictions]) -> dict[str, Any]:
    """What `results.json` keeps under `why.maps`, by entry: some rows as dots, the class of each, the share of the variance."""
    maps = {}
    for name, predictions in vectors.items():
        if not np.isfinite(predictions.prediction).all():
            continue
        dots, share = plane(predictions.prediction)
        places = np.linspace(0, len(dots) - 1, min(len(dots), DOTS)).round().astype(int)
        maps[name] = {
            "dots": [[float(f"{value:.{DIGITS}g}") for value in dot] for dot in dots[places].tolist()],
            "classes": predictions.truth[places, 0].astype(int).tolist(),
            "variance": float(f"{share:.{DIGITS}g}"),
        }
    return maps
