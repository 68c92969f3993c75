"""Which way a metric is better: up, down, or towards a target, as the coverage of an interval is towards its own level.

Whoever orders, chooses or compares by a metric asks here, so that no one takes a coverage of 1 for better than one of 0.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

Direction = Literal["up", "down", "target"]
Number = TypeVar("Number", bound=Any)  # a float, an array or a tensor

LEVEL = 0.9  # of an interval whose loss gives every quantile
BETTER: Mapping[Direction, str] = {"up": "higher", "down": "lower", "target": "closer to the interval's own level"}
ARROWS: Mapping[Direction, str] = {"up": "↑", "down": "↓", "target": "→"}


def compared(value: Number, direction: Direction, target: float = LEVEL) -> Number:
    """What differences are taken of: the value itself, or its distance from the target.

    >>> compared(0.75, "up"), compared(1.0, "target", 0.75), compared(0.5, "target", 0.75)
    (0.75, 0.25, 0.25)
    """
    apart: Number = abs(value - target) if direction == "target" else value
    return apart


def goodness(value: Number, direction: Direction, target: float = LEVEL) -> Number:
    """How good a value is; larger is better, and NaN stays NaN.

    >>> goodness(0.75, "up"), goodness(0.75, "down"), goodness(1.0, "target", 0.75)
    (0.75, -0.75, -0.25)
    """
    apart = compared(value, direction, target)
    good: Number = apart if direction == "up" else -apart
    return good


def target_of(calibration: Mapping[str, Any]) -> float:
    """The target of a run: the level of its interval.

    >>> target_of({"level": 0.8}), target_of({})
    (0.8, 0.9)
    """
    return float(calibration.get("level") or LEVEL)
