"""The contract of a loss, as a shelf of properties: what must hold, why it matters, and the smallest example where it does not.

A property is one block in one file: a predicate over a `Sample` (None where it holds, else what is wrong), and the samples
that it is tried with. Finding the smallest sample that still fails is one machine for all of them (shrink.py).

Shape letters: R runs, B batch, K classes, L labels; a sample is [R, B] or [R, B, K] or [R, B, L].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from losscli.errors import foreign
from losscli.losses import Loss, PerClass
from losscli.shelf import Shelf
from losscli.stack.head import through
from losscli.tasks import tasks

Status = Literal["passed", "failed", "not applicable"]


@dataclass(frozen=True)
class Sample:
    """What a loss is tried with: what a model puts out [R, B, ...] in float64, and the target of each row."""

    raw: Tensor
    target: Tensor

    def target_as(self, dtype: torch.dtype) -> Tensor:
        """The target in a number type; classes stay indices."""
        return self.target.to(dtype) if self.target.is_floating_point() else self.target


@dataclass(frozen=True)
class Case:
    """A loss for a task, with the options that it is tried with."""

    loss: Loss
    task: str
    options: Mapping[str, Any]

    @property
    def over_labels(self) -> bool:
        """Borrowed for several labels: a loss per value, averaged over them."""
        return self.loss.averages_for(self.task)

    def prediction(self, raw: Tensor) -> Tensor:
        """What the loss gets of a model's output: probabilities after a sigmoid or a softmax, and so on."""
        link = tasks.get(self.task).links.get(self.loss.expects)
        return through((link,), raw) if link else raw

    def judge(self, prediction: Tensor, target: Tensor, **changed: Any) -> Tensor:
        """The loss of each sample [..., B], or of each run [...] where it is defined over the batch.

        Raises `CodeError` where the loss itself does.
        """
        options = {name: self.fitted(name, value, prediction) for name, value in {**self.options, **changed}.items()}
        with foreign(self.loss.name):
            values = self.loss.value(prediction, target, options)
        return values.mean(-1) if self.over_labels and isinstance(values, Tensor) else values

    def fitted(self, name: str, value: Any, prediction: Tensor) -> Any:
        """The value of an option as the kernel takes it: numbers per class in the prediction's number type, where it is."""
        if isinstance(value, Tensor):
            return value.to(prediction)
        if isinstance(value, (list, tuple)) and isinstance(self.loss.options[name].accepts, PerClass):
            return torch.tensor(value, dtype=prediction.dtype, device=prediction.device)
        return value

    def value(self, sample: Sample, dtype: torch.dtype = torch.float64) -> Tensor:
        """The loss of a sample."""
        return self.judge(self.prediction(sample.raw).to(dtype), sample.target_as(dtype))


Check = Callable[[Case, Sample], str | None]


@dataclass(frozen=True)
class Property:
    """One thing that must hold.

    The other properties stand on a `ground` one: where it fails, they are not tried.
    """

    name: str
    must: str
    why: str
    draws: Callable[[Case], Iterable[Sample]]
    check: Check
    unless: Callable[[Case], str | None]  # why it does not apply, if so
    ground: bool

    def __reduce__(self) -> tuple[Any, ...]:
        """By its name: what it holds are functions without one."""
        return property_called, (self.name,)


def property_called(name: str) -> Property:
    """That of the shelf."""
    return properties.get(name)


properties: Shelf[Property] = Shelf(__name__, "property")


def always(case: Case) -> None:
    """It applies to every loss."""
    return


def must(
    name: str,
    what: str,
    *,
    why: str,
    draws: Callable[[Case], Iterable[Sample]],
    unless: Callable[[Case], str | None] = always,
    ground: bool = False,
) -> Callable[[Check], Check]:
    """Put the decorated predicate on the shelf as a property."""

    def register(check: Check) -> Check:
        properties.put(name, Property(name, what, why, draws, check, unless, ground))
        return check

    return register


@dataclass(frozen=True)
class Outcome:
    """What became of one property; `sample` is the smallest one where it fails, with the options of that trial."""

    tried: Property
    status: Status
    message: str = ""
    case: Case | None = None
    sample: Sample | None = None


@dataclass(frozen=True)
class Report:
    """The contract of one loss, property by property."""

    loss: Loss
    task: str
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == "failed"]

    def count(self, status: Status) -> int:
        return sum(outcome.status == status for outcome in self.outcomes)
