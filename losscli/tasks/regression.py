"""Regression: one or more numbers per row, standardised for the loss, in the user's units for the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from losscli.errors import DataError, Finding, Problem, shown
from losscli.lazy import Tensor, torch
from losscli.tasks import (
    AS_GIVEN,
    LOWEST,
    Column,
    Generator,
    Prediction,
    Target,
    TargetOptions,
    TargetScale,
    Task,
    tasks,
)
from losscli.tasks.guess import ELSE, IF_VOTES, MOST_CODES, SAID, Hunch, Values
from losscli.tasks.labels import EXACT, label_of, place_of, refuse_beyond, refuse_missing
from losscli.tasks.measures import RowMeasure, distance
from losscli.tasks.predictions import Outputs, Predictions
from losscli.tasks.scale import LOG_RATES
from losscli.tasks.settled import SettledPlan
from losscli.tasks.yardsticks import NUMBERS

LARGEST = float(np.finfo(np.float32).max)
PARTS_OF_TRUTH = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
SMALLEST = 1e-36  # the least range: its standard deviation, too, must be one that float32 holds with all digits


class Regression(Task):
    """O numbers, O outputs."""

    name = "regression"
    summary = "one or more numbers per row"
    default_loss = "mse"
    default_metrics = ("rmse", "mae", "r2")
    default_data: ClassVar[Mapping[str, Any]] = {
        "source": "synthetic",
        "name": "friedman1",
        "n_samples": 1000,
        "noise": 1.0,
    }
    generators: ClassVar[Mapping[str, Generator | None]] = dict.fromkeys(
        ("regression", "friedman1", "friedman2", "friedman3", "sparse_uncorrelated", "s_curve", "swiss_roll")
    )
    options = ("transform", "standardise")
    yardsticks = NUMBERS
    plan = SettledPlan
    links: ClassVar[Mapping[str, str | None]] = dict.fromkeys(
        ("values", *LOG_RATES, "mean+log-variance", "location+log-scale", "quantiles")
    )
    has_classes = False

    def decode(self, columns: Mapping[str, Column], options: TargetOptions = AS_GIVEN) -> Target:
        """The numbers as they are, [N] of one column or [N, O] of several; each must be one that the transform takes."""
        refuse_beyond(options, self)
        refuse_missing(columns)
        problems = [problem for name, column in columns.items() if (problem := _not_a_number(name, column))]
        if not problems and options.transform != "none":
            problems = [
                problem for name, column in columns.items() for problem in _below(name, column, options.transform)
            ]
        if problems:
            raise DataError(problems)
        values = np.stack([column.values for column in columns.values()], axis=1)  # [N, O]
        findings = [finding for name, column in columns.items() for finding in _noticed(name, column.values, options)]
        shaped = values[:, 0] if len(columns) == 1 else values
        return Target(
            shaped,
            tuple(columns),
            (*findings, *_learned_as(options)),
            transform=options.transform,
            standardise=options.standardise,
        )

    def guess(self, targets: Mapping[str, Values], options: TargetOptions) -> Hunch | None:
        """Numbers of which no other task is surer; and a reason that says what they look like."""
        ((name, values), *others) = targets.items()
        if options.transform != "none" and not others:
            return Hunch(f"data.transform is {options.transform}", SAID)
        if any(column.texts for column in targets.values()):
            return None
        if others:
            votes = all(column.counts_up for column in targets.values())
            looks = f"whole numbers from 0 on ({IF_VOTES})" if votes else "numbers"
            return Hunch(f"the {len(targets)} targets are {looks}", ELSE)
        return Hunch(f"{shown(name)} holds {_looks(values)}", ELSE) if len(values.present) else None

    def outputs(self, target: Target) -> int:
        return 1 if target.values.ndim == 1 else target.values.shape[1]

    def shape(self, output: Tensor) -> Tensor:
        return output.squeeze(-1) if output.shape[-1] == 1 else output  # [R, B, 1] -> [R, B]; [R, B, O] stays

    domain = "any number"
    axis = "residual: prediction - target"
    ends = ("too low", "too high")
    moves = "the prediction"
    sides = (0.0,)

    def draw(
        self, shape: tuple[int, ...], width: int, domain: str, chance: torch.Generator, dtype: torch.dtype
    ) -> Tensor:
        if domain in ("0 or 1", "0 to 1"):
            return torch.randint(2, shape, generator=chance).to(dtype)
        normal = torch.randn(shape, generator=chance, dtype=dtype)
        if domain == "count (integer >= 0)":
            return (normal.abs() * 3).floor()
        return normal.exp() if domain in ("number > 0", "number >= 0") else normal

    def extremes(self, target: Tensor, width: int, expects: str, size: float) -> tuple[Tensor, Tensor]:
        """What is wrong is 3 off."""
        right = target.clamp(min=0.5).log() if expects in LOG_RATES else target
        return right, right + 3

    def line(self, along: Tensor, width: int, expects: str, side: Tensor) -> tuple[Tensor, Tensor]:
        target = side.to(along).expand_as(along)
        values = target + along
        return values.log() if expects in LOG_RATES else values, target

    def read(self, prediction: Tensor, meaning: str, scale: TargetScale | None = None) -> Prediction:
        return Prediction(values=prediction if scale is None else scale.predicted(prediction))

    def baseline(
        self, train: Tensor, rows: int, scale: TargetScale | None = None, outputs: int | None = None
    ) -> Prediction:
        """The mean in the user's units, which is not where a transform has its mean."""
        units = train.double() if scale is None else scale.in_units(train.double())
        return Prediction(values=units.mean(0).expand(1, rows, *train.shape[1:]))

    def near_truth(self, truth: Tensor, outputs: int) -> Prediction:
        return Prediction(values=truth[None])

    hardness_edges = (0.25, 0.5, 1.0, 2.0)
    hardness_unit = "sd off"
    row_measures = (RowMeasure("mae", "mean absolute error", distance),)

    def hardness(self, prediction: Prediction, truth: Tensor) -> Tensor:
        """The distance from the truth, in standard deviations of it, [R, n]; of several outputs, the root mean square."""
        assert prediction.values is not None
        spread = truth.std(dim=1, keepdim=True).clamp(min=1e-12)  # a sample may hold one value only
        apart = (prediction.values - truth).abs() / spread
        return apart if apart.ndim == 2 else apart.norm(dim=-1) / apart.shape[-1] ** 0.5

    def difficulty(self, predictions: Predictions) -> np.ndarray:
        return distance(predictions)

    def groups(self, truth: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
        """The quarters of the truth, the mean over the outputs, from the lowest."""
        mean = truth.mean(axis=1)
        quarter = np.searchsorted(np.quantile(mean, [0.25, 0.5, 0.75]), mean)
        return {name: quarter == part for part, name in enumerate(PARTS_OF_TRUTH)}

    def columns(self, outputs: Outputs, labels: Sequence[str], limit: float) -> Iterator[tuple[str, np.ndarray]]:
        for index, label in enumerate(labels):
            of = f"_{label}" if len(labels) > 1 else ""
            yield f"prediction{of}", outputs.numbers[:, index]
            if outputs.quantiles is not None:
                for place, level in enumerate(outputs.levels):
                    yield f"quantile_{level:g}{of}", outputs.quantiles[:, index, place]


def _looks(values: Values) -> str:
    low, high = values.present[0], values.present[-1]
    if max(-low, high) >= EXACT:  # all of them are whole, as doubles
        return f"numbers as large as {max(-low, high):.3g}"
    if not values.whole and low >= 0 and high <= 1:
        return "numbers with decimals, all within 0 and 1: --task binary learns them as shares of yes"
    if not values.whole:
        return "numbers with decimals"
    span = f"whole numbers from {label_of(low)} to {label_of(high)}"
    if low >= 0 and (values.counts.argmax() == 0 or values.numbered):
        return f"{span}, and the large ones are rare: they look like counts"
    if len(values.present) <= MOST_CODES:
        return f"{span}: numbers or codes of classes, which is not sure (--task regression, or --task multiclass)"
    return span


def _not_a_number(name: str, column: Column) -> Problem | None:
    if column.levels is not None:
        row, text = 0, column.levels[int(column.values[0])] if len(column.values) else ""
    else:
        large = np.flatnonzero(np.abs(column.values) > LARGEST)
        if not len(large):
            return _too_fine(name, column.values)
        row, text = int(large[0]), label_of(column.values[large[0]])
    kind = "is not a number" if column.is_category else "is larger than float32 can hold (3.4e38)"
    cure = "use task: multiclass or binary for labels" if column.is_category else "rescale the target"
    return Problem(
        f"the target {shown(name)} of task regression must hold numbers, and {shown(text)} {kind}",
        place_of(column, row) if len(column.values) else None,
        cure,
    )


MOST_PLACES = 5
# By whether a target is centred, in float64, before it is float32: the least range, in parts of the largest number.
FINEST = {True: (1e-13, "float64"), False: (1e-5, "float32")}


def _below(name: str, column: Column, transform: str) -> list[Problem]:
    """Numbers that have no logarithm: the first five, and how many there are."""
    rows = np.flatnonzero(~(column.values > LOWEST[transform]))
    problems = []
    for row in rows[:MOST_PLACES]:
        least = f"above {LOWEST[transform]:g}"
        message = f"transform {transform}: the target {shown(name)} must be {least}, and {label_of(column.values[row])} is not"
        problems.append(Problem(message, place_of(column, int(row)), _instead(column.values, transform)))
    if len(rows) > MOST_PLACES:
        last = problems[-1]
        problems[-1] = Problem(f"{last.message} (and {len(rows) - MOST_PLACES} more)", last.place, last.cure)
    return problems


def _instead(values: np.ndarray, transform: str) -> str:
    if transform == "log" and values.min() > LOWEST["log1p"]:
        return "use transform: log1p, which takes 0"
    return "leave transform out, or leave these rows out"


def _learned_as(options: TargetOptions) -> list[Finding]:
    if options.transform == "none":
        return []
    message = (
        f"the target is learned as its {options.transform}; metrics and predictions are in your units, where a loss for the "
        "mean (mse) now aims at the geometric mean, which lies below it; no prediction leaves the range of the training "
        f"targets by more than one standard deviation of that {options.transform}"
    )
    return [Finding("target-transformed", "info", message)]


def _too_fine(name: str, values: np.ndarray) -> Problem | None:
    """Numbers that are all the same, or none, once they are float32."""
    spread = float(np.ptp(values)) if len(values) else 0.0
    if not 0 < spread < SMALLEST:
        return None
    message = f"the target {shown(name)} of task regression varies by {spread:.3g} only: float32 needs {SMALLEST:g}"
    return Problem(message, None, "rescale the target: use a smaller unit")


def _noticed(name: str, values: np.ndarray, options: TargetOptions) -> list[Finding]:
    low, high = values.min(), values.max()
    if low == high:
        message = f"the target {shown(name)} is always {label_of(low)}: there is nothing to learn, and R2 is undefined"
        return [Finding("target-constant", "warning", message, "choose another target")]
    largest = max(abs(low), abs(high))
    finest, kind = FINEST[options.standardise]
    if (high - low) < largest * finest:
        message = f"the target {shown(name)} varies by less than {finest:g} of its size: {kind} keeps little of that"
        cure = "subtract a constant from the target"
        if not options.standardise:
            cure += ", or leave data.standardise out"
        return [Finding("target-precision", "warning", message, cure)]
    if largest > 1e18:
        large = f"the target {shown(name)} is as large as {largest:.3g}"
        if options.transform != "none":
            return []  # a logarithm of it is small
        if options.standardise:
            message = f"{large}; it is standardised, so that squares stay finite"
            return [Finding("target-large", "info", message, "use a larger unit")]
        message = f"{large} and is not standardised: squares of it, in a loss or in its gradient, may be infinite"
        return [Finding("target-large", "warning", message, "use a larger unit, or leave data.standardise out")]
    return []


tasks.put("regression", Regression())
