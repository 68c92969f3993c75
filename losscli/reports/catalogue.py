"""The catalogue's pages as one HTML file: interactive, for light and dark, and whole without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from losscli.pages.document import document, save


def write_page(path: Path, pages: Sequence[Mapping[str, Any]], force: bool = False) -> None:
    """Write pages, as `Page.to_json` gives them, to one file; in place of a page of losscli, or with `force` of anything."""
    save(path, html_of(pages), force)


def html_of(pages: Sequence[Mapping[str, Any]]) -> str:
    """The whole document."""
    return document("catalogue", ", ".join(str(page["name"]) for page in pages), pages, pages=pages)
