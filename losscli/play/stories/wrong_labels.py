"""What wrong labels do to cross-entropy, and why gce holds out longer."""

from __future__ import annotations

from losscli.play.grid import Grid
from losscli.play.scene import percent
from losscli.play.scenes.told import CLOUDS
from losscli.play.stories import Step, Story, stories

WRONG = {"labels": 0.4}
BOTH = ("cross-entropy", "gce")


def _first(grid: Grid) -> str:
    plain = grid.trace("cross-entropy", WRONG)
    return (
        f"{percent(plain.damaged)} of the training labels are wrong (rows with a ring). For a while that does no harm: "
        f"in each place most labels are right. At epoch {plain.epochs[plain.best]} cross-entropy is right on "
        f"{percent(plain.score[plain.best])} of clean rows that it was not trained on."
    )


def _bent(grid: Grid) -> str:
    plain, robust = (grid.trace(name, WRONG) for name in BOTH)
    assert plain.memorised is not None
    assert robust.memorised is not None
    return (
        "Then it learns the wrong labels by heart: "
        f"{percent(plain.memorised[-1])} of them at the end, and gce {percent(robust.memorised[-1])}. "
        "The regions of cross-entropy bend around single rows, and it is right on "
        f"{percent(plain.score[-1])} of clean rows; gce on {percent(robust.score[-1])}."
    )


def _pull(grid: Grid) -> str:
    plain, robust = (grid.trace(name, WRONG) for name in BOTH)
    assert plain.share is not None
    assert robust.share is not None
    place = plain.best
    return (
        "The halos say why. Under cross-entropy a row pulls harder the more wrong it is. Under gce a row that is "
        f"far off pulls less. At epoch {plain.epochs[place]} wrong rows have {percent(plain.share[place])} of the gradient "
        f"under cross-entropy, and {percent(robust.share[place])} under gce."
    )


def _stop(grid: Grid) -> str:
    plain, robust = (grid.trace(name, WRONG) for name in BOTH)
    return (
        "Stopping helps, too: cross-entropy at its best epoch is right on "
        f"{percent(plain.score[plain.best])} of clean rows, gce at the end on {percent(robust.score[-1])}. But it takes clean "
        "rows to know when. And one run is one run: losscli compare says whether a difference is more than chance."
    )


stories.put(
    "wrong-labels",
    Story(
        "Wrong labels",
        "Wrong labels under cross-entropy and gce",
        CLOUDS,
        (
            Step("The truth comes first", BOTH, _first, WRONG, (0.0, 0.4)),
            Step("Then single rows", BOTH, _bent, WRONG, (0.4, 1.0)),
            Step("Who pulls", BOTH, _pull, WRONG, (0.2, 0.5)),
            Step("Or stop in time", BOTH, _stop, WRONG),
        ),
    ),
)
