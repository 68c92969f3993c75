"""The outcome of `train` and `compare`, as plain numbers: what the CLI prints, records keep and other programs read."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from losscli.direction import BETTER, Direction, goodness, target_of
from losscli.errors import Finding
from losscli.looks import Looks

if TYPE_CHECKING:
    from losscli.stack.fingerprint import Fingerprint

FOREIGN = "scores"  # the source of numbers that others produced

Status = Literal["ok", "diverged", "stopped", "failed"]
Verdict = Literal[
    "reference", "same", "better", "worse", "equivalent", "inconclusive", "undefined", "too-few-seeds"
]  # what each takes: `compare/verdict.py`
CLAIMS: tuple[Verdict, ...] = ("better", "worse")


@dataclass(frozen=True)
class Point:
    """One number of a run's history."""

    epoch: int
    split: str  # train | valid
    metric: str  # a metric's name, or "loss"
    value: float


@dataclass(frozen=True)
class RunResult:
    """What one entry made of one seed. `scores[split][metric]`; NaN where a metric has no value."""

    entry: str
    seed: int
    status: Status  # ok | diverged (weights or loss not finite) | stopped (patience) | failed (its loss gave up)
    epochs: int  # trained
    best_epoch: int  # whose weights were kept
    scores: Mapping[str, Mapping[str, float]]
    history: Sequence[Point]
    seconds: float  # of the run's stack, divided by its runs
    # Chosen on the valid split once trained: `thresholds` by metric, `temperature`. Of regression the interval's `level`, and
    # `crossed`, the share of the test rows on which learned quantiles were out of order, where there were any.
    calibration: Mapping[str, Any] = field(default_factory=dict)
    tuned: Mapping[str, Any] = field(default_factory=dict)  # what tuning chose on the valid split: {"lr": 0.003}
    fingerprint: Fingerprint | None = None  # of what it predicts for the test rows; None where nobody took it
    reason: str = ""  # why its loss gave up, where it failed
    machine: str = ""  # what trained it, as its maker calls it: other kinds round otherwise

    @property
    def lost(self) -> bool:
        """Whether there is no result: a lost run has no value of any metric, and speaks against its entry."""
        return self.status in ("diverged", "failed")

    def value(self, metric: str, split: str = "test") -> float:
        """The metric of the run; NaN where the run is lost or has no value."""
        return math.nan if self.lost else self.scores.get(split, {}).get(metric, math.nan)


@dataclass(frozen=True)
class Estimate:
    """A metric over the seeds: mean, sd (n - 1), 95 % interval of the mean, and the value of each seed.

    A seed without a value (no positive was predicted, the run diverged) is NaN in `values`; the mean is that of the other
    seeds, so whoever shows it says `n` of `of`.

    >>> partial = Estimate(0.9, 0.1, None, (0.8, math.nan, 1.0))
    >>> partial.n, partial.of
    (2, 3)
    """

    mean: float
    sd: float
    ci95: tuple[float, float] | None
    values: tuple[float, ...]

    @property
    def n(self) -> int:
        """How many seeds have a value."""
        return sum(map(math.isfinite, self.values))

    @property
    def of(self) -> int:
        """How many seeds were trained."""
        return len(self.values)


NO_ESTIMATE = Estimate(math.nan, math.nan, None, ())


@dataclass(frozen=True)
class Delta:
    """The paired difference to the reference on one metric, over the seeds on which both have a value.

    Of a metric with a target it is that of the distances from the target: negative is closer.
    """

    metric: str
    mean: float
    ci95: tuple[float, float] | None
    p: float | None = None  # two-sided, of this comparison alone
    p_holm: float | None = None  # after Holm's correction over its family: the headline's, or that of all other metrics
    sd: float = math.nan  # of the differences (n - 1)
    seeds: int = 0  # pairs: seeds on which both have a value
    of: int = 0  # seeds that were planned
    seeds_needed: int | None = None  # about how many more would settle it; None: it is settled, or no number will
    margin: float | None = None  # a difference up to this is of no practical importance
    test: str | None = None  # sign-flip | sign-flip-monte-carlo | corrected-t
    verdict: Verdict | None = None  # what may be said of this difference
    reason: str | None = None  # why nothing may be said of it, where the verdict is `undefined`
    target: float | None = None  # of a metric that has one: the level of the entry's own interval


@dataclass(frozen=True)
class EntryResult:
    """One line of a leaderboard."""

    entry: str
    loss: str
    options: Mapping[str, Any]
    scores: Mapping[str, Mapping[str, Estimate]]  # split -> metric -> estimate
    delta: Delta | None
    verdict: Verdict
    seconds: float
    tuned: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # lr or option -> value -> seeds that chose it
    deltas: Mapping[str, Delta] = field(
        default_factory=dict
    )  # of every metric that is shown; all but the headline are one family

    def score(self, metric: str, split: str = "test") -> Estimate:
        """The estimate of a metric; `NO_ESTIMATE` where it was not measured."""
        return self.scores.get(split, {}).get(metric, NO_ESTIMATE)


@dataclass(frozen=True)
class YardstickResult:
    """A plain model beside the networks, on the same splits: no entry, and in no family of comparisons.

    `leads` holds its paired difference to each entry on the headline of the test split, `beats` whether every one of them says
    that it is better.
    """

    name: str
    scores: Mapping[str, Mapping[str, Estimate]]  # split -> metric -> estimate
    leads: Mapping[str, Delta] = field(default_factory=dict)
    beats: bool = False

    def score(self, metric: str, split: str = "test") -> Estimate:
        """The estimate of a metric; `NO_ESTIMATE` where it was not measured."""
        return self.scores.get(split, {}).get(metric, NO_ESTIMATE)


