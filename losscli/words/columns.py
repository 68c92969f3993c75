"""The columns of a leaderboard: what the terminal, Markdown, a notebook and the page of a report show alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from losscli.compare.result import CLAIMS, Arena, Delta, EntryResult
from losscli.direction import ARROWS, BETTER
from losscli.errors import counted, visible
from losscli.words.numbers import decimals, duration, number, spread

PLAIN = ("reference", "better", "worse", "equivalent")  # verdicts that say all in a word

Kind = Literal["metric", "difference", "verdict", "finished", "seeds", "time"]


@dataclass(frozen=True)
class Cell:
    """What a cell says; `aside` is how sure that is, and `value` the number to sort a column by (NaN comes last).

    `claim` is `better` or `worse` where that is the verdict on a metric other than the headline, which has a column of verdicts.

    >>> str(Cell("0.84", "± 0.02", claim="worse")), str(Cell("inconclusive", "about 4 more seeds", between=", "))
    ('0.84 ± 0.02 worse', 'inconclusive, about 4 more seeds')
    """

    text: str
    aside: str = ""
    value: float = math.nan
    claim: str = ""
    between: str = " "

    def __str__(self) -> str:
        """The cell on one line."""
        return " ".join(filter(None, (self.between.join(filter(None, (self.text, self.aside))), self.claim)))


@dataclass(frozen=True)
class Column:
    """One column: a cell per entry, in the arena's order, and what the rows of the baseline and of the yardsticks say.

    `better` says which values are, of a column that an order can be made of; `arrow` is its sign, beside a metric.
    """

    kind: Kind
    name: str
    cells: Sequence[Cell]
    baseline: str = ""
    better: str = ""
    arrow: str = ""
    yardsticks: Sequence[str] = ()

    @property
    def heading(self) -> str:
        return f"{self.name} {self.arrow}".rstrip()

    @property
    def lines(self) -> list[str]:
        """Every cell on one line."""
        return list(map(str, self.cells))

    @property
    def beside(self) -> list[str]:
        """What stands below the entries: the baseline, then each yardstick; nothing where a column has none of them."""
        return [self.baseline, *self.yardsticks] if self.baseline else []


def rows_beside(arena: Arena, table: Sequence[Column]) -> list[tuple[str, list[str]]]:
    """The rows below those of the entries, by their names: the baseline, then the yardsticks."""
    names = ["baseline", *(one.name for one in arena.yardsticks)]
    cells = [column.beside or [""] * len(names) for column in table]
    return [(name, [of[place] for of in cells]) for place, name in enumerate(names)]


def columns(arena: Arena) -> list[Column]:
    """On the test split: the verdict, beside the name; the headline and its difference to the reference; other metrics; time.

    Beside another metric stands `better` or `worse` where that is the verdict on it; anything else is in the machine output.
    """
    headline, *others = sorted(arena.directions, key=lambda metric: metric != arena.headline)
    verdicts = [described(entry, arena).partition(", ") for entry in arena.entries]
    return [
        Column("verdict", "verdict", [Cell(first, rest, between=comma) for first, comma, rest in verdicts]),
        _metric(arena, headline),
        Column("difference", "vs reference", _differences(arena), better=BETTER[arena.directions[headline]]),
        *_finished(arena),
        *(_metric(arena, metric) for metric in others),
        *_time(arena),
    ]


def headed(arena: Arena, metric: str) -> str:
    """A metric with the arrow that says which direction is better."""
    return f"{visible(metric, 40)} {arrow(arena, metric)}"


def arrow(arena: Arena, metric: str) -> str:
    """`↑`, `↓`, or `→ 0.9` where a metric is best at a level that all entries share, `→` where each has its own."""
    direction = arena.directions[metric]
    targets = {run.calibration["level"] for run in arena.runs if run.calibration.get("level")}
    shared = f" {targets.pop():g}" if direction == "target" and len(targets) == 1 else ""
    return f"{ARROWS[direction]}{shared}"


def _metric(arena: Arena, metric: str) -> Column:
    estimates = [entry.score(metric) for entry in arena.entries]
    baseline, direction = arena.without_model(metric), arena.directions[metric]
    plain = [one.score(metric) for one in arena.yardsticks]
    places = decimals([*(estimate.mean for estimate in (*estimates, *plain)), baseline])
    cells = []
    for entry, estimate in zip(arena.entries, estimates, strict=True):
        distance = -arena.goodness(entry, metric) if direction == "target" else estimate.mean
        mean, _, aside = spread(estimate, places).partition(" ")
        cells.append(Cell(mean, aside, distance, _claim(entry, arena, metric)))
    name, better = visible(metric, 40), BETTER[direction]
    below = [spread(estimate, places) for estimate in plain]
    return Column("metric", name, cells, number(baseline, places), better, arrow(arena, metric), below)


def _claim(entry: EntryResult, arena: Arena, metric: str) -> str:
    """The verdict on a metric other than the headline, which has a column of its own."""
    verdict = entry.deltas[metric].verdict if metric != arena.headline and metric in entry.deltas else None
    return verdict if verdict in CLAIMS else ""


def _differences(arena: Arena) -> list[Cell]:
    places = decimals(entry.delta.mean for entry in arena.entries if entry.delta)
    return [_difference(entry.delta, places) for entry in arena.entries]


def _difference(delta: Delta | None, places: int | None) -> Cell:
    if delta is None:
        return Cell("")
    aside = f"({delta.seeds} of {delta.of})" if delta.seeds < delta.of else ""
    if delta.ci95 is not None:
        aside = f"[{number(delta.ci95[0], places, '+')}, {number(delta.ci95[1], places, '+')}]"
    return Cell(number(delta.mean, places, "+"), aside, delta.mean)


def _finished(arena: Arena) -> list[Column]:
    """How many runs of each entry count, where some do not."""
    if not any(run.lost for run in arena.runs):
        return []
    cells = []
    for entry in arena.entries:
        lost, runs = arena.lost_runs(entry.entry), len(arena.runs_of(entry.entry))
        cells.append(Cell(f"{runs - lost} of {runs}", value=runs - lost))
    return [Column("finished", "finished", cells, better=BETTER["up"])]


def _time(arena: Arena) -> list[Column]:
    """Each entry's share of the time of the stacks that it was trained in, where that is known: no measure of a loss."""
    if not any(math.isfinite(entry.seconds) for entry in arena.entries):
        return []
    cells = [Cell(duration(entry.seconds), value=entry.seconds) for entry in arena.entries]
    return [Column("time", "time share", cells, better=BETTER["down"])]


