"""A page of the site, before it is HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "facts", "table", "code", "math", "links"]
UNFIT = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Link:
    """To another topic, with what is said of it."""

    address: str
    title: str
    summary: str = ""


@dataclass(frozen=True)
class Block:
    """A part of a page, below a heading where it has one.

    `rows` are paragraphs of a text, name and value of facts, cells of a table whose first row are its headings, the lines of
    code, formulas as MathML; `links` are what it leads to. Text between backticks is code.
    """

    kind: Kind
    heading: str = ""
    rows: Sequence[Sequence[str]] = ()
    links: Sequence[Link] = ()
    caption: str = ""


@dataclass(frozen=True)
class Topic:
    """One page; `words` are what it is found by beside its title and summary."""

    address: str
    title: str
    chapter: str
    summary: str
    blocks: Sequence[Block] = ()
    words: str = ""

    @property
    def link(self) -> Link:
        return Link(self.address, self.title, self.summary)


def text(*paragraphs: str, heading: str = "") -> Block:
    """Paragraphs; those that say nothing are left out."""
    return Block("text", heading, [(paragraph,) for paragraph in paragraphs if paragraph])


def facts(pairs: Sequence[tuple[str, str]], heading: str = "") -> Block:
    """Names and values; those without a value are left out."""
    return Block("facts", heading, [pair for pair in pairs if pair[1]])


def code(source: str, heading: str = "", caption: str = "") -> Block:
    """Source text, or what a command printed."""
    return Block("code", heading, [(source.rstrip(),)], caption=caption)


def address(*parts: str) -> str:
    """The file of a topic: flat, so that every page finds every other beside it.

    >>> address("loss", "binary", "bce-logits"), address("rule", "LC001")
    ('loss-binary-bce-logits.html', 'rule-lc001.html')
    """
    return "-".join(UNFIT.sub("-", part.lower()).strip("-") for part in parts) + ".html"