@dataclass(frozen=True)
class TestRows:
    """What the test rows allow a metric to tell, by metric.

    `impossible`: the seeds on whose test split no prediction has a value (recall without a positive row). `resolution`: by how
    much one row moves the metric; 0 where it moves by any amount, as a mean squared error does.
    """

    __test__ = False  # not one of pytest's

    impossible: Mapping[str, Collection[int]] = field(default_factory=dict)
    resolution: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Arena:
    """Entries that may be compared: same task, data, split, model and budget."""

    task: str
    data: str
    headline: str
    directions: Mapping[str, Direction]
    reference: str
    entries: Sequence[EntryResult]
    baseline: Mapping[str, Mapping[str, float]]  # split -> metric -> value
    runs: Sequence[RunResult]
    labels: Sequence[str]
    findings: Sequence[Finding]
    spec: Mapping[str, Any]  # resolved and re-runnable
    rows: Mapping[str, int] = field(default_factory=dict)  # split -> rows, with the first seed
    resampled: bool = False  # whether each seed has a split of its own
    split: str = "random"  # what divides the rows: random | group | time | column | folds | classes
    impossible: Mapping[str, Sequence[int]] = field(default_factory=dict)  # metric -> seeds that compare nothing by it
    corrupt: Mapping[str, Any] = field(default_factory=dict)  # what was done to the training rows: kind -> level
    why: Mapping[str, Any] = field(
        default_factory=dict
    )  # where the best entry and the reference part ways: `compare/why.py`
    looks: Looks | None = None  # where seeds were added until all was settled: p-values and intervals are of that look
    yardsticks: Sequence[YardstickResult] = ()

    @property
    def damage(self) -> str:
        """What was done to the training rows on purpose, in words: `labels 0.4`; empty where nothing was."""
        return in_words(self.corrupt)

    @property
    def title(self) -> str:
        """The data, and what was done to them."""
        return f"{self.data}, {self.damage}" if self.damage else self.data

    @property
    def foreign(self) -> bool:
        """Whether the numbers are of others, who trained: there is no model, no history and no time to speak of."""
        return bool(self.spec.get("data", {}).get("source") == FOREIGN)

    @property
    def comparisons(self) -> int:
        """How many differences on the headline there are: the family that Holm's correction is over."""
        return sum(entry.delta is not None for entry in self.entries)

    @property
    def seeds(self) -> list[int]:
        """The seeds that entries were trained with, in their order."""
        return list(dict.fromkeys(run.seed for run in self.runs))

    @property
    def reference_entry(self) -> EntryResult:
        """The entry that the others are compared with."""
        return next(entry for entry in self.entries if entry.entry == self.reference)

    @property
    def kernels(self) -> list[str]:
        """What the training losses are called: `loss`, or the sides of a pair."""
        named = dict.fromkeys(point.metric for run in self.runs[:1] for point in run.history if point.split == "train")
        return [name for name in named if name not in self.directions] or ["loss"]

    def runs_of(self, entry: str) -> list[RunResult]:
        """The runs of an entry, one per seed."""
        return [run for run in self.runs if run.entry == entry]

    @property
    def whole_seeds(self) -> int:
        """The seeds that every entry has a run of: fewer than `seeds` where the training was stopped."""
        return min((len(self.runs_of(entry.entry)) for entry in self.entries), default=0)

    def lost_runs(self, entry: str) -> int:
        """How many runs of an entry have no result."""
        return sum(run.lost for run in self.runs_of(entry))

    def without_model(self, metric: str) -> float:
        """What a prediction without any model gets on the test rows; NaN where that is not known."""
        return self.baseline.get("test", {}).get(metric, math.nan)

    def goodness(self, entry: EntryResult, metric: str) -> float:
        """How good an entry is on the test rows: larger is better, NaN without a value."""
        score, direction = entry.score(metric), self.directions[metric]
        if direction != "target":
            return goodness(score.mean, direction)
        pairs = zip(self.runs_of(entry.entry), score.values, strict=False)  # no value at all where nothing was measured
        by_run = [
            goodness(value, direction, target_of(run.calibration)) for run, value in pairs if math.isfinite(value)
        ]
        return math.fsum(by_run) / len(by_run) if by_run else math.nan

    def __str__(self) -> str:
        """The leaderboard in short, a line per entry."""
        direction = BETTER[self.directions[self.headline]]
        lines = [f"{self.data} ({self.task}), test {self.headline}, {direction} is better"]
        for entry in self.entries:
            score = entry.score(self.headline)
            text = f"{score.mean:.4f} ± {score.sd:.4f}" if score.n else "no value"
            lines.append(f"  {entry.entry:<32} {text}  {entry.verdict}")
        return "\n".join(lines)


def in_words(corrupt: Mapping[str, Any]) -> str:
    """Damage done on purpose, kind by kind.

    >>> in_words({"labels": 0.4, "missing": 0.1})
    'labels 0.4, missing 0.1'
    """
    return ", ".join(f"{kind} {level}" for kind, level in corrupt.items())


def finite(value: float | None) -> float | None:
    """JSON has no NaN: a number that is not finite becomes null.

    >>> finite(float("nan")) is None
    True
    """
    return value if value is not None and math.isfinite(value) else None
