"""Learning-rate schedules: what share of its learning rate every run uses at step 0 <= `step` < `steps` of the budget.

A schedule is one function here, and the plan knows it by its name. Nothing here loads torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable

WARMUP = 0.05  # of the budget

SCHEDULES: dict[str, Callable[[int, int], float]] = {}


def schedule(function: Callable[[int, int], float]) -> Callable[[int, int], float]:
    """Enter the decorated function under its own name in kebab-case."""
    SCHEDULES[function.__name__.replace("_", "-")] = function
    return function


@schedule
def constant(step: int, steps: int) -> float:
    """The whole rate at every step."""
    return 1.0


@schedule
def cosine(step: int, steps: int) -> float:
    """From 1 down to 0 along half a cosine (Loshchilov and Hutter 2016, arXiv 1608.03983).

    >>> cosine(5, 10)
    0.5
    """
    return 0.5 * (1 + math.cos(math.pi * (step / steps)))


@schedule
def step(step: int, steps: int) -> float:
    """A tenth after half of the budget, a hundredth after three quarters.

    >>> [SCHEDULES["step"](at, 8) for at in (0, 4, 6)]
    [1.0, 0.1, 0.01]
    """
    done = step / steps
    return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01


@schedule
def warmup(step: int, steps: int) -> float:
    """Rises over the first 5 %, then 1.

    >>> warmup(0, 100), warmup(50, 100)
    (0.2, 1.0)
    """
    return min(1.0, (step + 1) / max(1, round(WARMUP * steps)))


@schedule
def warmup_cosine(step: int, steps: int) -> float:
    """Rises over the first 5 %, and falls along half a cosine."""
    return warmup(step, steps) * 0.5 * (1 + math.cos(math.pi * (step / steps)))


@schedule
def linear(step: int, steps: int) -> float:
    """From 1 down to 0 along a line; the last step is one short of 0, as in torch's `LambdaLR(1 - step / steps)`.

    >>> [linear(at, 4) for at in (0, 1, 3)]
    [1.0, 0.75, 0.25]
    """
    return 1 - step / steps
