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

PLAIN = ("status", "epochs", "best_epoch", "best", "by_loss", "seconds", "reason")  # fields that JSON has, too
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
    status: Literal["ok", "diverged", "stopped", "failed"] = "ok"
    epochs: int = 0
    best_epoch: int = 0
    best: float = -math.inf  # the score of `best_epoch`
    peak: float = -math.inf  # the best score so far: perhaps of another epoch, if the own loss chose between them
    best_loss: float = math.nan  # the own loss of `best_epoch` on the valid split
    by_loss: bool = False  # whether its own loss decides what is best, as the headline has no value in some epoch
    history: list[tuple[int, str, str, float]] = field(default_factory=list)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    weights: dict[str, np.ndarray] = field(default_factory=dict)  # empty if the run diverged
    calibration: Mapping[str, Any] = field(default_factory=dict)  # as in `RunResult`
    fingerprint: Fingerprint | None = None  # of what it predicts for the test split; None if the run diverged
    predictions: Predictions | None = None  # None if the run diverged, or its seed is not among `Job.prediction_seeds`
    snapshots: list[Snapshot] = field(default_factory=list)  # what the loss attended to, where that was probed
    seconds: float = 0.0
    reason: str = ""  # why its loss gave up, where the run failed
    moments: list[tuple[int, np.ndarray]] = field(default_factory=list)  # epoch, what it put out then [n, O], in units
    standing: Standing | None = None  # where there are several phases
    machine: str = ""  # `Outcome.machine` of its stack

    @property
    def moving(self) -> bool:
        return self.status == "ok"

    @property
    def lost(self) -> bool:
        """Whether there is no result: its numbers are none, or its loss gave up."""
        return self.status in ("diverged", "failed")

    def fail(self, reason: str) -> None:
        """Its loss gave up, so whatever its weights are now is no result."""
        self.status, self.reason = "failed", reason

    def state(self) -> dict[str, Any]:
        """All but the run itself, in arrays, words and numbers; `load` gives it to a state of the same run."""
        plain = {name: getattr(self, name) for name in (*PLAIN, "peak", "best_loss")}
        return {
            **plain,
            "history": _columns(self.history),
            "scores": {split: dict(scores) for split, scores in self.scores.items()},
            "weights": dict(self.weights),
            "calibration": dict(self.calibration),
            "snapshots": [snapshot.state() for snapshot in self.snapshots],
            "fingerprint": None if self.fingerprint is None else self.fingerprint.state(),
            "predictions": None if self.predictions is None else dict(vars(self.predictions)),
            "moments": [list(moment) for moment in self.moments],
            "standing": None if self.standing is None else dict(vars(self.standing)),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Be what `state` says. Raises `KeyError`, `TypeError` or `ValueError` for what is none."""
        from losscli.stack.probe import Snapshot

        for name in PLAIN:
            kind = type(getattr(self, name))
            setattr(self, name, kind(state[name]))
        self.peak, self.best_loss = float(state.get("peak", self.best)), float(state.get("best_loss", math.nan))
        for name in ("scores", "weights", "calibration"):
            setattr(self, name, dict(state[name]))
        self.history = _rows(state["history"])
        self.snapshots = [Snapshot.of(item) for item in state["snapshots"]]
        fingerprint = state["fingerprint"]
        self.fingerprint = None if fingerprint is None else Fingerprint.of(fingerprint)
        self.predictions = None if state["predictions"] is None else Predictions(**state["predictions"])
        self.moments = [(int(epoch), numbers) for epoch, numbers in state["moments"]]
        self.standing = None if state["standing"] is None else Standing(**state["standing"])

    def advance(self, epoch: int, losses: Mapping[str, EpochLoss], valid: Mapping[str, float], sound: bool) -> None:
        """Note one more epoch: the loss of each kernel, the scores on the valid split, whether all weights are finite."""
        self.epochs = epoch
        self.history.extend((epoch, "train", kernel, loss.mean) for kernel, loss in losses.items())
        self.history.extend((epoch, "valid", name, value) for name, value in valid.items())
        if not (sound and all(loss.stable(self.run.loss.signed) for loss in losses.values())):
            self.status = "diverged"

    def judge(self, headline: Metric, valid: Mapping[str, float], patience: int | None, tolerance: float = 0.0) -> bool:
        """Whether this epoch is the best so far; without patience the last one always is. May stop the run.

        Of epochs whose headline is within `tolerance` of the best one, a share of it, that of the least own loss is the best:
        a headline that counts rows has ties, its maximum over many epochs is luck, and ranks alone do not tell how far off
        probabilities are.

        From the first epoch on in which the headline has no value (hinge has no log-loss, precision none without a positive),
        or an infinite one (the deviance of counts of a model that expects less than 0), the run's own loss decides: a number of
        one kind must not be held against a number of the other.
        """
        score = goodness(valid[headline.name], headline.direction, target_of(self.calibration))
        if not math.isfinite(score) and not self.by_loss:
            self.by_loss, self.best, self.peak = True, -math.inf, -math.inf
        if self.by_loss:
            score = -valid.get("loss", math.nan)
        unknown = math.isnan(score) and self.best == -math.inf  # nothing to be patient about: the last is the best
        loss = valid.get("loss", math.nan)
        if patience is None or unknown or self._better(score, loss, tolerance):
            self.best, self.best_epoch, self.best_loss = -math.inf if unknown else score, self.epochs, loss
            return True
        if self.epochs - self.best_epoch >= patience:
            self.stop()
        return False

    def _better(self, score: float, loss: float, tolerance: float) -> bool:
        """Whether an epoch of that score and own loss is better than the best one; NaN never is."""
        self.peak = max(self.peak, score)  # which a NaN, as the second, leaves as it is
        if not tolerance or math.isnan(loss) or math.isnan(self.best_loss):
            return score > self.best
        least = self.peak - tolerance * abs(self.peak)
        return score >= least and (loss < self.best_loss or self.best < least)

    def last(self) -> list[tuple[int, str, str, float]]:
        """The points of the last epoch."""
        return list(takewhile(lambda point: point[0] == self.epochs, reversed(self.history)))

    def stop(self) -> None:
        """No further epochs for this run; a diverged one stays diverged."""
        if self.moving:
            self.status = "stopped"


def _columns(history: Sequence[tuple[int, str, str, float]]) -> dict[str, Any]:
    """A history as columns, which take a hundredth of the room and time of rows."""
    names = {name: place for place, name in enumerate(dict.fromkeys(point[1:3] for point in history))}
    return {
        "epoch": np.array([point[0] for point in history], np.int32),
        "name": np.array([names[point[1:3]] for point in history], np.int32),
        "value": np.array([point[3] for point in history], np.float64),
        "names": [list(name) for name in names],
    }


def _rows(columns: Mapping[str, Any]) -> list[tuple[int, str, str, float]]:
    names = [(str(split), str(metric)) for split, metric in columns["names"]]
    parts = (columns[name].tolist() for name in ("epoch", "name", "value"))
    return [(epoch, *names[name], value) for epoch, name, value in zip(*parts, strict=True)]


def mean_of(values: Sequence[float]) -> float:
    """The mean of those that are numbers, for the eye of a watcher.

    >>> mean_of([1.0, float("nan"), 3.0])
    2.0
    """
    numbers = [value for value in values if math.isfinite(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan
