"""The objective: every run's own loss on its own outputs. Rows that share a loss are judged in one call.

An option that differs between the rows of one loss becomes a tensor that broadcasts over them, so a grid of options costs one
call. What a loss must know of the data (class weights) comes from each run's training split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from losscli.data.dataset import Dataset
from losscli.losses import Bounds, Loss, Option, PerClass
from losscli.losses.weights import class_weights, positive_weight, sample_weights
from losscli.stack.output import through
from losscli.stack.rows import Run
from losscli.tasks import Task

Value = float | Tensor | str | list[float] | None


@dataclass(frozen=True)
class Group:
    """Rows next to each other that share a loss and what stands before it."""

    rows: slice
    loss: Loss
    chain: tuple[str, ...]
    options: dict[str, Value]

    def judge(self, raw: Tensor, target: Tensor) -> Tensor:
        """The mean loss of each run, [r], of raw outputs [r, B, ...]."""
        values = self.loss.function(through(self.chain, raw), target, **self.options)
        if self.loss.over_batch:
            return values
        if values.ndim > 2:  # a loss per value: over the labels or outputs of one row
            values = values.flatten(2).mean(-1)  # [r, B, L] -> [r, B]
        weight = self.options.get("weight")
        if isinstance(weight, (float, Tensor)):
            # The kernel has weighted each sample; a weighted mean divides by the sum of weights.
            return values.sum(-1) / sample_weights(weight, target).sum(-1)
        return values.mean(-1)


class Objective:
    """The losses of a stack's rows."""

    def __init__(self, runs: Sequence[Run], task: Task, device: torch.device):
        self.task = task
        self.groups: list[Group] = []
        start = 0
        for (loss, chain, _), members in groupby(runs, _alike):
            found = list(members)
            rows = slice(start, start + len(found))
            self.groups.append(Group(rows, loss, chain, _merge(found, loss, device)))
            start = rows.stop

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean loss of every run, [R], of raw outputs [R, B, O] and targets [R, B, ...]."""
        raw = self.task.shape(output)
        judged = [group.judge(raw[group.rows], target[group.rows]) for group in self.groups]
        return judged[0] if len(judged) == 1 else torch.cat(judged)


def _alike(run: Run) -> tuple[Loss, tuple[str, ...], str]:
    """What rows must share to be judged in one call: the loss, its chain, which options are on, and words and lists."""
    options = {name: option.default for name, option in run.loss.options.items()} | dict(run.options)
    fixed = {name: str(value) for name, value in options.items() if not _varies(run.loss.options[name], value)}
    return run.loss, run.output, repr(sorted(fixed.items()))


def _varies(option: Option, value: Any) -> bool:
    return value is not None and isinstance(option.accepts, (Bounds, PerClass))


def _merge(runs: Sequence[Run], loss: Loss, device: torch.device) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for name, option in loss.options.items():
        values = [_resolve(run.options.get(name, option.default), name, loss, run.dataset) for run in runs]
        merged[name] = _broadcast(values, loss, runs[0].dataset, device)
    return merged


def _resolve(value: Any, name: str, loss: Loss, dataset: Dataset) -> Any:
    """A number, or one number per class or label [K], computed from the training split where a rule asks for it."""
    if value is None or not isinstance(loss.options[name].accepts, PerClass):
        return value
    target, labels = dataset.parts["train"].target, dataset.target.labels
    rule = positive_weight if name == "pos_weight" else class_weights
    found = rule(value, target, labels)
    return np.asarray(found, dtype=np.float32) if np.ndim(found) else float(found)


def _broadcast(values: Sequence[Any], loss: Loss, dataset: Dataset, device: torch.device) -> Value:
    """None or a number where all runs agree; else [r, 1], or [r, 1, 1 or K] where the loss sees [r, B, K]."""
    first: Any = values[0]
    if first is None or isinstance(first, (str, list)) or (np.ndim(first) == 0 and all(one == first for one in values)):
        return first  # type: ignore[no-any-return]
    stacked = torch.from_numpy(np.stack([np.asarray(value, dtype=np.float32) for value in values])).to(device)
    if stacked.ndim == 2:
        return stacked[:, None, :]  # [r, 1, K]
    inner = dataset.parts["train"].target.ndim if loss.per_value else 1
    return stacked.view(-1, *(1,) * inner)
