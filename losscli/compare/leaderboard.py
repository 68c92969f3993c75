"""From finished runs to an arena: runs grouped into entries, estimates, and paired differences to the reference.

A diverged run keeps its place among the seeds, as NaN; it takes no part in any mean, and a finding counts it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mode
from typing import TYPE_CHECKING, Any

from losscli.compare import intervals
from losscli.compare.equivalence import margin
from losscli.compare.result import Arena, Delta, EntryResult, Estimate, RunResult
from losscli.compare.statistics import delta, estimate, holm
from losscli.compare.verdict import judge, with_need
from losscli.direction import Direction, compared, target_of
from losscli.errors import Finding, Severity, counted, shown

if TYPE_CHECKING:
    from losscli.spec.model import Entry

Scores = Mapping[str, Mapping[str, Estimate]]
MOST_TOLD = 6  # entries that one finding names


def build_arena(
    entries: Sequence[Entry],
    runs: Sequence[RunResult],
    *,
    task: str,
    data: str,
    headline: str,
    directions: Mapping[str, Direction],
    ranges: Mapping[str, tuple[float, float]] | None = None,
    baseline: Mapping[str, Mapping[str, float]],
    labels: Sequence[str] = (),
    findings: Sequence[Finding] = (),
    spec: Mapping[str, Any] | None = None,
    rows: Mapping[str, int] | None = None,
    resampled: bool = True,
    split: str = "random",
    ratios: Mapping[str, float] | None = None,
    corrupt: Mapping[str, Any] | None = None,
    reference: str | None = None,
    equivalence: Mapping[str, float | str] | None = None,
) -> Arena:
    """The arena of `entries`, in their order; the reference is the first one unless another is named.

    `directions` has the measured metrics, those of the tables first; `ranges` says what each can be. `rows` are the
    sizes of the splits with the first seed, `ratios` the mean over the seeds of their rows per training row; `split` says
    what divides the rows, and `resampled` that each seed draws its own split, which widens the intervals (see
    `statistics`). `corrupt` is what was done to the training rows on purpose. `equivalence` says how large a difference may be
    and still be of no importance.
    """
    reference = reference or entries[0].name
    by_entry = {entry.name: [run for run in runs if run.entry == entry.name] for entry in entries}
    rows = rows or {}
    ratios = (ratios or {name: size / rows["train"] for name, size in rows.items()}) if resampled else {}
    measured = dict.fromkeys([*directions, *(ranges or {})])
    bounds = {metric: (ranges or {}).get(metric, (-math.inf, math.inf)) for metric in measured}
    shown = [metric for metric in (spec or {}).get("metrics") or directions if metric in directions]
    contest = _Contest(directions, reference, ratios.get("test", 0.0), equivalence or {}, rows.get("test", 0))
    verdicts = {metric: contest.verdicts(by_entry, metric) for metric in dict.fromkeys([headline, *shown])}
    found = [
        _entry(entry, by_entry[entry.name], bounds, ratios, {name: of[entry.name] for name, of in verdicts.items()})
        for entry in entries
    ]
    return Arena(
        task=task,
        data=data,
        headline=headline,
        directions=directions,
        reference=reference,
        entries=found,
        baseline=baseline,
        runs=[run for group in by_entry.values() for run in group],
        labels=labels,
        findings=[
            *findings,
            *_diverged(by_entry),
            *intervals.findings(by_entry),
            *(_never_positive(found, labels) if task == "binary" else []),
        ],
        spec=spec or {},
        rows=rows,
        resampled=resampled,
        split=split,
        corrupt=corrupt or {},
    )


@dataclass(frozen=True)
class _Contest:
    """Compares every entry with the reference on one metric of the test split at a time; each metric is a family."""

    directions: Mapping[str, Direction]
    reference: str
    test_ratio: float
    equivalence: Mapping[str, float | str]
    rows: int  # of the test split

    def verdicts(self, by_entry: Mapping[str, Sequence[RunResult]], metric: str) -> dict[str, tuple[Delta | None, str]]:
        """The difference and the verdict of each entry."""
        direction = self.directions[metric]
        values = {name: _compared(runs, metric, direction) for name, runs in by_entry.items()}
        base = values[self.reference]
        width = margin(direction, estimate(list(base.values())).mean, self.equivalence.get(metric))
        deltas = self._deltas(values, base, metric)
        found: dict[str, tuple[Delta | None, str]] = dict.fromkeys(by_entry, (None, "too-few-seeds"))
        for name, each in deltas.items():
            pair = {of: by_entry[of] for of in (name, self.reference)}
            reason = intervals.why_undefined(metric, pair, self.rows)
            if reason:
                found[name] = replace(each, margin=width, verdict="undefined", reason=reason), "undefined"
                continue
            whole = replace(each, margin=width, target=_target(by_entry[name]) if direction == "target" else None)
            verdict = judge(whole, direction, len(deltas), _missing(by_entry[name], by_entry[self.reference]))
            needed = with_need(whole, direction, len(deltas), verdict, self.test_ratio)
            found[name] = replace(needed, verdict=verdict), verdict
        return found | {self.reference: (None, "reference")}

    def _deltas(self, values: Mapping[str, dict[int, float]], base: dict[int, float], metric: str) -> dict[str, Delta]:
        """The differences that there are, corrected for their number; one pair has no p, and counts as one of them."""
        each = {name: delta(metric, mine, base, self.test_ratio) for name, mine in values.items()}
        there = {name: found for name, found in each.items() if found is not None and name != self.reference}
        corrected = holm([1.0 if found.p is None else found.p for found in there.values()])
        return {
            name: replace(found, p_holm=None if found.p is None else p)
            for (name, found), p in zip(there.items(), corrected, strict=True)
        }


def _compared(runs: Sequence[RunResult], metric: str, direction: Direction) -> dict[int, float]:
    """By seed, what differences are taken of: a value, or its distance from the target of its run."""
    values, targets = _by_seed(runs, "test", metric), {run.seed: target_of(run.calibration) for run in runs}
    return {seed: compared(value, direction, targets[seed]) for seed, value in values.items()}


def _target(runs: Sequence[RunResult]) -> float:
    """That of most runs: where tuning chose the levels, seeds may differ."""
    return mode(target_of(run.calibration) for run in runs)


def _missing(entry: Sequence[RunResult], reference: Sequence[RunResult]) -> tuple[int, int]:
    """On how many seeds the entry alone, and the reference alone, diverged."""
    mine, other = ({run.seed for run in runs if run.status == "diverged"} for runs in (entry, reference))
    return len(mine - other), len(other - mine)


def _entry(
    entry: Entry,
    runs: Sequence[RunResult],
    bounds: Mapping[str, tuple[float, float]],
    ratios: Mapping[str, float],
    judged: Mapping[str, tuple[Delta | None, str]],
) -> EntryResult:
    """`judged` has the difference and the verdict on each metric that is shown, the headline first."""
    splits = dict.fromkeys(split for run in runs for split in run.scores)
    scores = {
        split: {
            metric: estimate(list(_by_seed(runs, split, metric).values()), ratios.get(split, 0.0), *bound)
            for metric, bound in bounds.items()
            if any(metric in run.scores.get(split, {}) for run in runs)
        }
        for split in splits
    }
    headline = next(iter(judged.values()))
    return EntryResult(
        entry=entry.name,
        loss=entry.loss,
        options={**entry.options, **entry.beside},
        scores=scores,
        delta=headline[0],
        verdict=headline[1],
        seconds=math.fsum(run.seconds for run in runs),
        deltas={metric: found for metric, (found, _) in judged.items() if found is not None},
    )


def _by_seed(runs: Sequence[RunResult], split: str, metric: str) -> dict[int, float]:
    return {
        run.seed: math.nan if run.status == "diverged" else run.scores.get(split, {}).get(metric, math.nan)
        for run in runs
    }


def _never_positive(entries: Sequence[EntryResult], labels: Sequence[str]) -> list[Finding]:
    """Entries that get no positive test row right with any seed, as far as f1 or recall tell; accuracy hides it."""
    found = []
    for entry in entries:
        measured = entry.scores.get("test", {})
        values = next((measured[metric].values for metric in ("recall", "f1") if metric in measured), ())
        finite = [value for value in values if math.isfinite(value)]
        if finite and not any(finite):
            name = f"class {shown(labels[1])}" if len(labels) == 2 else "positive class"
            seeds = f"{len(finite)} of {counted(len(values), 'seed')}"
            message = f"{entry.entry} recognises no test row of the {name} in {seeds}"
            cure = "pos_weight: balanced, or a loss for rare classes such as focal, or longer training"
            found.append(Finding("never-positive", "warning", message, cure))
    return found


def _diverged(by_entry: Mapping[str, Sequence[RunResult]]) -> list[Finding]:
    """One finding for the entries that lost every run, one for those that lost some: their cure is the same."""
    lost = {name: [run.seed for run in runs if run.status == "diverged"] for name, runs in by_entry.items()}
    whole = [name for name, seeds in lost.items() if seeds and len(seeds) == len(by_entry[name])]
    some = [name for name, seeds in lost.items() if seeds and name not in whole]
    cure = "a lower learning rate (--lr) or clipped gradients (--set train.clip=1) may keep them finite"
    found = []
    kinds: list[tuple[list[str], Severity]] = [(some, "warning"), (whole, "error")]
    for names, severity in kinds:
        if names:
            message = _lost({name: (lost[name], len(by_entry[name])) for name in names})
            found.append(Finding("diverged", severity, message, cure))
    return found


def _lost(entries: Mapping[str, tuple[Sequence[int], int]]) -> str:
    """Which runs of which entries diverged: of each its seeds that did, and how many it has."""
    if len(entries) == 1:
        ((name, (seeds, runs)),) = entries.items()
        return f"{len(seeds)} of {runs} runs of {name} diverged ({_numbered(seeds)}) and count in no mean"
    told = [
        f"{name} (all {runs})" if len(seeds) == runs else f"{name} ({len(seeds)} of {runs}: {_numbered(seeds)})"
        for name, (seeds, runs) in entries.items()
    ]
    more = f" and {len(told) - MOST_TOLD} more entries" if len(told) > MOST_TOLD else ""
    return f"runs of {len(told)} entries diverged and count in no mean: {', '.join(told[:MOST_TOLD])}{more}"


def _numbered(seeds: Sequence[int], most: int = 8) -> str:
    more = f" and {len(seeds) - most} more" if len(seeds) > most else ""
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds[:most]))}{more}"
