"""Why a loss that takes a softmax itself never reaches 0 behind another one."""

from __future__ import annotations

from losscli.play.grid import Grid
from losscli.play.notices import first, floor
from losscli.play.scene import percent
from losscli.play.stories import Step, Story, stories
from losscli.play.stories.scenes import CLOUDS

RIGHT = 0.9  # of the training rows
BOTH = ("cross-entropy", "softmax twice")


def _alike(grid: Grid) -> str:
    once, twice = map(grid.trace, BOTH)
    return (
        "The same network, the same rows, the same loss. On the right a softmax stands before cross-entropy, which takes one "
        f"itself. Nothing fails: at the end A is right on {percent(once.score[-1])} of new rows, and B on "
        f"{percent(twice.score[-1])}."
    )


def _floor(grid: Grid) -> str:
    once, twice = map(grid.trace, BOTH)
    lowest = floor(4)
    return (
        f"Look at the losses below: A ends at {once.loss[-1]:.2f}, B at {twice.loss[-1]:.2f}. The second softmax sees "
        f"probabilities, at best a 1 and three 0s, and makes e / (e + 3) = {percent(1 / (1 + 3 / 2.718281828))} of them. Minus "
        f"the logarithm of that is {lowest:.3f}: no network gets below it, even with every row right."
    )


def _slower(grid: Grid) -> str:
    once, twice = map(grid.trace, BOTH)
    reached = [first(trace.train_score >= RIGHT) for trace in (once, twice)]
    when = [
        "never" if frame is None else f"from epoch {trace.epochs[frame]}"
        for frame, trace in zip(reached, (once, twice), strict=True)
    ]
    return (
        "The halos are what each row's gradient weighs. Two squashings leave little of it where the network is sure and wrong. "
        f"{percent(RIGHT)} of the training rows are right in A {when[0]}, and in B {when[1]}. In your own code, losscli lint "
        "finds the extra softmax (LC001)."
    )


stories.put(
    "softmax-twice",
    Story(
        "Softmax twice",
        "Why softmax twice never reaches 0",
        CLOUDS,
        (
            Step("Nothing seems wrong", BOTH, _alike, span=(1.0, 1.0)),
            Step("A floor under the loss", BOTH, _floor),
            Step("Slower on the way", BOTH, _slower, span=(0.0, 0.5)),
        ),
    ),
)
