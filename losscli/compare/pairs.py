"""Which seeds count for a comparison: those on which both entries have a value, and what became of the others.

A verdict needs every planned seed. One on which no entry could have a value, such as a test split without positives under
recall, is no seed of the comparison, and is left out for both.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losscli.compare.result import RunResult
from losscli.direction import Direction, compared, target_of

if TYPE_CHECKING:
    from losscli.stack.fingerprint import Fingerprint


@dataclass(frozen=True)
class Pairs:
    """The planned seeds of an entry and of the reference on one metric of the test split.

    `entry` and `reference` hold the values of the seeds on which both have one. `lost` counts the seeds whose run is lost
    for the entry alone, for the reference alone, and for both; `unmeasured` those on which the metric has no value for one
    of them though it could; `impossible` those on which it could have none. `same` says that both predict the same.
    """

    entry: Mapping[int, float]
    reference: Mapping[int, float]
    planned: int
    lost: tuple[int, int, int] = (0, 0, 0)
    unmeasured: int = 0
    impossible: int = 0
    same: bool = False


def pairs(
    entry: Sequence[RunResult],
    reference: Sequence[RunResult],
    metric: str,
    seeds: Collection[int],
    impossible: Collection[int] = (),
    direction: Direction = "up",
) -> Pairs:
    """The pairs of two entries; a planned seed without a run, as after a stop, is lost.

    Of a metric with a target the values are distances from the target of each run.
    """
    mine, other = ({run.seed: run for run in runs} for runs in (entry, reference))
    possible = [seed for seed in seeds if seed not in impossible]
    values = {
        seed: tuple(_compared_value(runs.get(seed), metric, direction) for runs in (mine, other)) for seed in possible
    }
    complete = {seed: pair for seed, pair in values.items() if all(map(math.isfinite, pair))}
    lost_runs = {seed: (lost(mine.get(seed)), lost(other.get(seed))) for seed in possible}
    states = list(lost_runs.values())
    return Pairs(
        entry={seed: pair[0] for seed, pair in complete.items()},
        reference={seed: pair[1] for seed, pair in complete.items()},
        planned=len(seeds),
        lost=(states.count((True, False)), states.count((False, True)), states.count((True, True))),
        unmeasured=sum(seed not in complete and not any(lost_runs[seed]) for seed in possible),
        impossible=len(seeds) - len(possible),
        # of every planned seed: where one run is lost, nobody knows that both predict the same
        same=all(_match(_fingerprint(mine.get(seed)), _fingerprint(other.get(seed))) for seed in seeds),
    )


def _compared_value(run: RunResult | None, metric: str, direction: Direction) -> float:
    return math.nan if run is None else compared(run.value(metric), direction, target_of(run.calibration))


def lost(run: RunResult | None) -> bool:
    """Whether a planned run has no result."""
    return run is None or run.lost


def _fingerprint(run: RunResult | None) -> Fingerprint | None:
    return None if run is None or run.lost else run.fingerprint


def _match(mine: Fingerprint | None, other: Fingerprint | None) -> bool:
    return mine is not None and other is not None and mine.matches(other)
