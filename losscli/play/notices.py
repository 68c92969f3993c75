"""What there is to notice in a run, each said only where the numbers of the run say so.

A notice looks at one `Trace` and gives the frame from which on it can be seen, and a sentence; or nothing. Numbers in a sentence
are those of the run itself, at the epoch that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import e, log

import numpy as np

from losscli.play.scene import percent
from losscli.play.trace import Trace

CLEAR = 0.15  # shares that differ by less say nothing to somebody who looks
LOST = 0.03  # of accuracy
MOST = 0.5


@dataclass(frozen=True)
class Notice:
    """From `frame` on, `text` is true and can be seen."""

    frame: int
    text: str


def notices(trace: Trace) -> list[Notice]:
    """Everything that there is to notice of a run, in the order in which it comes up."""
    found = (sentence for look in LOOKS for sentence in look(trace))
    return sorted(found, key=lambda notice: notice.frame)


def floor(classes: int) -> float:
    """The least cross-entropy of a softmax over probabilities: one of them 1, all others 0.

    >>> round(floor(2), 4), round(floor(4), 4)
    (0.3133, 0.7437)
    """
    return log(1 + (classes - 1) / e)


def first(holds: np.ndarray, start: int = 0) -> int | None:
    """The first place from `start` on from which it holds to the end, [F] bool.

    >>> first(np.array([True, False, True, True])), first(np.array([True, False]))
    (2, None)
    """
    places = np.flatnonzero(~holds)
    begin = max(start, 0 if not len(places) else int(places[-1]) + 1)
    return begin if begin < len(holds) else None


def _bends(trace: Trace) -> Iterator[Notice]:
    """Wrong labels learned by heart, at the cost of clean rows; or withstood."""
    known = trace.memorised
    if known is None:
        return
    best = trace.best
    gained, lost = known[-1] - known[best], trace.score[best] - trace.score[-1]
    if gained > CLEAR and lost > LOST:
        frame = first(known - known[best] > gained / 2, best)
        assert frame is not None  # the last frame is one
        yield Notice(
            frame,
            f"From epoch {trace.epochs[frame]} on, {trace.name} bends around single wrong rows. It is right on "
            f"{percent(trace.score[best])} of clean rows at epoch {trace.epochs[best]} and on {percent(trace.score[-1])} at the "
            f"end, where it has learned {percent(known[-1])} of the wrong labels by heart.",
        )
    elif known[-1] < CLEAR + known[best] and trace.score[-1] > 1 - trace.damaged:
        yield Notice(
            best,
            f"{trace.name} has the wrong labels against it, and {percent(known[-1])} of them are learned by heart at the end: it "
            f"stays right on {percent(trace.score[-1])} of clean rows.",
        )


def _pulled(trace: Trace) -> Iterator[Notice]:
    """Which rows the gradient comes from."""
    if trace.share is None:
        return
    rows, end = trace.damaged, trace.share[-1]
    heavy = first(trace.share > max(MOST, rows + CLEAR))
    if heavy is not None and heavy:
        yield Notice(
            heavy,
            f"From epoch {trace.epochs[heavy]} on, most of what moves {trace.name} comes from the wrong rows: they are "
            f"{percent(rows)} of the rows and have {percent(end)} of the gradient at the end.",
        )
    light = first(trace.share < rows - CLEAR)
    if light is not None and light:
        yield Notice(
            light,
            f"{trace.name} lets go of wrong rows: they are {percent(rows)} of the rows and have {percent(end)} of the gradient "
            "at the end.",
        )


def _stands(trace: Trace) -> Iterator[Notice]:
    """A floor that the loss cannot get through."""
    if trace.run.output != ("softmax",) or trace.run.loss.expects != "logits":
        return
    lowest = floor(len(trace.run.dataset.target.labels))
    near = first(trace.loss - lowest < 0.1 * lowest)
    if near is not None and trace.train_score[-1] > 1 - LOST:
        yield Notice(
            near,
            f"{trace.name} stands at {trace.loss[-1]:.3f}, with {percent(trace.train_score[-1])} of the training rows right: it "
            f"cannot get below {lowest:.3f}, whatever the network does.",
        )


def _rare(trace: Trace) -> Iterator[Notice]:
    """What becomes of the smallest class."""
    if trace.rare is None:
        return
    gap = trace.score - trace.rare
    if gap[-1] > LOST:
        frame = first(gap > LOST)
        assert frame is not None
        yield Notice(
            frame,
            f"{trace.name} finds {percent(trace.rare[-1])} of the rare class at the end; all classes together, it is right on "
            f"{percent(trace.score[-1])}.",
        )


def _late(trace: Trace) -> Iterator[Notice]:
    """A slow start: half of the way to the best score takes a tenth of the epochs or more."""
    if trace.run.dataset.scale is not None:
        return
    way = trace.score[trace.best] - trace.score[0]
    half = int(np.argmax(trace.score - trace.score[0] >= way / 2))
    if way > CLEAR and trace.epochs[half] >= 0.1 * trace.epochs[-1]:
        yield Notice(
            half,
            f"{trace.name} starts slowly: it takes {trace.epochs[half]} epochs to half of what it ever learns.",
        )


LOOKS: tuple[Callable[[Trace], Iterator[Notice]], ...] = (_bends, _pulled, _stands, _rare, _late)
