"""A task is the contract between target, model output and prediction.

Shape letters: R runs, N rows, B batch, K classes, L labels, O outputs. One file per task:

| task       | target of one row        | model output | loss sees        | prediction                          |
|------------|--------------------------|--------------|------------------|-------------------------------------|
| distribution | K probabilities        | K            | [R, B, K]        | scores [R, N, K], labels [R, N]      |
| binary     | 0.0 or 1.0, or a share between | 1            | [R, B]           | scores [R, N], labels, probabilities |
| multiclass | class index, or K probabilities | K            | [R, B, K]        | scores [R, N, K], labels [R, N]      |
| multilabel | L times 0.0 or 1.0       | L            | [R, B, L]        | scores [R, N, L], labels [R, N, L]   |
| regression | O numbers, standardised  | O            | [R, B] / [R, B, O] | values in the user's units         |
| embedding  | class index              | D            | [R, B, D]        | embeddings [R, N, D]                 |
| gan        | F numbers, standardised  | F            | scores [R, B], twice | samples [R, N, F] in the user's units |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np

from losscli.direction import LEVEL
from losscli.errors import Finding, Problem
from losscli.lazy import Tensor, torch
from losscli.options import Strict
from losscli.shelf import Shelf
from losscli.tasks.measures import RowMeasure
from losscli.tasks.phases import Batch, Networks, NetworkSpec, Phase, Sampling, Sizes, Standing, UpdateRule, supervised
from losscli.tasks.predictions import Kind, Outputs, Predictions
from losscli.tasks.scale import LOWEST as LOWEST
from losscli.tasks.scale import TargetScale as TargetScale
from losscli.tasks.scale import like as like
from losscli.tasks.shapes import Mixture
from losscli.tasks.target import AS_GIVEN as AS_GIVEN
from losscli.tasks.target import Column as Column
from losscli.tasks.target import Order as Order
from losscli.tasks.target import Origin as Origin
from losscli.tasks.target import Target as Target
from losscli.tasks.target import TargetOptions as TargetOptions
from losscli.tasks.target import Transform as Transform
from losscli.tasks.truths import Truths
from losscli.tasks.yardsticks import Yardstick

if TYPE_CHECKING:
    from losscli.losses import Loss
    from losscli.tasks.guess import Hunch, Values


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

    `embeddings` [R, N, D] are vectors whose distances mean something, `retrieval` [R, n, M] what rows find among them
    (`tasks/neighbours.py`), `samples` [R, N, F] are rows that were made up; `nearest`
    [R, n] is how far some of them are from the closest training row, in units of what it is for real rows.
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
    embeddings: Tensor | None = None
    retrieval: Tensor | None = None
    samples: Tensor | None = None
    nearest: Tensor | None = None

    @property
    def kind(self) -> Kind:
        """The field that says the most of the rows."""
        return next(kind for kind in get_args(Kind) if getattr(self, kind) is not None)

    @property
    def numbers(self) -> Tensor:
        """That field, [R, N, ...]."""
        numbers: Tensor = getattr(self, self.kind)
        return numbers


# Makes a table: (rows, seed, options ...) -> features [N, F], and the target as its columns [N] or [N, T].
Generator = Callable[..., tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Hint:
    """Losses for a target, each with options, and the measured reason; what to judge by; which tags (`explain.tags`) all have."""

    reason: str
    losses: Sequence[tuple[str, Mapping[str, Any]]]
    note: str = ""
    source: str = ""
    metrics: Sequence[str] = ()
    claims: Sequence[str] = ()


class Task(ABC):
    """The contract. `links` maps what a loss expects to the output activation that gives it (None: the raw output)."""

    name: ClassVar[str]
    summary: ClassVar[str]
    default_loss: ClassVar[str]
    default_metrics: ClassVar[tuple[str, ...]]  # the first is the headline
    default_data: ClassVar[Mapping[str, Any]]  # what `losscli train --task NAME` trains on
    generators: ClassVar[
        Mapping[str, Generator | None]
    ] = {}  # of `source: synthetic`, by name: None where scikit-learn's
    mixtures: ClassVar[Mapping[str, Callable[..., Mixture]]] = {}  # those among them whose lumps are known, by options
    options: ClassVar[tuple[str, ...]] = ()  # the keys of `TargetOptions` that say something to it
    # Tasks whose losses serve here too (`Loss.serves`): per value, averaged over the last dimension, or over vectors.
    borrows: ClassVar[tuple[str, ...]] = ()
    borrowed_metrics: ClassVar[tuple[str, ...]] = ()  # TASK/NAME, each with its twins after calibration
    links: ClassVar[Mapping[str, str | None]]
    has_target: ClassVar[bool] = True  # something is predicted of a row; else the rows themselves are what is learned
    has_classes: ClassVar[bool] = True  # stratified splits and class weights make sense
    judges_new_classes: ClassVar[bool] = False  # what is learned serves classes that training has not seen
    rows_have_several_outputs: ClassVar[bool] = False  # a softmax over the outputs of a row makes sense

    # How the task trains (`tasks/phases.py`); what stands here is supervised training. Below, `plan` is of the class
    # `plan_of(Task.plan)` (`stack/plan.py`): it has the keys of that class and those that every task has.

    plan: ClassVar[type[Strict]] = Strict  # keys of `train:` beside the common ones, and other defaults of common ones
    default_model: ClassVar[Mapping[str, Any]] = {}  # keys of `model:` that are other than the model's own defaults
    judges_splits: ClassVar[bool] = True  # the loss of a whole split is a number that tells something
    reads_received: ClassVar[bool] = (
        True  # predictions are read from what the loss receives; else from what `infer` gives
    )
    pictured: ClassVar[bool] = False  # what it puts out is a picture by itself: some is kept at moments of training
    probed: ClassVar[bool] = True  # rows have a hardness, so what a loss attends to can be looked at

    def networks(self, sizes: Sizes, plan: Any) -> tuple[NetworkSpec, ...]:
        """The networks of a run."""
        return (NetworkSpec("model", sizes.layout, sizes.outputs, heads=sizes.heads),)

    def phases(self, plan: Any) -> tuple[Phase, ...]:
        """The phases of a step, in order."""
        return (Phase("loss", ("model",), supervised),)

    def sampling(self, plan: Any) -> Sampling:
        """Where batches come from."""
        return Sampling("shuffled")

    def wiring(self, entry: str, loss: Loss, chain: Sequence[str]) -> Iterator[Finding]:
        """What is wrong with a loss behind a chain of activations, where the task itself can tell."""
        return iter(())

    def batching(self, plan: Any, target: Target) -> Iterator[Finding]:
        """What is wrong with the batches that the plan makes of a target."""
        return iter(())

    examined: ClassVar[bool] = False  # how its runs stand in the end is looked at

    def symptoms(self, entry: str, standings: Sequence[Standing]) -> Iterator[Finding]:
        """What is told by how the runs of an entry stand in the end, where they are `examined`."""
        return iter(())

    def loss_rule(self, plan: Any) -> UpdateRule:
        """How the weights of a loss move, where it has some."""
        return UpdateRule()

    speaker: ClassVar[str] = "model"  # the network whose outputs predictions are read from: what is deployed

    def infer(self, networks: Networks, batch: Batch) -> Tensor:
        """What predictions are read from, [R, n, O], of rows as the sampler gives them for a whole split."""
        return networks["model"](batch["inputs"])

    @abstractmethod
    def decode(self, columns: Mapping[str, Column], options: TargetOptions = AS_GIVEN) -> Target:
        """The target of every row from its column or columns, as `options` means them.

        Raises `DataError` where a value cannot be one, `SpecError` where `options` is not for this task.
        """

    def beyond(self, options: TargetOptions) -> dict[str, Problem]:
        """By its key, a problem for each of the options that says nothing to this task.

        >>> tasks.get("regression").beyond(TargetOptions(positive="yes"))["positive"].message
        'data.positive is for task binary, and the task is regression'
        """
        takers = {key: [task.name for task in tasks if key in task.options] for key in options.given}
        return {
            key: Problem(
                f"data.{key} is for task {' and '.join(names)}, and the task is {self.name}", cure=f"leave {key} out"
            )
            for key, names in takers.items()
            if self.name not in names
        }

    @abstractmethod
    def guess(self, targets: Mapping[str, Values], options: TargetOptions) -> Hunch | None:
        """How sure it is that these target columns are meant for it, and why; None where they cannot be."""

    def hint(self, target: Target) -> Hint | None:
        """Which losses suit a decoded target, where the task itself can tell; else advice has heuristics of its own."""
        return None

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
    span: ClassVar[tuple[float, float]] = (-4.0, 4.0)  # the part of it that is drawn
    ends: ClassVar[tuple[str, str]] = ("wrong", "right")  # what its left and its right end mean
    axis_note: ClassVar[str] = ""  # what its words mean
    moves: ClassVar[str] = "the margin"  # what a step of the optimizer moves along it
    sides: ClassVar[tuple[float, ...]] = (
        1.0,
    )  # the targets that `line` is drawn for, where a loss may tell them apart

    @property
    def rows_have_one_class(self) -> bool:
        """Whether a row is of one class, so that the row can be weighed by it."""
        return self.has_classes and self.target_ndim == 1

    decides: ClassVar[bool] = True  # a prediction says of a row what it is, right or wrong by itself

    @property
    def has_regions(self) -> bool:
        """Whether what it says of a row of two features is one thing, that a plane can be coloured by: a class, a number."""
        return self.decides_one_class or (self.has_target and not self.has_classes)

    @property
    def decides_one_class(self) -> bool:
        """Whether a prediction says of which class a row is."""
        return self.decides and self.rows_have_one_class

    @property
    def outputs_compete(self) -> bool:
        """Whether the largest output of a row decides, so that a softmax makes sense; else each decides by itself.

        >>> sorted(task.name for task in tasks if task.outputs_compete)
        ['distribution', 'multiclass']
        """
        return self.has_classes and self.rows_have_several_outputs and not self.yes_or_no

    def width(self, classes: int, labels: int) -> int:
        """How many outputs a row has where there are so many classes, or so many labels."""
        return 1

    def outcomes(self, width: int) -> Tensor | None:
        """Every sure target that a row of `width` outputs can have, [Y] or [Y, L]; None where there is no end of them."""
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
    def read(self, prediction: Tensor, meaning: str, scale: TargetScale | None = None) -> Prediction:
        """The prediction in `prediction` [R, N, ...], which holds logits, probabilities, scores ... as `meaning` says."""

    def with_truth(
        self, prediction: Prediction, truth: Tensor, reads: Collection[str], records: Callable[[], Tensor]
    ) -> Prediction:
        """The prediction with those of its fields that metrics read (`reads`) which take the truth to make, once for all metrics.

        `truth` [R or 1, N, ...] is that of the split, `records` that of the training rows, both in units.
        """
        return prediction

    without_model: ClassVar[str] = "a prediction without any model"  # what the baseline is
    yardsticks: ClassVar[tuple[Yardstick, ...]] = ()  # plain models that the networks may be held against
    features_are_baseline: ClassVar[bool] = False  # a model must beat what `read` makes of the features themselves

    def baseline(
        self, train: Tensor, rows: int, scale: TargetScale | None = None, outputs: int | None = None
    ) -> Prediction:
        """What one would say of `rows` rows without a model: majority, prior or mean of the training target [N, ...].

        Same shapes as `read`, with R = 1. `outputs` is K, for a training split that may lack the last class. Of tasks of which
        the features are not the baseline.
        """
        raise TypeError(f"task {self.name} says nothing without its features")

    def ideal(self, train: Tensor, rows: int, scale: TargetScale | None = None) -> Prediction | None:
        """What is right but for chance, such as fresh real rows in place of made-up ones; None where that is plain."""
        return None

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
    # The first serves every headline that no other stands for; none where no row is a question.
    row_measures: ClassVar[tuple[RowMeasure, ...]]

    def hardness(self, prediction: Prediction, truth: Tensor) -> Tensor:
        """How hard each row is for the model as it is, [R, n]: 0 is easy; of each output, [R, n, L], where they are yes or no.

        Of tasks that are `probed`.
        """
        raise TypeError(f"a row of task {self.name} is not hard by itself")

    def difficulty(self, predictions: Predictions) -> np.ndarray:
        """How hard a run finds each row of its test split, [N]; of tasks with `row_measures`."""
        raise TypeError(f"a row of task {self.name} is no question with an answer")

    def groups(self, truth: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
        """Which of the rows, bool [N], are of each group that is looked at by itself; `truth` as in `Predictions`."""
        return {label: truth[:, 0] == index for index, label in enumerate(labels)}

    @abstractmethod
    def columns(self, outputs: Outputs, labels: Sequence[str], limit: float) -> Iterator[tuple[str, np.ndarray]]:
        """The columns [N] that `losscli predict` appends to a table, by name; yes is above `limit`."""


tasks: Shelf[Task] = Shelf(__name__, "task")
