"""What `report` does: read a record, write what was asked for, and say where it is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from losscli.cli import show
from losscli.errors import SpecError
from losscli.record.find import find
from losscli.reports.page import save
from losscli.reports.recall import Recalled, recall


@dataclass(frozen=True)
class Wishes:
    """What the report should be, and where."""

    out: Path  # where records are
    to: Path | None
    form: str
    png: Path | None
    dark: bool
    force: bool


def run(record: str, wishes: Wishes) -> None:
    """Write the report, and tell its path on stdout; Markdown goes to stdout itself unless a file is named."""
    if wishes.dark and wishes.png is None:
        raise SpecError("--dark is for pictures; a page has both", cure="add --png DIR, or leave --dark out")
    recalled = recall(find(wishes.out, record, outside=True))
    if wishes.png is not None:
        from losscli.reports.pictures import write_pictures

        show.paths(write_pictures(recalled, wishes.png, dark=wishes.dark, force=wishes.force))
    if wishes.form == "md":
        _markdown(recalled, wishes)
    elif wishes.png is None or wishes.to is not None:
        from losscli.reports.html import html_of

        path = wishes.to or Path(f"{recalled.folder.name}.html")
        save(path, html_of(recalled), wishes.force)
        show.paths([path])


def _markdown(recalled: Recalled, wishes: Wishes) -> None:
    from losscli.reports.summary import markdown_of

    text = markdown_of(recalled)
    if wishes.to is None:
        sys.stdout.write(text)
    else:
        save(wishes.to, text, wishes.force)
        show.paths([wishes.to])
