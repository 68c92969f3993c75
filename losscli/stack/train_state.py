"""The state of one network in training: the weights of all runs, its statistics, what was best, its optimizer and rates.

A loss that has weights of its own has such a state, too: they are learned in the run's row as those of a network are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from losscli.stack.chance import generator
from losscli.stack.layers import ForwardContext
from losscli.stack.network import Bound, Network, draw_place, gather, slots_of
from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.plan import Plan
from losscli.stack.rows import Run
from losscli.tasks.phases import UpdateRule

AS_IT_PREDICTS = ForwardContext(training=False)


def put(value: Any, into: Tensor) -> None:
    """Copy a tensor or an array into a tensor of the same shape and type; `ValueError` for another, which would be spread."""
    tensor = torch.as_tensor(value)
    if (tensor.shape, tensor.dtype) != (into.shape, into.dtype):
        raise ValueError(f"{tuple(tensor.shape)} {tensor.dtype} for {tuple(into.shape)} {into.dtype}")
    into.copy_(tensor)


def ruled(plan: Plan, rule: UpdateRule) -> Plan:
    """The plan with what the rule says in its place."""
    betas = None if rule.betas is None else list(rule.betas)
    own = {"betas": betas, "optimizer": rule.optimizer, "weight_decay": rule.weight_decay}
    return plan.model_copy(update={key: value for key, value in own.items() if value is not None})


def rates_of(runs: Sequence[Run], rule: UpdateRule) -> list[float]:
    """The learning rate of each run: its own where the rule has none."""
    return [run.lr if rule.lr is None else rule.lr for run in runs]


class TrainState:
    """Weights [R, P] and statistics [R, Q]; `leaves` are autograd's way into the weights, and `descend` moves them."""

    def __init__(self, weights: Tensor, statistics: Tensor, leaves: Sequence[Tensor], lrs: Sequence[float], plan: Plan):
        self.weights, self.statistics, self.leaves = weights, statistics, leaves
        self.rates = torch.tensor([[lr] for lr in lrs], device=weights.device)  # [R, 1]
        self.best = (weights.clone(), statistics.clone()) if plan.patience else ()
        self.optimizer = OPTIMIZERS[plan.optimizer](plan, weights)
        self.gradients = torch.zeros_like(weights)

    def descend(
        self, gradients: Sequence[Tensor], factor: float, resting: Tensor | None, missing: Tensor | None
    ) -> None:
        """One step against the gradients of the leaves, at `factor` of each run's rate; see `Optimizer.step`."""
        self.collect(gradients)
        rates = self.rates if factor == 1 else self.rates * factor
        self.optimizer.step(self.gradients, rates, resting, missing)

    def collect(self, gradients: Sequence[Tensor]) -> None:
        """Put the gradients of the leaves where the weights lie in the matrix."""
        gather(gradients, out=self.gradients)

    def keep(self, better: Tensor) -> None:
        """Note that the runs of `better` [R, 1] (bool) are best as they are now, if the best is kept."""
        for best, now in zip(self.best, (self.weights, self.statistics), strict=False):
            best.copy_(torch.where(better, now, best))

    def restore(self) -> None:
        """Put what was best back, if it was kept."""
        for best, now in zip(self.best, (self.weights, self.statistics), strict=False):
            now.copy_(best)

    @property
    def _tensors(self) -> list[Tensor]:
        return [self.weights, self.statistics, *self.best, *self.optimizer.state]

    def state(self) -> dict[str, Any]:
        """All that the next step depends on: tensors and numbers; `load` goes on from there."""
        counts = {"steps": self.optimizer.steps, "missed": self.optimizer.missed}
        return {"tensors": [tensor.clone() for tensor in self._tensors], **counts}

    def load(self, state: Mapping[str, Any]) -> None:
        for own, value in zip(self._tensors, state["tensors"], strict=True):
            put(value, into=own)
        missed = state["missed"]
        self.optimizer.steps = int(state["steps"])
        self.optimizer.missed = missed if isinstance(missed, int) else torch.as_tensor(missed).to(self.weights.device)


