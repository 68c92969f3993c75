"""What a whole spec holds, once every default is filled in and every name is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, SerializeAsAny

from losscli.data.sources import Source
from losscli.options import Seed, Strict
from losscli.stack.models import Model, Output
from losscli.stack.plan import Plan


class LossChoice(Strict):
    """One loss with its options (a list as the value of a number is a grid). `output` overrides `model.output`."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    output: str | list[Output] | None = None


class Spec(Strict):
    """A resolved spec. `folder` is what its relative paths are relative to; it is not part of what is written."""

    task: str
    name: str
    data: SerializeAsAny[Source]
    loss: list[LossChoice]
    model: SerializeAsAny[Model]
    train: Plan
    seeds: list[Seed]
    metrics: list[str]
    expect: dict[str, str] = {}
    folder: str = Field(default=".", exclude=True)


@dataclass(frozen=True)
class Entry:
    """One line of a leaderboard: a loss with its options, what stands between model and loss, and a learning rate.

    `output` is the chain of activations after the last layer, already resolved: `()` is the raw output.
    """

    name: str
    loss: str
    options: Mapping[str, Any]
    output: tuple[Output, ...]
    lr: float
