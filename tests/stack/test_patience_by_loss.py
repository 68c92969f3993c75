"""Patience where the headline has no value in some epochs: one kind of number decides, never a mixture."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from losscli.metrics import find
from losscli.stack.run_state import RunState


def followed(
    epochs: list[tuple[float, float]], patience: int = 3, headline: str = "precision", task: str = "binary"
) -> RunState:
    """A run whose valid precision, or other headline, and loss are those, epoch by epoch."""
    run: Any = SimpleNamespace()
    state = RunState(run)
    for epoch, (score, loss) in enumerate(epochs, start=1):
        if state.moving:
            state.epochs = epoch
            state.judge(find(headline, task), {headline: score, "loss": loss}, patience)
    return state


def test_a_precision_of_nothing_does_not_beat_the_epochs_without_one() -> None:
    """The first epoch calls everything positive, later ones nothing: their loss falls, and the last of them is kept."""
    state = followed([(0.0, 0.9), *((math.nan, 0.6 - 0.02 * step) for step in range(8))])
    assert (state.status, state.best_epoch, state.by_loss) == ("ok", 9, True)


def test_a_headline_that_comes_late_does_not_take_over() -> None:
    state = followed([(math.nan, 0.9), (0.2, 0.8), (0.9, 0.85), (0.95, 0.86), (0.99, 0.87)])
    assert (state.best_epoch, state.status) == (2, "stopped")  # the loss had its best there, three epochs ago


def test_a_headline_with_values_throughout_decides_alone() -> None:
    state = followed([(0.2, 0.9), (0.3, 0.95), (0.1, 0.1)])
    assert (state.best_epoch, state.by_loss) == (2, False)


def test_an_infinite_headline_decides_nothing() -> None:
    """A model that expects counts below 0 has no finite deviance, and its loss still falls."""
    epochs = [(math.inf, 0.9 - 0.02 * step) for step in range(8)]
    state = followed(epochs, headline="poisson-deviance", task="regression")
    assert (state.status, state.best_epoch, state.by_loss) == ("ok", 8, True)
