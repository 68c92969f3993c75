"""Writes the site: a start page, a page for each topic, the curves of each task's losses, in one flat folder."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from losscli.errors import MachineError, SpecError, shown
from losscli.outfile import refusal, require_name
from losscli.pages.document import MARK, NEAR, document
from losscli.site.chapters import Chapter, chapters
from losscli.site.chapters.losses import curves
from losscli.site.topics import Topic

START = "index.html"


def build(folder: Path, commands: Chapter, force: bool = False) -> int:
    """Write the site to `folder`, whole or not at all, in place of a site of losscli; how many pages it has.

    Raises `SpecError` where something else is there, `MachineError` where the disk refuses.
    """
    _refuse(folder, force)
    files = dict(pages(commands))
    draft = folder.with_name(f".{secrets.token_hex(8)}.part")
    try:
        draft.mkdir(parents=True)
        for name, text in files.items():
            (draft / name).write_text(text, encoding="utf-8")
        if folder.is_dir():
            shutil.rmtree(folder)
        draft.replace(folder)
    except OSError as error:
        raise refusal(folder, error, "choose another folder") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return len(files)


def pages(commands: Chapter) -> Iterable[tuple[str, str]]:
    """Every file of the site with its text."""
    ordered = sorted([*chapters, commands], key=lambda chapter: chapter.place)
    topics = {chapter.title: list(chapter.topics()) for chapter in ordered}
    every = [topic for of in topics.values() for topic in of]
    _refuse_twins(every)
    yield START, _start(ordered, topics)
    for topic in every:
        yield topic.address, _page(topic, ordered)
    yield from _curves()


def _start(ordered: Sequence[Chapter], topics: dict[str, list[Topic]]) -> str:
    index = [
        [topic.title, topic.chapter, topic.address, topic.summary, topic.words]
        for of in topics.values()
        for topic in of
    ]
    facts: dict[str, Any] = {"chapters": [(chapter, topics[chapter.title]) for chapter in ordered]}
    return document("site", "losscli", {"index": index}, charts=False, topic=None, nav=_nav(ordered), **facts)


def _page(topic: Topic, ordered: Sequence[Chapter]) -> str:
    return document("site", topic.title, {"index": []}, charts=False, topic=topic, nav=_nav(ordered), chapters=[])


def _nav(ordered: Sequence[Chapter]) -> list[tuple[str, str]]:
    return [(chapter.title, f"{START}#{chapter.title.lower()}") for chapter in ordered]


def _curves() -> Iterable[tuple[str, str]]:
    """The interactive page of each task whose losses can be drawn."""
    from losscli.explain.dials import families
    from losscli.explain.page import page
    from losscli.losses import catalogue
    from losscli.reports.catalogue import html_of
    from losscli.site.chapters.losses import needed
    from losscli.tasks import tasks

    for task in tasks:
        own = [item for item in catalogue(task.name) if item.is_in_package and item.task == task.name]
        options = [[needed(item)] for item in own]
        shown = [page(item, of) for item, of in zip(own, options, strict=True)]
        if shown:
            drawn = [family.to_json() for family in families(shown, own, options)]
            yield curves(task.name), html_of([one.to_json() for one in shown], drawn)


def _refuse_twins(topics: Sequence[Topic]) -> None:
    names = [topic.address for topic in topics]
    twins = {name for name in names if names.count(name) > 1}
    if twins:
        raise ValueError(f"two topics have one address: {', '.join(sorted(twins))}")


def _refuse(folder: Path, force: bool) -> None:
    """Refuse a folder that holds anything but a site of losscli."""
    require_name(folder)
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise MachineError(f"{shown(folder)} is no folder", cure="choose another one")
    if force or not any(folder.iterdir()):
        return
    start = folder / START
    if not start.is_file() or MARK.encode() not in start.read_bytes()[:NEAR]:
        raise SpecError(
            f"{shown(folder)} holds something else than a site of losscli", cure="choose another folder, or add --force"
        )
