"""The training plan: the budget and the optimizer, the same for every entry of an arena."""

from __future__ import annotations

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


class Plan(Strict):
    """The `train:` block of a spec.

    `epochs` is how often a run goes through the training rows; null: as often as about 300 steps need, 20 to 100 times.
    `max_steps` is a cap on the optimizer steps of a run. `batch_size` is the rows of one step. `optimizer` is the rule by
    which weights move. `lr` is the learning rate; a list makes an entry of each. `momentum` is that of sgd and rmsprop.
    `betas` are those of adam and adamw: how much of the mean and of the square of the gradients stays at each step.
    `weight_decay` pulls all weights to 0 at each step. `schedule` is how the learning rate changes over the steps. `clip` is
    the largest gradient norm of a run; null: any. `patience` is after how many epochs without a better headline metric on the
    valid split a run stops; null: never. `device` is auto, cpu, cuda, cuda:1 ...
    """

    default_steps: ClassVar[int] = 300  # of a run, where `epochs` is null, within so many epochs
    fewest_epochs: ClassVar[int] = 20
    most_epochs: ClassVar[int] = 100

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] | None = None  # null: as many as `default_steps` need
    max_steps: Count | None = None  # a cap on the optimizer steps of a run; what --smoke sets
    batch_size: Count = 128
    optimizer: Optimizer = "adam"
    lr: Positive | Annotated[list[Positive], Field(min_length=1)] = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0  # sgd and rmsprop
    betas: Annotated[list[Beta], Field(min_length=2, max_length=2)] = Field(default=[0.9, 0.999])  # adam and adamw
    weight_decay: NonNegative = 0.0
    schedule: Schedule = "constant"
    clip: Positive | None = None  # the largest gradient norm of a run
    patience: Count | None = None  # epochs without a better headline metric on the valid split
    device: str = "auto"


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
