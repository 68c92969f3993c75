"""A case: a history, what the user says of it, and what follows from both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from losscli.diagnose import floors
from losscli.diagnose.family import family, judges
from losscli.diagnose.history import History
from losscli.diagnose.trend import Trend, trend
from losscli.errors import Place, SpecError, shown

EMPTY = Trend(math.nan, math.nan, math.nan, math.nan, 0, math.nan, math.nan, math.nan, math.nan, np.empty(0))


@dataclass(frozen=True)
class Facts:
    """What is known beside the curve; None where it is not."""

    loss: str | None = None
    classes: int | None = None
    priors: Sequence[float] | None = None
    positive_rate: float | None = None
    target_std: float | None = None
    batch_size: int | None = None
    margin: float | None = None

    def __post_init__(self) -> None:
        """Refuses what is no number: typer's bounds let NaN pass."""
        for name in ("positive_rate", "target_std", "margin"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                flag = f"--{name.replace('_', '-')}"
                raise SpecError(f"{flag} must be a finite number, and is {value}", place=Place(flag))


def shares(text: str | None) -> list[float] | None:
    """The shares of the classes in `0.7,0.2,0.1`; counts will do. Raises `SpecError` for anything else.

    >>> shares("70, 20, 10")
    [0.7, 0.2, 0.1]
    """
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.replace(";", ",").strip(" []").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) < 2 or not all(math.isfinite(number) and number >= 0 for number in numbers) or not sum(numbers) > 0:
        raise SpecError(
            f"--priors takes the shares of two classes or more, and {shown(text)} is given",
            place=Place("--priors"),
            cure="as in --priors 0.7,0.2,0.1",
        )
    return [number / math.fsum(numbers) for number in numbers]


@dataclass(frozen=True)
class Case:
    """A history with its trends. `loss` is the training loss, or that of validation where there is no other."""

    history: History
    facts: Facts
    train: Trend | None
    valid: Trend | None

    @classmethod
    def of(cls, history: History, facts: Facts) -> Case:
        """The case of a history; what a record says of itself counts where the user says nothing."""
        facts_by_name = {name: value for name, value in history.facts.items() if getattr(facts, name) is None}
        return cls(history, replace(facts, **facts_by_name), trend(history.train), trend(history.valid))  # type: ignore[arg-type]

    @cached_property
    def loss(self) -> Trend:
        """The curve that is judged; all NaN where nothing is finite."""
        return self.train or self.valid or EMPTY

    @cached_property
    def levels(self) -> list[float]:
        """Where the losses of train and valid settle, of those that there are."""
        return [curve.level for curve in (self.train, self.valid) if curve is not None]

    @cached_property
    def family(self) -> str | None:
        return family(self.facts.loss)

    @cached_property
    def judges(self) -> str | None:
        """classes, values or pairs; None where nothing tells."""
        facts, metrics = self.facts, self.history.metrics
        if (of := judges(self.family)) is not None:
            return of
        if facts.classes or facts.priors or facts.positive_rate is not None or {"accuracy", "error"} & set(metrics):
            return "classes"
        if facts.target_std is not None or {"r2", "mae", "mse", "rmse"} & set(metrics):
            return "values"
        return "pairs" if facts.margin is not None else None

    def may_be(self, *families: str) -> bool:
        """Whether the loss may be one of these: it is named, or nothing speaks against it."""
        if self.facts.loss is not None:
            return self.family in families
        return self.judges in (None, *(judges(of) for of in families))

    @cached_property
    def classes(self) -> int | None:
        """How many classes there are, where that is known."""
        facts = self.facts
        if facts.priors:
            return len(facts.priors)
        if facts.classes:
            return max(facts.classes, 2)
        binary = facts.positive_rate is not None or self.family in ("bce", "bce-logits")
        return 2 if binary else None

    @property
    def may_be_binary(self) -> bool:
        return self.classes in (None, 2)

    @cached_property
    def positive(self) -> float | None:
        """The share of positives."""
        if self.facts.positive_rate is not None:
            return self.facts.positive_rate
        priors = self.facts.priors
        return priors[1] / math.fsum(priors) if priors and len(priors) == 2 else None

    @cached_property
    def priors(self) -> list[float] | None:
        """The shares of the classes, as far as they were said."""
        if self.facts.priors:
            return [share / math.fsum(self.facts.priors) for share in self.facts.priors]
        return None if self.positive is None else [1 - self.positive, self.positive]

    @cached_property
    def accuracies(self) -> np.ndarray:
        """The accuracy at every point, as a share: percents are divided by 100, an error rate is turned round.

        What is no share anywhere is no accuracy, whatever its column is called.
        """
        metrics = self.history.metrics
        series = metrics.get("accuracy") or metrics.get("error")
        if series is None or not len(series.finite):
            return np.empty(0)
        values = series.finite / (100.0 if series.finite.max() > 1.5 else 1.0)
        if values.min() < 0 or values.max() > 1:
            return np.empty(0)
        return values if "accuracy" in metrics else 1.0 - values

    @cached_property
    def accuracy(self) -> float | None:
        """Where the accuracy settles."""
        tail = self.accuracies[-max(3, len(self.accuracies) // 5) :]
        return float(np.median(tail)) if len(tail) else None

    @cached_property
    def r2(self) -> float | None:
        """Where R2 settles: logged, or told by the spread of the target."""
        series = self.history.metrics.get("r2")
        if series is not None and len(series.finite):
            return float(np.median(series.finite[-max(3, len(series.finite) // 5) :]))
        if self.facts.target_std and self.family == "mse":
            return 1 - self.loss.level / self.facts.target_std**2
        return None

    @cached_property
    def doubt(self) -> float:
        """By how much the loss exceeds what the accuracy explains: the highest entropy of predictions that are so often right."""
        if self.accuracy is None:
            return math.nan
        return self.loss.level - floors.noise(1 - self.accuracy, self.classes or 2)

    def lacks(self, option: str) -> bool:
        """Whether an option would tell something that is not known."""
        facts_by_name = {
            "--loss": self.facts.loss,
            "--classes": self.classes,
            "--priors": self.priors,
            "--positive-rate": self.positive,
            "--target-std": self.facts.target_std,
            "--batch-size": self.facts.batch_size,
            "--margin": self.facts.margin,
        }
        kinds = {"--loss": None, "--target-std": "values", "--margin": "pairs"}
        if facts_by_name[option] is not None:
            return False
        if option == "--positive-rate" and not self.may_be_binary:
            return False
        if option == "--batch-size":
            return self.judges in (None, "classes", "pairs")
        kind = kinds.get(option, "classes")
        return kind is None or self.judges in (None, kind)
