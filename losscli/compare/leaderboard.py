"""From finished runs to an arena: runs grouped into entries, estimates, and paired differences to the reference.

A diverged run keeps its place among the seeds, as NaN; it takes no part in any mean, and a finding counts it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from losscli.compare.equivalence import margin
from losscli.compare.result import Arena, Delta, EntryResult, Estimate, RunResult
from losscli.compare.statistics import delta, estimate, holm
from losscli.compare.verdict import judge, with_need
from losscli.errors import Finding, counted, shown

if TYPE_CHECKING:
    from losscli.spec.model import Entry

Scores = Mapping[str, Mapping[str, Estimate]]


def build_arena(
    entries: Sequence[Entry],
    runs: Sequence[RunResult],
    *,
    task: str,
    data: str,
    headline: str,
    directions: Mapping[str, Literal["up", "down"]],
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
    contest = _Contest(headline, directions[headline], reference, ratios.get("test", 0.0), equivalence or {})
    verdicts = contest.verdicts(by_entry)
    found = [_entry(entry, by_entry[entry.name], bounds, ratios, *verdicts[entry.name]) for entry in entries]
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
        findings=[*findings, *_diverged(by_entry), *(_never_positive(found, labels) if task == "binary" else [])],
        spec=spec or {},
        rows=rows,
        resampled=resampled,
        split=split,
        corrupt=corrupt or {},
    )


@dataclass(frozen=True)
class _Contest:
    """Compares every entry with the reference on the headline metric of the test split, as one family."""

    headline: str
    direction: Literal["up", "down"]
    reference: str
    test_ratio: float
    equivalence: Mapping[str, float | str]

    def verdicts(self, by_entry: Mapping[str, Sequence[RunResult]]) -> dict[str, tuple[Delta | None, str]]:
        """The difference and the verdict of each entry."""
        values = {name: _by_seed(runs, "test", self.headline) for name, runs in by_entry.items()}
        base = values[self.reference]
        width = margin(self.direction, estimate(list(base.values())).mean, self.equivalence.get(self.headline))
        deltas = self._deltas(values, base)
        found: dict[str, tuple[Delta | None, str]] = dict.fromkeys(by_entry, (None, "too-few-seeds"))
        for name, each in deltas.items():
            whole = replace(each, margin=width)
            verdict = judge(whole, self.direction, len(deltas), _missing(by_entry[name], by_entry[self.reference]))
            found[name] = with_need(whole, self.direction, len(deltas), verdict, self.test_ratio), verdict
        return found | {self.reference: (None, "reference")}

    def _deltas(self, values: Mapping[str, dict[int, float]], base: dict[int, float]) -> dict[str, Delta]:
        """The differences that there are, corrected for their number; one pair has no p, and counts as one of them."""
        each = {name: delta(self.headline, mine, base, self.test_ratio) for name, mine in values.items()}
        there = {name: found for name, found in each.items() if found is not None and name != self.reference}
        corrected = holm([1.0 if found.p is None else found.p for found in there.values()])
        return {
            name: replace(found, p_holm=None if found.p is None else p)
            for (name, found), p in zip(there.items(), corrected, strict=True)
        }


def _missing(entry: Sequence[RunResult], reference: Sequence[RunResult]) -> tuple[int, int]:
    """On how many seeds the entry alone, and the reference alone, diverged."""
    mine, other = ({run.seed for run in runs if run.status == "diverged"} for runs in (entry, reference))
    return len(mine - other), len(other - mine)


def _entry(
    entry: Entry,
    runs: Sequence[RunResult],
    bounds: Mapping[str, tuple[float, float]],
    ratios: Mapping[str, float],
    found: Delta | None,
    verdict: str,
) -> EntryResult:
    splits = dict.fromkeys(split for run in runs for split in run.scores)
    scores = {
        split: {
            metric: estimate(list(_by_seed(runs, split, metric).values()), ratios.get(split, 0.0), *bound)
            for metric, bound in bounds.items()
            if any(metric in run.scores.get(split, {}) for run in runs)
        }
        for split in splits
    }
    return EntryResult(
        entry=entry.name,
        loss=entry.loss,
        options={**entry.options, **entry.beside},
        scores=scores,
        delta=found,
        verdict=verdict,
        seconds=math.fsum(run.seconds for run in runs),
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
    found = []
    for name, runs in by_entry.items():
        seeds = [run.seed for run in runs if run.status == "diverged"]
        if seeds:
            numbered = "seed" if len(seeds) == 1 else "seeds"
            shown = ", ".join(map(str, seeds[:8])) + (f" and {len(seeds) - 8} more" if len(seeds) > 8 else "")
            found.append(
                Finding(
                    "diverged",
                    "error" if len(seeds) == len(runs) else "warning",
                    f"{len(seeds)} of {len(runs)} runs of {name} diverged ({numbered} {shown}) and count in no mean",
                    "a lower learning rate (--lr) or clipped gradients (--set train.clip=1) may keep them finite",
                )
            )
    return found
