"""Binary: one yes or no per row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from losscli.errors import DataError, Finding, Problem, shown, sign
from losscli.lazy import Tensor, torch
from losscli.tasks import AS_GIVEN, Column, Generator, Prediction, Target, TargetOptions, TargetScale, Task, tasks
from losscli.tasks.guess import Hunch, Values
from losscli.tasks.labels import (
    alike,
    arranged,
    mapped,
    noticed_alike,
    occurring,
    only_column,
    refuse_beyond,
    refuse_fractions,
    refuse_missing,
)
from losscli.tasks.measures import RowMeasure, decision_lack, rank, right_decisions, surprise
from losscli.tasks.near_truth import decisions
from losscli.tasks.order import positive_label, ranks
from losscli.tasks.predictions import Outputs, Predictions
from losscli.tasks.settled import SettledPlan
from losscli.tasks.soft import are_shares, of_shares, refuse_near_shares
from losscli.tasks.truths import Truths, of_two
from losscli.tasks.yardsticks import YES_OR_NO

RARE = 0.25  # share of the negative class, below which it may be the one that is looked for
SAID_BY_NAME = {"false", "true", "no", "yes"}


class YesOrNo(Task):
    """Decisions of yes or no, one for each output, whatever the shape: yes above 0, or above 1/2 for probabilities."""

    links: ClassVar[Mapping[str, str | None]] = {"logits": None, "scores": None, "probabilities": "sigmoid"}
    yardsticks = YES_OR_NO
    domain = "0 or 1"
    yes_or_no = True

    def extremes(self, target: Tensor, width: int, expects: str, size: float) -> tuple[Tensor, Tensor]:
        right = size * (2 * target - 1)
        return right, -right

    def class_shares(self, target: np.ndarray) -> tuple[float, ...]:
        yes = float(target.mean(dtype=np.float64))
        return 1 - yes, yes

    def read(self, prediction: Tensor, meaning: str, scale: TargetScale | None = None) -> Prediction:
        """What is called a probability may lie outside [0, 1] by a user's mistake; it is clamped, the scores are not."""
        threshold = 0.5 if meaning == "probabilities" else 0.0
        # A NaN decides nothing: it stays NaN, so that metrics can tell.
        labels = torch.where(prediction.isnan(), prediction, (prediction > threshold).to(prediction.dtype))
        if meaning == "probabilities":
            return Prediction(prediction, labels, prediction.clamp(0.0, 1.0))
        if meaning == "logits":
            return Prediction(prediction, labels, torch.sigmoid(prediction), logits=prediction)
        return Prediction(prediction, labels)

    def baseline(
        self, train: Tensor, rows: int, scale: TargetScale | None = None, outputs: int | None = None
    ) -> Prediction:
        """The share of ones in `train` [N, ...], and the more frequent of no and yes (no on a tie)."""
        prior = train.float().mean(0).expand(1, rows, *train.shape[1:])
        return Prediction(torch.zeros_like(prior), (prior > 0.5).to(prior.dtype), prior)

    def near_truth(self, truth: Tensor, outputs: int) -> Prediction:
        return self.read(decisions(truth), "logits")

    def hardness(self, prediction: Prediction, truth: Tensor) -> Tensor:
        """What a true yes or no lacks in probability; where a loss gives none, in what a logistic link makes of its scores."""
        if prediction.probabilities is not None:
            yes = prediction.probabilities
        else:
            assert prediction.scores is not None
            yes = prediction.scores.sigmoid()
        return 1 - torch.where(truth > 0.5, yes, 1 - yes)

    def difficulty(self, predictions: Predictions) -> np.ndarray:
        return decision_lack(predictions)


