"""What `gate` does: find two records, judge the entries that both have, and say what held and what dropped."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from losscli.cli import show
from losscli.cli.annotations import annotation
from losscli.compare.gate import Gated, Scores, concluded, gate, vanished
from losscli.compare.intervals import why_undefined
from losscli.compare.numbers import number
from losscli.compare.result import Arena, RunResult, finite
from losscli.compare.samedata import alike, difference
from losscli.direction import target_of
from losscli.errors import SpecError, choose_from, counted, shown, visible
from losscli.record.find import find
from losscli.record.reader import read
from losscli.reports.recall import Recalled, recall

FAILED, FEWEST_SHARED = 1, 5
FAILING = ("dropped", "vanished")
LEVELS = {"held": "notice"} | dict.fromkeys(FAILING, "error")
LEVELS |= dict.fromkeys(("not-proven", "too-few-seeds", "no-value", "undefined"), "warning")
COLORS = {
    outcome: {"notice": "green", "error": "bold red", "warning": "yellow"}[level] for outcome, level in LEVELS.items()
}


@dataclass(frozen=True)
class GateOptions:
    """What to compare with, on what, and how to show it."""

    baseline: str
    metric: str | None
    limit: float
    entries: tuple[str, ...]
    out: Path
    form: str


def run(record: str, options: GateOptions) -> int:
    """Judge, show, and return the exit code: 1 if anything dropped or vanished."""
    new, old = (recall(find(options.out, text, outside=True)) for text in (record, options.baseline))
    found = concluded(_judged(new, old, options))
    if options.form == "json":
        show.machine(
            {"schema_version": 1, "record": str(new.folder), "baseline": str(old.folder), "entries": _plain(found)}
        )
    elif options.form == "github":
        sys.stdout.write("".join(f"{_annotated(each)}\n" for each in found))
    else:
        show.pieces([_table(found), *(Text(_said(each)) for each in found)])
    return FAILED if any(each.outcome in FAILING for each in found) else 0


def _judged(new: Recalled, old: Recalled, options: GateOptions) -> list[Gated]:
    encoders = [read(each.folder)["encoders"] for each in (new, old)]
    found, known, met = [], list[str](), set[int]()
    for at, arena in enumerate(new.comparison.arenas):
        known += [entry.entry for entry in arena.entries]
        place = alike(at, arena, old.comparison.arenas)
        if place is not None:
            met.add(place)
            former = old.comparison.arenas[place]
            same = _same(arena, former, at, place, encoders)
            found += [replace(each, damage=arena.damage) for each in _of_arena(arena, former, options, same)]
    if not met:
        raise SpecError(
            f"the records are not of the same data: {difference(new.comparison.arenas[0], old.comparison.arenas)}",
            cure="compare records of the same task, data and target",
        )
    if not options.entries:
        gone = [each for place, each in enumerate(old.comparison.arenas) if place not in met]
        found += [_vanished(entry.entry, arena, options) for arena in gone for entry in arena.entries]
    missing = [name for name in options.entries if name not in {each.entry for each in found}]
    if missing:
        raise SpecError(f"no entry {shown(missing[0])} stands in both records", cure=choose_from(missing[0], known))
    if all(each.outcome == "no-value" for each in found):
        metric = shown(found[0].metric) if found else "the metric"
        raise SpecError(f"{metric} has no value in these records", cure="--metric names another")
    return found


def _of_arena(arena: Arena, former: Arena, options: GateOptions, same: bool) -> list[Gated]:
    """The entries that both have and, where none are named, those that the new record has no more."""
    names, before = ([entry.entry for entry in each.entries] for each in (arena, former))
    both = [name for name in names if name in before and name in (options.entries or before)]
    gone = [] if options.entries else [name for name in before if name not in names]
    return [
        *(_of_entry(name, arena, former, options, same) for name in both),
        *(_vanished(name, former, options) for name in gone),
    ]


def _vanished(name: str, former: Arena, options: GateOptions) -> Gated:
    metric = _metric(options, former)
    return vanished(name, metric, _scores(former, name, metric), options.limit)


def _metric(options: GateOptions, *arenas: Arena) -> str:
    """The one that was asked for, or the headline of the first arena; all must have measured it."""
    metric = options.metric or arenas[0].headline
    for each in arenas:
        if metric not in each.directions:
            raise SpecError(f"--metric: {shown(metric)} was not measured", cure=choose_from(metric, each.directions))
    return metric


def _same(arena: Arena, former: Arena, number: int, place: int, encoders: list[Mapping[str, Any]]) -> bool:
    """Whether both records ran the same seeds, or at least enough of them, on the same rows.

    What the encoders learned from each seed's training rows tells them, and so do the baseline's scores on the test rows.
    """
    seeds, others = ({run.seed for run in each.runs} for each in (arena, former))
    both = sorted(seeds & others)
    if seeds != others and len(both) < FEWEST_SHARED:
        return False
    states = [
        [encoder.get(f"{at}/{seed}") for seed in both] for encoder, at in zip(encoders, (number, place), strict=True)
    ]
    shared = set(arena.baseline.get("test", {})) & set(former.baseline.get("test", {}))
    scores = [[repr(each.baseline["test"][name]) for name in sorted(shared)] for each in (arena, former)]
    alike = None not in states[0] and states[0] == states[1]
    return alike and (seeds != others or scores[0] == scores[1])  # the baseline's are means over all seeds


def _of_entry(name: str, arena: Arena, former: Arena, options: GateOptions, same: bool) -> Gated:
    metric = _metric(options, arena, former)
    old, new = _scores(former, name, metric), _scores(arena, name, metric)
    runs = {which: _runs(each, name) for which, each in (("the new record", arena), ("the old one", former))}
    reason = why_undefined(metric, runs, arena.rows.get("test", 0))
    return gate(name, metric, arena.directions[metric], old, new, options.limit, same, reason)


def _scores(arena: Arena, name: str, metric: str) -> Scores:
    entry = next(each for each in arena.entries if each.entry == name)
    runs = _runs(arena, name)
    measured = entry.scores.get("test", {}).get(metric)
    values = dict(zip((run.seed for run in runs), measured.values, strict=True)) if measured else {}
    values = {seed: value for seed, value in values.items() if seed not in arena.impossible.get(metric, ())}
    ratio = arena.rows["test"] / arena.rows["train"] if arena.resampled and arena.rows else 0.0
    finished = {run.seed for run in runs if not run.lost}
    undefined = frozenset(seed for seed, value in values.items() if seed in finished and not math.isfinite(value))
    return Scores(values, ratio, target_of(runs[0].calibration if runs else {}), undefined)


def _runs(arena: Arena, name: str) -> list[RunResult]:
    return [run for run in arena.runs if run.entry == name]


def _plain(found: list[Gated]) -> list[dict[str, Any]]:
    return [
        {name: finite(value) if isinstance(value, float) else value for name, value in asdict(each).items()}
        for each in found
    ]


def _table(found: list[Gated]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("entry", "metric", "old", "new", "drop", "allowed", "outcome"):
        table.add_column(heading, overflow="fold")
    for each in found:
        numbers = (number(each.old), number(each.new), number(each.drop, 4, "+"), f"{each.limit:g}")
        outcome = Text(each.outcome.replace("-", " "), COLORS[each.outcome])
        table.add_row(Text(visible(each.title, 60)), Text(visible(each.metric, 40)), *numbers, outcome)
    return table


def _said(each: Gated) -> str:
    """One sentence: what was found, and how it was judged."""
    name = visible(each.title, 60)
    if each.reason:
        gone = f", on more seeds than chance explains (p = {each.p:.2g})" if each.outcome == "vanished" else ""
        return f"{name}: {each.reason}{gone or ', so nothing can be judged'}."
    if each.test == "diverged" and each.outcome == "dropped":
        return f"{name}: more runs diverge than before (p = {each.p:.2g})."
    if each.test == "none":
        return f"{name}: it stands in the old record and not in the new one, which fails unless --entry names others."
    if not math.isfinite(each.drop):
        return f"{name}: {_without_value(each)}."
    worse, how = f"{each.metric} is {_size(each)}", _how(each)
    if each.p is None:
        need = "5 seeds on the same rows" if each.paired else "4 seeds in each"
        return f"{name}: {worse}, with {how}: too few to tell, so this cannot fail; it takes {need}."
    judged = f"({how}, {each.test}, p = {each.p:.2g})"
    if each.outcome == "not-proven":
        return (
            f"{name}: {worse}, more than the {each.limit:g} allowed, but chance may explain it {judged}; {_cure(each)}."
        )
    said = "more than" if each.outcome == "dropped" else "not beyond doubt more than" if _over(each) else "within"
    return f"{name}: {worse}, {said} the {each.limit:g} allowed {judged}."


def _over(each: Gated) -> bool:
    return each.drop > each.limit


def _size(each: Gated) -> str:
    if each.drop == 0:
        return "the same"
    return f"{abs(each.drop):.{4 if abs(each.drop) >= 5e-5 else 1}{'f' if abs(each.drop) >= 5e-5 else 'e'}} " + (
        "worse" if each.drop > 0 else "better"
    )


def _how(each: Gated) -> str:
    if each.paired:
        return f"{counted(each.seeds[0], 'seed')} on the same rows"
    return f"{each.seeds[0]} against {counted(each.seeds[1], 'seed')}, unpaired: other seeds, other rows or another encoding"


def _cure(each: Gated) -> str:
    """What would tell chance from a drop."""
    if not each.paired:
        return "the same seeds on the same rows in both records, or more of them, would tell"
    fixed = " on a fixed split (data.split.seed)" if each.test == "corrected-t" else ""
    return f"more seeds{fixed} in both records would tell"


def _without_value(each: Gated) -> str:
    if each.outcome == "no-value":
        return f"{each.metric} has no value in the old record, so nothing can be judged; --metric names another"
    if each.outcome == "vanished":
        return f"{each.metric} has no value in the new record, and had one in the old, which fails"
    return f"{each.metric} has no value in both records for any seed, so this cannot fail; it takes 5 seeds on the same rows"


def _annotated(each: Gated) -> str:
    return annotation(LEVELS[each.outcome], f"losscli gate: {each.outcome.replace('-', ' ')}", _said(each))
