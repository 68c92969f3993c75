"""What `play` does: train what a page shows, write it, and say where it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from losscli.cli import show
from losscli.cli.progress import busy
from losscli.outfile import is_stream
from losscli.pages.document import save, unclaimed


@dataclass(frozen=True)
class PlayOptions:
    """Which columns of a table to take, and where the page goes."""

    to: Path | None
    target: str | None
    x: str | None
    y: str | None
    force: bool


def run(data: str, options: PlayOptions) -> None:
    """Write the page, and tell its path on stdout."""
    path = options.to or Path(f"play-{Path(data).stem}.html")
    if not is_stream(path):
        unclaimed(path, options.force)  # before seconds are spent
    with busy("reading the data ..."):
        from losscli.play.page import html_of, scene_of  # torch is behind it, which takes its time

        scene, noticed = scene_of(data, options.target, options.x, options.y)
    for sentence in noticed:
        show.notice(sentence)
    with busy(f"training {len(scene.losses) * len(scene.damages)} runs in one stack, and those of the stories ..."):
        page = html_of(scene)
    save(path, page, options.force)
    if not is_stream(path):
        show.paths([path])
