"""The networks of a stack: what its task says of them, the layers that the spec's model makes of that, and what they learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from losscli.data.dataset import Layout
from losscli.stack.head import constant_of, sizes_of
from losscli.stack.job import Job
from losscli.stack.judging import Judging
from losscli.stack.layers import ForwardContext, Linear
from losscli.stack.models import Model
from losscli.stack.network import Network
from losscli.stack.objective import alike
from losscli.stack.rows import Rows, Run
from losscli.stack.train_state import LossState, NetworkState, TrainState, rates_of, ruled
from losscli.tasks.phases import NetworkSpec


def specs_of(run: Run, job: Job, layout: Layout | None = None) -> tuple[NetworkSpec, ...]:
    """The networks of a run, for its own features or for the `layout` of a whole stack."""
    return job.task.networks(sizes_of(run, job.task, layout), job.plan)


def network_of(spec: NetworkSpec, model: Model) -> Network:
    """The layers of one network."""
    layout = Layout(spec.inputs) if isinstance(spec.inputs, int) else spec.inputs
    layers = model.layers_for(layout, spec.outputs)
    if not spec.bias and isinstance(layers[-1], Linear):
        layers[-1] = replace(layers[-1], bias=False)
    return Network(layers, spec.heads if layout.offset else None)


def prefix_of(network: str) -> str:
    """What stands before the names of a network's weights where a run hands them out.

    >>> prefix_of("model"), prefix_of("generator")
    ('', 'generator.')
    """
    return "" if network == "model" else f"{network}."


def weights_of(network: str, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A run's weights of that network, by the names that it has for them itself."""
    prefix = prefix_of(network)
    return {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}


def cost_of(specs: Sequence[NetworkSpec], job: Job, rows: int | None = None) -> int:
    """Bytes that a step of one run works on; `rows` are those of its training split, of which a batch has no more."""
    batch = job.plan.batch_size if rows is None else min(job.plan.batch_size, rows)
    return sum(network_of(spec, job.model).cost(batch) for spec in specs)


def costs_of(runs: Sequence[Run], job: Job) -> int:
    """Bytes that a step of one of these runs works on, in a stack with the others."""
    rows = runs[0].dataset.parts["train"].rows
    return cost_of(specs_of(runs[0], job, Layout.widest(run.dataset.layout for run in runs)), job, rows)


def judging_of(run: Run, job: Job) -> Judging:
    """What judging a run goes through."""
    rows = {split: part.rows for split, part in run.dataset.parts.items()}
    return Judging.of(rows, specs_of(run, job)[0].outputs)


def bytes_of(runs: Sequence[Run], job: Job) -> int:
    """Of memory that a stack takes at once, while it is trained or while it is judged, beside the rows that it reads."""
    return max(len(runs) * costs_of(runs, job), judging_of(runs[0], job).peak(len(runs)))


