"""What `report` does: read a record, write what was asked for, and say where it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from losscli.cli import formats, show
from losscli.cli.records import at_hand
from losscli.errors import SpecError
from losscli.outfile import is_stream
from losscli.pages.document import save
from losscli.record.find import find
from losscli.reports.recall import ComparisonRecord, recall


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
    """Write the report, and tell its path on stdout; what is printed goes to stdout itself unless a file is named."""
    if options.dark and options.png is None:
        raise SpecError("--dark is for pictures; a page has both", cure="add --png DIR, or leave --dark out")
    with at_hand(find(options.out, record, outside=True, unfinished=True)) as folder:
        _write(recall(folder), options)


def _write(recalled: ComparisonRecord, options: ReportOptions) -> None:
    if options.png is not None:
        from losscli.reports.pictures import write_pictures

        show.paths(write_pictures(recalled, options.png, dark=options.dark, force=options.force))
    form = formats.reports[options.form]
    if form.printed and options.to is None:
        show.paper(form.write(recalled))
    elif form.printed or options.png is None or options.to is not None:
        path = options.to or Path(f"{recalled.folder.name}.{options.form}")
        save(path, form.write(recalled), options.force)
        if not is_stream(path):
            show.paths([path])
