"""Metrics judge predictions of every run of a stack at once: `f(prediction [R, N, ...], target) -> [R]`, target
[R, N, ...] or [1, N, ...].

They take no gradients, and never look across runs; sums are taken in float64. A run whose prediction holds a NaN has
the value NaN, and so has one for which the metric is not defined (no positive row to recall). Each metric names the
field of `Prediction` that it reads, which direction is better (`losscli/direction.py`), and its range; where a run's prediction
lacks that field (hinge gives no probabilities) it has no value.

Some metrics have a twin, which judges the same after calibration on the valid split (`stack/calibrate.py`): `f1-tuned` reads
decisions at the threshold that was best for F1, `log-loss-scaled` probabilities after temperature scaling.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from losscli.direction import Direction
from losscli.errors import SpecError, choose_from, shown
from losscli.lazy import Tensor, torch
from losscli.shelf import Shelf
from losscli.tasks import Prediction, tasks
from losscli.tasks.shapes import Mixture

Reads = Literal[
    "scores",
    "labels",
    "probabilities",
    "values",
    "tuned",
    "scaled",
    "interval",
    "quantiles",
    "crps",
    "embeddings",
    "retrieval",
    "samples",
    "nearest",
]
Need = Literal["costs", "mixture", "pairs"]  # of a spec; of the data: what rows were drawn from, that they are pairs
MetricFunction = Callable[..., Tensor]
COUNTED = ("labels", "tuned", "scores", "interval")  # what holds decisions, ranks, or whether a row is inside
CALIBRATED = ("tuned", "scaled")  # what a prediction holds only after calibration


@dataclass(frozen=True)
class Metric:
    """A metric of the shelf."""

    name: str
    tasks: tuple[str, ...]
    reads: Reads
    direction: Direction
    low: float
    high: float
    function: MetricFunction
    criterion: MetricFunction | None = (
        None  # of decisions: the same from counts [..., K], which a threshold is tuned by
    )
    soft: bool = False  # of classes: takes their probabilities as the truth; others get the most likely class
    needs: Need | None = None  # what must be known beside the rows; then `function` takes it as a keyword, too
    levelled: bool = False  # of intervals: `function` takes the `level` that they promise as a keyword, too
    headline: bool = True  # whether better of it alone means better: nothing is chosen by a metric of which it does not

    @property
    def summary(self) -> str:
        return inspect.getdoc(self.function).splitlines()[0]  # type: ignore[union-attr]

    @property
    def of(self) -> str:
        """The name without what calibration adds: that of the decision which a threshold is tuned for."""
        return self.name.removesuffix("-tuned").removesuffix("-scaled")

    @property
    def counts_rows(self) -> bool:
        """Whether it moves in steps, a row or a rank at a time, and not by any amount."""
        return self.reads in COUNTED and math.isfinite(self.high - self.low)

    def measure(self, prediction: Prediction, target: Tensor) -> Tensor | None:
        """[R], or None where the prediction lacks what this metric reads."""
        read = getattr(prediction, self.reads)
        if isinstance(read, Mapping):
            read = read.get(self.of)
        for task in () if self.soft else self.tasks:
            target = tasks.get(task).decided(target)
        if read is None:
            return None
        return self.function(read, target, level=prediction.level) if self.levelled else self.function(read, target)

    def given(self, **known: Any) -> Metric:
        """The metric with what it needs."""
        if self.needs is None:
            return self
        taken = {self.needs: known[self.needs]}
        if self.needs == "costs":  # once: a thousand classes have a million numbers
            taken = {"costs": torch.tensor(known["costs"], dtype=torch.float64)}
        bound = functools.partial(self.function, **taken)
        functools.update_wrapper(bound, self.function)
        criterion = None if self.criterion is None else functools.partial(self.criterion, **taken)
        low, high = self.low, self.high
        if self.needs == "costs":
            numbers = [number for row in known["costs"] for number in row]
            low, high = min(numbers), max(numbers)
        elif math.isinf(high):  # it counts the parts of the mixture
            high = float(len(known["mixture"].centers))
        return replace(self, function=bound, criterion=criterion, low=low, high=high)


metrics: Shelf[Metric] = Shelf(__name__, "metric")


def metric(
    *tasks: str,
    reads: Reads,
    direction: Direction,
    low: float = 0.0,
    high: float = 1.0,
    name: str | None = None,
    scaled: bool = False,
    **facts: Any,
) -> Callable[[MetricFunction], MetricFunction]:
    """Put the decorated function on the shelf for the named tasks; with `scaled`, its twin after temperature scaling, too."""

    def register(function: MetricFunction) -> MetricFunction:
        called = name or function.__name__.replace("_", "-")
        wrapper = _nan_where_nan(function)
        item = Metric(called, tasks, reads, direction, low, high, wrapper, **facts)
        for task in tasks:
            metrics.put(f"{task}/{called}", item)
            if scaled:
                metrics.put(f"{task}/{called}-scaled", replace(item, name=f"{called}-scaled", reads="scaled"))
        return wrapper

    return register


def _nan_where_nan(function: MetricFunction) -> MetricFunction:
    """`function` without gradients, and NaN where a run's prediction holds a NaN: no metric has to look for them."""

    @functools.wraps(function)
    def wrapper(prediction: Tensor, target: Tensor, **given: Any) -> Tensor:
        with torch.no_grad():
            # On the CPU, where to look is no wait: the sum is a number, so all are, and no copy of gigabytes is made.
            if prediction.device.type == "cpu" and not prediction.sum().isnan():
                return function(prediction, target, **given)
            broken = prediction.flatten(1).isnan().any(1)  # [R]
            # Numbers in their place: a NaN would sort as the largest, and as a class index it is undefined.
            values = function(prediction.nan_to_num(0.0, math.inf, -math.inf), target, **given)
            return values.masked_fill(broken, math.nan)

    return wrapper


def for_task(task: str) -> dict[str, Metric]:
    """Every metric that judges a task, by name: its own, and those it borrows with their twins."""
    borrowed = tasks.get(task).borrowed_metrics
    serving: dict[str, Metric] = {}
    # File by file: what somebody has imported before would come first, and each command imports other files first.
    for key in sorted(metrics.names(), key=lambda key: metrics.get(key).function.__module__):
        home, name = key.split("/")
        if home == task or f"{home}/{metrics.get(key).of}" in borrowed:
            serving.setdefault(name, metrics.get(key))
    return serving


def evaluation_metrics(
    task: str,
    costs: Sequence[Sequence[float]] | None = None,
    mixture: Mixture | None = None,
    pairs: Sequence[str] | None = None,
) -> dict[str, Metric]:
    """Every metric of a task that can be measured: those that need costs, a mixture or pairs, only where these are known."""
    known, items = {"costs": costs, "mixture": mixture, "pairs": pairs}, for_task(task)
    return {
        name: item.given(**known)
        for name, item in items.items()
        if item.needs is None or known.get(item.needs) is not None
    }


def find(name: str, task: str) -> Metric:
    """The metric of that name for a task; `SpecError` with the nearest name if there is none."""
    serving = for_task(task)
    if name not in serving:
        raise SpecError(f"there is no metric called {shown(name)} for {task}", cure=choose_from(name, serving))
    return serving[name]
