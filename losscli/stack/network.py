"""A network for R runs: all parameters are one matrix [R, P], and the layers look at it through views.

One matrix makes everything that is done per run one operation: an optimizer step, a gradient norm, a check for NaN, keeping the
best weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from losscli.stack.chance import generator
from losscli.stack.layers import ForwardContext, Layer, Tensors


@dataclass(frozen=True)
class Slot:
    """Where one parameter of one layer lies in a row of the matrix."""

    layer: int
    name: str
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def title(self) -> str:
        return f"layers.{self.layer}.{self.name}"

    def view(self, matrix: Tensor) -> Tensor:
        return matrix[:, self.start : self.stop].view(-1, *self.shape)  # [R, P] -> [R, *shape]


def slots_of(parts: Sequence[Mapping[str, tuple[int, ...]]]) -> list[Slot]:
    """Where the parameters of each part lie, one after another."""
    slots: list[Slot] = []
    start = 0
    for layer, shapes in enumerate(parts):
        for name, shape in shapes.items():
            slots.append(Slot(layer, name, shape, start, start + math.prod(shape)))
            start += math.prod(shape)
    return slots


class Network:
    """The layers of one architecture, with the layout of their parameters and statistics.

    >>> from losscli.stack.layers import Linear
    >>> net = Network([Linear(3, 2)])
    >>> matrix = net.draw(0)[None]  # one run: [1, P]
    >>> net.bind(matrix, net.rest(1))(torch.zeros(1, 5, 3), ForwardContext()).shape
    torch.Size([1, 5, 2])

    Where rows begin with an offset, `offset` is how many outputs a target has: the first is a log-rate that it is added to.
    """

    def __init__(self, layers: Sequence[Layer], offset: int | None = None):
        self.layers, self.offset = list(layers), offset
        self.slots = slots_of([layer.shapes() for layer in self.layers])
        self._statistics = [layer.statistics() for layer in self.layers]
        self.statistic_slots = slots_of(
            [{name: tuple(tensor.shape) for name, tensor in tensors.items()} for tensors in self._statistics]
        )

    @property
    def parameters(self) -> int:
        """P: the parameters of one run."""
        return self.slots[-1].stop if self.slots else 0

    def draw(self, seed: int, place: int = 0) -> Tensor:
        """One run's initial parameters [P], from its seed alone; each layer draws from its own stream. `place` is that of the
        network among those of its task.
        """
        drawn = [
            layer.draw(generator(seed, "weights", draw_place(place, index))) for index, layer in enumerate(self.layers)
        ]
        return torch.cat([tensor.flatten() for tensors in drawn for tensor in tensors.values()])

    def rest(self, runs: int) -> Tensor:
        """The initial statistics of R runs, [R, Q]; Q is 0 without batch norm."""
        parts = [tensor.flatten() for tensors in self._statistics for tensor in tensors.values()]
        return torch.cat(parts).repeat(runs, 1) if parts else torch.empty(runs, 0)

    def widen(self, row: Tensor, own: Network) -> Tensor:
        """A row [P_own] drawn for a narrower `own` network, padded with zeros to this one's shapes: [P].

        Data of one seed may have fewer features than another's, or fewer levels of an embedded category; the weights of
        features that are always zero stay zero, and those of levels that never occur are never looked up.
        """
        padded = torch.zeros(self.parameters)
        for slot, narrow in zip(self.slots, own.slots, strict=True):
            corner = tuple(slice(size) for size in narrow.shape)
            padded[slot.start : slot.stop].view(slot.shape)[corner] = row[narrow.start : narrow.stop].view(narrow.shape)
        return padded

    def bind(self, weights: Tensor, statistics: Tensor) -> Bound:
        """The network with the parameters [R, P] and statistics [R, Q] of R runs, which it sees through views."""
        # Leaves that share memory with the matrix: a gradient per slot, and a step on the matrix in place is seen by both.
        leaves = [slot.view(weights).detach().requires_grad_() for slot in self.slots]
        views = [slot.view(statistics) for slot in self.statistic_slots]
        by_layer = [
            (layer, _of(index, self.slots, leaves), _of(index, self.statistic_slots, views))
            for index, layer in enumerate(self.layers)
        ]
        return Bound(leaves, by_layer, self.offset)

    def cost(self, batch: int) -> int:
        """Bytes that one run's step works on: parameters, gradients, two moments, an update; activations and theirs."""
        units = sum(layer.units() for layer in self.layers)
        return 4 * (6 * self.parameters + 3 * batch * units)

    def named(self, weights: Tensor, statistics: Tensor) -> dict[str, np.ndarray]:
        """One run's weights [P] and statistics [Q] by name, as an ordinary model would have them."""
        parts = ((self.slots, weights), (self.statistic_slots, statistics))
        return {slot.title: slot.view(row[None])[0].numpy().copy() for slots, row in parts for slot in slots}