def described(entry: EntryResult, arena: Arena) -> str:
    """The verdict in a few words, for a table: `better`, `inconclusive, about 12 more seeds`, `one seed, an anecdote`."""
    if entry.verdict in PLAIN:
        return entry.verdict
    if entry.verdict == "same":
        return "the same"
    if entry.delta is None:
        return _without_pairs(entry, arena)
    if entry.verdict == "undefined":
        return f"no verdict, {entry.delta.reason}"
    more = entry.delta.seeds_needed
    if entry.verdict == "too-few-seeds":
        return "one seed, an anecdote" if entry.delta.of == 1 else f"too few seeds, {more or 'some'} more"
    lost = max(arena.lost_runs(entry.entry), arena.lost_runs(arena.reference))
    if lost:
        return f"inconclusive, {counted(lost, 'run')} {how_lost(arena)}"
    if arena.whole_seeds < len(arena.seeds):
        return f"inconclusive, {entry.delta.seeds} of {counted(entry.delta.of, 'seed')}"
    return f"inconclusive, about {counted(more, 'more seed')}" if more else "inconclusive, needs more rows"


def how_lost(arena: Arena, entry: str | None = None) -> str:
    """How runs were lost, all or those of one entry: as most of them were."""
    statuses = [run.status for run in arena.runs if run.lost and entry in (None, run.entry)]
    return max(statuses, key=statuses.count)


def _without_pairs(entry: EntryResult, arena: Arena) -> str:
    """Why there is nothing to compare: no run that finished, or no value of the headline in any."""
    runs = len(arena.runs_of(entry.entry))
    if runs and arena.lost_runs(entry.entry) == runs:
        return f"every run {how_lost(arena, entry.entry)}"
    if runs and arena.lost_runs(arena.reference) == len(arena.runs_of(arena.reference)):
        return f"the reference {how_lost(arena, arena.reference)}"
    if runs and not entry.score(arena.headline).n:
        return f"has no {arena.headline}"
    if runs and not arena.reference_entry.score(arena.headline).n:
        return f"the reference has no {arena.headline}"
    return f"{arena.headline} in no seed of both"
