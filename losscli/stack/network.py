"""A network for R runs: all parameters are one matrix [R, P], and the layers look at it through views.

One matrix makes everything that is done per run one operation: an optimizer step, a gradient norm, a check for NaN, keeping the
best weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from losscli.stack.chance import generator
from losscli.stack.layers import Layer, Pass


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


def _slots(parts: Sequence[dict[str, Tensor]]) -> list[Slot]:
    found: list[Slot] = []
    start = 0
    for layer, tensors in enumerate(parts):
        for name, tensor in tensors.items():
            found.append(Slot(layer, name, tuple(tensor.shape), start, start + tensor.numel()))
            start += tensor.numel()
    return found


class Network:
    """The layers of one architecture, with the layout of their parameters and statistics.

    >>> from losscli.stack.layers import Linear
    >>> net = Network([Linear(3, 2)])
    >>> matrix = net.draw(0)[None]  # one run: [1, P]
    >>> net.forward(torch.zeros(1, 5, 3), net.views(matrix), net.views_of_statistics(net.rest(1)), Pass()).shape
    torch.Size([1, 5, 2])
    """

    def __init__(self, layers: Sequence[Layer]):
        self.layers = list(layers)
        meta = generator(0, "weights")
        self.slots = _slots([layer.draw(meta) for layer in self.layers])
        self._statistics = [layer.statistics() for layer in self.layers]
        self.statistic_slots = _slots(self._statistics)

    @property
    def parameters(self) -> int:
        """P: the parameters of one run."""
        return self.slots[-1].stop if self.slots else 0

    def draw(self, seed: int) -> Tensor:
        """One run's initial parameters [P], from its seed alone; each layer draws from its own stream."""
        drawn = [layer.draw(generator(seed, "weights", index)) for index, layer in enumerate(self.layers)]
        return torch.cat([tensor.flatten() for tensors in drawn for tensor in tensors.values()])

    def rest(self, runs: int) -> Tensor:
        """The initial statistics of R runs, [R, Q]; Q is 0 without batch norm."""
        parts = [tensor.flatten() for tensors in self._statistics for tensor in tensors.values()]
        return torch.cat(parts).repeat(runs, 1) if parts else torch.empty(runs, 0)

    def widen(self, row: Tensor, own: Network) -> Tensor:
        """A row [P_own] drawn for a narrower `own` network, padded with zeros to this one's shapes: [P].

        Data of one seed may have fewer features than another's; the weights of features that are always zero stay zero.
        """
        padded = torch.zeros(self.parameters)
        for slot, narrow in zip(self.slots, own.slots, strict=True):
            corner = tuple(slice(size) for size in narrow.shape)
            padded[slot.start : slot.stop].view(slot.shape)[corner] = row[narrow.start : narrow.stop].view(narrow.shape)
        return padded

    def views(self, matrix: Tensor) -> list[Tensor]:
        """One leaf per parameter, [R, *shape], sharing the matrix's memory: autograd's way into it."""
        return [slot.view(matrix).detach().requires_grad_(torch.is_grad_enabled()) for slot in self.slots]

    def views_of_statistics(self, matrix: Tensor) -> list[Tensor]:
        """One view per statistic, [R, *shape], sharing the matrix's memory."""
        return [slot.view(matrix) for slot in self.statistic_slots]

    def forward(self, x: Tensor, views: Sequence[Tensor], statistics: Sequence[Tensor], way: Pass) -> Tensor:
        """Raw outputs [R, B, O] of rows x [R, B, F]."""
        weights: list[dict[str, Tensor]] = [{} for _ in self.layers]
        rest: list[dict[str, Tensor]] = [{} for _ in self.layers]
        for slot, view in zip(self.slots, views, strict=True):
            weights[slot.layer][slot.name] = view
        for slot, view in zip(self.statistic_slots, statistics, strict=True):
            rest[slot.layer][slot.name] = view
        for index, layer in enumerate(self.layers):
            x = layer(x, weights[index], rest[index], way)
        return x

    def cost(self, batch: int) -> int:
        """Bytes that one run's step works on: parameters, gradients, two moments, an update; activations and theirs."""
        units = sum(layer.units() for layer in self.layers)
        return 4 * (6 * self.parameters + 3 * batch * units)

    def named(self, weights: Tensor, statistics: Tensor) -> dict[str, np.ndarray]:
        """One run's weights [P] and statistics [Q] by name, as an ordinary model would have them."""
        parts = ((self.slots, weights), (self.statistic_slots, statistics))
        return {slot.title: slot.view(row[None])[0].numpy().copy() for slots, row in parts for slot in slots}


def gather(gradients: Sequence[Tensor], out: Tensor) -> Tensor:
    """The gradients of all parameters as one matrix [R, P], in the order of the slots."""
    return torch.cat([gradient.flatten(1) for gradient in gradients], dim=1, out=out)
