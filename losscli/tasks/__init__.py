"""A task is the contract between target, model output and prediction.

Shape letters: R runs, N rows, B batch, K classes, L labels, O outputs. One file per task:

| task       | target of one row        | model output | loss sees        | prediction                          |
|------------|--------------------------|--------------|------------------|-------------------------------------|
| binary     | 0.0 or 1.0, or a share between | 1            | [R, B]           | scores [R, N], labels, probabilities |
| multiclass | class index, or K probabilities | K            | [R, B, K]        | scores [R, N, K], labels [R, N]      |
| multilabel | L times 0.0 or 1.0       | L            | [R, B, L]        | scores [R, N, L], labels [R, N, L]   |
| regression | O numbers, standardised  | O            | [R, B] / [R, B, O] | values in the user's units         |
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from losscli.direction import LEVEL
from losscli.errors import Finding, Place, Problem
from losscli.lazy import Tensor, torch
from losscli.shelf import Shelf
from losscli.tasks.measures import RowMeasure
from losscli.tasks.predictions import Outputs, Predictions
from losscli.tasks.truths import Truths


@dataclass(frozen=True)
class Origin:
    """Where a column stands in a user's file, so that an error about a value can name its place."""

    file: str
    column: int  # from 1
    lines: np.ndarray | None = None  # the line of each row, where it is known

    def place(self, row: int) -> Place:
        return Place(self.file, int(self.lines[row]) if self.lines is not None else None, self.column)


@dataclass(frozen=True)
class Column:
    """One column of a table as it was read.

    A number column holds float64 with NaN where a value is missing (infinities never get this far). A category column
    holds int32 codes into `levels`, -1 where missing; booleans are categories with the levels "False" and "True".
    """

    values: np.ndarray
    levels: tuple[str, ...] | None = None
    origin: Origin | None = None

    @property
    def is_category(self) -> bool:
        return self.levels is not None

    @property
    def missing(self) -> np.ndarray:
        return self.values < 0 if self.is_category else np.isnan(self.values)

    @property
    def held(self) -> int:
        """Bytes of memory that its values take."""
        return int(self.values.nbytes)

    def holding(self, values: np.ndarray, origin: Origin | None = None) -> Column:
        """A column of the same levels with other values, which are kept where this one's are."""
        return Column(values, self.levels, origin)


Transform = Literal["none", "log", "log1p"]
LARGEST_LOG = math.log(np.finfo(np.float32).max) - 0.01  # e to more than that would be infinite as float32
LOWEST: Mapping[str, float] = {"log": 0.0, "log1p": -1.0}  # what a transform's numbers must be above
Order = Literal["given", "numbers", "words", "alphabet"]  # where the order of classes is from
FOR_TASK = {
    "positive": "binary",
    "order": "multiclass",
    "separator": "multilabel",
    "transform": "regression",
    "standardise": "regression",
}


@dataclass(frozen=True)
class TargetOptions:
    """How target columns are meant, where they do not say it themselves.

    `positive` is the label that counts as yes (binary), `order` the labels from lowest to highest (multiclass), `separator`
    what stands between the labels of one cell (multilabel in one column), `transform` what a regression target is
    learned as, `standardise` whether it is standardised after that.
    """

    positive: str | None = None
    order: tuple[str, ...] | None = None
    separator: str | None = None
    transform: Transform = "none"
    standardise: bool = True

    def beyond(self, task: str) -> dict[str, Problem]:
        """By its key, a problem for each of these that says nothing to that task.

        >>> TargetOptions(positive="yes").beyond("regression")["positive"].message
        'data.positive is for task binary, and the task is regression'
        """
        given = [key for key in FOR_TASK if getattr(self, key) != getattr(TargetOptions(), key)]
        return {
            key: Problem(f"data.{key} is for task {FOR_TASK[key]}, and the task is {task}", cure=f"leave {key} out")
            for key in given
            if FOR_TASK[key] != task
        }


AS_GIVEN = TargetOptions()


