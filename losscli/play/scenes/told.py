"""The scenes of the stories: small, and the same whatever data a page is made of."""

from __future__ import annotations

import numpy as np

from losscli.data.dataset import Table
from losscli.play.scene import LINE, Scene
from losscli.play.scenes import SPLIT, drawn
from losscli.tasks import Column

CLOUDS = Scene(
    "Four clouds",
    "multiclass",
    (*drawn("blobs", 300, "centers=4", "cluster_std=0.9"), SPLIT),
    {
        "cross-entropy": "cross-entropy",
        "softmax twice": "{name: cross-entropy, output: softmax}",
        "gce": "gce",
    },
    {"labels": (0.0, 0.4)},
)


def slope(rows: int = 120) -> Table:
    """A line with a little noise, above 0 everywhere: so that outliers lie above it."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 10, rows)
    return Table("slope", {"x": Column(x)}, {"y": Column(2 + 0.5 * x + 0.4 * rng.normal(size=rows))})


SLOPE = Scene(
    "A line",
    "regression",
    (SPLIT, "data.corrupt.outlier_size=5"),
    {"mse": "mse", "mae": "mae", "huber": "huber"},
    {"target_outliers": (0.0, 0.15)},
    LINE,
    slope(),
)
