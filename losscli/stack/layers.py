"""Layers that carry all runs: every parameter has a leading run dimension, `x` is [R, B, F] and stays so.

A layer knows the shapes of one run's parameters, how to draw them, how to apply R of them at once, and what it is in PyTorch
for one run alone, which is what an export is made of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from losscli.activations import ACTIVATIONS
from losscli.data.dataset import Layout

Tensors = Mapping[str, Tensor]
SPREAD = 0.05  # of what is drawn for an embedded category
NARROW = 16  # outputs, below which a product of matrices that lie down is the faster one (tests/benchmarks/STEPS.md)


@dataclass
class ForwardContext:
    """One pass through the network: training or not, and the noise of each run's seed while training.

    Runs of one seed share their noise, as they share their weights and their batches: the comparison is paired.
    """

    training: bool = False
    noise: list[torch.Generator] = field(default_factory=list)  # one per seed
    seed_of_run: Tensor | None = None  # [R], an index into `noise`


class Layer:
    """What every layer has; a layer without parameters or statistics overrides only `__call__`.

    `module` is there for all of them; a layer that PyTorch has too answers with PyTorch's own, whose weights load anywhere.
    """

    def shapes(self) -> dict[str, tuple[int, int]]:
        """The shape of each of one run's parameters; nothing is allocated yet."""
        return {}

    def draw(self, chance: torch.Generator) -> dict[str, Tensor]:
        """One run's initial parameters, of these shapes."""
        return {}

    def statistics(self) -> dict[str, Tensor]:
        """One run's initial state that is kept but not trained."""
        return {}

    def units(self) -> int:
        """How many numbers per row of the batch the layer keeps for the backward pass (for the choice of width)."""
        return 0

    def __call__(self, x: Tensor, weights: Tensors, statistics: Tensors, context: ForwardContext) -> Tensor:
        raise TypeError(f"{type(self).__name__} cannot be applied")

    def module(self, weights: Tensors) -> nn.Module:
        """The layer of one run as an ordinary module of rows [N, F], with these parameters and statistics by their names."""
        return OneRun(self, weights)


class OneRun(nn.Module):
    """A layer that PyTorch does not have, as a module of its own: a stack of one run.

    >>> doubled = type("Doubled", (Layer,), {"__call__": lambda self, x, *_: 2 * x})()
    >>> doubled.module({})(torch.ones(1, 3)).tolist()
    [[2.0, 2.0, 2.0]]
    """

    def __init__(self, layer: Layer, weights: Tensors):
        super().__init__()
        self.layer = layer
        for name in layer.shapes():
            self.register_parameter(name, nn.Parameter(weights[name].clone()))
        for name in layer.statistics():
            self.register_buffer(name, weights[name].clone())

    def forward(self, x: Tensor) -> Tensor:
        weights = {name: parameter[None] for name, parameter in self.named_parameters()}
        statistics = {name: buffer[None] for name, buffer in self.named_buffers()}
        return self.layer(x[None], weights, statistics, ForwardContext())[0]  # [N, F] -> [1, N, F] and back

    def extra_repr(self) -> str:
        return str(self.layer)


def filled(module: nn.Module, weights: Tensors) -> nn.Module:
    """A module of PyTorch with these weights by its own names; what is not among them stays (batches counted, 0)."""
    others = {name: tensor for name, tensor in module.state_dict().items() if name not in weights}
    module.load_state_dict(others | {name: tensor.contiguous() for name, tensor in weights.items()})
    return module