def _of(layer: int, slots: Sequence[Slot], tensors: Sequence[Tensor]) -> dict[str, Tensor]:
    return {slot.name: tensor for slot, tensor in zip(slots, tensors, strict=True) if slot.layer == layer}


@dataclass(frozen=True)
class Bound:
    """A network with the parameters of R runs: `leaves` are autograd's way into their matrix, [R, *shape] each."""

    leaves: Sequence[Tensor]
    layers: Sequence[tuple[Layer, Tensors, Tensors]]
    offset: int | None = None

    def __call__(self, x: Tensor, context: ForwardContext) -> Tensor:
        """Raw outputs [R, B, O] of rows x [R, B, F]."""
        first, x = split_off(x, self.offset)
        for layer, weights, statistics in self.layers:
            x = layer(x, weights, statistics, context)
        return shifted(x, first, self.offset)

    def select(self, rows: Tensor) -> Bound:
        """The same of the runs at `rows` [r] (int64): gradients reach these leaves, statistics are copies."""

        def subset(tensors: Tensors) -> dict[str, Tensor]:
            return {name: tensor.index_select(0, rows) for name, tensor in tensors.items()}

        layers = [(layer, subset(own), subset(statistics)) for layer, own, statistics in self.layers]
        return Bound(self.leaves, layers, self.offset)


def split_off(x: Tensor, offset: int | None) -> tuple[Tensor | None, Tensor]:
    """The offset [..., 1] that rows x [..., F] begin with, if they do, and what a network sees of them."""
    return (None, x) if offset is None else (x[..., :1], x[..., 1:])


def shifted(outputs: Tensor, first: Tensor | None, offset: int | None) -> Tensor:
    """Raw outputs [..., O] with the offset [..., 1] added to the first of every `offset` of them.

    >>> shifted(torch.zeros(1, 4), torch.tensor([[0.5]]), 2).tolist()
    [[0.5, 0.0, 0.5, 0.0]]
    """
    if first is None or offset is None:
        return outputs
    return outputs + on_rates(first, offset).tile(outputs.shape[-1] // offset)


def on_rates(logs: Tensor, heads: int) -> Tensor:
    """What is added to the log-rates [..., 1] of outputs [..., heads]: to the first of them, and 0 to the others.

    >>> on_rates(torch.tensor([0.5]), 2).tolist()
    [0.5, 0.0]
    """
    return torch.nn.functional.pad(logs, (0, heads - 1))


def draw_place(network: int, layer: int = 0) -> int:
    """Which stream a layer's weights are drawn from; those of the first network are numbered as its layers."""
    return (network << 16) + layer


def gather(gradients: Sequence[Tensor], out: Tensor) -> Tensor:
    """The gradients of all parameters as one matrix [R, P], in the order of the slots."""
    return torch.cat([gradient.flatten(1) for gradient in gradients], dim=1, out=out)
