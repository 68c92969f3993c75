"""The catalogue's pages as one HTML file: interactive, for light and dark, and whole without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from losscli.explain.formula import mathml
from losscli.pages.document import document, save

FEW = 4  # losses that are introduced before their lines; more are folded below


def write_page(
    path: Path, pages: Sequence[Mapping[str, Any]], families: Sequence[Mapping[str, Any]], force: bool = False
) -> None:
    """Write pages, as `Page.to_json` gives them, to one file; in place of a page of losscli, or with `force` of anything.

    `families` are the lines of each, as `Family.to_json` gives them.
    """
    save(path, html_of(pages, families), force)


def html_of(pages: Sequence[Mapping[str, Any]], families: Sequence[Mapping[str, Any]]) -> str:
    """The whole document."""
    few = len(pages) <= FEW
    title = ", ".join(str(page["name"]) for page in pages) if few else f"{len(pages)} {pages[0]['task']} losses"
    formulas = [mathml(page["formula"], [option["name"] for option in page["options"]]) for page in pages]
    readings = any(family["readings"] for family in families)
    data = {"families": families, "known": sorted(range(len(pages)), key=lambda place: -_names(pages[place]))}
    return document("catalogue", title, data, pages=pages, formulas=formulas, few=few, readings=readings)


def _names(page: Mapping[str, Any]) -> int:
    """How many names it has, here and in other libraries: the best known have the most."""
    return len(page["aliases"]) + len(page["elsewhere"])
