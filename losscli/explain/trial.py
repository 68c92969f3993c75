"""The smallest problem that a loss can be asked about: a few outcomes, and what each costs for any raw output.

Shape letters: Y outcomes, D raw outputs, P true distributions over the outcomes, C classes to decide between. Binary is
two outcomes and one output; multiclass three classes; multilabel two labels, hence four outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter
from itertools import product
from typing import Any

import torch
from torch import Tensor

from losscli.losses import Bounds, Choice, Loss, Option, Several
from losscli.stack.output import meaning, through
from losscli.tasks import tasks

CLASSES = 3
LABELS = 2
COUNTS = (600.0, 300.0, 100.0)  # what a loss that needs the training split's classes is told here


def settings_of(item: Loss, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Every option of a loss: as given, else its default, else a number that its bounds allow (1 where they do)."""
    given = dict(options or {})
    return {name: _filled(option, given.get(name, option.default)) for name, option in item.options.items()}


def _filled(option: Option, value: Any) -> Any:
    if value is Parameter.empty:
        return _plain(option)
    if value == "training":
        return torch.tensor(COUNTS, dtype=torch.float64)
    if isinstance(value, str) and not isinstance(option.accepts, Choice):
        return 1.0  # balanced, effective: every class as frequent as the others
    if isinstance(value, (list, tuple)) and not isinstance(option.accepts, Several):
        return torch.tensor(value, dtype=torch.float64)
    return value


def _plain(option: Option) -> Any:
    if isinstance(option.accepts, Choice):
        return option.accepts.names[0]
    bounds = option.accepts if isinstance(option.accepts, Bounds) else option.accepts.bounds
    tried = (1.0, 0.5, bounds.low, bounds.high)
    value = next(number for number in tried if bounds.allow(number))
    return [value] if isinstance(option.accepts, Several) else value


@dataclass(frozen=True)
class Trial:
    """A classification loss with its options, asked in float64 about raw outputs [..., D]."""

    item: Loss
    options: Mapping[str, Any]

    @cached_property
    def kind(self) -> str:
        return self.item.task

    @cached_property
    def chain(self) -> tuple[str, ...]:
        """What stands between the raw output and the loss."""
        link = tasks.get(self.kind).links[self.item.expects]
        return () if link is None else (link,)

    @cached_property
    def outcomes(self) -> Tensor:
        """Every target that can come: [Y], for labels [Y, L]."""
        if self.kind == "binary":
            return torch.tensor([0.0, 1.0], dtype=torch.float64)
        if self.kind == "multilabel":
            return torch.tensor(list(product((0.0, 1.0), repeat=LABELS)), dtype=torch.float64)
        return torch.arange(CLASSES)

    @cached_property
    def width(self) -> int:
        """D, the number of raw outputs."""
        own = {"binary": 1, "multilabel": LABELS}.get(self.kind, CLASSES)
        return own if self.item.heads is None else self.item.heads(own, self.options)

    def cost(self, raw: Tensor) -> Tensor:
        """What each outcome costs: [..., D] -> [..., Y]."""
        received = self.received(raw)
        inner = received.ndim - (self.kind != "binary")
        repeated = received.unsqueeze(inner).expand(
            *received.shape[:inner], len(self.outcomes), *received.shape[inner:]
        )
        target = self.outcomes.expand(*received.shape[:inner], *self.outcomes.shape)
        return self.item.function(repeated, target, **self.options)

    def received(self, raw: Tensor) -> Tensor:
        """What the loss sees of raw outputs: [...] of binary, else [..., D]."""
        return through(self.chain, raw.squeeze(-1) if self.kind == "binary" else raw)

    def probabilities(self, raw: Tensor) -> Tensor | None:
        """What outputs say when they are read as probabilities, [..., C]; None where the task gives none.

        C is K classes, or the probability of yes: one for binary, one per label.
        """
        received = self.received(raw)
        found: Tensor | None
        if self.item.point is not None:
            found = self.item.point(received, self.options)
        else:
            found = tasks.get(self.kind).read(received, meaning(self.chain, self.item.expects)).probabilities
        return found.unsqueeze(-1) if found is not None and self.kind == "binary" else found

    def leads(self, raw: Tensor) -> Tensor:
        """By how much outputs decide for each outcome, negative where they decide otherwise: [..., D] -> [..., Y]."""
        received = self.received(raw)
        read_as = meaning(self.chain, self.item.expects)
        if self.item.point is not None:
            received, read_as = self.item.point(received, self.options), "probabilities"
        if self.kind in ("binary", "multilabel"):
            shaped = received.unsqueeze(-1) if self.kind == "binary" else received
            signs = 2 * self.outcomes.view(len(self.outcomes), -1) - 1  # [Y, C]
            return (signs * (shaped - (0.5 if read_as == "probabilities" else 0.0)).unsqueeze(-2)).amin(-1)
        two = received.topk(2, -1)
        largest = torch.zeros_like(received, dtype=torch.bool).scatter(-1, two.indices[..., :1], True)
        return received - torch.where(largest, two.values[..., 1:], two.values[..., :1])
