"""The page: data of the user's choice to play with, and the stories."""

from __future__ import annotations

from pathlib import Path

from losscli.errors import SpecError, choose_from, shown
from losscli.pages.document import document
from losscli.play.contents import contents
from losscli.play.grid import trained
from losscli.play.scene import Scene
from losscli.play.scenes import scenes, to_play
from losscli.play.stories import Step, stories
from losscli.play.table import read

START = Step("", ("cross-entropy", "gce"), lambda _: "", {"labels": 0.2})


def scene_of(
    data: str, target: str | None = None, x: str | None = None, y: str | None = None
) -> tuple[Scene, list[str]]:
    """The scene to play with, of a data set by its name or of a table, and what was decided without being asked.

    >>> scene, noticed = scene_of("moons")
    >>> scene.title, len(scene.losses) * len(scene.damages), noticed
    ('moons', 72, [])
    """
    if data in scenes and not Path(data).is_file():
        if (target, x, y) != (None, None, None):
            raise SpecError(f"--target, --x and --y are for a table, and {data} is drawn", cure="leave them out")
        return scenes.get(data), []
    if not Path(data).exists():
        raise SpecError(f"there is no data set and no file {shown(data)}", cure=choose_from(data, scenes.names()))
    table, noticed = read(data, target, x, y)
    return to_play(table.name, table=table), noticed


def html_of(scene: Scene) -> str:
    """The whole document, with the same bytes every time."""
    every = list({id(one): one for one in (scene, *(story.scene for story in stories))}.values())
    grids = [trained(one) for one in every]
    told = [
        {
            "name": name,
            "tab": story.tab,
            "title": story.title,
            "steps": [(step.title, step.text(grids[every.index(story.scene)])) for step in story.steps],
        }
        for name in stories.names()
        for story in [stories.get(name)]
    ]
    return document(
        "play", f"Losses on {scene.title}", contents(grids, list(stories), START), scene=scene, stories=told
    )
