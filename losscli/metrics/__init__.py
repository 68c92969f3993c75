"""Metrics judge predictions of every run of a stack at once: `f(prediction [R, N, ...], target) -> [R]`, target
[R, N, ...] or [1, N, ...].

They take no gradients, and never look across runs; sums are taken in float64. A run whose prediction holds a NaN has
the value NaN, and so has one for which the metric is not defined (no positive row to recall). Each metric names the
field of `Prediction` that it reads, which direction is better, and its range; where a run's prediction lacks that field
(hinge gives no probabilities) it has no value.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from losscli.errors import SpecError, choose_from, shown
from losscli.shelf import Shelf

Reads = Literal["scores", "labels", "probabilities", "values"]


@dataclass(frozen=True)
class Metric:
    """A metric of the shelf."""

    name: str
    tasks: tuple[str, ...]
    reads: Reads
    direction: Literal["up", "down"]
    low: float
    high: float
    function: Callable[[Tensor, Tensor], Tensor]

    @property
    def summary(self) -> str:
        return inspect.getdoc(self.function).splitlines()[0]  # type: ignore[union-attr]


metrics: Shelf[Metric] = Shelf(__name__, "metric")


def metric(
    *tasks: str,
    reads: Reads,
    direction: Literal["up", "down"],
    low: float = 0.0,
    high: float = 1.0,
    name: str | None = None,
) -> Callable[[Callable[[Tensor, Tensor], Tensor]], Callable[[Tensor, Tensor], Tensor]]:
    """Put the decorated function on the shelf for the named tasks."""

    def register(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
        called = name or function.__name__.replace("_", "-")
        judged = _judged(function)
        item = Metric(called, tasks, reads, direction, low, high, judged)
        for task in tasks:
            metrics.put(f"{task}/{called}", item)
        return judged

    return register


def _judged(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """`function` without gradients, and NaN where a run's prediction holds a NaN: no metric has to look for them."""

    @functools.wraps(function)
    @torch.no_grad()
    def judged(prediction: Tensor, target: Tensor) -> Tensor:
        broken = prediction.flatten(1).isnan().any(1)  # [R]
        return function(prediction.nan_to_num(0.0, math.inf, -math.inf), target).masked_fill(broken, math.nan)

    return judged


def for_task(task: str) -> dict[str, Metric]:
    """Every metric that judges a task, by name."""
    return {name.split("/")[1]: metrics.get(name) for name in metrics.names() if name.startswith(f"{task}/")}


def find(name: str, task: str) -> Metric:
    """The metric of that name for a task; `SpecError` with the nearest name if there is none."""
    serving = for_task(task)
    if name not in serving:
        raise SpecError(f"there is no metric called {shown(name)} for {task}", cure=choose_from(name, serving))
    return serving[name]
