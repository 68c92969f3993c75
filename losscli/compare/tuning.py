"""Tuning: of the candidates of an entry and a seed, the one that does best on that seed's own valid split.

Every seed chooses for itself, and never by its test rows. One choice for all seeds would have seen some of them: where each
seed draws its own split, the valid rows of one seed are test rows of another.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from losscli.compare.result import Arena, RunResult
from losscli.direction import LEVEL, Direction, goodness, target_of
from losscli.errors import Finding, counted, listed

if TYPE_CHECKING:
    from losscli.metrics import Metric
    from losscli.stack.run_state import RunState

RATE = "lr"
LOST = ("diverged", "failed")  # without a result
MOST_NAMED = 4  # entries that one finding names
FARTHEST = 10.0  # factor by which a grid is said to be extended, at most
SPELLED_OUT = 1e6  # numbers that are written with all their zeros are smaller

Grids = Mapping[str, Mapping[str, Sequence[Any]]]  # entry -> what is tuned of it -> the values, in their order
Allowed = Callable[[str, float], bool]  # whether what is tuned may have a value


class TrainedCandidate(Protocol):
    """A candidate that was trained."""

    @property
    def status(self) -> str: ...
    @property
    def scores(self) -> Mapping[str, Mapping[str, float]]: ...
    @property
    def calibration(self) -> Mapping[str, Any]: ...


Candidate = TypeVar("Candidate", bound=TrainedCandidate)


def best(candidates: Sequence[Candidate], headline: str, direction: Direction) -> Candidate:
    """The candidate with the best headline metric on the valid split; of equals, the first.

    Where the headline has no value for one of them, their own loss decides: any value would beat none. A diverged candidate
    wins only among its like.
    """
    finished = [candidate for candidate in candidates if candidate.status not in LOST] or list(candidates)
    if all(math.isfinite(_valid(candidate, headline)) for candidate in finished):
        metric, metric_direction = headline, direction
    else:
        metric, metric_direction = "loss", "down"
    return max(finished, key=lambda candidate: _goodness(candidate, metric, metric_direction))


def _goodness(candidate: TrainedCandidate, metric: str, direction: Direction) -> float:
    target = target_of(candidate.calibration) if direction == "target" else LEVEL
    score = goodness(_valid(candidate, metric), direction, target)
    return score if math.isfinite(score) else -math.inf


def _valid(candidate: TrainedCandidate, metric: str) -> float:
    return candidate.scores.get("valid", {}).get(metric, math.nan)


def choose(states: Sequence[RunState], headline: Metric) -> list[RunState]:
    """Of the candidates of every entry and seed the one that tuning takes; its time is that of all of them."""
    winners = []
    for candidates in _by_run(states):
        winner = best(candidates, headline.name, headline.direction)
        winner.seconds = math.fsum(state.seconds for state in candidates)
        winners.append(winner)
    return winners


def forget(states: Sequence[RunState], headline: Metric) -> None:
    """Let go of what only the winner is asked for, so that memory holds two candidates of each run: the best so far, and
    that by its loss, which decides once a candidate has no headline.
    """
    for candidates in _by_run(states):
        winners = [best(candidates, headline.name, headline.direction), best(candidates, "loss", "down")]
        for state in candidates:
            if not any(state is winner for winner in winners):
                state.weights, state.predictions, state.fingerprint = {}, None, None


def _by_run(states: Sequence[RunState]) -> Iterable[list[RunState]]:
    """The states, by entry and seed."""
    groups: dict[tuple[str, int], list[RunState]] = {}
    for state in states:
        groups.setdefault((state.run.entry, state.run.seed), []).append(state)
    return groups.values()


def with_choices(arena: Arena, grids: Grids, allowed: Allowed) -> Arena:
    """The arena with what was chosen of each entry, and what is to be said of the choices."""
    if not any(grids.values()):
        return arena
    entries = [
        replace(entry, tuned=_counts(arena.runs_of(entry.entry), grids.get(entry.entry, {}))) for entry in arena.entries
    ]
    tuned = replace(arena, entries=entries)
    findings = [*_edges(tuned, grids, allowed), *_by_own_loss(tuned), *_unequal(grids)]
    return replace(tuned, findings=[*arena.findings, *findings])


def text_of(value: Any) -> str:
    """A value as the key of a count.

    >>> text_of(0.001), text_of(1e7), text_of(None), text_of("balanced"), text_of([1, 2.5])
    ('0.001', '1e+07', 'null', 'balanced', '[1, 2.5]')
    """
    if isinstance(value, float) and (abs(value) >= SPELLED_OUT or abs(value) < 1) and float(f"{value:g}") == value:
        return f"{value:g}"  # as findings and names of entries write it
    return value if isinstance(value, str) else json.dumps(value)


def _counts(runs: Sequence[RunResult], grids: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, int]]:
    """For every value of each grid, how many seeds chose it; a seed whose candidates all diverged chose none."""
    choices = [{name: text_of(value) for name, value in run.tuned.items()} for run in runs if not run.lost]
    return {
        name: {text_of(value): sum(choice.get(name) == text_of(value) for choice in choices) for value in values}
        for name, values in grids.items()
    }


# Findings


def _edges(arena: Arena, grids: Grids, allowed: Allowed) -> Iterator[Finding]:
    """Where most seeds of an entry chose the end of a grid beyond which there may be something better."""
    at_the_edge: dict[tuple[str, str, float, float], list[str]] = {}
    for entry in arena.entries:
        for name, counts in entry.tuned.items():
            for which, value, beyond in _ends(grids[entry.entry][name]):
                chosen, seeds = counts[text_of(value)], sum(counts.values())
                further = next((step for step in beyond if allowed(name, step)), None)
                if 2 * chosen > seeds and further is not None:
                    at_the_edge.setdefault((name, which, value, further), []).append(
                        f"{entry.entry} ({chosen} of {seeds})"
                    )
    for (name, which, value, further), entries in at_the_edge.items():
        message = f"{name} = {value:g}, the {which} of its grid, was chosen in most seeds by "
        message += f"{listed(entries, MOST_NAMED)}; a better one may lie beyond"
        yield Finding("tuned-to-the-edge", "info", message, f"extend the grid of {name}, by {further:g} for example")


def _ends(values: Sequence[Any]) -> Iterator[tuple[str, float, list[float]]]:
    """The lowest and the highest of a grid of numbers, each with the steps that would lead on: by a factor, by a difference."""
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values):
        return
    ordered = sorted(values)
    for which, end, inner in (("lowest", ordered[0], ordered[1]), ("highest", ordered[-1], ordered[-2])):
        factor = min(FARTHEST, max(1 / FARTHEST, end / inner)) if ordered[0] > 0 else 0.0
        by_factor = [float(f"{end * factor:.3g}")] if factor else []
        yield which, end, [*by_factor, float(f"{2 * end - inner:.3g}")]


def _by_own_loss(arena: Arena) -> Iterator[Finding]:
    """A loss may choose between learning rates, but not between options that change what it measures."""
    for entry in arena.entries:
        options = [name for name in entry.tuned if name != RATE]
        runs = [run for run in arena.runs_of(entry.entry) if not run.lost]
        without = sum(not math.isfinite(_valid(run, arena.headline)) for run in runs)
        if options and without:
            seeds = "" if without == len(runs) else f" in {without} of {counted(len(runs), 'seed')}"
            message = (
                f"{entry.entry}: {arena.headline} has no value for it{seeds}, so its own loss on the valid split chose"
            )
            message += f" {' and '.join(options)}, which changes that very loss"
            cure = f"choose another headline (--metric), or leave {' and '.join(options)} out of tune"
            yield Finding("tuned-by-own-loss", "warning", message, cure)


def _unequal(grids: Grids) -> Iterator[Finding]:
    """Who tries more finds more: on the valid split by luck, too."""
    tries = {entry: math.prod(map(len, of_entry.values())) for entry, of_entry in grids.items()}
    most, fewest = max(tries, key=tries.__getitem__), min(tries, key=tries.__getitem__)
    if tries[most] != tries[fewest]:
        message = f"entries had different numbers of candidates: {most} {tries[most]}, {fewest} {tries[fewest]}"
        message += "; who tries more has the better chance"
        yield Finding("unequal-tuning", "info", message, "tune lr alone, or judge the difference with that in mind")
