"""Multiclass: one of K classes per row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from losscli.errors import DataError, Finding, shown
from losscli.lazy import Tensor, torch
from losscli.tasks import AS_GIVEN, Column, Generator, Prediction, Target, TargetOptions, TargetScale, Task, tasks
from losscli.tasks.guess import Hunch, Values
from losscli.tasks.joined import as_labels, noticed_joined, separator_of
from losscli.tasks.labels import (
    EXACT,
    alike,
    arranged,
    label_of,
    mapped,
    noticed_alike,
    occurring,
    refuse_beyond,
    refuse_fractions,
    refuse_missing,
)
from losscli.tasks.measures import RowMeasure, class_lack, right_class, surprise
from losscli.tasks.near_truth import classes
from losscli.tasks.order import in_order
from losscli.tasks.predictions import Outputs, Predictions
from losscli.tasks.settled import SettledPlan
from losscli.tasks.shapes import spiral
from losscli.tasks.soft import per_class, sum_to_one
from losscli.tasks.truths import Truths, of_three
from losscli.tasks.yardsticks import CLASSES

RAREST = 0.1  # of the rows that a class would have if all were equally frequent: rarer ones are counts, not classes


class Labelled(Task):
    """Every row is of one of K classes, by its label."""

    domain = "class index"

    def width(self, classes: int, labels: int) -> int:
        return classes

    def outcomes(self, width: int) -> Tensor:
        return torch.arange(width)

    def draw(
        self, shape: tuple[int, ...], width: int, domain: str, chance: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        return torch.randint(width, shape, generator=chance)

    def class_shares(self, target: np.ndarray) -> tuple[float, ...]:
        """Of class indices [N], or of probabilities [N, K]."""
        counts = np.bincount(target.astype(np.int64)) if target.ndim == 1 else target.sum(axis=0, dtype=np.float64)
        return tuple(float(count) for count in counts / counts.sum())

    def indices(self, name: str, column: Column, options: TargetOptions) -> Target:
        """The index of every row's label among those that occur, in the order of `options` or in one that is found.

        Any whole number is a label; none is ignored.
        """
        refuse_fractions(column, name, self.name)
        index, names = occurring(column)
        if len(names) < 2:
            content = f"only {shown(names[0])}" if names else "no value"
            raise DataError(
                f"the target {shown(name)} of task {self.name} must hold at least two labels, and it holds {content}",
                cure="choose another target",
            )
        places, ordered, findings = in_order(names, options, name)
        findings = [*findings, *noticed_alike(alike(name, column, index, names)), *self.noticed(name, names)]
        index, labels = arranged(index, names, places)
        return Target(index.astype(np.int64), labels, (*findings, *mapped(labels)), ordered=ordered)

    def noticed(self, name: str, names: Sequence[str]) -> list[Finding]:
        """What there is to tell of the labels that occur in a column, beside what every task tells."""
        return []


class Classes(Task):
    """K outputs for K classes, of which the largest wins."""

    rows_have_several_outputs = True
    links: ClassVar[Mapping[str, str | None]] = {
        "logits": None,
        "scores": None,
        "probabilities": "softmax",
        "log-probabilities": "log-softmax",
    }
    yardsticks = CLASSES

    def outputs(self, target: Target) -> int:
        return len(target.labels)

    def truths(self) -> Truths:
        return of_three()

    def read(self, prediction: Tensor, meaning: str, scale: TargetScale | None = None) -> Prediction:
        """What is called a probability is clamped and made to sum to 1 where it does not."""
        largest = prediction.argmax(-1).to(prediction.dtype)  # [R, N, K] -> [R, N]
        # argmax takes NaN for the largest: a row that holds one has no label.
        labels = largest.masked_fill(prediction.isnan().any(-1), float("nan"))
        logits = prediction if meaning in ("logits", "log-probabilities") else None
        return Prediction(prediction, labels, _probabilities(prediction, meaning), logits=logits)

    def baseline(
        self, train: Tensor, rows: int, scale: TargetScale | None = None, outputs: int | None = None
    ) -> Prediction:
        """For every row the shares of the classes in `train`, and the largest of them: the best constant by kl."""
        if train.is_floating_point():  # probabilities [N, K]
            shares = train.mean(0)
        else:
            counts = torch.bincount(train, minlength=outputs or 0)
            shares = counts / counts.sum()  # [K]
        prior = shares.expand(1, rows, -1)
        return Prediction(torch.zeros_like(prior), prior.argmax(-1).to(prior.dtype), prior)

    def near_truth(self, truth: Tensor, outputs: int) -> Prediction:
        of_class = truth.argmax(-1) if truth.ndim == 2 else truth  # of probabilities, the most likely class
        return self.read(classes(of_class, outputs), "logits")

    def probabilities(self, prediction: Prediction) -> Tensor:
        """Those of a prediction [R, N, K]; where a loss gives none, the softmax of its scores."""
        if prediction.probabilities is not None:
            return prediction.probabilities
        assert prediction.scores is not None
        return prediction.scores.softmax(dim=-1)

    def columns(self, outputs: Outputs, labels: Sequence[str], limit: float) -> Iterator[tuple[str, np.ndarray]]:
        yield "prediction", np.array(labels)[outputs.numbers.argmax(axis=1)]
        for index, label in enumerate(labels):
            yield f"{outputs.word}_{label}", outputs.numbers[:, index]


class Multiclass(Labelled, Classes):
    """K classes, K outputs, the largest wins."""

    name = "multiclass"
    summary = "one of K classes per row"
    default_loss = "cross-entropy"
    default_metrics = ("accuracy", "balanced-accuracy", "macro-f1", "log-loss")
    default_data: ClassVar[Mapping[str, Any]] = {"source": "builtin", "name": "digits"}
    generators: ClassVar[Mapping[str, Generator | None]] = {
        **dict.fromkeys(("classification", "blobs", "gaussian_quantiles")),
        "spiral": spiral,
    }
    options = ("order",)
    yardsticks = CLASSES
    plan = SettledPlan
    links: ClassVar[Mapping[str, str | None]] = {**Classes.links, "rank-logits": None}

    def decode(self, columns: Mapping[str, Column], options: TargetOptions = AS_GIVEN) -> Target:
        """The labels of one column; or, of a column of numbers per class, probabilities that sum to 1 in every row (within 1e-3;
        they are divided by their sum), or a 1 in the column of the class.
        """
        refuse_beyond(options, self)
        refuse_missing(columns)
        if len(columns) > 1:
            return per_class(columns, options)
        ((name, column),) = columns.items()
        return self.indices(name, column, options)

    def noticed(self, name: str, names: Sequence[str]) -> list[Finding]:
        return noticed_joined(name, names)

    def guess(self, targets: Mapping[str, Values], options: TargetOptions) -> Hunch | None:
        """One column of several texts, or of numbers of classes; or several columns of shares that sum to 1."""
        ((name, values), *others) = targets.items()
        if others:
            columns = [values.column for values in targets.values()]
            if any(column.is_category for column in columns) or all(column.yes_or_no for column in targets.values()):
                return None
            soft = f"the {len(columns)} targets are shares that sum to 1 in each row: soft labels"
            return Hunch(f"{soft} (--task distribution has losses made for them)") if sum_to_one(columns) else None
        if values.classes and len(values.present) <= 2:  # of two, which binary is for
            return None
        if values.texts:
            joined = separator_of(values.names_of_all)
            told = f"; labels joined by {shown(joined)}: {as_labels(joined)}" if joined else ""
            return Hunch(f"{shown(name)} holds {len(values.present)} different texts{told}")
        if not values.whole or abs(values.present[[0, -1]]).max() >= EXACT:
            return None
        span = f"{shown(name)} holds whole numbers from {label_of(values.present[0])} to {label_of(values.present[-1])}"
        if options.order is not None:
            return Hunch(f"{span}, and data.order puts them in order")
        if values.numbered and values.counts.min() >= RAREST * values.counts.mean():
            return Hunch(f"{span}, each of them often: they look like numbers of classes")
        if values.codes:
            few = f"{shown(name)} holds {len(values.present)} whole numbers from {label_of(values.present[0])} to"
            few = f"{few} {label_of(values.present[-1])}, each of them often"
            return Hunch(f"{few}: probably codes of classes (--task multiclass), but not surely (or --task regression)")
        return None

    soft_domain = "class index or probabilities"
    axis = "logit margin of the right class"

    def extremes(self, target: Tensor, width: int, expects: str, size: float) -> tuple[Tensor, Tensor]:
        """Rank logits are one for each step between two ranks; other outputs give the right one's place to the next class."""
        if expects == "rank-logits":
            right = size * (2 * (target[..., None] > torch.arange(width - 1)).double() - 1)
            return right, -right
        right = size * (2 * torch.nn.functional.one_hot(target, width).double() - 1)
        return right, right.roll(1, -1)

    def line(self, along: Tensor, width: int, expects: str, side: Tensor) -> tuple[Tensor, Tensor]:
        """The first class is right and the others are equal; or the highest rank is, and all rank logits are alike."""
        if expects == "rank-logits":
            return along.unsqueeze(-1).expand(*along.shape, width - 1), torch.full(along.shape, width - 1)
        first = (torch.arange(width) == 0).to(along)
        return along.unsqueeze(-1) * first, torch.zeros(along.shape, dtype=torch.long)

    def decided(self, target: Tensor) -> Tensor:
        return target.argmax(-1) if target.ndim == 3 else target  # [R, N, K] of probabilities -> [R, N]

    row_measures = (
        RowMeasure("accuracy", "share of right decisions", right_class),
        RowMeasure(
            "log-loss", "log-loss", lambda predictions: surprise(class_lack(predictions)), ("log-loss",), probable=True
        ),
    )

    def hardness(self, prediction: Prediction, truth: Tensor) -> Tensor:
        """What the true class lacks in probability."""
        return 1 - self.probabilities(prediction).gather(-1, self.decided(truth).long().unsqueeze(-1)).squeeze(-1)

    def difficulty(self, predictions: Predictions) -> np.ndarray:
        return class_lack(predictions)


def _probabilities(prediction: Tensor, meaning: str) -> Tensor | None:
    if meaning == "scores":
        return None
    if meaning != "probabilities":
        return torch.softmax(prediction, -1)  # of log-probabilities too: exp, if they are what they should be
    clamped = prediction.clamp(0.0, 1.0)
    total = clamped.sum(-1, keepdim=True)
    uniform = torch.full_like(clamped, 1 / clamped.shape[-1])
    scaled = torch.where(total == 0, uniform, clamped / total)
    return torch.where((total - 1).abs() <= 1e-4, clamped, scaled)


tasks.put("multiclass", Multiclass())