@dataclass(frozen=True)
class Target:
    """A decoded target.

    `values`: float32 [N] of 0/1, or of shares of yes (binary, `soft`), int64 [N] (multiclass), float32 [N, K] of
    probabilities (multiclass, `soft`), float32 [N, L] of 0/1 (multilabel), float64 [N] or [N, O] in the user's units
    (regression). `labels`: for classes, the user's label of each index (binary: of 0, then of 1); for multilabel the labels,
    for regression the names of the columns.
    `ordered` says where the order of the classes is from, `transform` and `standardise` what the values of a regression go
    through before a loss sees them.
    """

    values: np.ndarray
    labels: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    soft: bool = False
    ordered: Order | None = None
    transform: Transform = "none"
    standardise: bool = True

    @property
    def classes(self) -> np.ndarray:
        """`values`, but the most likely class of each row [N] where they are probabilities."""
        return self.decided(self.values)

    def decided(self, values: np.ndarray) -> np.ndarray:
        """The same of any rows' values: of shares of yes (binary), whether they are above 1/2.

        >>> Target(np.empty(0), ("0", "1"), soft=True).decided(np.array([0.2, 0.5, 0.75])).tolist()
        [0.0, 0.0, 1.0]
        """
        if not self.soft:
            return values
        classes: np.ndarray = values.argmax(axis=1) if values.ndim == 2 else (values > 0.5).astype(values.dtype)
        return classes


def like(numbers: np.ndarray | Tensor, other: Tensor) -> Tensor:
    """These numbers as a tensor of the other's type, where it is."""
    return torch.as_tensor(numbers, dtype=other.dtype).to(other.device)


@dataclass(frozen=True)
class TargetScale:
    """How a regression target was scaled, from the training split: `transform(value) = scaled * scale + center`, each [O].

    In a stack, where each run has its own, they are tensors [R, 1] or [R, 1, O]. Every transform rises, so a quantile of
    the scaled target is a quantile in units; a mean is not: under `log` it is the geometric mean, and lies lower.
    `low` and `high` [O], in the transform's numbers, are what predictions stay within; None without a transform.

    Scaled numbers are float32. Units are float64: near 1.7e9, say, two float32 numbers are 128 apart.
    """

    center: np.ndarray | Tensor
    scale: np.ndarray | Tensor
    transform: str = "none"
    low: np.ndarray | Tensor | None = None
    high: np.ndarray | Tensor | None = None

    def in_units(self, scaled: Tensor) -> Tensor:
        """Scaled values [..., N] or [..., N, O] in the user's units, float64; under a transform, at most float32's largest.

        >>> TargetScale(np.array([10.0]), np.array([2.0])).in_units(torch.tensor([0.0, 1.5])).tolist()
        [10.0, 13.0]
        """
        return self._undone(self._unscaled(scaled))

    def predicted(self, scaled: Tensor) -> Tensor:
        """Scaled predictions in the user's units, float64. Under a transform they stay near what training has seen.

        A row unlike any other is off by a few units of a logarithm, and e to that power is a mean over all rows.

        >>> limits = {"low": np.array([0.0]), "high": np.array([1.0])}
        >>> TargetScale(np.zeros(1), np.ones(1), "log", **limits).predicted(torch.tensor([-2.0, 0.0, 9.0])).tolist()
        [1.0, 1.0, 2.718281828459045]
        """
        values = self._unscaled(scaled)
        if self.low is not None and self.high is not None:
            values = values.clamp(like(self.low, values), like(self.high, values))
        return self._undone(values)

    def _unscaled(self, scaled: Tensor) -> Tensor:
        wide = scaled.double()
        return wide * like(self.scale, wide) + like(self.center, wide)

    def _undone(self, values: Tensor) -> Tensor:
        if self.transform == "none":
            return values
        limited = values.clamp(max=LARGEST_LOG)
        return torch.exp(limited) if self.transform == "log" else torch.expm1(limited)

    def scaled(self, units: Tensor) -> Tensor:
        """Values [..., N] or [..., N, O] in the user's units, float64, as the loss sees them: centred, then float32.

        >>> units = torch.tensor([1.7e9 + 3], dtype=torch.float64)
        >>> TargetScale(np.array([1.7e9]), np.array([2.0])).scaled(units).tolist()
        [1.5]
        """
        values = self.forward(self.transform, units)
        return ((values - like(self.center, values)) / like(self.scale, values)).float()

    @staticmethod
    def forward(transform: str, values: Tensor) -> Tensor:
        """Values in the user's units as the transform has them.

        >>> TargetScale.forward("log1p", torch.tensor([0.0, math.e - 1], dtype=torch.float64)).tolist()
        [0.0, 1.0]
        """
        if transform == "none":
            return values
        return torch.log(values) if transform == "log" else torch.log1p(values)


