"""Learning-rate schedules: what share of its learning rate every run uses at a step of the budget."""

from __future__ import annotations

import math

WARMUP = 0.05  # of the budget


def share(schedule: str, step: int, steps: int) -> float:
    """The factor on the learning rate at step 0 <= `step` < `steps`.

    constant: 1. cosine: from 1 down to 0 along half a cosine (Loshchilov and Hutter 2016, arXiv 1608.03983). step: a tenth
    after half of the budget, a hundredth after three quarters. warmup: rises over the first 5 %, then 1. warmup-cosine: both.

    >>> [share("step", step, 8) for step in (0, 4, 6)]
    [1.0, 0.1, 0.01]
    >>> share("cosine", 5, 10), share("warmup", 0, 100)
    (0.5, 0.2)
    """
    done = step / steps
    rising = min(1.0, (step + 1) / max(1, round(WARMUP * steps)))
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    if schedule == "step":
        return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01
    if schedule == "warmup":
        return rising
    if schedule == "warmup-cosine":
        return rising * 0.5 * (1 + math.cos(math.pi * done))
    return 1.0
