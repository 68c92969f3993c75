"""The smallest problem that a loss can be asked about: a few outcomes, and what each costs for any raw output.

Shape letters: Y outcomes, D raw outputs, P true distributions over the outcomes, C classes to decide between. Binary is
two outcomes and one output; multiclass three classes; multilabel two labels, hence four outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from losscli.losses import Bounds, Choice, Loss, Option, PerClass, Several
from losscli.losses.weights import class_counts, class_weights, positive_weight
from losscli.stack.head import meaning, through
from losscli.tasks import Task, tasks
from losscli.tasks.truths import CLASSES, LABELS

Counts = tuple[float, ...]
COUNTS: Counts = (600.0, 300.0, 100.0)  # rows of each class, for a loss that needs them and is not told
TAIL: Counts = (10_000.0, 100.0, 1.0)  # the same with a long tail


def settings_of(item: Loss, options: Mapping[str, Any] | None = None, counts: Counts = COUNTS) -> dict[str, Any]:
    """Every option of a loss: as given, else its default; one that must be given is 1, the next 2, where bounds allow.

    What the training split would tell is told by `counts`, the rows of each class (binary: the first are no, the last yes).
    """
    given = dict(options or {})
    required = [name for name, option in item.options.items() if option.required]
    rows = counts_of(tasks.get(item.task), counts)
    return {
        name: _plain(option, required.index(name) + 1.0)
        if option.required and name not in given
        else _filled(option, given.get(name, option.default), rows)
        for name, option in item.options.items()
    }


def width_of(task: Task) -> int:
    """How many outputs a row has here."""
    return task.width(CLASSES, LABELS)


def counts_of(task: Task, counts: Counts) -> Counts:
    """The rows of each class that a task has: of two classes, the most frequent and the rarest."""
    outcomes = task.outcomes(width_of(task))
    return (counts[0], counts[-1]) if outcomes is not None and len(outcomes) == 2 else counts


def counts_tried(item: Loss, options: Mapping[str, Any] | None = None) -> list[Counts]:
    """The rows of each class under which a loss is to be asked: those given, or two kinds of data; none if it needs none."""
    given = {name: (options or {}).get(name, option.default) for name, option in item.options.items()}
    counts = [value for name, value in given.items() if item.options[name].default == "training"]
    if counts and isinstance(counts[0], (list, tuple)):
        return [tuple(map(float, _three(counts[0])))]
    ruled = any(isinstance(value, str) and _of_classes(item.options[name]) for name, value in given.items())
    return [COUNTS, TAIL] if ruled else []


def _of_classes(option: Option) -> bool:
    return isinstance(option.accepts, PerClass)


def _filled(option: Option, value: Any, counts: Counts) -> Any:
    if isinstance(value, str) and _of_classes(option):
        return _ruled(option, value, counts)
    if isinstance(value, (list, tuple)) and not isinstance(option.accepts, Several):
        return torch.tensor(_three(value), dtype=torch.float64)
    return value


def _ruled(option: Option, rule: str, counts: Counts) -> Any:
    rows = np.repeat(np.arange(len(counts)), [int(count) for count in counts])
    labels = [str(at) for at in range(len(counts))]
    if isinstance(option.accepts, PerClass) and option.accepts.of_labels:
        return positive_weight(rule, (rows > 0).astype(np.float64))
    values = class_counts(rule, rows, labels) if rule == "training" else class_weights(rule, rows, labels)
    return torch.from_numpy(values).double()


def _three(values: Sequence[Any]) -> Sequence[Any]:
    """Of the numbers of more classes than are tried here, the largest, the middle one and the smallest."""
    ordered = sorted(values, reverse=True)
    return values if len(values) <= CLASSES else [ordered[0], ordered[len(ordered) // 2], ordered[-1]]


def _plain(option: Option, first: float) -> Any:
    if isinstance(option.accepts, Choice):
        return option.accepts.names[0]
    bounds = option.accepts if isinstance(option.accepts, Bounds) else option.accepts.bounds
    tried = (first, 1.0, 0.5, bounds.low, bounds.high)
    value = next(number for number in tried if bounds.allow(number))
    return [value] if isinstance(option.accepts, Several) else value


@dataclass(frozen=True)
class Trial:
    """A classification loss with its options, asked in float64 about raw outputs [..., D]."""

    item: Loss
    options: Mapping[str, Any]

    @cached_property
    def task(self) -> Task:
        return tasks.get(self.item.task)

    @cached_property
    def chain(self) -> tuple[str, ...]:
        """What stands between the raw output and the loss."""
        link = self.task.links[self.item.expects]
        return () if link is None else (link,)

    @cached_property
    def outcomes(self) -> Tensor:
        """Every target that can come: [Y], for labels [Y, L]."""
        outcomes = self.task.outcomes(width_of(self.task))
        assert outcomes is not None
        return outcomes

    @cached_property
    def width(self) -> int:
        """D, the number of raw outputs."""
        own = width_of(self.task)
        return own if self.item.heads is None else self.item.heads(own, self.options)

    def cost(self, raw: Tensor) -> Tensor:
        """What each outcome costs: [..., D] -> [..., Y]."""
        prediction = self.prediction(raw)
        inner = raw.ndim - 1
        repeated = prediction.unsqueeze(inner).expand(
            *prediction.shape[:inner], len(self.outcomes), *prediction.shape[inner:]
        )
        target = self.outcomes.expand(*prediction.shape[:inner], *self.outcomes.shape)
        return self.item.value(repeated, target, self.options)

    def prediction(self, raw: Tensor) -> Tensor:
        """What the loss sees of raw outputs [..., D]: the same, or [...] of one."""
        return through(self.chain, self.task.shape(raw))

    def probabilities(self, raw: Tensor) -> Tensor | None:
        """What outputs say when they are read as probabilities, [..., C]; None where the task gives none.

        C is K classes, or the probability of yes: one for binary, one per label.
        """
        prediction = self.prediction(raw)
        probabilities: Tensor | None
        if self.item.point is not None:
            probabilities = self.item.point(prediction, self.options)
        else:
            probabilities = self.task.read(prediction, meaning(self.chain, self.item.expects)).probabilities
        return None if probabilities is None else probabilities.view(*raw.shape[:-1], -1)

    @cached_property
    def shifts(self) -> bool:
        """Whether the same number added to all outputs changes neither a cost nor a decision (softmax)."""
        raw = torch.randn(32, self.width, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
        functions = (self.cost, self.leads)
        return all(torch.allclose(function(raw), function(raw + 1.7), rtol=1e-9, atol=1e-9) for function in functions)

    def leads(self, raw: Tensor) -> Tensor:
        """By how much outputs decide for each outcome, negative where they decide otherwise: [..., D] -> [..., Y]."""
        prediction = self.prediction(raw)
        read_as = meaning(self.chain, self.item.expects)
        if self.item.point is not None:
            prediction, read_as = self.item.point(prediction, self.options), "probabilities"
        if self.task.outputs_compete:
            two = prediction.topk(2, -1)
            largest = torch.zeros_like(prediction, dtype=torch.bool).scatter(-1, two.indices[..., :1], True)
            return prediction - torch.where(largest, two.values[..., 1:], two.values[..., :1])
        shaped = prediction.view(*raw.shape[:-1], 1, -1)  # [..., 1, C]
        signs = 2 * self.outcomes.view(len(self.outcomes), -1) - 1  # [Y, C]
        return (signs * (shaped - (0.5 if read_as == "probabilities" else 0.0))).amin(-1)