class Binary(YesOrNo):
    """Two classes, one output: the model says how much it leans to the second."""

    name = "binary"
    summary = "one of two classes per row"
    default_loss = "bce-logits"
    default_metrics = ("auroc", "accuracy", "f1", "log-loss")
    default_data: ClassVar[Mapping[str, Any]] = {
        "source": "synthetic",
        "name": "moons",
        "n_samples": 1000,
        "noise": 0.25,
    }
    generators: ClassVar[Mapping[str, Generator | None]] = dict.fromkeys(("moons", "circles", "hastie_10_2"))
    options = ("positive",)
    yardsticks = YES_OR_NO
    plan = SettledPlan

    def decode(self, columns: Mapping[str, Column], options: TargetOptions = AS_GIVEN) -> Target:
        """0 and 1 for the two values that occur: `options.positive` is 1, or else the later in their order.

        Numbers within 0 and 1 that are not all whole are shares of yes (`soft`); `options.positive` may be 1 or 0.
        """
        refuse_beyond(options, self)
        name, column = only_column(columns, self.name)
        refuse_missing(columns)
        if are_shares(column):
            return of_shares(name, column, options)
        refuse_near_shares(column, name)
        refuse_fractions(column, name, self.name)
        index, names = occurring(column)
        index, labels = arranged(index, names, ranks(names)[0])
        same = alike(name, column, index, labels)
        if len(labels) != 2:
            raise DataError([_not_two(name, column, labels), *([same] if same else [])])
        if options.positive is not None and positive_label(options.positive, labels, name) == labels[0]:
            index, labels = 1 - index, labels[::-1]
        findings = (
            *noticed_alike(same),
            *_rare_negative(name, index, labels, options),
            *mapped(labels, "; 1 is the positive one (data.positive)"),
        )
        return Target(index.astype(np.float32), labels, findings)

    def guess(self, targets: Mapping[str, Values], options: TargetOptions) -> Hunch | None:
        """One column that holds two texts or two whole numbers."""
        ((name, values), *others) = targets.items()
        count = len(values.present)
        if others or not values.classes or count > 2:
            return None
        if count == 2:
            return Hunch(f"{shown(name)} holds two values: {shown(values.names[0])} and {shown(values.names[1])}")
        return Hunch(f"{shown(name)} holds {'one value only' if count else 'no value'}")

    def outputs(self, target: Target) -> int:
        return 1

    def shape(self, output: Tensor) -> Tensor:
        return output.squeeze(-1)  # [R, B, 1] -> [R, B]

    soft_domain = "0 to 1"
    axis = "margin s x"
    axis_note = "x is the score; s is 1 where the answer is yes and -1 where it is no."
    sides = (1.0, 0.0)

    def outcomes(self, width: int) -> Tensor:
        return torch.tensor([0.0, 1.0], dtype=torch.float64)

    def draw(
        self, shape: tuple[int, ...], width: int, domain: str, chance: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        return torch.randint(2, shape, generator=chance).to(dtype)

    def line(self, along: Tensor, width: int, expects: str, side: Tensor) -> tuple[Tensor, Tensor]:
        target = side.to(along).expand_as(along)
        return (2 * target - 1) * along, target

    def truths(self) -> Truths:
        return of_two()

    def decided(self, target: Tensor) -> Tensor:
        if target.ndim != 2 or not target.is_floating_point():
            return target
        return torch.where((target > 0) & (target < 1), (target > 0.5).to(target.dtype), target)  # shares, by the half

    class_unmeasured = "a metric that needs both classes, such as auroc, has no value there"
    row_measures = (
        RowMeasure("accuracy", "share of right decisions", right_decisions),
        RowMeasure("rank", "share of the other class ranked on the right side", rank, ("auroc", "auprc")),
        RowMeasure(
            "log-loss",
            "log-loss",
            lambda predictions: surprise(decision_lack(predictions)),
            ("log-loss",),
            probable=True,
        ),
    )

    def columns(self, outputs: Outputs, labels: Sequence[str], limit: float) -> Iterator[tuple[str, np.ndarray]]:
        yes = outputs.numbers[:, 0]
        yield "prediction", np.array(labels)[(yes > limit).astype(int)]
        yield f"probability_{labels[1]}" if outputs.kind == "probabilities" else "score", yes


def _rare_negative(name: str, index: np.ndarray, labels: Sequence[str], options: TargetOptions) -> list[Finding]:
    """Where nobody said which class is the positive one, and the order of their names made it the frequent one."""
    share = 1 - float(index.mean())
    if options.positive is not None or share >= RARE or {label.casefold() for label in labels} <= SAID_BY_NAME:
        return []
    message = (
        f"{shown(labels[1])} counts as the positive class, by the order of the labels, and {shown(labels[0])} is rare"
    )
    cure = f"{sign('positive', labels[0])} makes the rare one the positive one"
    return [Finding("rare-negative", "warning", f"{message} ({100 * share:.2g} %)", cure)]


def _not_two(name: str, column: Column, labels: Sequence[str]) -> Problem:
    first = ", ".join(shown(label) for label in labels[:5]) + (" ..." if len(labels) > 5 else "")
    counts = len(labels) > 20 and not column.is_category
    return Problem(
        f"the target {shown(name)} of task binary must hold two different values, and it holds {len(labels)}: {first}",
        cure="choose another target" if len(labels) < 2 else f"use task: {'regression' if counts else 'multiclass'}",
    )


tasks.put("binary", Binary())
