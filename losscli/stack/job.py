"""What all stacks of an arena share, and how long its training takes."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass

import torch

from losscli.metrics import Metric
from losscli.stack.models import Model
from losscli.stack.plan import Plan
from losscli.stack.rows import spans
from losscli.tasks import Task


@dataclass(frozen=True)
class Job:
    """What all stacks of an arena share."""

    task: Task
    model: Model
    plan: Plan
    metrics: Sequence[Metric]  # the first is the headline
    device: torch.device
    evaluation: Sequence[Metric] = ()  # what test and valid are judged by at the end, beside `metrics`
    prediction_seeds: Set[int] = frozenset()  # the seeds whose runs hand out what they predict of the test split
    probe: bool = False  # whether to look at what losses attend to
    pictured_seed: int = 0  # whose runs keep what they put out at moments of training, where that is a picture


def epochs_of(plan: Plan, rows: int) -> int:
    """How many epochs the plan means for so many training rows.

    >>> epochs_of(Plan(), 400), epochs_of(Plan(epochs=3), 400), epochs_of(Plan(epochs=9, max_steps=5), 400)
    (75, 3, 2)
    """
    steps = len(spans(rows, plan.batch_size))
    epochs = plan.epochs_for(steps)
    return epochs if plan.max_steps is None else min(epochs, math.ceil(plan.max_steps / steps))


def steps_of(plan: Plan, rows: int, epochs: int) -> int:
    """The optimizer steps of so many epochs over so many training rows.

    >>> steps_of(Plan(batch_size=32), 100, 10), steps_of(Plan(batch_size=32, max_steps=7), 100, 10)
    (40, 7)
    """
    steps = epochs * len(spans(rows, plan.batch_size))
    return min(steps, plan.max_steps or steps)
