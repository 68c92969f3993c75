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
class ReportOptions:
    """What the report should be, and where."""

    out: Path  # where records are
    to: Path | None
    form: str
    png: Path | None
    dark: bool
    force: bool


def run(record: str, options: ReportOptions) -> None:
    """Write the report, and tell its path on stdout; Markdown goes to stdout itself unless a file is named."""
    if options.dark and options.png is None:
        raise SpecError("--dark is for pictures; a page has both", cure="add --png DIR, or leave --dark out")
    recalled = recall(find(options.out, record, outside=True))
    if options.png is not None:
        from losscli.reports.pictures import write_pictures

        show.paths(write_pictures(recalled, options.png, dark=options.dark, force=options.force))
    if options.form == "md":
        _markdown(recalled, options)
    elif options.png is None or options.to is not None:
        from losscli.reports.html import html_of

        path = options.to or Path(f"{recalled.folder.name}.html")
        save(path, html_of(recalled), options.force)
        show.paths([path])


def _markdown(recalled: Recalled, options: ReportOptions) -> None:
    from losscli.reports.summary import markdown_of

    text = markdown_of(recalled)
    if options.to is None:
        sys.stdout.write(text)
    else:
        save(options.to, text, options.force)
        show.paths([options.to])
