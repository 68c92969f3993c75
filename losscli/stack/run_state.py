"""The state of each run over the epochs: its history, whether it diverged, when it was best, when it had enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from losscli.direction import goodness, target_of
from losscli.metrics import Metric
from losscli.stack.fingerprint import Fingerprint
from losscli.stack.rows import Run
from losscli.tasks.phases import Standing
from losscli.tasks.predictions import Predictions

if TYPE_CHECKING:
    from losscli.stack.probe import Snapshot

EXPLODED = 1e6  # a run whose loss is this many times what it started with has diverged, though it is still a number


class EpochLoss(NamedTuple):
    """What a kernel said of a run's training rows in an epoch, and in the first step; whether any row counted."""

    mean: float
    started_at: float
    counted: bool = True

    def stable(self, signed: bool) -> bool:
        """Whether it does not tell of a divergence; of a loss that may be negative, no size does."""
        if not self.counted:
            return True
        return math.isfinite(self.mean) and (signed or self.mean <= EXPLODED * max(self.started_at, 1.0))


@dataclass
class RunState:
    """One run from its first epoch to its scores; `history` holds (epoch, split, metric, value)."""

    run: Run
    status: Literal["ok", "diverged", "stopped"] = "ok"
    epochs: int = 0
    best_epoch: int = 0
    best: float = -math.inf
    by_loss: bool = False  # whether its own loss decides what is best, as the headline has no value in some epoch
    history: list[tuple[int, str, str, float]] = field(default_factory=list)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    weights: dict[str, np.ndarray] = field(default_factory=dict)  # empty if the run diverged
    calibration: Mapping[str, Any] = field(default_factory=dict)  # as in `RunResult`
    fingerprint: Fingerprint | None = None  # of what it predicts for the test split; None if the run diverged
    predictions: Predictions | None = None  # None if the run diverged, or its seed is not among `Job.kept`
    snapshots: list[Snapshot] = field(default_factory=list)  # what the loss attended to, where that was probed
    seconds: float = 0.0
    moments: list[tuple[int, np.ndarray]] = field(default_factory=list)  # epoch, what it put out then [n, O], in units
    standing: Standing | None = None  # where there are several phases

    @property
    def moving(self) -> bool:
        return self.status == "ok"

    def advance(self, epoch: int, losses: Mapping[str, EpochLoss], valid: Mapping[str, float], sound: bool) -> None:
        """Note one more epoch: the loss of each kernel, the scores on the valid split, whether all weights are finite."""
        self.epochs = epoch
        self.history.extend((epoch, "train", kernel, loss.mean) for kernel, loss in losses.items())
        self.history.extend((epoch, "valid", name, value) for name, value in valid.items())
        if not (sound and all(loss.stable(self.run.loss.signed) for loss in losses.values())):
            self.status = "diverged"

    def judge(self, headline: Metric, valid: Mapping[str, float], patience: int | None) -> bool:
        """Whether this epoch is the best so far; without patience the last one always is. May stop the run.

        From the first epoch on in which the headline has no value (hinge has no log-loss, precision none without a positive),
        the run's own loss decides: a number of one kind must not be held against a number of the other.
        """
        score = goodness(valid[headline.name], headline.direction, target_of(self.calibration))
        if math.isnan(score) and not self.by_loss:
            self.by_loss, self.best = True, -math.inf
        if self.by_loss:
            score = -valid.get("loss", math.nan)
        unknown = math.isnan(score) and self.best == -math.inf  # nothing to be patient about: the last is the best
        if patience is None or score > self.best or unknown:
            self.best, self.best_epoch = -math.inf if unknown else score, self.epochs
            return True
        if self.epochs - self.best_epoch >= patience:
            self.stop()
        return False

    def last(self) -> list[tuple[int, str, str, float]]:
        """The points of the last epoch."""
        return list(takewhile(lambda point: point[0] == self.epochs, reversed(self.history)))

    def stop(self) -> None:
        """No further epochs for this run; a diverged one stays diverged."""
        if self.moving:
            self.status = "stopped"


def mean_of(values: Sequence[float]) -> float:
    """The mean of those that are numbers, for the eye of a watcher.

    >>> mean_of([1.0, float("nan"), 3.0])
    2.0
    """
    numbers = [value for value in values if math.isfinite(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan
