"""What the data become on their way to a model: a Table as it was read, a Dataset per seed as it is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losscli.errors import Finding
from losscli.tasks import Column, Target, TargetScale

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class ColumnStory:
    """What became of one column of the user's table, and why: for people to read.

    `kind` is what its values are: number, category, boolean, date, text, row numbers, or empty. `role` is what it
    serves: feature, target, weight ..., or left out. `why` is half a sentence: "all values are numbers". `distinct` counts the
    different values besides missing ones (None: not counted), `example` is the first value as it stood in the file.
    `parts` names the features that it was turned into, where they are others than itself (a date's year, month ...).
    """

    name: str
    kind: str
    role: str
    why: str
    distinct: int | None
    missing: int
    example: str | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Columns of equal length as a source gives them; features and target apart, nothing computed from them yet."""

    name: str
    features: Mapping[str, Column]
    targets: Mapping[str, Column]
    findings: tuple[Finding, ...] = ()
    weight: np.ndarray | None = None  # float32 [N]: how much each row counts in a loss
    columns: Mapping[str, ColumnStory] = field(default_factory=dict)  # of every column of a file, also of those left out

    @property
    def rows(self) -> int:
        return len(next(iter(self.targets.values())).values)


@dataclass(frozen=True)
class Part:
    """One split: features float32 [N, F], target as `tasks.Target.values` says (regression: standardised).

    `weight` float32 [N] is how much each row counts in the loss; None where all count alike. `index` int64 [N] is each
    row's place in the table. Where `data.corrupt` changed targets on purpose, `clean` are those from before, and
    `flipped` bool [N] tells which rows differ.
    """

    features: np.ndarray
    target: np.ndarray
    weight: np.ndarray | None = None
    index: np.ndarray | None = None
    clean: np.ndarray | None = None
    flipped: np.ndarray | None = None

    @property
    def rows(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Dataset:
    """One seed's data: three encoded splits and the state of the encoder that was fitted on the training split.

    Datasets of different seeds have splits of equal sizes, but may differ in the number of features (a rare category
    that one training split lacks); the stack pads the narrower ones with zeros.
    """

    name: str
    seed: int  # the seed that split the table: `split.seed` if the spec gives one, else the run's own
    parts: Mapping[str, Part]  # by SPLITS
    target: Target  # labels and findings; its values are those of the whole table, in the user's units
    scale: TargetScale | None  # regression only
    encoder: Mapping[str, Any]  # plain JSON: enough to encode new rows
    findings: tuple[Finding, ...] = field(default=())

    @property
    def features(self) -> int:
        return int(self.parts["train"].features.shape[1])
