"""Which runs of a record are meant: those that are named, or the best by the valid split. The test split chooses nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, TypeVar

from losscli.compare.result import in_words
from losscli.direction import goodness, target_of
from losscli.errors import MachineError, SpecError, choose_from, shown
from losscli.metrics import find as find_metric

Name = TypeVar("Name", str, int)
Result = Mapping[str, Any]  # an arena of results.json
LOST = ("diverged", "failed")  # what a run without a model ended as


@dataclass(frozen=True)
class RunChoice:
    """Which runs of a record: None is the best, by the valid split's headline metric."""

    arena: int | None = None  # from 1; None: the only one
    entry: str | None = None
    seed: int | None = None
    every_seed: bool = False
    losses: tuple[str, ...] = ()  # FILE.py:NAME, for entries whose loss is in a file of the user's own


def choose_arena(arenas: Sequence[Result], number: int | None) -> int:
    """The index of the arena of that number, from 1, or of the only one; `SpecError` where it is not clear."""
    if number is None and len(arenas) == 1:
        return 0
    if number is not None and 1 <= number <= len(arenas):
        return number - 1
    listed = ", ".join(f"{n} {_title(arena)}" for n, arena in enumerate(arenas, start=1))
    reason = f"the record holds {len(arenas)} arenas" if number is None else f"there is no arena {number}"
    raise SpecError(f"{reason}: {listed}", cure="choose one with --arena NUMBER")


def _title(arena: Result) -> str:
    """What tells an arena from others: its data, what was done to them, its task."""
    parts = [arena["data"], in_words(arena.get("corrupt") or {})]
    return f"{', '.join(filter(None, parts))} ({arena['task']})"


def choose_entry(arena: Result, name: str | None) -> str:
    """The entry of that name, or the one with the best mean on the valid split."""
    finished: list[str] = list(dict.fromkeys(run["entry"] for run in arena["runs"] if run["status"] not in LOST))
    if name is not None:
        names = [entry["entry"] for entry in arena["entries"]]
        if name not in names:
            raise SpecError(f"the record has no entry called {shown(name)}", cure=choose_from(name, names))
        if name not in finished:
            raise MachineError(f"every run of {shown(name)} diverged", cure=f"choose from: {', '.join(finished)}")
        return name
    if not finished:
        raise MachineError("every run of the record diverged: there is no model", cure="train again with a lower --lr")
    levels = {run["calibration"]["level"] for run in arena["runs"] if (run.get("calibration") or {}).get("level")}
    if find_metric(arena["headline"], arena["task"]).levelled and len(levels) > 1:
        message = (
            f"the entries give intervals of different levels, so {arena['headline']} does not tell which is better"
        )
        raise SpecError(message, cure=f"name one (--entry): {', '.join(finished)}")
    scores = {entry: list(_goodness(arena, entry).values()) for entry in finished}
    partial = [entry for entry in finished if _partial(scores[entry])]
    if partial and len(finished) > 1:
        raise _undecided(arena, partial[0], scores[partial[0]], "entry", finished)
    return _best({entry: fmean(values) for entry, values in scores.items()})


def _partial(scores: Sequence[float]) -> bool:
    """Whether some runs have a value and others have none."""
    return 0 < sum(map(math.isfinite, scores)) < len(scores)


def _undecided(arena: Result, entry: str, scores: Sequence[float], which: str, names: Sequence[Any]) -> SpecError:
    count = f"{sum(map(math.isfinite, scores))} of {len(scores)} seeds"
    message = f"{shown(entry)} has {arena['headline']} on the valid split in {count}: it does not tell the best {which}"
    return SpecError(message, cure=f"name one (--{which}): {', '.join(map(str, names))}")


def choose_seeds(arena: Result, entry: str, selection: RunChoice) -> list[int]:
    """The seed that was asked for, all that finished, or the one that is best on its own valid split."""
    runs = [run for run in arena["runs"] if run["entry"] == entry]
    finished = [run["seed"] for run in runs if run["status"] not in LOST]
    if selection.every_seed:
        return finished
    if selection.seed is not None and selection.seed not in finished:
        listed = ", ".join(map(str, finished))
        raise SpecError(f"{shown(entry)} has no finished run with seed {selection.seed}", cure=f"there are: {listed}")
    if selection.seed is not None:
        return [selection.seed]
    scores = _goodness(arena, entry)
    if _partial([scores[seed] for seed in finished]):
        raise _undecided(arena, entry, [scores[seed] for seed in finished], "seed", finished)
    return [_best({seed: scores[seed] for seed in finished})]


def _goodness(arena: Result, entry: str) -> dict[int, float]:
    """By seed, how good the headline of an entry's finished runs is on the valid split; NaN without a value."""
    metric = find_metric(arena["headline"], arena["task"])
    if not metric.headline:
        raise SpecError(f"{metric.name} alone does not tell which is better", cure="name one: --entry and --seed")
    runs = [run for run in arena["runs"] if run["entry"] == entry]
    measured = next(candidate for candidate in arena["entries"] if candidate["entry"] == entry)["valid"].get(
        arena["headline"], {}
    )
    values = measured.get("values") or [None] * len(runs)
    targets = [target_of(run.get("calibration") or {}) for run in runs]
    return {
        run["seed"]: math.nan if value is None else goodness(value, metric.direction, target)
        for run, value, target in zip(runs, values, targets, strict=True)
        if run["status"] not in LOST
    }


def _best(scores: Mapping[Name, float]) -> Name:
    """The key with the best score; the first of equal ones. No score is worse than any."""
    worth = {name: -math.inf if math.isnan(score) else score for name, score in scores.items()}
    return max(worth, key=worth.__getitem__)
