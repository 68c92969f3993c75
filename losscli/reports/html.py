"""A record as one HTML page: what was compared, what came out in words, tables and figures, and how to repeat it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from losscli.compare.result import Arena
from losscli.errors import MachineError, Place, by_gravity, counted
from losscli.pages.document import document
from losscli.reports.contents import ReportContents, distinct, samples_of
from losscli.reports.figures import Chapter, Chart, Figure, View, figures, tells
from losscli.reports.recall import ComparisonRecord
from losscli.reports.repeat import command, needed, own_losses, take_home
from losscli.severities import SEVERITIES
from losscli.words.answer import answer, breakdown_answer
from losscli.words.columns import columns, headed, rows_beside
from losscli.words.numbers import decimals, duration, number, spread
from losscli.words.paragraph import paragraph
from losscli.words.phrases import facts, tuned_options
from losscli.words.view import View as TableView
from losscli.words.view import select

BREAKDOWN = "breakdown"  # the figure that a page with levels of damage opens with
SPLITS = ("train", "valid", "test")


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
        alone=_alone(record),
        breakdowns={of.arenas[0]: of for of in record.comparison.breakdowns},
        breakdown_answer=breakdown_answer,
        command=command(record),
        severities=SEVERITIES,
        home=take_home(record),
        needed=[needed(name, file) for name, file in own_losses(record).items()],
        made=_origin(record),
    )


def _alone(record: ComparisonRecord) -> list[int]:
    """The places of the arenas that are no level of a breakdown, which has a list of its own."""
    levels = {place for breakdown in record.comparison.breakdowns for place in breakdown.arenas}
    return [place for place in range(len(record.comparison.arenas)) if place not in levels]


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


def _charts(contents: ReportContents) -> dict[str, Chart]:
    """Every figure that the arena has something for, chapter by chapter, by its name."""
    charts = [(figure, figure.draw(contents)) for figure in figures]
    charts.sort(key=lambda pair: pair[0].chapter)
    drawn = [(figure, chart) for figure, chart in charts if chart is not None and tells(chart)]
    sentences = {"forest": answer(contents.arena)}
    sentences |= {BREAKDOWN: breakdown_answer(contents.breakdown)} if contents.breakdown else {}
    named = {
        figure.name: replace(chart, views=_headed(figure, chart.views, sentences.get(figure.name, figure.title)))
        for figure, chart in drawn
    }
    opening = {BREAKDOWN: named[BREAKDOWN]} if BREAKDOWN in named else {}
    opening |= in_rows({name: replace(named[name], wide=False) for name in _leads(named)})
    rest = _by_chapter([name for name in named if name not in opening]).values()
    return opening | {name: chart for names in rest for name, chart in in_rows({of: named[of] for of in names}).items()}


def _leads(charts: Mapping[str, Chart]) -> list[str]:
    """The figures that stand on the first screen: of a comparison its differences, of one entry what there is."""
    return ["forest"] if "forest" in charts else [name for name in ("regions", "learning") if name in charts]


def _headed(figure: Figure, views: Mapping[str, View], otherwise: str) -> dict[str, View]:
    """Views with a title each, that says what is seen, or `otherwise`; the figure's own name comes before the measure then."""
    headed = {}
    for name, view in views.items():
        measure = " · ".join(filter(None, (figure.title if view.title else "", view.measure)))
        headed[name] = replace(view, title=view.title or otherwise, measure=measure)
    return headed


def _data(arena: Arena, charts: Mapping[str, Chart]) -> dict[str, Any]:
    """What the page's script draws."""
    contents = ReportContents(arena, {}, {})
    return {
        "reference": contents.place(arena.reference),
        "drawn": [contents.place(name) for name in contents.drawn_first()],
        "charts": {name: asdict(chart) for name, chart in charts.items()},
    }


def _section(place: int, arena: Arena, spec: str, charts: Mapping[str, Chart]) -> dict[str, Any]:
    """What the template says of an arena."""
    seeds = len(arena.seeds)
    board = sorted(columns(select(arena, TableView())), key=lambda column: column.kind != "verdict")
    (_, without), *plain = rows_beside(arena, board)
    leads = _leads(charts)
    return {
        "kind": "run" if len(arena.entries) == 1 else "comparison",
        "sentence": answer(arena),
        "leads": leads,
        "charts": charts,
        "figures": figures,
        "scores": _scores(arena) if len(arena.entries) == 1 else [],
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
            (_chapter_title(chapter, arena), of)
            for chapter, of in _by_chapter([name for name in charts if name not in (*leads, BREAKDOWN)]).items()
        ],
        "findings": by_gravity(arena.findings),
        "spec": spec,
    }


def _scores(arena: Arena) -> list[tuple[str, list[str]]]:
    """Of one entry, a row for each metric: its heading, and what train, valid and test split and no model get."""
    (entry,) = arena.entries
    rows = []
    for metric in select(arena, TableView()).directions:
        estimates = [entry.score(metric, split) for split in SPLITS]
        none = arena.without_model(metric)
        places = decimals([*(estimate.mean for estimate in estimates), none])
        rows.append(
            (headed(arena, metric), [*(spread(estimate, places) for estimate in estimates), number(none, places)])
        )
    return rows


def _by_chapter(names: Sequence[str]) -> dict[Chapter, list[str]]:
    chapters: dict[Chapter, list[str]] = {}
    for name in names:
        chapters.setdefault(figures.get(name).chapter, []).append(name)
    return chapters


def in_rows(charts: Mapping[str, Chart]) -> dict[str, Chart]:
    """The same charts, two narrow ones to a row and as high as each other; one that would stand alone takes the whole row."""
    rows: list[list[str]] = []
    for name, chart in charts.items():
        if not chart.wide and rows and len(rows[-1]) == 1 and not charts[rows[-1][0]].wide:
            rows[-1].append(name)
        else:
            rows.append([name])
    heights = {name: max(charts[other].height for other in row) for row in rows for name in row}
    return {name: replace(charts[name], wide=len(row) == 1, height=heights[name]) for row in rows for name in row}


def _chapter_title(chapter: Chapter, arena: Arena) -> str:
    """A chapter's title: why somebody wins is a heading only where the verdict says that somebody does."""
    return chapter.winning if chapter.winning and arena.why.get("verdict") == "better" else chapter.title
