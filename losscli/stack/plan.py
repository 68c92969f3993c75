"""The training plan: the budget and the optimizer, the same for every entry of an arena."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from losscli.options import Count, NonNegative, Positive, Strict


class Plan(Strict):
    """The `train:` block of a spec.

    `epochs` is how often a run goes through the training rows; null: as often as about 300 steps need, 20 to 100 times.
    `max_steps` is a cap on the optimizer steps of a run. `batch_size` is the rows of one step. `optimizer` is the rule by
    which weights move. `lr` is the learning rate; a list makes an entry of each. `momentum` is that of sgd and rmsprop.
    `weight_decay` pulls all weights to 0 at each step. `schedule` is how the learning rate changes over the steps. `clip` is
    the largest gradient norm of a run; null: any. `patience` is after how many epochs without a better headline metric on the
    valid split a run stops; null: never. `device` is auto, cpu, cuda, cuda:1 ...
    """

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] | None = None  # null: as many as `DEFAULT_STEPS` needs
    max_steps: Count | None = None  # a cap on the optimizer steps of a run; what --smoke sets
    batch_size: Count = 128
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    lr: Positive | Annotated[list[Positive], Field(min_length=1)] = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0  # sgd and rmsprop
    weight_decay: NonNegative = 0.0
    schedule: Literal["constant", "cosine", "step", "warmup", "warmup-cosine"] = "constant"
    clip: Positive | None = None  # the largest gradient norm of a run
    patience: Count | None = None  # epochs without a better headline metric on the valid split
    device: str = "auto"
