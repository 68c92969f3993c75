"""What a few outliers do to a line under mse, mae and huber."""

from __future__ import annotations

from losscli.play.grid import Grid
from losscli.play.scene import percent
from losscli.play.scenes.told import SLOPE
from losscli.play.stories import Step, Story, stories

SOME = {"target_outliers": 0.15}


def _clean(grid: Grid) -> str:
    squared, absolute = grid.trace("mse"), grid.trace("mae")
    return (
        "Without outliers both find the line. On rows that were not trained on, mse is off by "
        f"{squared.score[-1]:.2f} on average, and mae by {absolute.score[-1]:.2f}: the noise itself."
    )


def _dragged(grid: Grid) -> str:
    squared, absolute = grid.trace("mse", SOME), grid.trace("mae", SOME)
    assert squared.share is not None
    assert absolute.share is not None
    return (
        f"Now {percent(squared.damaged)} of the rows are moved far up. The gradient of mse grows with the distance: at the end "
        f"the outliers have {percent(squared.share[-1])} of it under mse, and {percent(absolute.share[-1])} under mae, where "
        f"each row pulls alike. The line of mse is dragged up, and is off by {squared.score[-1]:.2f}; that of mae by "
        f"{absolute.score[-1]:.2f}."
    )


def _between(grid: Grid) -> str:
    absolute, huber = grid.trace("mae", SOME), grid.trace("huber", SOME)
    return (
        "Huber is mse for small errors, and mae for those beyond delta: outliers pull, but no harder the farther they are. Its "
        f"line is off by {huber.score[-1]:.2f}, that of mae by {absolute.score[-1]:.2f}. A smaller delta brings it closer to mae."
    )


stories.put(
    "outliers",
    Story(
        "Outliers",
        "Outliers under mse, mae and huber",
        SLOPE,
        (
            Step("Without outliers", ("mse", "mae"), _clean),
            Step("The squared error is dragged", ("mse", "mae"), _dragged, SOME),
            Step("Huber is between the two", ("huber", "mae"), _between, SOME),
        ),
    ),
)
