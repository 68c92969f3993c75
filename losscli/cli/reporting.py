"""What `report` does: read a record, write what was asked for, and say where it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from losscli.cli import formats, show
from losscli.cli.records import at_hand
from losscli.errors import SpecError
from losscli.outfile import is_stream
from losscli.pages.document import save
from losscli.record.find import find
from losscli.reports.recall import ComparisonRecord, recall

if TYPE_CHECKING:
    from losscli.reports.pictures import Ending


@dataclass(frozen=True)
class ReportOptions:
    """What the report should be, and where."""

    out: Path  # where records are
    to: Path | None
    form: str
    png: Path | None
    svg: Path | None
    dark: bool
    force: bool

    @property
    def pictures(self) -> dict[Ending, Path]:
        """By their ending, the folders that pictures go to."""
        folders: dict[Ending, Path | None] = {"png": self.png, "svg": self.svg}
        return {ending: folder for ending, folder in folders.items() if folder is not None}


def run(record: str, options: ReportOptions) -> None:
    """Write the report, and tell its path on stdout; what is printed goes to stdout itself unless a file is named."""
    if options.dark and not options.pictures:
        raise SpecError(
            "--dark is for pictures; a page has both", cure="add --png DIR or --svg DIR, or leave --dark out"
        )
    with at_hand(find(options.out, record, outside=True, unfinished=True)) as folder:
        _write(recall(folder), options)


def _write(recalled: ComparisonRecord, options: ReportOptions) -> None:
    for ending, folder in options.pictures.items():
        from losscli.reports.pictures import write_pictures

        show.paths(write_pictures(recalled, folder, options.dark, options.force, ending))
    form = formats.reports[options.form]
    if form.printed and options.to is None:
        show.paper(form.write(recalled))
    elif form.printed or not options.pictures or options.to is not None:
        path = options.to or Path(f"{recalled.folder.name}.{options.form}")
        save(path, form.write(recalled), options.force)
        if not is_stream(path):
            show.paths([path])
