"""The page: data of the user's choice to play with, and the stories."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from losscli.errors import SpecError, choose_from, shown
from losscli.pages.document import document
from losscli.play.contents import contents
from losscli.play.grid import trained
from losscli.play.scene import Scene, drawn
from losscli.play.stories import Step, stories
from losscli.play.table import read

ROWS = 300
PRESETS = MappingProxyType(
    {
        "moons": ("noise=0.15",),
        "circles": ("noise=0.08", "factor=0.5"),
        "blobs": ("centers=3", "cluster_std=1.5"),
        "spiral": ("noise=0.03", "turns=1.0"),
    }
)
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
START = Step("", ("cross-entropy", "gce"), lambda _: "", {"labels": 0.2})


def scene_of(
    data: str, target: str | None = None, x: str | None = None, y: str | None = None
) -> tuple[Scene, list[str]]:
    """The scene to play with, of a data set by its name or of a table, and what was decided without being asked.

    >>> scene, noticed = scene_of("moons")
    >>> scene.title, len(scene.losses) * len(scene.damages), noticed
    ('moons', 72, [])
    """
    if data in PRESETS and not Path(data).is_file():
        if (target, x, y) != (None, None, None):
            raise SpecError(f"--target, --x and --y are for a table, and {data} is drawn", cure="leave them out")
        return Scene(data, "multiclass", drawn(data, ROWS, *PRESETS[data]), LOSSES, LEVELS), []
    if not Path(data).exists():
        raise SpecError(f"there is no data set and no file {shown(data)}", cure=choose_from(data, PRESETS))
    table, noticed = read(data, target, x, y)
    split = ("data.split={seed: 0, valid: 0.48, test: 0.02}",)
    return Scene(table.name, "multiclass", split, LOSSES, LEVELS, table=table), noticed


def html_of(scene: Scene) -> str:
    """The whole document, with the same bytes every time."""
    scenes = list({id(one): one for one in (scene, *(story.scene for story in stories))}.values())
    grids = [trained(one) for one in scenes]
    told = [
        {
            "name": name,
            "tab": story.tab,
            "title": story.title,
            "steps": [(step.title, step.text(grids[scenes.index(story.scene)])) for step in story.steps],
        }
        for name in stories.names()
        for story in [stories.get(name)]
    ]
    return document(
        "play", f"Losses on {scene.title}", contents(grids, list(stories), START), scene=scene, stories=told
    )
