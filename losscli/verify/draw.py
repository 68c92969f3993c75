"""What a loss is tried with: predictions and targets of its domain, and options within its bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from losscli.losses import Bounds, Choice, Loss, Option, PerClass, Several
from losscli.tasks import tasks
from losscli.tasks.scale import LOG_RATES
from losscli.verify import Case, Sample

RUNS, SAMPLES, CLASSES, LABELS = 3, 6, 4, 2
LARGEST = 1e4  # of a logit or a value
LARGEST_LOG = 30.0  # of a logarithm: its exponential is 1e13
LOGARITHMS = (*LOG_RATES, "mean+log-variance", "location+log-scale")


def outputs(case: Case) -> int | None:
    """How many numbers a loss sees of each sample: K classes, L labels, several heads; None where it is one."""
    if case.loss.heads is not None:
        return case.loss.heads(width(case), case.options)
    return width(case) if tasks.get(case.task).rows_have_several_outputs else None


def width(case: Case) -> int:
    """How many outputs of its own the task has for a sample."""
    return tasks.get(case.task).width(CLASSES, LABELS)


def raw(case: Case, *shape: int, seed: int = 0) -> Tensor:
    """What a model may put out, float64 [*shape] or [*shape, K]."""
    inner = outputs(case)
    full = shape if inner is None else (*shape, inner)
    return torch.randn(full, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2


def targets(case: Case, *shape: int, seed: int = 0) -> Tensor:
    """Targets of the loss's domain: class indices, or float64; [*shape], or [*shape, L] of labels."""
    chance = torch.Generator().manual_seed(seed + 1)
    return tasks.get(case.task).draw(shape, width(case), case.loss.target, chance, torch.float64)


def ordinary(case: Case) -> Iterator[Sample]:
    """Two stacks of a few runs and samples, with numbers of ordinary size."""
    for seed in (0, 1):
        yield Sample(raw(case, RUNS, SAMPLES, seed=seed), targets(case, RUNS, SAMPLES, seed=seed))


def many(case: Case) -> Iterator[Sample]:
    """One stack with more samples than one would read, some of them confident."""
    confident = 1.0 if case.loss.expects in LOGARITHMS else 3.0
    yield Sample(confident * raw(case, 2, 50, seed=2), targets(case, 2, 50, seed=2))


def few(case: Case) -> Iterator[Sample]:
    """One run of a few samples, for what is tried number by number."""
    yield Sample(raw(case, 1, SAMPLES, seed=3), targets(case, 1, SAMPLES, seed=3))


def extreme(case: Case) -> Iterator[Sample]:
    """Every extreme output with every target: as one batch, and each as a batch of its own."""
    inner = outputs(case) or 1
    largest = LARGEST_LOG if case.loss.expects in LOGARITHMS else LARGEST
    ends = [-largest, 0.0, largest]
    corners = torch.tensor(ends if inner > 1 else [*ends, -largest / 100, largest / 100, -1e-30, 1e-30, 16.0, -16.0])
    target_values = _extreme_targets(case)
    lines = torch.cartesian_prod(*[corners.double()] * inner).view(-1, inner)
    paired = lines.repeat_interleave(len(target_values), dim=0)
    sample = Sample(
        paired if outputs(case) else paired[:, 0], target_values.repeat(len(lines), *(1,) * (target_values.ndim - 1))
    )
    yield Sample(sample.raw[None], sample.target[None])
    yield Sample(sample.raw[:, None], sample.target[:, None])


def _extreme_targets(case: Case) -> Tensor:
    """The targets at the ends of the domain, [n] or [n, L]."""
    outcomes = tasks.get(case.task).outcomes(width(case))
    if outcomes is not None:
        return outcomes
    ends = {"any number": [-LARGEST, 0.0, LARGEST], "number > 0": [1.0 / LARGEST, 1.0, LARGEST]}
    return torch.tensor(ends.get(case.loss.target, [0.0, 1.0, LARGEST]), dtype=torch.float64)


def settings(loss: Loss, given: Mapping[str, Any], task: str) -> list[dict[str, Any]]:
    """The options to try: those that are given; else the defaults, and every option set to something else."""
    rules = {name: choices(option)[0] for name, option in loss.options.items() if _is_a_rule(option)}
    needed = rules | filled(loss, given)
    if given or not loss.options:
        return [{**needed, **given}]
    return [needed, {name: choices(option)[-1] for name, option in loss.options.items()}]


def filled(loss: Loss, given: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each option that must be given and is not: 1 where it may be.

    >>> from losscli.losses import find
    >>> filled(find("cost-sensitive", "binary"), {"false_negative": 5})
    {'false_positive': 1.0}
    """
    missing = [option for option in loss.options.values() if option.required and option.name not in given]
    return {option.name: _plain(option) for option in missing}


def _plain(option: Option) -> Any:
    accepts = option.accepts
    return 1.0 if isinstance(accepts, Bounds) and accepts.allow(1.0) else choices(option)[0]


def _is_a_rule(option: Option) -> bool:
    """Whether the default is a rule over a training split, which no kernel could take."""
    return isinstance(option.accepts, PerClass) and not option.required and option.default is not None


def choices(option: Option) -> list[Any]:
    """A few different values that an option allows."""
    accepts = option.accepts
    if isinstance(accepts, Choice):
        return list(accepts.names)
    if isinstance(accepts, Several):
        values = numbers(accepts.bounds)
        return [values[:2], values]
    if isinstance(accepts, PerClass):
        if option.name == "pos_weight":
            return [0.5, 2.0, 3.0]
        scale = 20.0 if "training" in accepts.rules else 1.0
        return [[scale * part for part in parts] for parts in ([1.0, 2.0, 3.0, 4.0], [4.0, 1.0, 0.5, 2.0])]
    return numbers(accepts)


def numbers(bounds: Bounds) -> list[float]:
    """Three different numbers within bounds, in order."""
    low = bounds.low if math.isfinite(bounds.low) else min(-1.0, bounds.high - 3.0)
    high = bounds.high if math.isfinite(bounds.high) else low + 3.0
    return [low + part * (high - low) for part in (0.25, 0.5, 0.8)]