@dataclass
class Linear(Layer):
    """`x W + b` per run; drawn as torch does: uniform within 1 / sqrt(inputs).

    Without a bias where batch norm follows: it would take the bias out again, whose gradient is then rounding noise, and an
    optimizer that normalises gradients would blow that noise up to full steps.
    """

    inputs: int
    outputs: int
    bias: bool = True

    def shapes(self) -> dict[str, tuple[int, int]]:
        weight = {"weight": (self.inputs, self.outputs)}
        return weight | {"bias": (1, self.outputs)} if self.bias else weight

    def draw(self, chance: torch.Generator) -> dict[str, Tensor]:
        bound = 1 / math.sqrt(self.inputs)
        return {
            name: torch.empty(shape).uniform_(-bound, bound, generator=chance) for name, shape in self.shapes().items()
        }

    def units(self) -> int:
        return self.outputs

    def __call__(self, x: Tensor, weights: Tensors, statistics: Tensors, context: ForwardContext) -> Tensor:
        weight, bias = weights["weight"], weights.get("bias")
        if self.outputs == 1:
            product = (x * weight.transpose(1, 2)).sum(-1, keepdim=True)  # [R, B, F] -> [R, B, 1]
            return product if bias is None else product + bias
        if self.outputs < NARROW:
            x, weight = weight.transpose(1, 2), x.transpose(1, 2)  # [R, O, F], [R, F, B]: O rows instead of O columns
            bias = None if bias is None else bias.transpose(1, 2)
        product = torch.bmm(x, weight) if bias is None else torch.baddbmm(bias, x, weight)
        return product.transpose(1, 2) if self.outputs < NARROW else product  # [R, B, O]

    def module(self, weights: Tensors) -> nn.Module:
        bias = {"bias": weights["bias"][0]} if self.bias else {}
        linear = nn.Linear(self.inputs, self.outputs, bias=self.bias)
        return filled(linear, {"weight": weights["weight"].T, **bias})  # a stack has [in, out], PyTorch [out, in]


@dataclass
class Embedding(Layer):
    """One table per embedded column and run, [R, codes, size]: the last columns of `x` hold codes, which are looked up.

    What is found comes first, then the plain numbers: a network that is wider because its data have more one-hot features
    only gets more at its end. Vectors are drawn as Keras does, uniform within 0.05; that of code 0, which stands for what
    training never saw, is 0 and stays so.
    """

    layout: Layout

    def shapes(self) -> dict[str, tuple[int, int]]:
        pairs = zip(self.layout.codes, self.layout.sizes, strict=True)
        return {f"table{index}": shape for index, shape in enumerate(pairs)}

    def draw(self, chance: torch.Generator) -> dict[str, Tensor]:
        drawn = {
            name: torch.empty(shape).uniform_(-SPREAD, SPREAD, generator=chance)
            for name, shape in self.shapes().items()
        }
        for table in drawn.values():
            table[0] = 0.0
        return drawn

    def units(self) -> int:
        return self.layout.width

    def __call__(self, x: Tensor, weights: Tensors, statistics: Tensors, context: ForwardContext) -> Tensor:
        plain, codes = x[..., : self.layout.plain], x[..., self.layout.plain :].long()  # [R, B, F], [R, B, C]
        vectors = [_looked_up(weights[name], codes[..., column]) for column, name in enumerate(self.shapes())]
        return torch.cat([*vectors, plain], dim=-1)

    def module(self, weights: Tensors) -> nn.Module:
        return Lookup(self.layout.plain, [weights[name] for name in self.shapes()])


class Lookup(nn.Module):
    """Rows [N, F] whose last columns hold codes to [N, width]: what each code stands for, then the plain numbers."""

    def __init__(self, plain: int, tables: Sequence[Tensor]):
        super().__init__()
        self.plain = plain
        self.tables = nn.ModuleList(filled(nn.Embedding(*table.shape), {"weight": table}) for table in tables)

    def forward(self, x: Tensor) -> Tensor:
        codes = x[:, self.plain :].long()
        vectors = [table(codes[:, column]) for column, table in enumerate(self.tables)]
        return torch.cat([*vectors, x[:, : self.plain]], dim=1)


def _looked_up(table: Tensor, codes: Tensor) -> Tensor:
    """[R, codes, size], [R, B] -> [R, B, size]. One table of all runs: its gradient adds up in the same order every time."""
    runs, height, _ = table.shape
    first = torch.arange(runs, device=codes.device)[:, None] * height  # where each run's own rows begin
    return functional.embedding(codes + first, table.flatten(0, 1))


