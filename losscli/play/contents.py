"""A page's contents: grids as plain numbers that its script unpacks, and stories as text that stands without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from losscli.play.grid import Grid
from losscli.play.notices import notices
from losscli.play.scene import percent
from losscli.play.stories import Step, Story

STEPS = 128  # of a weight's unit: rounded so, a probability moves by less than a hundredth
LARGEST = 200  # a weight beyond it would have no character
FIRST = 35  # "#", behind the quotation mark
SIZES = 255  # of the radius of a halo, whose area is the gradient's size
NAMES = {  # of kinds of damage: what a learner calls them, and a level of each
    "labels": ("Wrong labels", percent),
    "feature_noise": ("Noise", lambda level: f"{level:g} sd"),
    "imbalance": ("Imbalance", lambda level: f"{percent(level)} of a class gone"),
    "target_outliers": ("Outliers", percent),
}


def contents(grids: Sequence[Grid], stories: Sequence[Story], start: Step) -> dict[str, Any]:
    """What the script draws: the scenes, the first of which is to play with from `start` on, and what each step of a story
    shows.
    """
    scenes = [grid.scene for grid in grids]
    return {
        "scenes": [_scene(grid) for grid in grids],
        "start": start.state(0, grids[0]),
        "stories": [
            [step.state(scenes.index(story.scene), grids[scenes.index(story.scene)]) for step in story.steps]
            for story in stories
        ],
    }


def _scene(grid: Grid) -> dict[str, Any]:
    scene, dataset, traces = grid.scene, grid.datasets[0], grid.traces
    weights = np.stack([frame.weights for frame in grid.frames])  # [F, R, P]
    pull = np.stack([frame.pull for frame in grid.frames])  # [F, R, N]
    size = float(pull.max())
    return {
        "title": scene.title,
        "losses": list(scene.losses),
        "axes": [{"name": NAMES[kind][0], "levels": _levels(kind, levels)} for kind, levels in scene.levels.items()],
        "classes": None if dataset.scale else list(dataset.target.labels),
        "columns": [column["name"] for column in dataset.encoder["columns"]],
        "widths": _widths(grid),
        "epochs": [frame.epoch for frame in grid.frames],
        "variants": [_variant(grid, place) for place in range(len(grid.datasets))],
        "steps": STEPS,
        "weights": changes(np.rint(weights.clip(-LARGEST, LARGEST) * STEPS).transpose(1, 0, 2), axis=1),  # [R, F, P]
        "sizes": SIZES,
        "largest": size,
        "pull": changes(np.rint(np.sqrt(pull / size) * SIZES).transpose(1, 2, 0), axis=2),  # [R, N, F]
        "traces": [
            {
                "loss": _rounded(trace.loss, 5),
                "score": _rounded(trace.score, 4),
                "share": _rounded(trace.share, 4),
                "memorised": _rounded(trace.memorised, 4),
                "rare": _rounded(trace.rare, 4),
                "damaged": round(trace.damaged, 4),
                "notices": [[notice.frame, notice.text] for notice in notices(trace)],
            }
            for trace in traces
        ],
    }


def _levels(kind: str, levels: Sequence[float]) -> list[str]:
    return ["none" if level == 0 else NAMES[kind][1](level) for level in levels]


def _widths(grid: Grid) -> list[int]:
    """The sizes of the layers, from the inputs to the outputs."""
    dataset, hidden = grid.datasets[0], getattr(grid.scene.spec.model, "hidden", [])
    return [dataset.features, *hidden, 1 if dataset.scale else len(dataset.target.labels)]


def _variant(grid: Grid, place: int) -> dict[str, Any]:
    """The training rows as one kind of damage left them: where they are, what is said of them, which of it is wrong."""
    dataset, part = grid.datasets[place], grid.datasets[place].parts["train"]
    columns, scale_of = dataset.encoder["columns"], dataset.scale
    center, scale = (np.array([column[key] for column in columns]) for key in ("center", "scale"))
    assert isinstance(part.features, np.ndarray)
    assert part.weight is not None
    places = part.features.astype(np.float64) * scale + center
    wrong = np.zeros(part.rows, bool) if part.flipped is None else part.flipped
    return {
        "at": [_rounded(column, 4) for column in places.T],
        "target": _rounded(part.truth.astype(np.float64), 4),
        "wrong": np.flatnonzero(wrong & (part.weight > 0)).tolist(),
        "count": int((part.weight > 0).sum()),  # the rows behind these are gone
        "center": center.tolist(),
        "scale": scale.tolist(),
        "unit": [float(np.ravel(part)[0]) for part in (scale_of.center, scale_of.scale)] if scale_of else [0.0, 1.0],
    }


def changes(numbers: np.ndarray, axis: int) -> str:
    """Whole numbers as what each adds to the one before it along an axis, a character each: packed, a third of what digits take.

    Changes 0, -1, 1, -2 ... are the characters from `FIRST` on; `unpacked` in the page's script is the way back.

    >>> changes(np.array([[0, 1, 1, 0]]), axis=1)
    '#%#$'
    """
    added = np.diff(numbers, axis=axis, prepend=0).astype(int).ravel()
    return "".join(map(chr, FIRST + np.where(added < 0, -2 * added - 1, 2 * added)))


def _rounded(values: np.ndarray | None, digits: int) -> list[float] | None:
    return None if values is None else [round(float(value), digits) for value in values]
