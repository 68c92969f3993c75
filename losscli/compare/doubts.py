"""Findings of a comparison: runs and values that are missing from it, and verdicts that hang by a thread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from losscli.compare import generalise
from losscli.compare.pairs import pairs
from losscli.compare.result import CLAIMS, Arena, RunResult
from losscli.compare.shape import carrier, odd_seed, one_sided
from losscli.errors import Finding, counted, listed, shown, visible
from losscli.looks import LEVEL

MOST_NAMED = 6  # entries that one finding names
TESTED = (*CLAIMS, "inconclusive", "equivalent")  # verdicts that come from a test on pairs


def doubts(arena: Arena, test_ratio: float, positive: str | None) -> list[Finding]:
    """All of them, for an arena whose verdicts are known; `test_ratio` as in `statistics`, `positive` as in `build_arena`."""
    runs: dict[str, list[RunResult]] = {entry.entry: [] for entry in arena.entries}
    for run in arena.runs:
        runs[run.entry].append(run)
    metrics = list(dict.fromkeys([arena.headline, *(metric for entry in arena.entries for metric in entry.deltas)]))
    return [
        *_diverged(runs),
        *_failed(runs),
        *(_never_positive(arena, positive) if positive is not None else ()),
        *_impossible(arena, metrics),
        *(finding for metric in metrics for finding in _unmeasured(arena, metric, runs)),
        *_shapes(arena, runs, test_ratio),
        *generalise.told(arena),
    ]


def _shapes(arena: Arena, runs: Mapping[str, Sequence[RunResult]], test_ratio: float) -> list[Finding]:
    """Differences on the headline that one seed makes, and those that lean to one side, which no test here allows for."""
    carried, leaning = [], []
    seeds, direction = arena.seeds, arena.directions[arena.headline]
    for entry in arena.entries:
        if entry.delta is None or entry.verdict not in TESTED:
            continue
        both = pairs(runs[entry.entry], runs[arena.reference], arena.headline, seeds, direction=direction)
        differences = {seed: score - both.reference[seed] for seed, score in both.entry.items()}
        seed = carrier(differences, entry.delta.margin or 0.0, test_ratio) if entry.verdict in CLAIMS else None
        if seed is not None:
            carried.append(f"{visible(entry.entry)} is {entry.verdict} because of seed {seed}")
        elif one_sided(list(differences.values())):
            leaning.append(f"{visible(entry.entry)} (seed {odd_seed(differences)})")
    findings = []
    if carried:
        message = f"{listed(carried, MOST_NAMED)}: without it there is no difference in {arena.headline}"
        cure = "look at that seed's run, and add seeds before relying on the verdict"
        findings.append(Finding("one-seed", "warning", message, cure))
    if leaning:
        message = (
            f"one seed lies far from the others in the differences of {listed(leaning, MOST_NAMED)}: such differences"
        )
        message += f" are told apart by chance more often than {LEVEL:.0%}"
        findings.append(Finding("odd-seed", "info", message, "look at that seed's run; more seeds show how rare it is"))
    return findings


def _impossible(arena: Arena, metrics: Sequence[str]) -> list[Finding]:
    """Metrics that no entry can have on the test split of some seeds: those seeds compare nothing."""
    by_seeds: dict[tuple[int, ...], list[str]] = {}
    for metric in metrics:
        if arena.impossible.get(metric):
            by_seeds.setdefault(tuple(arena.impossible[metric]), []).append(metric)
    cure = f"make the test split larger (data.split.test){_instead(arena)}"
    findings = []
    for seeds, names in by_seeds.items():
        none = set(seeds) >= set(arena.seeds)
        counts = "that seed counts" if len(seeds) == 1 else "those seeds count"
        where, rest = ("any seed", "it compares nothing") if none else (_numbered(seeds), f"{counts} in no mean")
        message = f"{listed(names, MOST_NAMED)} cannot be measured on the test rows of {where}, for any entry; {rest}"
        findings.append(Finding("metric-impossible", "warning", message, cure))
    return findings


def _unmeasured(arena: Arena, metric: str, runs: Mapping[str, Sequence[RunResult]]) -> list[Finding]:
    """A metric that finished runs have on some seeds only: its mean is that of those seeds, and decides nothing."""
    partial = {}
    for entry, group in runs.items():
        possible = [run for run in group if not run.lost and run.seed not in arena.impossible.get(metric, ())]
        measured = sum(math.isfinite(run.value(metric)) for run in possible)
        if 0 < measured < len(possible):
            partial[entry] = f"{measured} of {counted(len(possible), 'seed')} for {visible(entry)}"
    if not partial:
        return []
    message = f"{metric} has a value in {listed(list(partial.values()), MOST_NAMED)}; its mean is that of those seeds"
    cure = f"train for longer{_instead(arena)}"
    return [Finding("metric-undefined", "warning", f"{message}, and no verdict is built on it", cure)]


def _instead(arena: Arena) -> str:
    """A metric that every finished run has, to be judged by."""
    finished = [run for run in arena.runs if not run.lost]
    for metric in arena.entries[0].scores.get("test", {}):
        if finished and all(math.isfinite(run.value(metric)) for run in finished):
            return f", or judge by a metric that every run has (--metric {metric})"
    return ""


def _never_positive(arena: Arena, positive: str) -> list[Finding]:
    """Entries that get no positive test row right with any seed, as far as f1 or recall tell; accuracy hides it."""
    findings = []
    for entry in arena.entries:
        measured = entry.scores.get("test", {})
        values = next((measured[metric].values for metric in ("recall", "f1") if metric in measured), ())
        finite = [value for value in values if math.isfinite(value)]
        if finite and not any(finite):
            seeds = f"{len(finite)} of {counted(len(values), 'seed')}"
            message = f"{entry.entry} recognises no test row of the class {shown(positive)} in {seeds}"
            cure = "pos_weight: balanced, or a loss for rare classes such as focal, or longer training"
            findings.append(Finding("never-positive", "warning", message, cure))
    return findings


def _diverged(by_entry: Mapping[str, Sequence[RunResult]]) -> list[Finding]:
    """One finding for the entries that lost every run, one for those that lost some: their cure is the same."""
    lost = {name: [run.seed for run in runs if run.status == "diverged"] for name, runs in by_entry.items()}
    every_run = [name for name, seeds in lost.items() if seeds and len(seeds) == len(by_entry[name])]
    some_runs = [name for name, seeds in lost.items() if seeds and name not in every_run]
    cure = "a lower learning rate (--lr) or clipped gradients (--set train.clip=1) may keep them finite"
    findings = []
    kinds: list[tuple[list[str], str]] = [(some_runs, "warning"), (every_run, "error")]
    for names, severity in kinds:
        if names:
            message = _lost({name: (lost[name], len(by_entry[name])) for name in names})
            findings.append(Finding("diverged", severity, message, cure))
    return findings


def _failed(by_entry: Mapping[str, Sequence[RunResult]]) -> list[Finding]:
    """One finding for each entry whose loss, code of the user's own, gave up."""
    findings = []
    for name, runs in by_entry.items():
        failed = [run for run in runs if run.status == "failed"]
        if failed:
            message = f"{len(failed)} of {counted(len(runs), 'run')} of {name} failed and count in no mean: {failed[0].reason}"
            severity = "error" if len(failed) == len(runs) else "warning"
            findings.append(
                Finding("failed", severity, message, "mend it there; the other entries are as they would be alone")
            )
    return findings


def _lost(entries: Mapping[str, tuple[Sequence[int], int]]) -> str:
    """Which runs of which entries diverged: of each its seeds that did, and how many it has."""
    if len(entries) == 1:
        ((name, (seeds, runs)),) = entries.items()
        return f"{len(seeds)} of {runs} runs of {name} diverged ({_numbered(seeds)}) and count in no mean"
    counts = [
        f"{name} (all {runs})" if len(seeds) == runs else f"{name} ({len(seeds)} of {runs}: {_numbered(seeds)})"
        for name, (seeds, runs) in entries.items()
    ]
    more = f" and {len(counts) - MOST_NAMED} more entries" if len(counts) > MOST_NAMED else ""
    return f"runs of {len(counts)} entries diverged and count in no mean: {', '.join(counts[:MOST_NAMED])}{more}"


def _numbered(seeds: Sequence[int]) -> str:
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {listed(list(map(str, seeds)))}"
