"""One run of a grid over the epochs that are shown, in the numbers that a learner may care for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from losscli.play.record import Frame
from losscli.play.scene import Levels
from losscli.stack.rows import Run


@dataclass(frozen=True)
class Trace:
    """What each of F frames says of a run, [F] each.

    `loss` is the mean over the training rows. `score` is, on held-out rows with clean labels, the share that
    is predicted right, or the mean absolute error in the user's units. Where targets were changed on purpose, `damaged` is the
    share of such rows, `share` what they have of all rows' gradients, and `memorised` how many of them are predicted as changed
    (classes only). Where classes differ in size, `rare` is the share of the smallest that is found among rows not trained on.
    """

    name: str
    levels: Levels
    run: Run
    epochs: np.ndarray
    loss: np.ndarray
    score: np.ndarray
    train_score: np.ndarray
    damaged: float = 0.0
    share: np.ndarray | None = None
    memorised: np.ndarray | None = None
    rare: np.ndarray | None = None

    @classmethod
    def of(cls, name: str, levels: Levels, run: Run, place: int, frames: Sequence[Frame]) -> Trace:
        """The run at `place` of the frames."""
        train, valid = run.dataset.parts["train"], run.dataset.parts["valid"]
        assert train.weight is not None
        counts = train.weight > 0
        wrong = np.zeros(len(counts), bool) if train.flipped is None else train.flipped & counts
        said = np.stack([frame.train[place] for frame in frames])  # [F, N]
        judged = np.stack([frame.valid[place] for frame in frames])
        pull = np.stack([frame.pull[place] for frame in frames])
        classes = run.dataset.scale is None
        right = said == train.target
        more = {}
        if wrong.any():
            total = pull[:, counts].sum(1)
            more["share"] = np.divide(pull[:, wrong].sum(1), total, out=np.zeros_like(total), where=total > 0)
            if classes:
                more["memorised"] = right[:, wrong].mean(1)
        if classes and levels.get("imbalance", 0) > 0:
            found = valid.target == np.bincount(train.target[counts], minlength=len(run.dataset.target.labels)).argmin()
            more["rare"] = (judged[:, found] == valid.target[found]).mean(1)
        return cls(
            name,
            levels,
            run,
            np.array([frame.epoch for frame in frames]),
            np.array([frame.loss[place] for frame in frames]),
            _score(judged, valid.truth, classes),
            _score(said[:, counts], train.truth[counts], classes),
            float(wrong.sum() / counts.sum()),
            **more,
        )

    @property
    def best(self) -> int:
        """The frame of the best score: of the median of three, so that one lucky epoch is not taken for it."""
        middle = np.median(np.stack([self.score[:-2], self.score[1:-1], self.score[2:]]), axis=0)
        return 1 + int(middle.argmax() if self.run.dataset.scale is None else middle.argmin())


def _score(said: np.ndarray, truth: np.ndarray, classes: bool) -> np.ndarray:
    """Of predictions [F, N]: the share that is right, or the mean absolute error; [F]."""
    scores: np.ndarray = (said == truth).mean(1) if classes else np.abs(said - truth).mean(1)
    return scores
