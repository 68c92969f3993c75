"""Scenes that pages are made of: those to play with, by the names of their data, and those of the stories.

A scene to play with is one line: `scenes.put(name, to_play(...))`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from losscli.play.scene import Scene
from losscli.shelf import Shelf

ROWS = 300
SPLIT = "data.split={seed: 0, valid: 0.48, test: 0.02}"  # half to train on, half to judge by
LOSSES = MappingProxyType(
    {
        "cross-entropy": "cross-entropy",
        "softmax twice": "{name: cross-entropy, output: softmax}",
        "weighted cross-entropy": "{name: cross-entropy, weight: balanced}",
        "focal": "focal",
        "gce": "gce",
        "mae": "mae",
    }
)
LEVELS = MappingProxyType({"labels": (0.0, 0.2, 0.4), "feature_noise": (0.0, 0.3), "imbalance": (0.0, 0.8)})


def to_play(title: str, *data: str, table: Any = None) -> Scene:
    """All losses and levels that a page lets one choose from, on `data` as `Scene` has them, or on a table that is read."""
    return Scene(title, "multiclass", (*data, SPLIT), LOSSES, LEVELS, table=table)


def drawn(name: str, rows: int, *options: str) -> tuple[str, ...]:
    """The `data` of a scene that a generator draws.

    >>> drawn("moons", 90, "noise=0.1")
    ('data={source: synthetic, name: moons, n_samples: 90}', 'data.noise=0.1')
    """
    return f"data={{source: synthetic, name: {name}, n_samples: {rows}}}", *(f"data.{option}" for option in options)


scenes: Shelf[Scene] = Shelf(__name__, "data set")


def play_with(name: str, *options: str) -> None:
    """Put a generator's rows on the shelf."""
    scenes.put(name, to_play(name, *drawn(name, ROWS, *options)))
