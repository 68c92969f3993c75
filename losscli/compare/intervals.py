"""What may be said of intervals: a width only where both entries cover what they promise, nothing where they promise different
shares; and what a reader must know of quantiles that crossed.

Coverage is held where its mean over the seeds is at least the promised level, less one standard error of so many test rows,
sqrt(level (1 - level) / rows): what a perfect interval misses by chance. The spread over the seeds does not count, as an
entry must not gain by covering now too much and now too little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from losscli.compare.result import RunResult
from losscli.errors import Finding, joined, listed, visible

COVERAGE, WIDTH, SCORE = "coverage", "interval-width", "interval-score"
ROUNDING = 1e-6  # of a share that was a float32
MOST_NAMED = 4  # entries that one finding names


def why_undefined(metric: str, entries: Mapping[str, Sequence[RunResult]], rows: int) -> str:
    """Why two entries cannot be compared by a metric, as each has so many test rows; empty where they can.

    >>> def run(entry, coverage, level=0.9):
    ...     return [RunResult(entry, 0, "ok", 1, 1, {"test": {"coverage": coverage}}, (), 0.0, {"level": level})]
    >>> why_undefined("interval-width", {"a": run("a", 0.92), "b": run("b", 0.7)}, 100)
    'b covers 70 % of the test rows, less than its 90 %'
    >>> why_undefined("interval-score", {"a": run("a", 0.92), "b": run("b", 0.8, 0.8)}, 100)
    'the intervals of a promise 90 %, those of b 80 %'
    """
    if metric not in (WIDTH, SCORE):
        return ""
    levels = {name: _levels(runs) for name, runs in entries.items()}
    if len(set().union(*levels.values())) > 1:
        return _different(levels)
    if metric == SCORE:
        return ""
    return " and ".join(filter(None, (_undercoverage(name, runs, rows) for name, runs in entries.items())))


def findings(by_entry: Mapping[str, Sequence[RunResult]]) -> list[Finding]:
    """Entries whose quantiles crossed, and entries whose intervals promise different shares."""
    return [*_crossed(by_entry), *_of_different_levels(by_entry)]


def _levels(runs: Iterable[RunResult]) -> set[float]:
    return {run.calibration["level"] for run in runs if run.calibration.get("level")}


def _different(levels: Mapping[str, set[float]]) -> str:
    """`the intervals of a promise 90 %, those of b and c 80 %`."""
    names: dict[str, list[str]] = {}
    for name, of in levels.items():
        names.setdefault(_shares(of), []).append(visible(name))
    (share, first), *others = names.items()
    return ", ".join(
        [
            f"the intervals of {joined(first)} promise {share}",
            *(f"those of {joined(of)} {share}" for share, of in others),
        ]
    )


def _shares(levels: Iterable[float]) -> str:
    return " or ".join(f"{100 * level:g} %" for level in sorted(levels))


def _undercoverage(name: str, runs: Sequence[RunResult], rows: int) -> str:
    """What is said of an entry that does not cover what it promises; empty where it does."""
    measured = [run for run in runs if not run.lost and run.calibration.get("level")]
    covered = [run.value(COVERAGE) for run in measured]
    if not measured or not all(map(math.isfinite, covered)):
        return f"the coverage of {visible(name)} is not known"
    level = measured[0].calibration["level"]
    mean, chance = fmean(covered), math.sqrt(level * (1 - level) / rows) if rows else 0.0
    if mean >= level - chance - ROUNDING:
        return ""
    return f"{visible(name)} covers {100 * mean:.3g} % of the test rows, less than its {_shares([level])}"


def _crossed(by_entry: Mapping[str, Sequence[RunResult]]) -> list[Finding]:
    shares = {
        name: [run.calibration.get("crossed", 0.0) for run in runs if not run.lost] for name, runs in by_entry.items()
    }
    names = [f"{visible(name)} (on {_percent(fmean(of))} of the test rows)" for name, of in shares.items() if any(of)]
    if not names:
        return []
    message = f"quantiles cross, a higher one below a lower one: {listed(names, MOST_NAMED)};"
    message += " they are put in order wherever they are used"
    return [Finding("quantiles-crossed", "warning", message, "raise crossing, train longer, or learn fewer taus")]


def _percent(share: float) -> str:
    return "less than 0.1 %" if share < 0.001 else f"{100 * share:.3g} %"


def _of_different_levels(by_entry: Mapping[str, Sequence[RunResult]]) -> list[Finding]:
    levels = {name: of for name, runs in by_entry.items() if (of := _levels(runs))}
    if len(set().union(*levels.values())) < 2:
        return []
    message = f"{_different(levels)}: their widths and interval scores are not compared"
    cure = "give multi-quantile outer taus that leave out as much as the others, such as [0.05, 0.5, 0.95] for 90 %"
    return [Finding("interval-levels", "info", message, cure)]