class Networks(Mapping[str, NetworkState]):
    """By name, the networks of R runs in training; `inference` are the same as predictions are made of them.

    `own` are the weights of the losses, where some have any: they move in every phase.
    """

    def __init__(self, rows: Rows, job: Job, context: ForwardContext):
        self.rows, self.job = rows, job
        self.specs = specs_of(rows.runs[0], job, rows.layout)
        self._states = {spec.name: self._state(place, spec, context) for place, spec in enumerate(self.specs)}
        self.inference = {name: state.infer for name, state in self.items()}
        self.own = self._weights_of_losses() if any(run.loss.weights for run in rows.runs) else None
        self.learned: list[TrainState] = [*self.values(), *([self.own] if self.own else [])]

    def __getitem__(self, name: str) -> NetworkState:
        return self._states[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def _state(self, place: int, spec: NetworkSpec, context: ForwardContext) -> NetworkState:
        """The initial weights [P] of each run are drawn for its own number of features, then widened to the stack's."""
        network, drawn = network_of(spec, self.job.model), []
        for run in self.rows.runs:
            own = network_of(specs_of(run, self.job)[place], self.job.model)
            drawn.append(network.widen(self._begun(run, own, own.draw(run.seed, place)), own))
        weights = torch.stack(drawn).to(self.job.device)
        return NetworkState(
            network, weights, rates_of(self.rows.runs, spec.rule), ruled(self.job.plan, spec.rule), context
        )

    def _begun(self, run: Run, own: Network, row: Tensor) -> Tensor:
        """Initial weights [P] whose last biases say what a constant would, where runs train until they have settled."""
        last = own.slots[-1]
        constant = constant_of(run, self.job.task) if self.job.plan.patience == "auto" else None
        if constant is not None and last.name == "bias" and last.stop - last.start == len(constant):
            row[last.start : last.stop] += constant
        return row

    def _weights_of_losses(self) -> LossState:
        runs, rule = self.rows.runs, self.job.task.loss_rule(self.job.plan)
        outputs, place = self.specs[0].outputs, len(self.specs)
        return LossState(alike(runs), outputs, place, rates_of(runs, rule), ruled(self.job.plan, rule), self.job.device)

    @property
    def cost(self) -> int:
        """Bytes that one step of all runs works on."""
        return len(self.rows.runs) * cost_of(self.specs, self.job)

    @property
    def units(self) -> int:
        """How many numbers per row of a run lie between all layers."""
        return sum(layer.units() for state in self.values() for layer in state.network.layers)

    @property
    def finite(self) -> Tensor:
        """Whether all weights of a run are, [R] (bool)."""
        # Infinity times 0 is NaN, too. `isfinite` goes through them seven times as slowly.
        return torch.stack([(state.weights * 0).sum(dim=1) == 0 for state in self.learned]).all(dim=0)

    def inference_of(self, rows: Tensor) -> dict[str, Callable[[Tensor], Tensor]]:
        """By name, the networks of the runs at `rows` [r] alone, as predictions are made of them."""
        return {name: partial(state.infer, rows=rows) for name, state in self.items()}

    def moved(self, updates: Sequence[str]) -> list[TrainState]:
        """What a phase that updates these networks moves: them, and the weights of the losses."""
        return [*(self[name] for name in updates), *([] if self.own is None else [self.own])]

    def gradients(self, updates: Sequence[str], total: Tensor) -> tuple[Tensor, ...]:
        """Those of `total`, the sum of the runs' losses, by the leaves of what is moved."""
        return torch.autograd.grad(total, [leaf for state in self.moved(updates) for leaf in state.leaves])

    @torch.no_grad()
    def descend(
        self,
        updates: Sequence[str],
        gradients: Sequence[Tensor],
        factor: float,
        resting: Tensor | None,
        missing: Tensor | None,
    ) -> None:
        """Move these networks, and the weights of the losses, against the `gradients` of all their leaves."""
        remaining = iter(gradients)
        for state in self.moved(updates):
            state.descend(list(islice(remaining, len(state.leaves))), factor, resting, missing)

    def named(self) -> list[dict[str, np.ndarray]]:
        """The weights of each run by name; those of the network `model` by their own, others by that of what they belong to."""
        named: list[dict[str, np.ndarray]] = [{} for _ in self.rows.runs]
        for name, state in self.items():
            prefix = prefix_of(name)
            weights, statistics = state.weights.cpu(), state.statistics.cpu()
            for row, run in enumerate(named):
                own = state.network.named(weights[row], statistics[row])
                run.update({prefix + title: tensor for title, tensor in own.items()})
        for row, run in enumerate(named):
            own = {} if self.own is None else self.own.named(row)
            run.update({f"loss.{title}": tensor for title, tensor in own.items()})
        return named

    def state(self) -> list[dict[str, Any]]:
        """All that the next step of these depends on; `load` goes on from there."""
        return [state.state() for state in self.learned]

    def load(self, states: Sequence[Mapping[str, Any]]) -> None:
        for own, state in zip(self.learned, states, strict=True):
            own.load(state)
