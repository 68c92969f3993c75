"""What `gate` does: find two records, judge the entries that both have, and say what held and what dropped."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from losscli.cli import show
from losscli.cli.annotations import annotation
from losscli.compare.gate import Gated, Scores, concluded, gate
from losscli.compare.result import Arena, finite
from losscli.errors import SpecError, choose_from, counted, shown, visible
from losscli.record.find import find
from losscli.record.reader import read
from losscli.reports.recall import Recalled, recall

FAILED, FEWEST_SHARED = 1, 5
COLORS = {"held": "green", "dropped": "bold red", "too-few-seeds": "yellow"}


@dataclass(frozen=True)
class Wishes:
    """What to compare with, on what, and how to show it."""

    baseline: str
    metric: str | None
    limit: float
    entries: tuple[str, ...]
    out: Path
    form: str


def run(record: str, wishes: Wishes) -> int:
    """Judge, show, and return the exit code: 1 if anything dropped."""
    new, old = (recall(find(wishes.out, text, outside=True)) for text in (record, wishes.baseline))
    found = concluded(_judged(new, old, wishes))
    if wishes.form == "json":
        show.machine(
            {"schema_version": 1, "record": str(new.folder), "baseline": str(old.folder), "entries": _plain(found)}
        )
    elif wishes.form == "github":
        sys.stdout.write("".join(f"{_annotated(each)}\n" for each in found))
    else:
        show.pieces([_table(found), *(Text(_said(each)) for each in found)])
    return FAILED if any(each.outcome == "dropped" for each in found) else 0


def _judged(new: Recalled, old: Recalled, wishes: Wishes) -> list[Gated]:
    encoders = [read(each.folder)["encoders"] for each in (new, old)]
    found, names = [], []
    for number, arena in enumerate(new.comparison.arenas):
        names += [entry.entry for entry in arena.entries]
        for place, former in _alike(arena, old):
            same = _same(arena, former, number, place, encoders)
            known = {entry.entry for entry in former.entries}
            wanted = [
                entry.entry
                for entry in arena.entries
                if entry.entry in (wishes.entries or known) and entry.entry in known
            ]
            found += [_of_entry(name, arena, former, wishes, same) for name in wanted]
    missing = [name for name in wishes.entries if name not in {each.entry for each in found}]
    if missing:
        raise SpecError(f"no entry {shown(missing[0])} stands in both records", cure=choose_from(missing[0], names))
    if not found:
        raise SpecError("the records have no entry in common", cure="compare records of the same task and data")
    return found


def _alike(arena: Arena, old: Recalled) -> list[tuple[int, Arena]]:
    """The arena of the old record with the same task and data; the only one there is need not have the same name."""
    arenas = list(enumerate(old.comparison.arenas))
    named = [(place, each) for place, each in arenas if (each.task, each.data) == (arena.task, arena.data)]
    return named[:1] or [(place, each) for place, each in arenas if len(arenas) == 1 and each.task == arena.task]


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


def _of_entry(name: str, arena: Arena, former: Arena, wishes: Wishes, same: bool) -> Gated:
    metric = wishes.metric or arena.headline
    for each in (arena, former):
        if metric not in each.directions:
            raise SpecError(f"--metric: {shown(metric)} was not measured", cure=choose_from(metric, each.directions))
    old, new = _scores(former, name, metric), _scores(arena, name, metric)
    return gate(name, metric, arena.directions[metric], old, new, wishes.limit, same)


def _scores(arena: Arena, name: str, metric: str) -> Scores:
    entry = next(each for each in arena.entries if each.entry == name)
    seeds = [run.seed for run in arena.runs if run.entry == name]
    measured = entry.scores.get("test", {}).get(metric)
    values = dict(zip(seeds, measured.values, strict=True)) if measured else {}
    ratio = arena.rows["test"] / arena.rows["train"] if arena.resampled and arena.rows else 0.0
    return Scores(values, ratio)


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
        numbers = (f"{each.old:.4f}", f"{each.new:.4f}", f"{each.drop:+.4f}", f"{each.limit:g}")
        outcome = Text(each.outcome.replace("-", " "), COLORS[each.outcome])
        table.add_row(Text(visible(each.entry, 40)), Text(visible(each.metric, 40)), *numbers, outcome)
    return table


def _said(each: Gated) -> str:
    """One sentence: what was found, and how it was judged."""
    name, worse = visible(each.entry, 40), f"{abs(each.drop):.4f} {'worse' if each.drop > 0 else 'better'}"
    if each.test == "diverged":
        return f"{name}: more runs diverge than before (p = {each.p:.2g})."
    how = (
        f"{counted(each.seeds[0], 'seed')} on the same rows"
        if each.paired
        else (
            f"{each.seeds[0]} against {counted(each.seeds[1], 'seed')}, unpaired: other seeds, other rows or another encoding"
        )
    )
    if each.p is None:
        need = "5 seeds on the same rows" if each.paired else "4 seeds in each"
        return f"{name}: {each.metric} is {worse}, with {how}: too few to tell, so this cannot fail; it takes {need}."
    said = (
        "more than"
        if each.outcome == "dropped"
        else "not beyond doubt more than"
        if each.drop > each.limit
        else "within"
    )
    return (
        f"{name}: {each.metric} is {worse}, {said} the {each.limit:g} allowed ({how}, {each.test}, p = {each.p:.2g})."
    )


def _annotated(each: Gated) -> str:
    level = {"held": "notice", "dropped": "error", "too-few-seeds": "warning"}[each.outcome]
    return annotation(level, f"losscli gate: {each.outcome.replace('-', ' ')}", _said(each))
