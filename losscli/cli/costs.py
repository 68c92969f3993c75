"""What the mistake of a rule costs, trained or read, and how the terminal shows it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from math import isfinite

from rich.console import RenderableType
from rich.text import Text

from losscli.cli import show
from losscli.cli.curves import Curve, Curves
from losscli.cli.progress import progress
from losscli.demonstrations import Cost, demonstrations
from losscli.rules import Rule


def of(rule: Rule) -> Cost | None:
    """The cost; None for a mistake that torch stops with an error, which the page tells."""
    if rule.code not in demonstrations:
        return None
    demonstration = demonstrations.get(rule.code)
    if demonstration.trains:
        sys.stdout.flush()  # the page comes first
        show.notice("training right and wrong takes a few seconds; --no-cost leaves it out")
    with progress(quiet=not demonstration.trains) as watch:
        return demonstration.cost(watch)


def drawn(cost: Cost) -> Iterator[RenderableType]:
    """Both curves with the floor of the wrong one, and a sentence."""
    curves = {"right": _points(cost.right), "wrong": _points(cost.wrong)}
    floors = {
        f"{formula} = {height:.4g}": [(1.0, height), (float(len(cost.wrong)), height)]
        for formula, height in cost.floors.items()
    }
    yield Text("\nwhat it costs", "bold")
    yield Text(cost.sentence)
    lost = next((epoch for epoch, value in enumerate(cost.wrong, start=1) if not isfinite(value)), None)
    if lost is not None:
        yield Text(f"The wrong curve ends at epoch {lost}, where the loss is no finite number.")
    yield Text()
    yield Curves(f"{cost.shows}: {cost.data}, mean of {cost.seeds} seeds", {**curves, **floors}, settling=0.1)


def _points(values: tuple[float, ...]) -> Curve:
    return [(float(epoch), value) for epoch, value in enumerate(values, start=1)]