class NetworkState(TrainState):
    """A network of the task; called, it is the network in training."""

    def __init__(self, network: Network, weights: Tensor, lrs: Sequence[float], plan: Plan, context: ForwardContext):
        self.network, self.context, self.rounded = network, context, plan.precision == "bf16"
        statistics = network.rest(len(weights)).to(weights.device)
        self.bound = network.bind(weights, statistics)
        super().__init__(weights, statistics, self.bound.leaves, lrs, plan)

    def __call__(self, x: Tensor) -> Tensor:
        if not self.rounded:
            return self.bound(x, self.context)
        with torch.autocast(x.device.type, torch.bfloat16):
            return self.bound(x, self.context).to(x.dtype)  # losses are float32

    def infer(self, x: Tensor, rows: Tensor | None = None) -> Tensor:
        """Raw outputs as predictions are made of them: without noise, and with the statistics as they are; of all runs, or of
        those at `rows` [r].
        """
        return self.at(rows)(x, AS_IT_PREDICTS)

    def at(self, rows: Tensor | None) -> Bound:
        """The network of the runs at `rows` alone; None: of all."""
        return self.bound if rows is None else self.bound.select(rows)


class LossState(TrainState):
    """The weights of losses, [R, P]: the runs of a group, next to each other, have theirs at the left of their rows.

    `by_group` are the leaves of each group by name, [r, *shape]; a group whose loss has no weights has none.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[Run]],
        outputs: int,
        place: int,
        lrs: Sequence[float],
        plan: Plan,
        device: torch.device,
    ):
        self.slots = [slots_of([_shapes(group[0], outputs)]) for group in groups]
        stops = accumulate(len(group) for group in groups)
        self.spans = [slice(stop - len(group), stop) for group, stop in zip(groups, stops, strict=True)]
        width = max(slots[-1].stop if slots else 0 for slots in self.slots)
        weights = torch.zeros(sum(map(len, groups)), width)
        for row, run in zip(weights, (run for group in groups for run in group), strict=True):
            drawn = _draw(run, outputs, place)
            row[: len(drawn)] = drawn
        weights = weights.to(device)
        self.by_group = [
            {slot.name: slot.view(weights[span]).detach().requires_grad_() for slot in slots}
            for span, slots in zip(self.spans, self.slots, strict=True)
        ]
        leaves = [leaf for own in self.by_group for leaf in own.values()]
        super().__init__(weights, weights.new_empty(len(weights), 0), leaves, lrs, plan)

    def collect(self, gradients: Sequence[Tensor]) -> None:
        remaining = iter(gradients)  # what no loss has stays 0
        for span, slots in zip(self.spans, self.slots, strict=True):
            for slot, gradient in zip(slots, islice(remaining, len(slots)), strict=True):
                self.gradients[span, slot.start : slot.stop] = gradient.flatten(1)

    def named(self, row: int) -> dict[str, np.ndarray]:
        """The weights of the loss of one run, by name."""
        slots = next(slots for span, slots in zip(self.spans, self.slots, strict=True) if row < span.stop)
        own = self.weights[row : row + 1].cpu()
        return {slot.name: slot.view(own)[0].numpy().copy() for slot in slots}


def _shapes(run: Run, outputs: int) -> dict[str, tuple[int, ...]]:
    classes = len(run.dataset.target.labels)
    return {name: weight.shape(classes, outputs, run.settings) for name, weight in run.loss.weights.items()}


def _draw(run: Run, outputs: int, place: int) -> Tensor:
    """The initial weights [P] of a run's loss, from the run's seed."""
    chance = generator(run.seed, "weights", draw_place(place))
    shapes = _shapes(run, outputs)
    drawn = [run.loss.weights[name].draw(shape, chance).flatten() for name, shape in shapes.items()]
    return torch.cat(drawn) if drawn else torch.empty(0)
