"""A record as one HTML page: what was compared, what came out in words, tables and figures, and how to repeat it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from losscli.compare.result import Arena
from losscli.errors import MachineError, Place, by_gravity, counted
from losscli.pages.document import document
from losscli.reports.contents import ReportContents, distinct, samples_of
from losscli.reports.figures import Chapter, Chart, figures
from losscli.reports.recall import ComparisonRecord
from losscli.reports.repeat import command, needed, own_losses, take_home
from losscli.severities import SEVERITIES
from losscli.words.columns import columns, rows_beside
from losscli.words.numbers import duration
from losscli.words.paragraph import paragraph
from losscli.words.phrases import facts, tuned_options
from losscli.words.view import View, select


def html_of(record: ComparisonRecord) -> str:
    """The whole document."""
    arenas = record.comparison.arenas
    charts_by_arena = [_charts(contents) for contents in contents_of(record)]
    titles = distinct(arena.title for arena in arenas)
    return document(
        "report",
        title=" and ".join(dict.fromkeys(arena.data for arena in arenas)),
        data=[_data(arena, charts) for arena, charts in zip(arenas, charts_by_arena, strict=True)],
        sections=[
            {"title": titles[place], **_section(place, arena, record.specs[place], charts)}
            for place, (arena, charts) in enumerate(zip(arenas, charts_by_arena, strict=True))
        ],
        command=command(record),
        severities=SEVERITIES,
        home=take_home(record),
        needed=[needed(name, file) for name, file in own_losses(record).items()],
        made=_origin(record),
    )


def contents_of(record: ComparisonRecord) -> list[ReportContents]:
    """What every arena of a record has to show."""
    from losscli.record.reader import read_predictions

    place = Place(str(record.folder / "predictions.parquet"))
    first = {breakdown.arenas[0]: breakdown for breakdown in record.comparison.breakdowns}
    try:
        table = read_predictions(record.folder) if _keeps_predictions(record.folder) else None
        return [
            ReportContents(arena, output, {} if table is None else samples_of(table, number), first.get(number))
            for number, (arena, output) in enumerate(
                zip(record.comparison.arenas, record.results["arenas"], strict=True)
            )
        ]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        message = f"'predictions.parquet' is not what a record holds ({type(error).__name__}: {error})"
        raise MachineError(
            message, place=place, cure="make the record again: `losscli compare` on its spec.yaml"
        ) from error


def _keeps_predictions(folder: Path) -> bool:
    return (folder / "predictions.parquet").exists()


def _origin(record: ComparisonRecord) -> list[str]:
    comparison = record.comparison
    seconds = comparison.timing.get("train_seconds", math.nan)
    facts = [record.folder.name, record.created[:10], f"trained on {comparison.device}"]
    return [fact for fact in [*facts, f"in {duration(seconds)}" if math.isfinite(seconds) else ""] if fact]


def _charts(contents: ReportContents) -> list[tuple[str, Chart]]:
    """Every figure that the arena has something for, chapter by chapter."""
    charts = [(figure, figure.draw(contents)) for figure in figures]
    charts.sort(key=lambda pair: pair[0].chapter)
    return [(figure.name, chart) for figure, chart in charts if chart is not None and chart.views]


def _data(arena: Arena, charts: Sequence[tuple[str, Chart]]) -> dict[str, Any]:
    """What the page's script draws."""
    contents = ReportContents(arena, {}, {})
    return {
        "reference": contents.place(arena.reference),
        "drawn": [contents.place(name) for name in contents.drawn_first()],
        "charts": {name: asdict(chart) for name, chart in charts},
    }


def _section(place: int, arena: Arena, spec: str, charts: Sequence[tuple[str, Chart]]) -> dict[str, Any]:
    """What the template says of an arena."""
    seeds, board = len(arena.seeds), columns(select(arena, View()))
    (_, without), *plain = rows_beside(arena, board)
    return {
        "place": place,
        "arena": arena,
        "compared": [
            arena.task,
            counted(len(arena.entries), "loss").replace("losss", "losses"),  # counted adds an s, and no more
            counted(seeds, "seed"),
            *facts(arena),
            *([f"{epochs} epochs"] if (epochs := (arena.spec.get("train") or {}).get("epochs")) else []),
        ],
        "seeds": seeds,
        "paragraph": paragraph(arena),
        "columns": board,
        "beside": [("without a model", without), *plain],
        "marked": any(cell.claim for column in board for cell in column.cells),
        "tuned": [(entry.entry, tuned_options(entry)) for entry in arena.entries if entry.tuned],
        "chapters": [
            (
                _chapter_title(chapter, arena),
                [(figures.get(name), chart) for name, chart in charts if figures.get(name).chapter == chapter],
            )
            for chapter in dict.fromkeys(figures.get(name).chapter for name, _ in charts)
        ],
        "findings": by_gravity(arena.findings),
        "spec": spec,
    }


def _chapter_title(chapter: Chapter, arena: Arena) -> str:
    """A chapter's title: why somebody wins is a heading only where the verdict says that somebody does."""
    return chapter.winning if chapter.winning and arena.why.get("verdict") == "better" else chapter.title
