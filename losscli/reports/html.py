"""A record as one HTML page: what was compared, what came out in words, tables and figures, and how to repeat it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from losscli.compare.columns import arrow
from losscli.compare.numbers import decimals, duration, number, spread
from losscli.compare.result import Arena, Delta, EntryResult, Estimate
from losscli.compare.tuning import chosen
from losscli.compare.verdict import described
from losscli.compare.words import paragraph
from losscli.direction import BETTER
from losscli.errors import MachineError, Place, by_gravity, counted
from losscli.reports.contents import ReportContents, distinct, samples_of
from losscli.reports.figures import Chapter, Chart, figures
from losscli.reports.page import document
from losscli.reports.recall import Recalled
from losscli.reports.repeat import command, needed, own_losses
from losscli.severities import SEVERITIES

NO_ESTIMATE = Estimate(math.nan, math.nan, None, ())
CLEAR = ("better", "worse")


@dataclass(frozen=True)
class Cell:
    """A cell of the leaderboard: what it says, and the number by which its column is sorted (None: last)."""

    text: str
    value: float | None = None
    aside: str = ""  # how sure it is, in small print on a line of its own
    verdict: str = ""  # beside the reference, where it is no longer open: better | worse


def html_of(recalled: Recalled) -> str:
    """The whole document."""
    arenas = recalled.comparison.arenas
    charts_by_arena = [_charts(contents) for contents in contents_of(recalled)]
    titles = distinct(arena.title for arena in arenas)
    return document(
        "report",
        title=" and ".join(dict.fromkeys(arena.data for arena in arenas)),
        data=[_data(arena, charts) for arena, charts in zip(arenas, charts_by_arena, strict=True)],
        sections=[
            {"title": titles[place], **_section(place, arena, recalled.specs[place], charts)}
            for place, (arena, charts) in enumerate(zip(arenas, charts_by_arena, strict=True))
        ],
        command=command(recalled),
        severities=SEVERITIES,
        needed=[needed(name, file) for name, file in own_losses(recalled).items()],
        made=_origin(recalled),
    )


def contents_of(recalled: Recalled) -> list[ReportContents]:
    """What every arena of a record has to show."""
    from losscli.record.reader import read_predictions

    place = Place(str(recalled.folder / "predictions.parquet"))
    first = {breakdown.arenas[0]: breakdown for breakdown in recalled.comparison.breakdowns}
    try:
        table = read_predictions(recalled.folder) if _keeps_predictions(recalled.folder) else None
        return [
            ReportContents(arena, output, {} if table is None else samples_of(table, number), first.get(number))
            for number, (arena, output) in enumerate(
                zip(recalled.comparison.arenas, recalled.results["arenas"], strict=True)
            )
        ]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        message = f"'predictions.parquet' is not what a record holds ({type(error).__name__}: {error})"
        raise MachineError(
            message, place=place, cure="make the record again: `losscli compare` on its spec.yaml"
        ) from error


def _keeps_predictions(folder: Path) -> bool:
    return (folder / "predictions.parquet").exists()


def _origin(recalled: Recalled) -> list[str]:
    comparison = recalled.comparison
    seconds = comparison.timing.get("train_seconds", math.nan)
    facts = [recalled.folder.name, recalled.created[:10], f"trained on {comparison.device}"]
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
    seeds = len({run.seed for run in arena.runs})
    return {
        "place": place,
        "arena": arena,
        "compared": [
            arena.task,
            counted(len(arena.entries), "loss").replace("losss", "losses"),  # counted adds an s, and no more
            counted(seeds, "seed"),
            *_facts(arena),
        ],
        "seeds": seeds,
        "paragraph": paragraph(arena),
        "leaderboard": leaderboard(arena),
        "tuned": [(entry.entry, chosen(entry)) for entry in arena.entries if entry.tuned],
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


def _facts(arena: Arena) -> list[str]:
    model, train = arena.spec.get("model") or {}, arena.spec.get("train") or {}
    rows = ", ".join(f"{count} {split}" for split, count in arena.rows.items())
    shape = " ".join([str(model.get("kind", "")), "-".join(map(str, model.get("hidden") or []))]).strip()
    epochs = train.get("epochs")
    return [fact for fact in (f"rows: {rows}" if rows else "", shape, f"{epochs} epochs" if epochs else "") if fact]


def leaderboard(arena: Arena) -> dict[str, Any]:
    """The table: headings with the direction that is better, a row per entry, and what one has without a model."""
    metrics = sorted(arena.directions, key=lambda metric: metric != arena.headline)
    spec_metrics = arena.spec.get("metrics") or metrics
    shown = [metric for metric in metrics if metric == arena.headline or metric in spec_metrics]
    others = shown[1:]
    deltas = [entry.delta for entry in arena.entries if entry.delta]
    places = decimals(value for delta in deltas for value in (delta.mean, *(delta.ci95 or ())))
    return {
        "headline": _heading(arena, arena.headline),
        "others": [_heading(arena, metric) for metric in others],
        "timed": any(math.isfinite(entry.seconds) for entry in arena.entries),
        "rows": [
            {
                "entry": entry,
                "place": place,
                "score": _score(arena, entry, arena.headline),
                "delta": _difference(entry.delta, places),
                "verdict": described(entry, arena).partition(", ")[::2],
                "others": [_score(arena, entry, metric) for metric in others],
                "time": Cell(duration(entry.seconds) if math.isfinite(entry.seconds) else "-", entry.seconds),
            }
            for place, entry in enumerate(arena.entries)
        ],
        "marked": any(_score(arena, entry, metric).verdict for entry in arena.entries for metric in others),
        "baseline": {metric: _baseline(arena, metric) for metric in shown},
        "order": shown,
    }


def _heading(arena: Arena, metric: str) -> tuple[str, str, str, str]:
    direction = arena.directions[metric]
    return metric, direction, arrow(arena, metric), BETTER[direction]


def _score(arena: Arena, entry: EntryResult, metric: str) -> Cell:
    estimate = entry.scores.get("test", {}).get(metric, NO_ESTIMATE)
    mean, plus, sd = spread(estimate, _places(arena, metric)).partition(" ± ")
    delta = entry.deltas.get(metric) if metric != arena.headline else None  # that has a column of its own
    verdict = delta.verdict if delta and delta.verdict in CLEAR else ""
    sorted_by = -arena.goodness(entry, metric) if arena.directions[metric] == "target" else estimate.mean
    return Cell(mean, sorted_by, f"± {sd}" if plus else "", verdict or "")


def _baseline(arena: Arena, metric: str) -> str:
    return number(arena.baseline.get("test", {}).get(metric, math.nan), _places(arena, metric))


def _places(arena: Arena, metric: str) -> int | None:
    means = [entry.scores.get("test", {}).get(metric, NO_ESTIMATE).mean for entry in arena.entries]
    return decimals([*means, arena.baseline.get("test", {}).get(metric, math.nan)])


def _difference(delta: Delta | None, places: int | None) -> Cell:
    if delta is None:
        return Cell("")
    mean = number(delta.mean, places, "+")
    ends = [number(end, places, "+") for end in delta.ci95 or ()]
    some = f"({delta.seeds} of {delta.of} seeds)" if delta.verdict == "undefined" else ""
    return Cell(mean, delta.mean, f"[{ends[0]}, {ends[1]}]" if ends else some)
