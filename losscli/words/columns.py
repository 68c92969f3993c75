"""The columns of a leaderboard, as text: what the terminal and a pull request show alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from losscli.compare.result import Arena, Delta, EntryResult
from losscli.direction import ARROWS
from losscli.errors import visible
from losscli.words.numbers import decimals, duration, number, spread
from losscli.words.verdicts import described

Kind = Literal["metric", "difference", "verdict", "finished", "time"]


@dataclass(frozen=True)
class Column:
    """One column: a cell per entry, in the arena's order, and what the row of the baseline says."""

    kind: Kind
    heading: str
    cells: Sequence[str]
    baseline: str = ""


def columns(arena: Arena) -> list[Column]:
    """On the test split: the headline, its difference to the reference, the verdict; then time and the other metrics.

    Beside another metric stands `better` or `worse` where that is the verdict on it; anything else is in the machine output.
    """
    headline, *others = sorted(arena.directions, key=lambda metric: metric != arena.headline)
    times = [duration(entry.seconds) for entry in arena.entries]
    return [
        _metric(arena, headline),
        Column("difference", "vs reference", _differences(arena)),
        Column("verdict", "verdict", [described(entry, arena) for entry in arena.entries]),
        *_finished(arena),
        Column("time", "time", times),
        *(_metric(arena, metric) for metric in others),
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
    baseline = arena.without_model(metric)
    places = decimals([*(estimate.mean for estimate in estimates), baseline])
    cells = [
        f"{spread(estimate, places)} {_claim(entry, arena, metric)}".rstrip()
        for entry, estimate in zip(arena.entries, estimates, strict=True)
    ]
    return Column("metric", headed(arena, metric), cells, number(baseline, places))


def _claim(entry: EntryResult, arena: Arena, metric: str) -> str:
    """The verdict on a metric other than the headline, which has a column of its own."""
    verdict = entry.deltas[metric].verdict if metric != arena.headline and metric in entry.deltas else None
    return verdict if verdict in ("better", "worse") else ""


def _differences(arena: Arena) -> list[str]:
    places = decimals(entry.delta.mean for entry in arena.entries if entry.delta)
    return [_difference(entry.delta, places) for entry in arena.entries]


def _difference(delta: Delta | None, places: int | None) -> str:
    if delta is None:
        return ""
    mean = number(delta.mean, places, "+")
    if delta.ci95 is None:
        return mean + (f" ({delta.seeds} of {delta.of})" if delta.seeds < delta.of else "")
    return f"{mean} [{number(delta.ci95[0], places, '+')}, {number(delta.ci95[1], places, '+')}]"


def _finished(arena: Arena) -> list[Column]:
    """How many runs of each entry count, where some do not."""
    if not any(run.lost for run in arena.runs):
        return []
    cells = []
    for entry in arena.entries:
        lost = [run.lost for run in arena.runs_of(entry.entry)]
        cells.append(f"{lost.count(False)} of {len(lost)}")
    return [Column("finished", "finished", cells)]
