"""What `losscli suspects` shows and writes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from losscli.cli import show
from losscli.cli.fitted import Col, Fitted
from losscli.cli.records import at_hand
from losscli.compare.result import finite
from losscli.errors import counted, visible
from losscli.outfile import atomic, free
from losscli.record.find import find
from losscli.reports.csv import cell
from losscli.suspects import SuspectReport, coverage, suspects
from losscli.suspects.ranked import FAR, Suspect

MOST_PAIRS = 10
COLUMNS = (
    "rank",
    "file",
    "line",
    "row",
    "of",
    "given",
    "likely",
    "score",
    "given_share",
    "likely_share",
    "predictions",
    "suspect",
)


@dataclass(frozen=True)
class SuspectOptions:
    """Of which arena and entry, how many are shown, and where all are written."""

    arena: int | None
    entry: str | None
    top: int
    to: Path | None
    force: bool
    as_json: bool


def run(root: Path, record: str, options: SuspectOptions) -> None:
    """Rank the labels of a record, and show or write them."""
    if options.to is not None:
        free(options.to, options.force)
    with at_hand(find(root, record, outside=True, unfinished=True)) as folder:
        report = suspects(folder, options.arena, options.entry)
    rows = [_row(report, rank, suspect) for rank, suspect in enumerate(report.ranking.suspects, start=1)]
    if options.to is not None:
        with atomic(options.to) as draft:
            draft.write(_csv(rows).encode())
    if options.as_json:
        show.machine(_object(report, rows[: options.top]))
    else:
        show.pieces(_pieces(report, options.top))
    if options.to is not None:
        show.notice(f"all {counted(len(rows), 'label')} are in {options.to}")


def _row(report: SuspectReport, rank: int, suspect: Suspect) -> dict[str, Any]:
    """One line for programs; `row` counts from 1, as a person counts the rows of a table."""
    place = report.place(suspect.row)
    known = {name: finite(value) if isinstance(value, float) else value for name, value in vars(suspect).items()}
    sure = known.pop("sure")
    file, line = (place.file, place.line) if place else (None, None)
    return {"rank": rank, "file": file, "line": line, **known, "row": suspect.row + 1, "suspect": sure}


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: cell(row[name]) for name in COLUMNS})
    return text.getvalue()


def _object(report: SuspectReport, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "record": report.record,
        "data": report.data,
        "task": report.task,
        "entry": report.entry,
        "labels": report.labels,
        "contradicted": report.sure,
        "estimated_wrong": finite(report.ranking.wrong / max(1, report.labels)),
        "pairs": [vars(pair) for pair in report.ranking.pairs],
        "predictions": {
            "rows": len(report.rows.row),
            "least": int(report.rows.count.min()),
            "most": int(report.rows.count.max()),
            "never": report.never,
            "seeds_kept": report.kept,
            "seeds": report.seeds,
        },
        "notes": coverage(report),
        "suspects": rows,
    }


def _pieces(report: SuspectReport, top: int) -> Iterator[RenderableType]:
    yield Text(visible(f"{report.data} · {report.task} · predicted by {report.entry}", 200), "dim")
    yield Text()
    yield Text(visible(_answer(report), 400))
    yield Text()
    if report.ranking.pairs:
        yield _pairs(report)
        yield Text()
    yield _table(report, top)
    yield Text()
    for note in coverage(report):
        yield Text(visible(note, 400), "dim")


def _answer(report: SuspectReport) -> str:
    """The answer first: how many, and what that is worth."""
    numbers = math.isnan(report.ranking.wrong)
    count = f"{report.sure} of {counted(report.labels, 'value' if numbers else 'label')}"
    if numbers:
        return (
            f"{count} lie more than {FAR:g} spreads from what was predicted; a hard row does so as a wrong one does, "
            "so no share is estimated"
        )
    if not report.sure:
        return f"None of {counted(report.labels, 'label')} is contradicted with confidence. The least sure come first."
    share = 100 * report.ranking.wrong / max(1, report.labels)
    return (
        f"{count} are contradicted with confidence; about {share:.2g} % are estimated wrong. That is rough: where classes "
        "overlap, right labels look wrong, and wrong ones near the border do not. Look before you change any."
    )


def _pairs(report: SuspectReport) -> RenderableType:
    pairs = report.ranking.pairs
    several = any(pair.of for pair in pairs)
    headings = [*(["target"] if several else []), "given", "likely", "rows", "of that label"]
    table = Fitted(list(map(Col, headings)))
    for pair in pairs[:MOST_PAIRS]:
        names = [pair.of] if several else []
        words = [visible(name, 40) for name in (*names, pair.given, pair.likely)]
        table.add(*words, f"{pair.rows:.1f}", f"{100 * pair.share:.1f} %")
    if len(pairs) > MOST_PAIRS:
        table.caption = f"{len(pairs) - MOST_PAIRS} more pairs: --format json"
    return table


def _table(report: SuspectReport, top: int) -> RenderableType:
    first = report.ranking.suspects[:top]
    of_numbers, several = math.isnan(report.ranking.wrong), any(suspect.of for suspect in first)
    ends = ["predicted", "spreads off"] if of_numbers else ["likely", "p(given)", "p(likely)"]
    headings = ["", "row", *(["target"] if several else []), "given", *ends]
    table = Fitted([*map(Col, headings), Col("predictions", drop=1)])
    for suspect in first:
        place = report.place(suspect.row)
        where = f"{Path(place.file).name}:{place.line}" if place and place.line else f"row {suspect.row + 1}"
        numbers = [suspect.score] if of_numbers else [suspect.given_share, suspect.likely_share]
        table.add(
            "*" if suspect.sure else "",
            visible(where, 60),
            *([visible(suspect.of, 40)] if several else []),
            _label(suspect.given),
            _label(suspect.likely),
            *(f"{number:.2f}" for number in numbers),
            str(suspect.predictions),
        )
    table.caption = f"* more than {FAR:g} spreads off" if of_numbers else "* contradicted with confidence"
    return table


def _label(value: str | float) -> str:
    return visible(value, 40) if isinstance(value, str) else f"{value:.4g}"