@dataclass
class Activation(Layer):
    """The same function for every number."""

    kind: str

    def __post_init__(self) -> None:
        self.function = ACTIVATIONS[self.kind].function

    def __call__(self, x: Tensor, weights: Tensors, statistics: Tensors, context: ForwardContext) -> Tensor:
        return self.function(x)

    def module(self, weights: Tensors) -> nn.Module:
        return ACTIVATIONS[self.kind].module()


@dataclass
class BatchNorm(Layer):
    """Ioffe and Szegedy 2015 (arXiv 1502.03167): statistics of the batch per run, running ones for evaluation."""

    width: int
    momentum: float = 0.1
    eps: float = 1e-5

    def shapes(self) -> dict[str, tuple[int, int]]:
        return {"scale": (1, self.width), "shift": (1, self.width)}

    def draw(self, chance: torch.Generator) -> dict[str, Tensor]:
        return {"scale": torch.ones(1, self.width), "shift": torch.zeros(1, self.width)}

    def statistics(self) -> dict[str, Tensor]:
        return {"mean": torch.zeros(1, self.width), "variance": torch.ones(1, self.width)}

    def units(self) -> int:
        return 2 * self.width

    def __call__(self, x: Tensor, weights: Tensors, statistics: Tensors, context: ForwardContext) -> Tensor:
        if context.training:
            # As torch: the batch is normalised with the biased variance, and evaluation gets the unbiased one.
            x = x.to(weights["scale"].dtype)  # of bfloat16, a mean over the batch would keep two digits
            variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)  # [R, 1, H]
            rows = x.shape[1]
            with torch.no_grad():
                statistics["mean"].lerp_(mean, self.momentum)
                statistics["variance"].lerp_(variance * (rows / max(rows - 1, 1)), self.momentum)
        else:
            mean, variance = statistics["mean"], statistics["variance"]
        return (x - mean) * torch.rsqrt(variance + self.eps) * weights["scale"] + weights["shift"]

    def module(self, weights: Tensors) -> nn.Module:
        norm = nn.BatchNorm1d(self.width, eps=self.eps, momentum=self.momentum)
        statistics = {"running_mean": weights["mean"][0], "running_var": weights["variance"][0]}
        return filled(norm, {"weight": weights["scale"][0], "bias": weights["shift"][0], **statistics})


@dataclass
class LayerNorm(Layer):
    """Ba et al. 2016 (arXiv 1607.06450): each row is normalised by itself."""

    width: int

    def shapes(self) -> dict[str, tuple[int, int]]:
        return {"scale": (1, self.width), "shift": (1, self.width)}

    def draw(self, chance: torch.Generator) -> dict[str, Tensor]:
        return {"scale": torch.ones(1, self.width), "shift": torch.zeros(1, self.width)}

    def units(self) -> int:
        return 2 * self.width

    def __call__(self, x: Tensor, weights: Tensors, statistics: Tensors, context: ForwardContext) -> Tensor:
        return functional.layer_norm(x, (self.width,)) * weights["scale"] + weights["shift"]

    def module(self, weights: Tensors) -> nn.Module:
        return filled(nn.LayerNorm(self.width), {"weight": weights["scale"][0], "bias": weights["shift"][0]})


@dataclass
class Dropout(Layer):
    """Srivastava et al. 2014: a mask per seed, so that all losses of one seed drop the same units."""

    share: float

    def __call__(self, x: Tensor, weights: Tensors, statistics: Tensors, context: ForwardContext) -> Tensor:
        if not context.training:
            return x
        masks = torch.stack([torch.rand(x.shape[1:], generator=chance, device=x.device) for chance in context.noise])
        # Scaled up here, so that evaluation leaves the numbers alone.
        mask = (masks >= self.share).to(x.dtype) / (1 - self.share)  # [S, B, H]
        if context.seed_of_run is None or len(context.noise) == 1:
            return x * mask
        return x * mask.index_select(0, context.seed_of_run)

    def module(self, weights: Tensors) -> nn.Module:
        return nn.Dropout(self.share)
