"""From finished runs to an arena: runs grouped into entries, estimates, and paired differences to the reference.

A diverged run keeps its place among the seeds, as NaN; it takes no part in any mean, and a finding counts it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from losscli.compare.result import Arena, Delta, EntryResult, Estimate, RunResult
from losscli.compare.statistics import delta, estimate, paired
from losscli.errors import Finding, counted, shown

if TYPE_CHECKING:
    from losscli.spec.model import Entry

ENOUGH_PAIRS = 6  # the fewest pairs with which a sign-flip test can reach p < 0.05 (2 / 2**6)

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
    reference: str | None = None,
) -> Arena:
    """The arena of `entries`, in their order; the reference is the first one unless another is named.

    `directions` has the metrics, in the order of the tables; `ranges` what each can be, low and high. `rows` are the
    sizes of the splits; `resampled` says that each seed draws its own split (no `split.seed` in the spec), which widens
    the intervals (see `statistics`).
    """
    reference = reference or entries[0].name
    by_entry = {entry.name: [run for run in runs if run.entry == entry.name] for entry in entries}
    rows = rows or {}
    ratios = {split: size / rows["train"] for split, size in rows.items()} if resampled else {}
    judge = _Judge(headline, reference, by_entry[reference], ratios.get("test", 0.0))
    bounds = {metric: (ranges or {}).get(metric, (-math.inf, math.inf)) for metric in directions}
    found = [_entry(entry, by_entry[entry.name], bounds, ratios, judge) for entry in entries]
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
    )


class _Judge:
    """Compares entries with the reference on the headline metric of the test split."""

    def __init__(self, headline: str, reference: str, runs: Sequence[RunResult], test_ratio: float):
        self.headline = headline
        self.reference = reference
        self.values = _by_seed(runs, "test", headline)
        self.test_ratio = test_ratio

    def delta(self, name: str, runs: Sequence[RunResult]) -> Delta | None:
        if name == self.reference:
            return None
        return delta(self.headline, _by_seed(runs, "test", self.headline), self.values, self.test_ratio)

    def verdict(self, name: str, runs: Sequence[RunResult]) -> str:
        if name == self.reference:
            return "reference"
        pairs = paired(_by_seed(runs, "test", self.headline), self.values)
        return "inconclusive" if len(pairs) >= ENOUGH_PAIRS else "too-few-seeds"


def _entry(
    entry: Entry,
    runs: Sequence[RunResult],
    bounds: Mapping[str, tuple[float, float]],
    ratios: Mapping[str, float],
    judge: _Judge,
) -> EntryResult:
    splits = dict.fromkeys(split for run in runs for split in run.scores)
    scores = {
        split: {
            metric: estimate(list(_by_seed(runs, split, metric).values()), ratios.get(split, 0.0), *bound)
            for metric, bound in bounds.items()
        }
        for split in splits
    }
    return EntryResult(
        entry=entry.name,
        loss=entry.loss,
        options={**entry.options, **entry.beside},
        scores=scores,
        delta=judge.delta(entry.name, runs),
        verdict=judge.verdict(entry.name, runs),
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
