"""The smallest example: fewer runs, fewer samples and rounder numbers, as long as the property still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from losscli.errors import CodeError
from losscli.losses.domain import DOMAINS
from losscli.verify import Case, Property, Sample

MOST_TRIES = 400
FEW = 24  # numbers that are rounded one by one


def says(tried: Property, case: Case, sample: Sample) -> str | None:
    """What is wrong with a sample, if anything; a loss that raises is wrong."""
    try:
        return tried.check(case, sample)
    except CodeError as error:
        return f"{error} (at {error.problems[0].place})" if error.problems[0].place else str(error)


def smallest(tried: Property, case: Case, sample: Sample) -> Sample:
    """A sample that fails, from which nothing can be taken and no number rounded without its passing."""
    tries = 0
    shrinking = True
    while shrinking:
        shrinking = False
        for smaller in _simpler(case, sample):
            tries += 1
            if tries > MOST_TRIES:
                return sample
            if says(tried, case, smaller):
                sample, shrinking = smaller, True
                break
    return sample


def _simpler(case: Case, sample: Sample) -> Iterator[Sample]:
    """Samples a step simpler, the boldest first."""
    for dimension in (0, 1):
        for keep in _parts(sample.raw.shape[dimension]):
            yield Sample(sample.raw.index_select(dimension, keep), sample.target.index_select(dimension, keep))
    for rounded in (_to_zero, _to_whole, _to_tenths):
        yield from (Sample(raw, sample.target) for raw in _changed(sample.raw, rounded))
        if sample.target.is_floating_point():
            domain = DOMAINS.get(case.loss.target)
            for target in _changed(sample.target, rounded):
                if domain is None or domain.holds(target).all():
                    yield Sample(sample.raw, target)


def _parts(size: int) -> Iterator[Tensor]:
    """Which to keep: a half, a quarter ..., then all but one."""
    everything = torch.arange(size)
    chunk = size // 2
    while chunk >= 1:
        for start in range(0, size, chunk):
            part = torch.cat([everything[:start], everything[start + chunk :]])
            if len(part):
                yield part
        chunk //= 2


def _changed(numbers: Tensor, rounded: Callable[[Tensor], Tensor]) -> Iterator[Tensor]:
    """All numbers rounded, then each by itself; only what differs."""
    every = rounded(numbers)
    if not torch.equal(every, numbers):
        yield every
        for index in range(numbers.numel()) if numbers.numel() <= FEW else ():
            if every.view(-1)[index] != numbers.reshape(-1)[index]:
                one = numbers.clone()
                one.view(-1)[index] = every.view(-1)[index]
                yield one


def _to_zero(numbers: Tensor) -> Tensor:
    return torch.zeros_like(numbers)


def _to_whole(numbers: Tensor) -> Tensor:
    return numbers.round()


def _to_tenths(numbers: Tensor) -> Tensor:
    return numbers.round(decimals=1)
