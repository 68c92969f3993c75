"""The training plan: the budget and the optimizer, the same for every entry of an arena."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, cast, get_type_hints

from pydantic import Field

from losscli.options import Count, NonNegative, Positive, Strict
from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.schedule import SCHEDULES

if TYPE_CHECKING:
    Optimizer = str
    Schedule = str
else:  # what the registries hold: pydantic and the schema read it as they would a list that is written out
    Optimizer = Literal[tuple(OPTIMIZERS)]
    Schedule = Literal[tuple(SCHEDULES)]

Beta = Annotated[float, Field(ge=0, lt=1)]
AUTO = Literal["auto"]
Precision = Literal["float32", "tf32", "bf16"]

# What auto means: chosen on twenty tables, and looked at on others (`tests/benchmarks/defaults.py`).
PATIENCE, LEAST_PATIENCE = 0.2, 10  # of the epochs; and in epochs
DECAY = 0.3  # with a rate of 2e-3, weights that nothing holds lose three tenths over 600 steps


class Plan(Strict):
    """The `train:` block of a spec.

    `epochs` is how often a run goes through the training rows, at most; auto: as often as 600 steps need, 30 to 200 times; null:
    as often as about 300 steps need, 20 to 100 times.
    `max_steps` is a cap on the optimizer steps of a run. `batch_size` is the rows of one step. `optimizer` is the rule by
    which weights move. `lr` is the learning rate; a list makes an entry of each. `momentum` is that of sgd and rmsprop.
    `betas` are those of adam and adamw: how much of the mean and of the square of the gradients stays at each step.
    `weight_decay` pulls all weights to 0 at each step; auto: 0.3 with adamw, whose decay is apart from the gradients, else none.
    `schedule` is how the learning rate changes over the steps. `clip` is the largest gradient norm of a run; null: any.
    `patience` is after how many epochs without a better headline metric on the valid split a run stops, and keeps its best
    weights; null: never, and it keeps the last; auto: a fifth of the epochs, 10 at least, and among epochs whose headline the
    valid split cannot tell from the best, within 1 / sqrt(its rows) of it, the run's own loss there decides; the last biases
    begin where the shares of the classes are, if outputs are logits. `device` is auto, cpu, cuda, cuda:1 ... `precision` is that
    of the networks in training steps: tf32 multiplies matrices on a GPU with 10 bits of 23, bf16 computes what lies between the
    layers with 7. Weights, losses, the optimizer, and all that a run is judged by and predicts stay float32.
    """

    default_steps: ClassVar[int] = 300  # of a run, where `epochs` is null, within so many epochs
    fewest_epochs: ClassVar[int] = 20
    most_epochs: ClassVar[int] = 100
    settled: ClassVar[tuple[int, int, int]] = (600, 30, 200)  # the same where `epochs` is auto

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] | AUTO | None = None  # null: as many as `default_steps` need
    max_steps: Count | None = None  # a cap on the optimizer steps of a run; what --smoke sets
    batch_size: Count = 128
    optimizer: Optimizer = "adam"
    lr: Positive | Annotated[list[Positive], Field(min_length=1)] = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0  # sgd and rmsprop
    betas: Annotated[list[Beta], Field(min_length=2, max_length=2)] = Field(default=[0.9, 0.999])  # adam and adamw
    weight_decay: NonNegative | AUTO = 0.0
    schedule: Schedule = "constant"
    clip: Positive | None = None  # the largest gradient norm of a run
    patience: Count | AUTO | None = None  # epochs without a better headline metric on the valid split
    device: str = "auto"
    precision: Precision = "float32"

    def epochs_for(self, steps: int) -> int:
        """The epochs of a run whose epochs have so many steps, if `max_steps` does not end it.

        >>> [Plan(epochs=epochs).epochs_for(8) for epochs in (None, "auto", 3)]
        [38, 75, 3]
        """
        if isinstance(self.epochs, int):
            return self.epochs
        whole, fewest, most = (
            self.settled if self.epochs else (self.default_steps, self.fewest_epochs, self.most_epochs)
        )
        return min(most, max(fewest, math.ceil(whole / steps)))

    def patience_for(self, epochs: int) -> int | None:
        """After how many epochs without a better one a run of so many stops; None: never.

        >>> [Plan(patience=patience).patience_for(100) for patience in (None, "auto", 7)]
        [None, 20, 7]
        """
        return max(LEAST_PATIENCE, math.ceil(PATIENCE * epochs)) if self.patience == "auto" else self.patience

    def tolerance_for(self, rows: int) -> float:
        """The share of the best headline within which the run's own loss decides which epoch is the better one.

        It is the half width of a 95 % interval of a share, 1/2, on so many valid rows, in the manner of the rule of one standard
        error (Breiman et al. 1984, Classification and Regression Trees).

        >>> Plan(patience="auto").tolerance_for(100), Plan(patience=7).tolerance_for(100)
        (0.1, 0.0)
        """
        return 1 / math.sqrt(rows) if self.patience == "auto" else 0.0

    @property
    def decay(self) -> float:
        """The weight decay as a number."""
        if isinstance(self.weight_decay, float | int):
            return self.weight_decay
        return DECAY if self.optimizer == "adamw" else 0.0


@cache
def plan_of(keys: type[Strict]) -> type[Plan]:
    """The plan of a task: the common keys and its own `keys` (`Task.plan`), whose defaults go before.

    >>> class Keys(Strict):
    ...     critic_steps: int = 5
    ...     batch_size: int = 64  # what a common key takes is said by `Plan`
    >>> plan = plan_of(Keys)(lr=1e-4)
    >>> plan.critic_steps, plan.batch_size, plan.lr
    (5, 64, 0.0001)
    """
    if keys is Strict:
        return Plan
    hints, common = get_type_hints(Plan, include_extras=True), Plan.model_fields
    shared = {
        name: key.get_default(call_default_factory=True) for name, key in keys.model_fields.items() if name in common
    }
    # A common key takes what it takes in `Plan`: the task changes its default alone.
    members = {"__annotations__": {name: hints[name] for name in shared}, "__module__": keys.__module__, **shared}
    return cast(type[Plan], type(keys.__name__, (keys, Plan), members))