@dataclass(frozen=True)
class Prediction:
    """What a model says of N rows, read so that metrics can judge it; a metric names the field that it reads.

    `scores` rank (any real number), `labels` are decisions (class index, or 0/1), `probabilities` are None where the
    loss gives none (hinge), `values` are regression predictions in the user's units. `logits` are what a temperature
    divides, where the model put them out itself.

    After calibration on the valid split: `tuned` are the decisions (binary) by the metric whose threshold they use, `scaled` the
    probabilities after temperature scaling. Of a regression: `interval` [R, N, 2] or [R, N, O, 2] (low, high) where the loss
    gives one, which promises to hold the share `level` of the targets, `quantiles` [..., 3] (`metrics.regression.LEVELS`), and
    `crps` [R, N] or [R, N, O], each row's own score.
    """

    scores: Tensor | None = None
    labels: Tensor | None = None
    probabilities: Tensor | None = None
    values: Tensor | None = None
    logits: Tensor | None = None
    tuned: Mapping[str, Tensor] | None = None
    scaled: Tensor | None = None
    interval: Tensor | None = None
    level: float = LEVEL
    quantiles: Tensor | None = None
    crps: Tensor | None = None


class Task(ABC):
    """The contract. `links` maps what a loss expects to the output activation that gives it (None: the raw output)."""

    name: ClassVar[str]
    summary: ClassVar[str]
    default_loss: ClassVar[str]
    default_metrics: ClassVar[tuple[str, ...]]  # the first is the headline
    default_data: ClassVar[Mapping[str, Any]]  # what `losscli train --task NAME` trains on
    borrows: ClassVar[
        tuple[str, ...]
    ] = ()  # tasks whose per-value losses serve here too, averaged over the last dimension
    links: ClassVar[Mapping[str, str | None]]
    has_classes: ClassVar[bool] = True  # stratified splits and class weights make sense
    rows_have_several_outputs: ClassVar[bool] = False  # a softmax over the outputs of a row makes sense

    @abstractmethod
    def decode(self, columns: Mapping[str, Column], options: TargetOptions = AS_GIVEN) -> Target:
        """The target of every row from its column or columns, as `options` means them.

        Raises `DataError` where a value cannot be one, `SpecError` where `options` is not for this task.
        """

    @abstractmethod
    def outputs(self, target: Target) -> int:
        """How many numbers per row the model puts out."""

    def shape(self, output: Tensor) -> Tensor:
        """What the loss sees of the model's output [R, B, O]: the same, or [R, B] where there is one output per row."""
        return output

    # What the losses of the task, and those who try them, must know of its rows.

    target_ndim: ClassVar[int] = 1  # dimensions of the target of B rows: [B], or [B, L]
    domain: ClassVar[str]  # what a number of its target is, in the words of a loss (losses/domain.py)
    soft_domain: ClassVar[str | None] = None  # the same where it may be a share of the classes
    axis: ClassVar[str]  # the line along which a loss tells most about itself: see `line`
    sides: ClassVar[tuple[float, ...]] = (
        1.0,
    )  # the targets that `line` is drawn for, where a loss may tell them apart

    @property
    def rows_have_one_class(self) -> bool:
        """Whether a row is of one class, so that the row can be weighed by it."""
        return self.has_classes and self.target_ndim == 1

    @property
    def outputs_compete(self) -> bool:
        """Whether the largest output of a row decides, so that a softmax makes sense; else each decides by itself.

        >>> [task.name for task in tasks if task.outputs_compete]
        ['multiclass']
        """
        return self.rows_have_one_class and self.rows_have_several_outputs

    def width(self, classes: int, labels: int) -> int:
        """How many outputs a row has where there are so many classes, or so many labels."""
        return 1

    def outcomes(self, width: int) -> Tensor | None:
        """Every target that a row of `width` outputs can have, [Y] or [Y, L]; None where there is no end of them."""
        return None

    @abstractmethod
    def draw(
        self, shape: tuple[int, ...], width: int, domain: str, chance: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        """Random targets [*shape], or [*shape, L], for a loss whose target is of that domain."""

    @abstractmethod
    def extremes(self, target: Tensor, width: int, expects: str, size: float) -> tuple[Tensor, Tensor]:
        """Raw outputs that are right about a target [...] without a doubt, and outputs that are clearly wrong.

        `size` is how large they are, `expects` what the loss expects of them (a key of `links`).
        """

    @abstractmethod
    def line(self, along: Tensor, width: int, expects: str, side: Tensor) -> tuple[Tensor, Tensor]:
        """Raw outputs at the points `along` [...] of `axis`, and a target for each: `side`, or one that is as good as any."""

    def truths(self) -> Truths | None:
        """The true distributions that a loss is asked about; None where a target is no class."""
        return None

    def class_shares(self, target: np.ndarray) -> tuple[float, ...]:
        """The share of each class among targets [N, ...], of no and yes over all labels; numbers have none."""
        return ()

    @abstractmethod
    def read(self, received: Tensor, meaning: str, scale: TargetScale | None = None) -> Prediction:
        """The prediction in `received` [R, N, ...], which holds logits, probabilities, scores ... as `meaning` says."""

    @abstractmethod
    def baseline(
        self, train: Tensor, rows: int, scale: TargetScale | None = None, outputs: int | None = None
    ) -> Prediction:
        """What one would say of `rows` rows without a model: majority, prior or mean of the training target [N, ...].

        Same shapes as `read`, with R = 1. `outputs` is K, for a training split that may lack the last class.
        """

    @abstractmethod
    def near_truth(self, truth: Tensor, outputs: int) -> Prediction:
        """Predictions of rows whose target [N, ...], in units, is known: all right first, R = 1 + p, the others each wrong in
        one row.

        A metric that has no value even for the first has none for any prediction; the others tell by how much one row
        moves it. Where a metric moves by any amount there is nothing to tell, and p may be 0.
        """

    # What a row of the target is.

    yes_or_no: ClassVar[bool] = False  # every output is a yes or a no of its own, by a threshold

    def decided(self, target: Tensor) -> Tensor:
        """The target [R, N, ...] with a class in the place of shares of classes, for metrics that know of no shares."""
        return target

    def positive(self, labels: Sequence[str]) -> str | None:
        """The label that counts as yes, where one of two does."""
        return labels[1] if self.rows_have_one_class and self.yes_or_no else None

    def legend(self, labels: Sequence[str]) -> list[str]:
        """The labels as a table's header lists them.

        >>> tasks.get("multiclass").legend(("cat", "dog")), tasks.get("binary").legend(("no", "yes"))
        (['0 = cat', '1 = dog'], ['0 = no', '1 = yes (positive)'])
        """
        listed = (
            [f"{index} = {label}" for index, label in enumerate(labels)] if self.rows_have_one_class else list(labels)
        )
        return [*listed[:1], *(f"{label} (positive)" for label in listed[1:])] if self.positive(labels) else listed

    # What is said of a split that has no row of some class, by tasks with classes.

    rows_of_class: ClassVar[str] = "rows of the class"
    class_unmeasured: ClassVar[str] = "the mean over the classes leaves it out there"

    # How hard rows are: to learn, as training goes on, and to predict, in the test split.

    hardness_edges: ClassVar[tuple[float, ...]] = (0.2, 0.4, 0.6, 0.8)  # between classes of rows, from easy to hard
    hardness_unit: ClassVar[str] = "1 - p(given label)"
    row_measures: ClassVar[tuple[RowMeasure, ...]]  # the first serves every headline that no other stands for

    @abstractmethod
    def hardness(self, prediction: Prediction, truth: Tensor) -> Tensor:
        """How hard each row is for the model as it is, [R, n]: 0 is easy; of each output, [R, n, L], where they are yes or no."""

    @abstractmethod
    def difficulty(self, predictions: Predictions) -> np.ndarray:
        """How hard a run finds each row of its test split, [N]."""

    def groups(self, truth: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
        """Which of the rows, bool [N], are of each group that is looked at by itself; `truth` as in `Predictions`."""
        return {label: truth[:, 0] == index for index, label in enumerate(labels)}

    @abstractmethod
    def columns(self, outputs: Outputs, labels: Sequence[str], limit: float) -> Iterator[tuple[str, np.ndarray]]:
        """The columns [N] that `losscli predict` appends to a table, by name; yes is above `limit`."""


tasks: Shelf[Task] = Shelf(__name__, "task")
