"""Stories: a few steps through a scene, each with what to look at beside it.

A story is one block: `stories.put(name, Story(...))` in a file here. Its scene is trained when a page is made, and its text is
made of that training's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from losscli.play.grid import Grid
from losscli.play.scene import Levels, Scene
from losscli.shelf import Shelf


@dataclass(frozen=True)
class Step:
    """What the two panels show, the part of the training that is played (shares of its frames), and what to see in it."""

    title: str
    losses: tuple[str, str]
    text: Callable[[Grid], str]
    levels: Levels = field(default_factory=dict)
    span: tuple[float, float] = (0.0, 1.0)

    def state(self, scene: int, grid: Grid) -> dict[str, Any]:
        """The same as the page's script takes it."""
        last = len(grid.frames) - 1
        begin, end = (round(share * last) for share in self.span)
        choice = grid.scene.place(self.losses[0], self.levels) % len(grid.scene.damages)
        names = list(grid.scene.losses)
        return {
            "scene": scene,
            "losses": [names.index(name) for name in self.losses],
            "variant": choice,
            "from": begin,
            "to": end,
        }


@dataclass(frozen=True)
class Story:
    """`title` is what it tells, `tab` that in two or three words."""

    tab: str
    title: str
    scene: Scene
    steps: Sequence[Step]


stories: Shelf[Story] = Shelf(__name__, "story")
