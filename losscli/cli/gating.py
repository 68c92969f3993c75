"""What `gate` does: find two records, judge the entries that both have, and say what held and what dropped."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from losscli.cli import job_summary, show
from losscli.cli.annotations import annotation
from losscli.cli.fitted import Col, Fitted
from losscli.compare.gate import GateEntry, Scores, concluded, gate, vanished
from losscli.compare.intervals import why_undefined
from losscli.compare.result import Arena, finite
from losscli.compare.samedata import alike, difference
from losscli.direction import target_of
from losscli.errors import SpecError, choose_from, counted, joined, shown, visible
from losscli.record.find import find
from losscli.record.reader import read
from losscli.reports.markdown import literal
from losscli.reports.recall import ComparisonRecord, recall
from losscli.severities import SEVERITIES
from losscli.words.answer import roughly
from losscli.words.numbers import number

FAILED, FEWEST_SHARED = 1, 5
FIXED = 12  # seeds that are advised where they were added in stages
FAILING = ("dropped", "vanished")
OUTCOMES = {"held": "info"} | dict.fromkeys(FAILING, "error")  # how grave each is
OUTCOMES |= dict.fromkeys(("not-proven", "too-few-seeds", "no-value", "undefined"), "warning")
HELD = "green"
MOST_SENTENCES = 4  # entries of which each is told how it was judged, even if it held


@dataclass(frozen=True)
class GateOptions:
    """What to compare with, on what, and how to show it."""

    baseline: str
    metric: str | None
    limit: float
    entries: tuple[str, ...]
    out: Path
    form: str
    job_summary: bool = False
    verbose: bool = False


def run(record: str, options: GateOptions) -> int:
    """Judge, show, and return the exit code: 1 if anything dropped or vanished."""
    new, old = (recall(find(options.out, text, outside=True)) for text in (record, options.baseline))
    results, notes = concluded(_gate_arenas(new, old, options)), _notes(new, old)
    if options.job_summary:
        job_summary.append(_markdown(results))
    if options.form == "json":
        names = {"record": str(new.folder), "baseline": str(old.folder), "summary": answer(results)}
        show.machine({"schema_version": 1, **names, "entries": _plain(results), "notes": notes})
    elif options.form == "github":
        sys.stdout.write("".join(f"{_annotated(entry)}\n" for entry in results))
        sys.stdout.write("".join(f"{annotation('notice', 'losscli gate', note)}\n" for note in notes))
    else:
        few = options.verbose or len(results) <= MOST_SENTENCES
        told = [Text(_sentence(entry)) for entry in results if few or entry.outcome != "held"]
        show.pieces([Text(answer(results), "bold"), Text(), _table(results), *told, *map(Text, notes)])
    return FAILED if any(entry.outcome in FAILING for entry in results) else 0


def _notes(new: ComparisonRecord, old: ComparisonRecord) -> list[str]:
    """What to know of how seeds were added: when they end depends on the values, and the gate judges these values."""
    return [
        f"Seeds of the {which} record were added in stages until its entries were settled, so entries that were ahead by luck"
        f" look a little too good there; records of a fixed number of seeds, as --seeds {FIXED}, do not have that."
        for which, record in (("new", new), ("old", old))
        if any(arena.looks and len(arena.looks.sizes) > 1 for arena in record.comparison.arenas)
    ]


def _gate_arenas(new: ComparisonRecord, old: ComparisonRecord, options: GateOptions) -> list[GateEntry]:
    encoders = [read(record.folder)["encoders"] for record in (new, old)]
    results, names, met = [], list[str](), set[int]()
    for at, arena in enumerate(new.comparison.arenas):
        names += [entry.entry for entry in arena.entries]
        place = alike(at, arena, old.comparison.arenas)
        if place is not None:
            met.add(place)
            former = old.comparison.arenas[place]
            same = _same(arena, former, at, place, encoders)
            results += [replace(entry, damage=arena.damage) for entry in _of_arena(arena, former, options, same)]
    if not met:
        raise SpecError(
            f"the records are not of the same data: {difference(new.comparison.arenas[0], old.comparison.arenas)}",
            cure="compare records of the same task, data and target",
        )
    if not options.entries:
        gone = [arena for place, arena in enumerate(old.comparison.arenas) if place not in met]
        results += [_vanished(entry.entry, arena, options) for arena in gone for entry in arena.entries]
    missing = [name for name in options.entries if name not in {entry.entry for entry in results}]
    if missing:
        raise SpecError(f"no entry {shown(missing[0])} stands in both records", cure=choose_from(missing[0], names))
    if all(entry.outcome == "no-value" for entry in results):
        metric = shown(results[0].metric) if results else "the metric"
        raise SpecError(f"{metric} has no value in these records", cure="--metric names another")
    return results


def _of_arena(arena: Arena, former: Arena, options: GateOptions, same: bool) -> list[GateEntry]:
    """The entries that both have and, where none are named, those that the new record has no more."""
    former = _as_called_now(former, {entry.entry for entry in arena.entries})
    names, before = ([entry.entry for entry in side.entries] for side in (arena, former))
    both = [name for name in names if name in before and name in (options.entries or before)]
    gone = [] if options.entries else [name for name in before if name not in names]
    return [
        *(_of_entry(name, arena, former, options, same) for name in both),
        *(_vanished(name, former, options) for name in gone),
    ]


def _as_called_now(former: Arena, names: set[str]) -> Arena:
    """The old arena, where it has entries that the new one has not, with the names that its losses have now."""
    if {entry.entry for entry in former.entries} <= names:
        return former
    from losscli.losses import called_now

    entries = [replace(entry, entry=called_now(entry.entry, former.task)) for entry in former.entries]
    return replace(
        former, entries=entries, runs=[replace(run, entry=called_now(run.entry, former.task)) for run in former.runs]
    )


def _vanished(name: str, former: Arena, options: GateOptions) -> GateEntry:
    metric = _metric(options, former)
    return vanished(name, metric, _scores(former, name, metric), options.limit)


def _metric(options: GateOptions, *arenas: Arena) -> str:
    """The one that was asked for, or the headline of the first arena; all must have measured it."""
    metric = options.metric or arenas[0].headline
    for arena in arenas:
        if metric not in arena.directions:
            raise SpecError(f"--metric: {shown(metric)} was not measured", cure=choose_from(metric, arena.directions))
    return metric


def _same(arena: Arena, former: Arena, number: int, place: int, encoders: list[Mapping[str, Any]]) -> bool:
    """Whether both records ran the same seeds, or at least enough of them, on the same rows.

    What the encoders learned from each seed's training rows tells them, and so do the baseline's scores on the test rows.
    """
    seeds, others = (set(side.seeds) for side in (arena, former))
    both = sorted(seeds & others)
    if seeds != others and len(both) < FEWEST_SHARED:
        return False
    states = [
        [encoder.get(f"{at}/{seed}") for seed in both] for encoder, at in zip(encoders, (number, place), strict=True)
    ]
    shared = set(arena.baseline.get("test", {})) & set(former.baseline.get("test", {}))
    scores = [[repr(side.baseline["test"][name]) for name in sorted(shared)] for side in (arena, former)]
    alike = None not in states[0] and states[0] == states[1]
    return alike and (seeds != others or scores[0] == scores[1])  # the baseline's are means over all seeds


def _of_entry(name: str, arena: Arena, former: Arena, options: GateOptions, same: bool) -> GateEntry:
    metric = _metric(options, arena, former)
    old, new = _scores(former, name, metric), _scores(arena, name, metric)
    runs = {which: side.runs_of(name) for which, side in (("the new record", arena), ("the old one", former))}
    reason = why_undefined(metric, runs, arena.rows.get("test", 0))
    return gate(name, metric, arena.directions[metric], old, new, options.limit, same, reason)


def _scores(arena: Arena, name: str, metric: str) -> Scores:
    entry = next(candidate for candidate in arena.entries if candidate.entry == name)
    runs = arena.runs_of(name)
    measured = entry.score(metric)
    values = dict(zip((run.seed for run in runs), measured.values, strict=True)) if measured.values else {}
    values = {seed: value for seed, value in values.items() if seed not in arena.impossible.get(metric, ())}
    ratio = _test_ratio(arena) if arena.resampled else 0.0
    finished = {run.seed for run in runs if not run.lost}
    undefined = frozenset(seed for seed, value in values.items() if seed in finished and not math.isfinite(value))
    return Scores(values, ratio, target_of(runs[0].calibration if runs else {}), undefined)


def _test_ratio(arena: Arena) -> float:
    """Test rows per training row: counted, or as a record of scores says it."""
    share = arena.spec.get("data", {}).get("train_share") if arena.foreign else None
    if share:
        return (1 - float(share)) / float(share)
    return arena.rows["test"] / arena.rows["train"] if arena.rows else 0.0


def _plain(results: list[GateEntry]) -> list[dict[str, Any]]:
    return [
        {name: finite(value) if isinstance(value, float) else value for name, value in asdict(entry).items()}
        for entry in results
    ]


def _table(results: list[GateEntry]) -> Fitted:
    columns = [Col("entry"), Col("outcome"), Col("metric", drop=3), Col("old", drop=2), Col("new", drop=1), Col("drop")]
    table = Fitted([*columns, Col("allowed", drop=4)])
    for entry in results:
        numbers = (number(entry.old), number(entry.new), number(entry.drop, 4, "+"), f"{entry.limit:g}")
        style = HELD if entry.outcome == "held" else SEVERITIES[OUTCOMES[entry.outcome]].terminal
        outcome = Text(entry.outcome.replace("-", " "), style)
        table.add(visible(entry.title, 60), outcome, visible(entry.metric, 40), *numbers)
    return table


def _markdown(results: list[GateEntry]) -> str:
    """The outcome of each entry, for the summary of a job."""
    heading = ("entry", "metric", "old", "new", "outcome")
    rows = [
        (literal(one.title), literal(one.metric), number(one.old), number(one.new), one.outcome.replace("-", " "))
        for one in results
    ]
    table = [f"| {' | '.join(row)} |" for row in (heading, ("---",) * len(heading), *rows)]
    reasons = [f"- {literal(_sentence(one), 2000)}" for one in results]
    return "\n".join([f"### losscli gate\n\n{literal(answer(results), 2000)}", "", *table, "", *reasons])


def answer(results: Sequence[GateEntry]) -> str:
    """Whether the gate holds, in one sentence: who dropped and by how much, who vanished, what cannot be judged."""
    groups: dict[str, list[GateEntry]] = {}
    for entry in results:
        groups.setdefault(entry.outcome, []).append(entry)
    clauses = []
    if dropped := groups.get("dropped"):
        sizes = [roughly(entry.drop) for entry in dropped if entry.test != "diverged" and math.isfinite(entry.drop)]
        by = f" by {joined(list(dict.fromkeys(sizes)))} {visible(dropped[0].metric, 40)}" if sizes else ""
        clauses.append(f"{_titles(dropped)} dropped{by}, more than the {dropped[0].limit:g} allowed")
    if gone := groups.get("vanished"):
        clauses.append(f"{_titles(gone)} vanished")
    failed = bool(clauses)
    if held := groups.get("held"):
        clauses.append(f"{len(held)} {'entry' if len(held) == 1 else 'entries'} held")
    if doubtful := groups.get("not-proven"):
        clauses.append(f"{_titles(doubtful)} may have dropped, or chance explains it")
    if few := groups.get("too-few-seeds"):
        clauses.append(f"{_titles(few)} {'has' if len(few) == 1 else 'have'} too few seeds to fail")
    if silent := [*groups.get("undefined", []), *groups.get("no-value", [])]:
        clauses.append(f"{_titles(silent)} cannot be judged")
    return f"{'The gate fails' if failed else 'Nothing has dropped beyond doubt'}: {'; '.join(clauses)}."


def _titles(results: Sequence[GateEntry]) -> str:
    return joined([visible(entry.title, 60) for entry in results])


def _sentence(entry: GateEntry) -> str:
    """One sentence: what was found, and how it was judged."""
    name = visible(entry.title, 60)
    if entry.reason:
        gone = f", on more seeds than chance explains (p = {entry.p:.2g})" if entry.outcome == "vanished" else ""
        return f"{name}: {entry.reason}{gone or ', so nothing can be judged'}."
    if entry.test == "diverged" and entry.outcome == "dropped":
        return f"{name}: more runs diverge than before (p = {entry.p:.2g})."
    if entry.test == "none":
        return f"{name}: it stands in the old record and not in the new one, which fails unless --entry names others."
    if not math.isfinite(entry.drop):
        return f"{name}: {_without_value(entry)}."
    worse, how = f"{entry.metric} is {_size(entry)}", _how(entry)
    if entry.p is None:
        need = "5 seeds on the same rows" if entry.paired else "4 seeds in each"
        return f"{name}: {worse}, with {how}: too few to tell, so this cannot fail; it takes {need}."
    evidence = f"({how}, {entry.test}, p = {entry.p:.2g})"
    if entry.outcome == "not-proven":
        return f"{name}: {worse}, more than the {entry.limit:g} allowed, but chance may explain it {evidence}; {_cure(entry)}."
    relation = "more than" if entry.outcome == "dropped" else "not beyond doubt more than" if _over(entry) else "within"
    return f"{name}: {worse}, {relation} the {entry.limit:g} allowed {evidence}."


def _over(entry: GateEntry) -> bool:
    return entry.drop > entry.limit


def _size(entry: GateEntry) -> str:
    if entry.drop == 0:
        return "the same"
    return f"{abs(entry.drop):.{4 if abs(entry.drop) >= 5e-5 else 1}{'f' if abs(entry.drop) >= 5e-5 else 'e'}} " + (
        "worse" if entry.drop > 0 else "better"
    )


def _how(entry: GateEntry) -> str:
    if entry.paired:
        return f"{counted(entry.seeds[0], 'seed')} on the same rows"
    return f"{entry.seeds[0]} against {counted(entry.seeds[1], 'seed')}, unpaired: other seeds, other rows or another encoding"


def _cure(entry: GateEntry) -> str:
    """What would tell chance from a drop."""
    if not entry.paired:
        return "the same seeds on the same rows in both records, or more of them, would tell"
    fixed = " on a fixed split (data.split.seed)" if entry.test == "corrected-t" else ""
    return f"more seeds{fixed} in both records would tell"


def _without_value(entry: GateEntry) -> str:
    if entry.outcome == "no-value":
        return f"{entry.metric} has no value in the old record, so nothing can be judged; --metric names another"
    if entry.outcome == "vanished":
        return f"{entry.metric} has no value in the new record, and had one in the old, which fails"
    return f"{entry.metric} has no value in both records for any seed, so this cannot fail; it takes 5 seeds on the same rows"


def _annotated(entry: GateEntry) -> str:
    return annotation(
        SEVERITIES[OUTCOMES[entry.outcome]].workflow,
        f"losscli gate: {entry.outcome.replace('-', ' ')}",
        _sentence(entry),
    )
