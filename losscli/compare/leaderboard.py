"""From finished runs to an arena: runs grouped into entries, estimates, and paired differences to the reference.

A diverged run keeps its place among the seeds, as NaN; it takes no part in any mean, and a finding counts it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mode
from typing import TYPE_CHECKING, Any

from losscli.compare import intervals
from losscli.compare.doubts import doubts
from losscli.compare.pairs import pairs
from losscli.compare.result import Arena, Delta, EntryResult, Estimate, RunResult, TestRows, Verdict, YardstickResult
from losscli.compare.statistics import delta, estimate, holm
from losscli.compare.verdict import Terms, concluded, margin
from losscli.direction import Direction, target_of
from losscli.errors import Finding
from losscli.looks import LEVEL, Looks

if TYPE_CHECKING:
    from losscli.spec.model import Entry


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
    positive: str | None = None,
    findings: Sequence[Finding] = (),
    spec: Mapping[str, Any] | None = None,
    rows: Mapping[str, int] | None = None,
    resampled: bool = True,
    split: str = "random",
    ratios: Mapping[str, float] | None = None,
    corrupt: Mapping[str, Any] | None = None,
    reference: str | None = None,
    equivalence: Mapping[str, float | str] | None = None,
    test: TestRows | None = None,
    looks: Looks | None = None,
    yardsticks: Sequence[RunResult] = (),
) -> Arena:
    """The arena of `entries`, in their order; the reference is the first one unless another is named.

    `directions` has the measured metrics, those of the tables first; `ranges` says what each can be. `rows` are the
    sizes of the splits with the first seed, `ratios` the mean over the seeds of their rows per training row; `split` says
    what divides the rows, and `resampled` that each seed draws its own split, which widens the intervals (see
    `statistics`). `corrupt` is what was done to the training rows on purpose. `equivalence` says how large a difference may be
    and still be of no importance, `test` what the test rows allow a metric to tell. `positive` is the label that counts as
    yes, where one of two does. `looks` says how often seeds are added: the verdicts are those of the look that so many seeds
    are for. `yardsticks` are the runs of plain models on the same seeds, which are shown beside the entries and take no part
    in their comparison.
    """
    reference, test = reference or entries[0].name, test or TestRows()
    runs, plain = ([_measurable(run, test.impossible) for run in group] for group in (runs, yardsticks))
    by_entry = {entry.name: [run for run in runs if run.entry == entry.name] for entry in entries}
    rows = rows or {}
    ratios = (ratios or {name: size / rows["train"] for name, size in rows.items()}) if resampled else {}
    measured = dict.fromkeys([*directions, *(ranges or {})])
    bounds = {metric: (ranges or {}).get(metric, (-math.inf, math.inf)) for metric in measured}
    shown = [metric for metric in (spec or {}).get("metrics") or directions if metric in directions]
    share = 1.0 if looks is None else looks.share(len({run.seed for run in runs}))
    board = _Board(directions, reference, ratios.get("test", 0.0), equivalence or {}, test, rows.get("test", 0), share)
    verdicts = board.verdicts(by_entry, headline, shown)
    results = [_entry(entry, by_entry[entry.name], bounds, ratios, verdicts, share) for entry in entries]
    arena = Arena(
        task=task,
        data=data,
        headline=headline,
        directions=directions,
        reference=reference,
        entries=results,
        baseline=baseline,
        runs=[run for group in by_entry.values() for run in group],
        labels=labels,
        findings=findings,
        spec=spec or {},
        rows=rows,
        resampled=resampled,
        split=split,
        impossible={metric: sorted(seeds) for metric, seeds in test.impossible.items() if seeds},
        corrupt=corrupt or {},
        looks=looks and replace(looks, open=open_entries(results, by_entry, reference)),
        yardsticks=board.yardsticks(by_entry, plain, headline, lambda of: _scores(of, bounds, ratios, share)),
    )
    return replace(
        arena,
        findings=[*findings, *doubts(arena, board.test_ratio, positive), *intervals.findings(by_entry)],
    )


def _measurable(run: RunResult, impossible: Mapping[str, Collection[int]]) -> RunResult:
    """The run without test scores that mean nothing, such as a precision of 0 where no row is positive."""
    without = [metric for metric, seeds in impossible.items() if run.seed in seeds]
    if not without or "test" not in run.scores:
        return run
    scores = {name: math.nan if name in without else score for name, score in run.scores["test"].items()}
    return replace(run, scores={**run.scores, "test": scores})


@dataclass(frozen=True)
class _Board:
    """Compares every entry with the reference, metric by metric of the test split.

    The headline is one family of comparisons; the other metrics that are shown are a second one, corrected all together, so
    that who looks for a winner among many metrics does not find one by chance.
    """

    directions: Mapping[str, Direction]
    reference: str
    test_ratio: float
    equivalence: Mapping[str, float | str]
    test: TestRows
    rows: int  # of the test split
    share: float = 1.0  # of the 5 %, that is spent

    def verdicts(
        self, runs: Mapping[str, Sequence[RunResult]], headline: str, others: Sequence[str]
    ) -> dict[str, dict[str, tuple[Delta | None, Verdict]]]:
        """By metric and entry, the difference and the verdict."""
        return self._family(runs, [headline]) | self._family(runs, [metric for metric in others if metric != headline])

    def _family(
        self, runs: Mapping[str, Sequence[RunResult]], metrics: Sequence[str]
    ) -> dict[str, dict[str, tuple[Delta | None, Verdict]]]:
        seeds = list(dict.fromkeys(run.seed for group in runs.values() for run in group))
        entries = [name for name in runs if name != self.reference]
        paired = {
            (metric, name): pairs(
                runs[name],
                runs[self.reference],
                metric,
                seeds,
                self.test.impossible.get(metric, ()),
                self.directions[metric],
            )
            for metric in metrics
            for name in entries
        }
        reasons = {
            (metric, name): intervals.why_undefined(metric, {of: runs[of] for of in (name, self.reference)}, self.rows)
            for metric, name in paired
        }
        deltas = self._corrected(
            {
                key: delta(key[0], pair.entry, pair.reference, self.test_ratio, self.share)
                for key, pair in paired.items()
            },
            {key for key, pair in paired.items() if not pair.unmeasured and not reasons[key]},
        )
        verdicts: dict[str, dict[str, tuple[Delta | None, Verdict]]] = {}
        for metric in metrics:
            resolution = self.test.resolution.get(metric, 0.0)
            terms = Terms(self.directions[metric], len(deltas), self.test_ratio, resolution, self.share)
            verdicts[metric] = {self.reference: (None, "reference")}
            for name in entries:
                difference = self._with_margin(deltas.get((metric, name)), runs[name], runs[self.reference])
                verdicts[metric][name] = concluded(difference, paired[metric, name], terms, reasons[metric, name])
        return verdicts

    def yardsticks(
        self,
        runs: Mapping[str, Sequence[RunResult]],
        plain: Sequence[RunResult],
        headline: str,
        scores: Callable[[Sequence[RunResult]], Mapping[str, Mapping[str, Estimate]]],
    ) -> list[YardstickResult]:
        """Plain models beside the entries: that one beats them all takes every comparison with it to be lost by the entry, at a
        level that is divided by how many of them there are. An entry of which every run is lost is none.
        """
        names = list(dict.fromkeys(run.entry for run in plain))
        trained = {name: of for name, of in runs.items() if not all(run.lost for run in of)}
        results = []
        for name in names:
            own = [run for run in plain if run.entry == name]
            beside = replace(self, reference=f"yardstick {name}")
            verdicts = beside.verdicts({beside.reference: own, **trained}, headline, ())[headline]
            judged = {entry: verdicts[entry] for entry in trained}
            lost = [
                verdict == "worse" and difference is not None and (difference.p_holm or 0.0) * len(names) < LEVEL
                for difference, verdict in judged.values()
            ]
            leads = {
                entry: _reversed(difference) for entry, (difference, _) in judged.items() if difference is not None
            }
            results.append(YardstickResult(name, scores(own), leads, bool(lost) and all(lost)))
        return results

    def _with_margin(
        self, difference: Delta | None, entry: Sequence[RunResult], reference: Sequence[RunResult]
    ) -> Delta | None:
        """The difference with how much of it does not matter, and with the target of the entry where there is one."""
        if difference is None:
            return None
        metric, direction = difference.metric, self.directions[difference.metric]
        base = estimate([run.value(metric) for run in reference]).mean
        width = margin(direction, base, self.equivalence.get(metric))
        return replace(difference, margin=width, target=_target(entry) if direction == "target" else None)

    def _corrected(
        self, deltas: Mapping[tuple[str, str], Delta | None], testable: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], Delta]:
        """The differences that there are, corrected for their number. One pair has no p, and counts as one of them; so does a
        difference that is not `testable`, whatever its p: the step-down must not go on from what is not declared.
        """
        differences = {key: difference for key, difference in deltas.items() if difference is not None}
        ps = [1.0 if delta.p is None or key not in testable else delta.p for key, delta in differences.items()]
        return {
            key: replace(difference, p_holm=None if difference.p is None else p)
            for (key, difference), p in zip(differences.items(), holm(ps), strict=True)
        }


def open_entries(
    entries: Sequence[EntryResult], runs: Mapping[str, Sequence[RunResult]], reference: str
) -> tuple[str, ...]:
    """The entries whose headline difference more seeds may settle: open, and not for ever by the runs that are lost."""
    lost = {name: {run.seed for run in of_entry if run.lost} for name, of_entry in runs.items()}
    return tuple(
        entry.entry
        for entry in entries
        # Lost runs of one side speak against its claim alone; lost ones of both, against any.
        if entry.verdict in ("inconclusive", "too-few-seeds") and not (lost[entry.entry] and lost[reference])
    )


def _reversed(difference: Delta) -> Delta:
    """The same difference, seen from the other side; what was said of it goes."""
    interval = None if difference.ci95 is None else (-difference.ci95[1], -difference.ci95[0])
    return replace(difference, mean=-difference.mean, ci95=interval, verdict=None, seeds_needed=None)


def _target(runs: Sequence[RunResult]) -> float:
    """That of most runs: where tuning chose the levels, seeds may differ."""
    return mode(target_of(run.calibration) for run in runs)


def _entry(
    entry: Entry,
    runs: Sequence[RunResult],
    bounds: Mapping[str, tuple[float, float]],
    ratios: Mapping[str, float],
    verdicts_of: Mapping[str, Mapping[str, tuple[Delta | None, Verdict]]],
    share: float,
) -> EntryResult:
    """`verdicts_of` has the difference and the verdict on each metric that is shown, the headline first."""
    verdicts = {metric: of[entry.name] for metric, of in verdicts_of.items()}
    headline = next(iter(verdicts.values()))
    return EntryResult(
        entry=entry.name,
        loss=entry.loss,
        options={**entry.options, **entry.beside},
        scores=_scores(runs, bounds, ratios, share),
        delta=headline[0],
        verdict=headline[1],
        seconds=math.fsum(run.seconds for run in runs),
        deltas={metric: difference for metric, (difference, _) in verdicts.items() if difference is not None},
    )


def _scores(
    runs: Sequence[RunResult],
    bounds: Mapping[str, tuple[float, float]],
    ratios: Mapping[str, float],
    share: float,
) -> dict[str, dict[str, Estimate]]:
    """Split -> metric -> the estimate over the runs."""
    splits = dict.fromkeys(split for run in runs for split in run.scores)
    return {
        split: {
            metric: estimate([run.value(metric, split) for run in runs], ratios.get(split, 0.0), *bound, share)
            for metric, bound in bounds.items()
            if any(metric in run.scores.get(split, {}) for run in runs)
        }
        for split in splits
    }
