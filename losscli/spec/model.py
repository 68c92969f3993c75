"""What a whole spec holds, once every default is filled in and every name is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, SerializeAsAny

from losscli.activations import Output
from losscli.data.sources import Source
from losscli.errors import Finding
from losscli.looks import MOST, Looks
from losscli.options import Positive, Seed, Strict
from losscli.spec.costs import Costs
from losscli.stack.models import Model
from losscli.stack.plan import Plan

MOST_SEEDS = 10_000

# Like ">= 0.78"; a number of a size that a float can hold.
CONDITION = re.compile(r"\s*(>=|<=|>|<)\s*([-+]?(?:\d{1,100}+\.?\d{0,100}+|\.\d{1,100})(?:[eE][-+]?\d{1,2})?)\s*")

SHARE = re.compile(r"\s*(?:\d{1,3}(?:\.\d{0,9})?|\.\d{1,9})\s*%\s*")  # like 2% or .5 %


class LossChoice(Strict):
    """One loss with its options (a list as the value of a number is a grid).

    `output` overrides `model.output`. `lr` overrides `train.lr`. `weight` are class weights for a loss that has no such option of
    its own: how much a row of each class counts (a list with more than numbers in it is a grid).
    """

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    output: Literal["auto"] | Output | list[Output] | None = None
    lr: Positive | None = None
    weight: Any = None


SeedCount = Annotated[int, Field(ge=1, le=MOST_SEEDS)]


class Seeds(Strict):
    """What `seeds:` may say beside a block: 5 means 0, 1, 2, 3, 4; a list means these; auto is an empty block."""

    seeds: SeedCount | Annotated[list[Seed], Field(min_length=1, max_length=MOST_SEEDS)] | Literal["auto"]

    def listed(self) -> list[int]:
        """The seeds; auto lists none, as how many there are at first depends on what is compared."""
        if isinstance(self.seeds, int):
            return list(range(self.seeds))
        return [] if self.seeds == "auto" else self.seeds


class Adaptive(Strict):
    """Seeds in stages: as many at first, twice as many at each look, until all entries are settled.

    `start` is how many seeds there are at the first look; by default 6, or 12 or more where fewer could settle nothing.
    `most` is how many there are at the last, whatever is open then.
    """

    start: SeedCount | None = None
    most: SeedCount = MOST


class Spec(Strict):
    """A resolved spec. `folder` is what its relative paths are relative to; it is not part of what is written.

    `task` is what the target is: it decides which losses and metrics there are. `name` is what records and tables are called;
    by default the file's. `data` is where the rows come from, what to predict, and how rows are divided. `loss` is what is
    compared: a name, a block with options, or a list of these; a list as an option's value is a grid. `model` is the network
    that all of them train. `train` is the budget and the optimizer, the same for all. `seeds` is how many seeds each entry is
    trained with (5 means 0 to 4), a list of them, or auto: as many as it takes, as in {start: 6, most: 40}. `metrics` are what is
    shown and followed; the first is the headline.
    `expect` is what must hold at the end, as in {test.accuracy: ">= 0.78"}, with a value in every seed, or the exit code is 1.
    `equivalence` is which difference of a metric does not matter, as in {accuracy: 0.01}. `costs` is what each decision
    (column) costs for each truth (row), for the metric expected-cost. `tune` is what every entry tries, each run keeping what
    does best on its valid split, as in {lr: [3e-4, 1e-3]}. `yardstick` is whether plain models of scikit-learn are shown beside
    the networks, on the same splits.
    """

    task: str
    name: str
    data: SerializeAsAny[Source]
    loss: list[LossChoice]
    model: SerializeAsAny[Model]
    train: SerializeAsAny[Plan]
    seeds: list[Seed]
    metrics: list[str]
    expect: dict[str, str] = Field(default_factory=dict)
    equivalence: dict[str, float | str] = Field(default_factory=dict)  # metric -> what does not matter
    costs: Costs | None = None  # what a decision (column) costs for each truth (row)
    tune: dict[str, list[Any]] = Field(default_factory=dict)  # lr or an option -> what every entry tries of it
    adaptive: Adaptive | None = Field(default=None, exclude=True)  # where `seeds` are those of one look of several
    looks: Looks | None = Field(default=None, exclude=True)  # all of them
    yardstick: bool = False  # whether plain models are shown beside the networks
    folder: str = Field(default=".", exclude=True)
    notes: tuple[Finding, ...] = Field(default=(), exclude=True)  # what was filled in that a reader should know of
    origins: dict[str, str] = Field(default_factory=dict, exclude=True)  # key -> the line or flag that gave its value

    @property
    def most_seeds(self) -> int:
        """How many seeds there are at the last look, or at all."""
        return len(self.seeds) if self.looks is None else self.looks.most

    @property
    def look(self) -> str:
        """Which look the seeds are for: `look 1 of 4, 6 seeds`; empty where there is one."""
        if self.looks is None or len(self.looks.sizes) == 1:
            return ""
        return f"look {self.looks.number(len(self.seeds))} of {len(self.looks.sizes)}, {len(self.seeds)} seeds"


@dataclass(frozen=True)
class Entry:
    """One line of a leaderboard: a loss with its options, what stands between model and loss, and a learning rate.

    `output` is the chain of activations after the last layer, already resolved: `()` is the raw output. A candidate of
    tuning is an entry, too, under the name of the one that it may stand for, with the values it tries in `tuned`.
    """

    name: str
    loss: str
    options: Mapping[str, Any]
    output: tuple[Output, ...]
    lr: float
    weight: Any = None
    beside: Mapping[str, Any] = field(default_factory=dict)  # weight, output and lr where they are not the default
    tuned: Mapping[str, Any] = field(default_factory=dict)
