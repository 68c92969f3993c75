"""What the options of a loss accept: the annotations that its signature declares, and one option of it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Annotated, Any

from losscli.lazy import Tensor


@dataclass(frozen=True)
class Bounds:
    """What an option's number must satisfy; the open ends are excluded."""

    low: float = float("-inf")
    high: float = float("inf")
    low_open: bool = False
    high_open: bool = False
    infinite: bool = False  # an infinity that lies within is a number like others (the alpha of barron)

    def allow(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below and (self.infinite or abs(value) != float("inf"))

    def __str__(self) -> str:
        low = "" if self.low == float("-inf") else f"{'>' if self.low_open else '>='} {self.low:g}"
        high = "" if self.high == float("inf") else f"{'<' if self.high_open else '<='} {self.high:g}"
        return " and ".join(part for part in (low, high) if part) or "finite"


Number = float | Tensor
Finite = Annotated[Number, Bounds()]
Positive = Annotated[Number, Bounds(low=0, low_open=True)]
NonNegative = Annotated[Number, Bounds(low=0)]
Fraction = Annotated[Number, Bounds(low=0, high=1)]
OpenFraction = Annotated[Number, Bounds(low=0, high=1, low_open=True, high_open=True)]


@dataclass(frozen=True)
class PerClass:
    """An option that may also be one number per class or label: a list, a mapping by label, or a rule by name.

    What a mapping does not name counts 1; where the rule `training` counts rows, it has those of the training split.

    The rules are computed from the training split: `balanced` (N / (K n_c); for `pos_weight`, negatives / positives)
    and `effective` (Cui et al. 2019, beta 0.9999).
    """

    rules: tuple[str, ...] = ("balanced", "effective")
    bounds: Bounds = field(default_factory=lambda: Bounds(low=0))
    of_labels: bool = False  # one number per label of a row, so one number where a row has one label (binary)


@dataclass(frozen=True)
class Several:
    """An option that is several numbers at once (the quantiles of multi-quantile); a list of lists is a grid."""

    bounds: Bounds


@dataclass(frozen=True)
class Choice:
    """An option that is one of a few words."""

    names: tuple[str, ...]


Accepts = Bounds | PerClass | Several | Choice
REQUIRED = inspect.Parameter.empty  # the default of an option that must be given

# What the training split knows of the classes, [K] or [R, 1, K]: filled in by the engine; in Python it is given.
ClassCounts = Annotated[Number | str, PerClass(rules=("training",), bounds=Bounds(low=0))]
ClassWeight = Annotated[Number | None, PerClass()]
PositiveWeight = Annotated[Number | None, PerClass(("balanced",), Bounds(low=0, low_open=True), of_labels=True)]


@dataclass(frozen=True)
class Option:
    """One option of a loss: its default and what it accepts."""

    name: str
    default: Any  # None where it may be left out; "training": from the training split; `REQUIRED` where there is none
    accepts: Accepts

    @property
    def optional(self) -> bool:
        return self.default is None

    @property
    def required(self) -> bool:
        return self.default is REQUIRED
