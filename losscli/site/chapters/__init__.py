"""Chapters of the site: one file each, found by walking this folder; a chapter is a function that makes its topics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from losscli.shelf import Shelf
from losscli.site.topics import Topic


@dataclass(frozen=True)
class Chapter:
    """Topics of one kind; `place` is where it stands on the start page."""

    title: str
    place: int
    intro: str
    topics: Callable[[], Iterable[Topic]]


chapters: Shelf[Chapter] = Shelf(__name__, "chapter")


def chapter(
    title: str, place: int, intro: str
) -> Callable[[Callable[[], Iterable[Topic]]], Callable[[], Iterable[Topic]]]:
    """Put the decorated maker of topics on the shelf, under the title that they give as their chapter."""

    def register(topics: Callable[[], Iterable[Topic]]) -> Callable[[], Iterable[Topic]]:
        chapters.put(title, Chapter(title, place, intro, topics))
        return topics

    return register
