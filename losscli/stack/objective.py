"""The objective: every run's own loss on its own outputs. Rows that share a loss are judged in one call.

An option that differs between the rows of one loss becomes a tensor that broadcasts over them, so a grid of options costs one
call. What a loss must know of the data (class weights) comes from each run's training split.

A weighted mean is a ratio of two sums, which come along with it: over several batches the sums add up, the ratios do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import accumulate, groupby
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from losscli.data.dataset import Dataset
from losscli.errors import CodeError, said, theirs
from losscli.losses import Bounds, Loss, Option, PerClass, taken
from losscli.losses.weights import class_counts, class_weights, positive_weight, sample_weights
from losscli.stack.head import Head
from losscli.stack.rows import Run
from losscli.tasks import Task
from losscli.tasks.phases import LossInputs

Function = Callable[..., Tensor]
Value = float | Tensor | str | list[float] | None


class MeanLosses(NamedTuple):
    """The losses of R runs on a batch or a split. The sums are None where all rows count 1 in all runs, and NaN for a run
    in which they do.
    """

    mean: Tensor  # [R], NaN where no row counts
    total: Tensor | None = None  # [R], the sum of weighted losses
    counts: Tensor | None = None  # [R], the sum of weights

    def in_type(self, dtype: torch.dtype) -> MeanLosses:
        """The same with means of that type: a loss in its own units is float64, and gradients are not."""
        return self if self.mean.dtype == dtype else self._replace(mean=self.mean.to(dtype))


class Tally:
    """The mean loss of R runs over several batches: the ratio of the sums over all of them, not the mean of the ratios.

    >>> tally = Tally(1, torch.device("cpu"))
    >>> for total, count in ((1.0, 1.0), (9.0, 3.0), (0.0, 0.0)):
    ...     tally.add(MeanLosses(*torch.tensor([[total / count if count else torch.nan], [total], [count]])), rows=4)
    >>> tally.mean.tolist()  # (1 + 9) / (1 + 3)
    [2.5]
    """

    def __init__(self, runs: int, device: torch.device):
        self.rows = 0
        self.plain = torch.zeros(runs, device=device)  # the sum over the rows, which count alike
        self.total: Tensor | None = None  # float64, as the next: weights may be far apart
        self.count: Tensor | None = None

    def add(self, losses: MeanLosses, rows: int) -> None:
        """One more batch of so many rows."""
        self.rows += rows
        self.plain.add_(losses.mean.detach(), alpha=rows)
        if losses.total is not None and losses.counts is not None:
            total, count = losses.total.detach().double(), losses.counts.double()
            self.total = total if self.total is None else self.total + total
            self.count = count if self.count is None else self.count + count

    def state(self) -> dict[str, Any]:
        """What has been added so far; `of` goes on from there."""
        sums = {"plain": self.plain, "total": self.total, "count": self.count}
        return {"rows": self.rows, **{name: None if total is None else total.clone() for name, total in sums.items()}}

    @classmethod
    def of(cls, state: Mapping[str, Any], device: torch.device) -> Tally:
        """A tally that goes on from a `state`, of tensors or arrays."""
        tally = cls(len(state["plain"]), device)
        tally.rows = int(state["rows"])
        for name in ("plain", "total", "count"):
            total = state[name]
            setattr(tally, name, None if total is None else torch.as_tensor(total).to(device, copy=True))
        return tally

    @property
    def counted(self) -> Tensor:
        """Whether any row has counted, [R]."""
        some = torch.full_like(self.plain, self.rows, dtype=torch.float64)
        return (some if self.count is None else some.where(self.count.isnan(), self.count)) > 0

    @property
    def mean(self) -> Tensor:
        """[R], NaN where no row has counted."""
        plain = self.plain / self.rows
        if self.total is None or self.count is None:
            return plain
        ratio = (self.total / self.count).masked_fill(self.count == 0, torch.nan).to(plain.dtype)
        return plain.where(self.count.isnan(), ratio)


@dataclass(frozen=True)
class Group:
    """Rows next to each other that share a loss and what stands before it."""

    loss: Loss
    head: Head
    options: dict[str, Value]
    class_weight: Tensor | None  # [r, 1, K], for a kernel that does not weigh classes itself
    own: Mapping[str, Tensor] = field(default_factory=dict)  # the loss's own weights, [r, *shape] each
    _bound: dict[Function, Function] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def own_weight(self) -> Tensor | None:
        """[r, 1, K], for a kernel that has weighed each sample by its class."""
        option, value = self.loss.options.get("weight"), self.options.get("weight")
        return value if isinstance(value, Tensor) and option and isinstance(option.accepts, PerClass) else None

    def bound(self, function: Function) -> Function:
        """A kernel, a penalty or the projection of the loss with those of the options that it takes."""
        bound = self._bound.get(function)
        if bound is None:
            bound = self._bound[function] = partial(function, **taken(function, self.options))
        return bound

    def judge(self, inputs: LossInputs, kernel: str = "loss") -> MeanLosses:
        """The losses of each run, [r], of raw outputs [r, B, O]: weighted, a mean divides by the sum of weights."""
        target, weight = inputs.target, inputs.weight
        seen = [self.head.receive(output) for output in inputs.outputs]
        if target is not None:
            seen.append(self.head.truth(target))
        function = self.bound(self.loss.kernel(kernel))
        if self.loss.over_batch:
            return MeanLosses(self._over_batch(function, seen))
        values = function(*seen, *self.own.values())
        if values.ndim > 2:  # a loss per value: over the labels or outputs of one row
            values = values.flatten(2).mean(-1)  # [r, B, L] -> [r, B]
        counts = weight  # how much each sample counts in the sum of weights
        if target is not None and self.class_weight is not None:
            of_class = sample_weights(self.class_weight, _classes(target))
            values, counts = values * of_class, of_class if counts is None else counts * of_class
        elif target is not None and self.own_weight is not None:
            of_class = sample_weights(self.own_weight, target)
            counts = of_class if counts is None else counts * of_class
        if weight is not None:
            values = values * weight
        if counts is None:
            return MeanLosses(values.mean(-1))
        total, count = values.sum(-1), counts.sum(-1)
        # Not only 0 / 0: label smoothing gives a row a loss though its own class has weight 0.
        return MeanLosses((total / count).masked_fill(count == 0, torch.nan), total, count)

    def _over_batch(self, function: Function, seen: Sequence[Tensor]) -> Tensor:
        """One number per run; of several targets [r, B, O] that have nothing to do with each other, the mean over them."""
        if seen[-1].ndim == 3 and not self.head.task.rows_have_several_outputs:
            return function(*(tensor.transpose(1, 2) for tensor in seen)).mean(-1)
        return function(*seen, *self.own.values())


def _classes(target: Tensor) -> Tensor:
    """Class indices [r, B], or shares of the classes [r, B, K]: of no and yes for a binary target, which is floats."""
    if target.ndim == 3:
        return target
    return torch.stack([1 - target, target], -1) if target.is_floating_point() else target


class Objective:
    """The losses of a stack's rows; `own` are the weights of the losses, by group."""

    def __init__(
        self, runs: Sequence[Run], task: Task, device: torch.device, own: Sequence[Mapping[str, Tensor]] | None = None
    ):
        groups = alike(runs)
        self.sizes = [len(group) for group in groups]  # the rows of each group
        stops = list(accumulate(self.sizes))
        self.spans = [slice(stop - size, stop) for size, stop in zip(self.sizes, stops, strict=True)]
        self.groups: list[Group] = []
        self.failures: dict[int, str] = {}  # by its place among the groups, why a loss of the user's gave up
        for group, weights in zip(groups, own or [{}] * len(groups), strict=True):
            by_class = _class_weight(group, device) if group[0].weight is not None else None
            head, options = Head(group, task, device), _merge(group, device)
            self.groups.append(Group(group[0].loss, head, options, by_class, weights))
        pairs = zip(self.groups, self.spans, strict=True)
        self.projected = [(group, rows) for group, rows in pairs if group.loss.projection]

    def __call__(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """The mean loss of every run, [R], of raw outputs [R, B, O], targets [R, B, ...] and sample weights [R, B]."""
        return self.judge(LossInputs((output,), target, weight)).mean

    def judge(self, inputs: LossInputs, kernel: str = "loss") -> MeanLosses:
        """The mean loss of every run, and the sums that it is the ratio of."""
        if len(self.groups) == 1:
            return self._judge(0, inputs, kernel).in_type(inputs.outputs[0].dtype)
        # split, not slices: its backward is one concatenation, where each slice would fill a whole gradient of zeros
        outputs = zip(*(torch.split(output, self.sizes) for output in inputs.outputs), strict=True)
        targets, weights = self._of_groups(inputs.target), self._of_groups(inputs.weight)
        losses = [
            self._judge(place, LossInputs(raw, truth, counts), kernel).in_type(raw[0].dtype)
            for place, (raw, truth, counts) in enumerate(zip(outputs, targets, weights, strict=True))
        ]
        return _joined(losses)

    def _judge(self, place: int, inputs: LossInputs, kernel: str) -> MeanLosses:
        """The losses of one group; NaN, with a gradient of 0, from the moment on in which code of the user's gives up."""
        if place not in self.failures:
            try:
                losses = self.groups[place].judge(inputs, kernel)
                _refuse_nonsense(self.groups[place].loss.name, losses.mean, inputs.outputs[0])
                return losses
            except CodeError as error:
                self.failures[place] = _told(error)
        still = torch.stack([output.flatten(1).sum(1) for output in inputs.outputs]).sum(0) * 0.0
        return MeanLosses(still.nan_to_num(0.0, 0.0, 0.0) + torch.nan)

    def blame(self, error: BaseException) -> bool:
        """Whether an error on the way back comes from code of the user's, which has given up then.

        It has a stack to itself, and what torch says of a wrong gradient names no line of it.
        """
        guilty = [
            place
            for place, group in enumerate(self.groups)
            if place not in self.failures and hasattr(group.loss.function, "tidy")
        ]
        if not theirs(error) or isinstance(error, (MemoryError, torch.OutOfMemoryError)):
            return False
        for place in guilty:
            self.failures[place] = f"{self.groups[place].loss.name} raises {said(error)}, in its backward"
        return bool(guilty)

    @property
    def own(self) -> list[Any]:
        """The code of the user's own among the losses."""
        return [group.loss.function for group in self.groups if hasattr(group.loss.function, "tidy")]

    def failed(self) -> dict[int, str]:
        """Why the loss of each run gave up, by its row; of those that did."""
        return {
            row: reason
            for place, reason in self.failures.items()
            for row in range(self.spans[place].start, self.spans[place].stop)
        }

    def _of_groups(self, tensor: Tensor | None) -> Sequence[Tensor | None]:
        return [None] * len(self.groups) if tensor is None else torch.split(tensor, self.sizes)

    def project(self, kernel: str, weights: Tensor, resting: Tensor | None) -> None:
        """Put the weights [R, P] that the kernel has moved where their losses want them, but for rows that rest."""
        for group, rows in self.projected:
            if kernel not in group.loss.kernels:
                own = weights[rows]
                projected = group.bound(group.loss.projection)(own)  # type: ignore[arg-type]
                own.copy_(projected if resting is None else torch.where(resting[rows], own, projected))


def _refuse_nonsense(name: str, mean: Tensor, output: Tensor) -> None:
    """`CodeError` where a loss returns what no gradient can be had of, or not a number per run."""
    if mean.shape != output.shape[:1]:
        raise CodeError(f"{name} returns the shape {list(mean.shape)} where {list(output.shape[:1])} is due")
    if not mean.is_floating_point():
        raise CodeError(f"{name} returns numbers of the type {mean.dtype}")
    if output.requires_grad and torch.is_grad_enabled() and not mean.requires_grad:
        raise CodeError(f"{name} returns a tensor without a gradient")


def _told(error: CodeError) -> str:
    place = error.problems[0].place
    return f"{error}" if place is None else f"{error} ({place})"


def _joined(losses: Sequence[MeanLosses]) -> MeanLosses:
    """The losses of all groups as one."""
    mean = torch.cat([group.mean for group in losses])
    if all(group.counts is None for group in losses):
        return MeanLosses(mean)
    blanks = [torch.full_like(group.mean, torch.nan) for group in losses]
    totals = [blank if group.total is None else group.total for group, blank in zip(losses, blanks, strict=True)]
    counts = [blank if group.counts is None else group.counts for group, blank in zip(losses, blanks, strict=True)]
    return MeanLosses(mean, torch.cat(totals), torch.cat(counts))


def alike(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs in groups, in their order: those next to each other that can be judged in one call."""
    return [list(group) for _, group in groupby(runs, _likeness)]


def _likeness(run: Run) -> tuple[Loss, tuple[str, ...], bool, str]:
    """What rows must share to be judged in one call: the loss, its chain, which options are on, and words and lists."""
    fixed = {name: str(value) for name, value in run.settings.items() if not _varies(run.loss.options[name], value)}
    return run.loss, run.output, run.weight is None, repr(sorted(fixed.items()))


def _varies(option: Option, value: Any) -> bool:
    return value is not None and isinstance(option.accepts, (Bounds, PerClass))


def _class_weight(runs: Sequence[Run], device: torch.device) -> Tensor:
    weights = [
        class_weights(run.weight, run.dataset.parts["train"].counted_target, run.dataset.target.labels) for run in runs
    ]
    return torch.from_numpy(np.stack(weights)).to(device)[:, None, :]  # [r, 1, K]


def _merge(runs: Sequence[Run], device: torch.device) -> dict[str, Value]:
    loss, merged = runs[0].loss, {}
    for name in loss.options:
        values = [resolve(run.settings[name], name, loss, run.dataset) for run in runs]
        merged[name] = _broadcast(values, loss, runs[0].dataset, device)
    return merged


def resolve(value: Any, name: str, loss: Loss, dataset: Dataset) -> Any:
    """A number, or one number per class or label [K], computed from the training split where a rule asks for it."""
    accepts = loss.options[name].accepts
    if value is None or not isinstance(accepts, PerClass):
        return value
    target, labels = dataset.parts["train"].counted_target, dataset.target.labels
    rule: Callable[..., float | np.ndarray] = positive_weight if name == "pos_weight" else class_weights
    values = (class_counts if "training" in accepts.rules else rule)(value, target, labels)
    return np.asarray(values, dtype=np.float32) if np.ndim(values) else float(values)


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
