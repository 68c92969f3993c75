"""When and where runs are looked at for pictures: at which epochs, of how many rows, over which plane of features."""

from __future__ import annotations

import torch
from torch import Tensor

from losscli.data.plane import Plane
from losscli.stack.rows import Rows
from losscli.tasks import Task

DOTS = 250  # rows of a picture
MOMENTS = (0.05, 0.15, 0.35, 0.65, 1.0)  # of the epochs


FRAMES = 12  # of decision regions, closer to each other where training is young


def frames(epochs: int) -> set[int]:
    """The epochs at whose ends decision regions are kept: the first, the last, and more early than late.

    >>> sorted(frames(30)), sorted(frames(2))
    ([1, 2, 3, 5, 6, 9, 12, 16, 22, 30], [1, 2])
    """
    return {round(epochs ** (step / (FRAMES - 1))) for step in range(FRAMES)}


def moments(epochs: int) -> list[int]:
    """The epochs at whose ends a picture is kept.

    >>> moments(100), moments(3)
    ([5, 15, 35, 65, 100], [1, 2, 3])
    """
    return sorted({max(1, round(share * epochs)) for share in MOMENTS})


def lattice_of(rows: Rows, seed: int, task: Task) -> Tensor | None:
    """[G, 2]: where decision regions are looked at, of two numeric features; None where no run of the seed has a picture."""
    seen = [run.dataset for run in rows.runs if run.seed == seed]
    plane = Plane.of(seen[0]) if seen and task.has_regions else None
    if plane is None or rows.layout.columns != 2:
        return None
    return torch.from_numpy(plane.lattice()).to(rows.part("train", 0, 1))  # where and of the type that rows are
