"""What commands can write: a function for each format of each thing, which is all that `--format` offers and help names.

Every command's help loads this file; what a format needs is imported when it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np

    from losscli.cli.outcome import DisplayOptions
    from losscli.comparison import Comparison
    from losscli.data.newrows import NewRows
    from losscli.reports.recall import ComparisonRecord

Write = TypeVar("Write", bound=Callable[..., Any])


@dataclass(frozen=True)
class Format(Generic[Write]):
    """How one thing is written; `printed` ones go to stdout where no file is named."""

    write: Write
    printed: bool = True
    end: Write | None = None  # what is said once the thing is where it should be


class Formats(dict[str, Format[Write]]):
    """The formats of one thing by their names; the first is the default."""

    def put(self, name: str, printed: bool = True, end: Write | None = None) -> Callable[[Write], Write]:
        """Put the decorated function here."""

        def register(write: Write) -> Write:
            self[name] = Format(write, printed, end)
            return write

        return register

    def listed(self) -> str:
        """The names as a sentence has them.

        >>> rows.listed()
        'csv, json or parquet'
        """
        *others, last = self
        return f"{', '.join(others)} or {last}"


comparisons: Formats[Callable[[Comparison, DisplayOptions], None]] = Formats()
reports: Formats[Callable[[ComparisonRecord], str]] = Formats()
rows: Formats[Callable[[NewRows, Mapping[str, np.ndarray], str, dict[str, Any]], bytes]] = Formats()


# A comparison, on stdout


def _ended_as_text(comparison: Comparison, display: DisplayOptions) -> None:
    """Where the record is, and what to type next."""
    from losscli.cli import hint, show

    show.ending(comparison, "" if display.quiet else hint.next_command(comparison))


@comparisons.put("text", end=_ended_as_text)
def _shown_as_text(comparison: Comparison, display: DisplayOptions) -> None:
    """Tables and curves, for people."""
    from losscli.cli import show

    show.board(comparison, display.view)


@comparisons.put("json")
def _shown_as_json(comparison: Comparison, display: DisplayOptions) -> None:
    """The one object that programs read."""
    from losscli.cli import show
    from losscli.reports.json import to_json

    show.machine(to_json(comparison, display.view.by_class))
    show.unmet(comparison.unmet)


@comparisons.put("csv")
def _shown_as_csv(comparison: Comparison, display: DisplayOptions) -> None:
    """A line per entry, for spreadsheets."""
    from losscli.cli import show
    from losscli.reports.csv import to_csv

    show.paper(to_csv(comparison, display.view))
    show.unmet(comparison.unmet)


@comparisons.put("md")
def _shown_as_md(comparison: Comparison, display: DisplayOptions) -> None:
    """Markdown, for a pull request."""
    from losscli.cli import show
    from losscli.reports.markdown import to_markdown

    show.paper(to_markdown(comparison, display.view))
    show.unmet(comparison.unmet)


@comparisons.put("github", end=_ended_as_text)
def _shown_as_github(comparison: Comparison, display: DisplayOptions) -> None:
    """The text, with what was unmet and noticed as annotations of a workflow."""
    from losscli.cli import annotations, show

    _shown_as_text(comparison, display)
    show.paper(annotations.of(comparison))


# A report of a record


@reports.put("html", printed=False)
def _report_as_html(record: ComparisonRecord) -> str:
    """A page that is whole alone."""
    from losscli.reports.html import html_of

    return html_of(record)


@reports.put("md")
def _report_as_md(record: ComparisonRecord) -> str:
    """Markdown, for a pull request."""
    from losscli.reports.summary import markdown_of

    return markdown_of(record)


# Predictions, beside the rows that they are of


@rows.put("csv")
def _rows_as_csv(new: NewRows, columns: Mapping[str, np.ndarray], prefix: str, origin: dict[str, Any]) -> bytes:
    """As the rows were written."""
    from losscli.deploy.answer import appended, to_csv

    return to_csv(appended(new.table, columns, prefix), new.dialect.delimiter, new.dialect.decimal)


@rows.put("json")
def _rows_as_json(new: NewRows, columns: Mapping[str, np.ndarray], prefix: str, origin: dict[str, Any]) -> bytes:
    from losscli.deploy.answer import appended, to_json, typed

    return to_json(appended(typed(new.table, new.dialect.missing, new.dialect.decimal), columns, prefix), origin)


@rows.put("parquet", printed=False)
def _rows_as_parquet(new: NewRows, columns: Mapping[str, np.ndarray], prefix: str, origin: dict[str, Any]) -> bytes:
    from losscli.deploy.answer import appended, to_parquet, typed

    return to_parquet(appended(typed(new.table, new.dialect.missing, new.dialect.decimal), columns, prefix), origin)
