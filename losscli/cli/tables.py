"""The tables: metrics of one entry by split, and the leaderboard of an arena. Nothing here ranks or crowns an entry."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from losscli.cli.text import decimals, duration, number, spread, visible
from losscli.compare.result import Arena, Delta, EntryResult, Estimate

ARROWS = {"up": "↑", "down": "↓"}
NO_ESTIMATE = Estimate(math.nan, math.nan, None, ())

NARROWEST = 14  # of the names of entries, which are wrapped so that the verdict can stand beside the difference
TOGETHER = 3  # headline, difference and verdict

Column = tuple[str, list[str]]  # heading, one cell per entry and one for the baseline


def score_table(arena: Arena, entry: EntryResult) -> Table:
    """Metrics down, splits across, beside what one would get without a model."""
    table = _table("metric", "train", "valid", "test", "baseline")
    for metric in arena.directions:
        estimates = [entry.scores.get(split, {}).get(metric, NO_ESTIMATE) for split in ("train", "valid", "test")]
        baseline = arena.baseline.get("test", {}).get(metric, math.nan)
        places = decimals([*(found.mean for found in estimates), baseline])
        table.add_row(
            Text(_headed(arena, metric)),
            *(Text(spread(found, places)) for found in estimates),
            Text(number(baseline, places), "dim"),
        )
    return table


def leaderboards(arena: Arena, width: int) -> Iterator[Table]:
    """One line per entry, on the test split; columns that do not fit beside the headline get a table below it."""
    names = ["entry", *(visible(entry.entry, 40) for entry in arena.entries), "baseline"]
    columns = _columns(arena)
    left = min(max(map(len, names)), max(NARROWEST, width - sum(map(_width, columns[:TOGETHER]))))
    while columns:
        fitting = max(1, _fitting(columns, width - left))
        yield _leaderboard(names, columns[:fitting], left)
        columns = columns[fitting:]


def _leaderboard(names: Sequence[str], columns: Sequence[Column], left: int) -> Table:
    table = _table(names[0], *(heading for heading, _ in columns))
    table.columns[0].max_width = left
    for row, name in enumerate(names[1:]):
        style = "dim" if row == len(names) - 2 else ""
        table.add_row(Text(name, style), *(Text(cells[row], style) for _, cells in columns))
    return table


def _columns(arena: Arena) -> list[Column]:
    headline, *others = sorted(arena.directions, key=lambda metric: metric != arena.headline)
    places = decimals(entry.delta.mean for entry in arena.entries if entry.delta)
    return [
        _metric(arena, headline),
        ("vs reference", [*(_difference(entry.delta, places) for entry in arena.entries), ""]),
        ("verdict", [*(entry.verdict for entry in arena.entries), ""]),
        *_finished(arena),
        ("time", [*(duration(entry.seconds) for entry in arena.entries), ""]),
        *(_metric(arena, metric) for metric in others),
    ]


def _metric(arena: Arena, metric: str) -> Column:
    estimates = [entry.scores.get("test", {}).get(metric, NO_ESTIMATE) for entry in arena.entries]
    baseline = arena.baseline.get("test", {}).get(metric, math.nan)
    places = decimals([*(found.mean for found in estimates), baseline])
    return _headed(arena, metric), [*(spread(found, places) for found in estimates), number(baseline, places)]


def _difference(delta: Delta | None, places: int | None) -> str:
    if delta is None:
        return ""
    mean = number(delta.mean, places, "+")
    if delta.ci95 is None:
        return mean
    return f"{mean} [{number(delta.ci95[0], places, '+')}, {number(delta.ci95[1], places, '+')}]"


def _finished(arena: Arena) -> list[Column]:
    """How many runs of each entry count, where some do not."""
    cells = []
    for entry in arena.entries:
        statuses = [run.status for run in arena.runs if run.entry == entry.entry]
        cells.append(f"{len(statuses) - statuses.count('diverged')} of {len(statuses)}")
    diverged = any(run.status == "diverged" for run in arena.runs)
    return [("finished", [*cells, ""])] if diverged else []


def _headed(arena: Arena, metric: str) -> str:
    return f"{visible(metric, 40)} {ARROWS[arena.directions[metric]]}"


def _width(column: Column) -> int:
    heading, cells = column
    return max(len(heading), *map(len, cells)) + 2


def _fitting(columns: Sequence[Column], room: int) -> int:
    """How many of the columns, from the left, fit into `room` characters."""
    count = 0
    for heading, cells in columns:
        room -= _width((heading, cells))
        if room < 0:
            break
        count += 1
    return count


def _table(first: str, *headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(Text(first), overflow="fold")
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    return table
