"""Why a loss that takes a softmax itself never reaches 0 behind another one."""

from __future__ import annotations

from math import e, log

from losscli.play.grid import Grid
from losscli.play.notices import floor
from losscli.play.scene import percent
from losscli.play.scenes.told import CLOUDS
from losscli.play.stories import Step, Story, stories

CLASSES = 4
WRONG = {"labels": 0.4}
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
    lowest = floor(CLASSES)
    return (
        f"Look at the losses below: A ends at {once.loss[-1]:.2f}, B at {twice.loss[-1]:.2f}. The second softmax sees "
        f"probabilities, at best a 1 and three 0s, and makes e / (e + 3) = {percent(e / (e + CLASSES - 1))} of them. Minus "
        f"the logarithm of that is {lowest:.3f}: no network gets below it, even with every row right."
    )


def _bounded(grid: Grid) -> str:
    once, twice, robust = (grid.trace(name, WRONG) for name in (*BOTH, "gce"))
    return (
        f"The floor has a ceiling above it, {log(e + CLASSES - 1):.3f}: a loss that cannot grow cannot insist on a wrong label. "
        f"With {percent(twice.damaged)} of the labels wrong, B is right on {percent(twice.score[-1])} of clean rows, A on "
        f"{percent(once.score[-1])}. That is an accident; gce does it on purpose ({percent(robust.score[-1])}), and can reach 0. "
        "In your own code, losscli lint finds the extra softmax (LC001)."
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
            Step("And a ceiling over it", BOTH, _bounded, WRONG),
        ),
    ),
)
