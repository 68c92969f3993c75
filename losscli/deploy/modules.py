"""One run of a stack as an ordinary PyTorch model: the same numbers, without the run dimension.

`body` is an `nn.Sequential` of PyTorch's own layers, so that its weights load anywhere; what follows it (the activation
before the loss, the units of a regression target) is in `Predictor`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, singledispatch

import torch
from torch import Tensor, nn

from losscli.stack.forecast import levels_of, quantiles_of
from losscli.stack.head import Head
from losscli.stack.layers import ACTIVATIONS, LEAK, Activation, BatchNorm, Dropout, Embedding, Layer, LayerNorm, Linear
from losscli.tasks import Prediction

Weights = Mapping[str, Tensor]

MODULES: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "leaky-relu": partial(nn.LeakyReLU, LEAK),
}
assert MODULES.keys() == ACTIVATIONS.keys()


def body(layers: Sequence[Layer], weights: Weights) -> nn.Sequential:
    """The layers as PyTorch's own; `weights` by `layers.<index>.<parameter>`, as a record names them.

    >>> net = body([Linear(2, 1)], {"layers.0.weight": torch.tensor([[1.0], [2.0]]), "layers.0.bias": torch.zeros(1, 1)})
    >>> net(torch.tensor([[3.0, 4.0]])).tolist()
    [[11.0]]
    """
    modules = []
    for index, layer in enumerate(layers):
        prefix = f"layers.{index}."
        own = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
        modules.append(ordinary(layer, own))
    return nn.Sequential(*modules).eval()


@singledispatch
def ordinary(layer: Layer, weights: Weights) -> nn.Module:
    """PyTorch's own form of a layer, with these weights and statistics by their names in the layer."""
    raise TypeError(f"{type(layer).__name__} has no ordinary form")


@ordinary.register
def _(layer: Linear, weights: Weights) -> nn.Module:
    module = nn.Linear(layer.inputs, layer.outputs, bias=layer.bias)
    bias = {"bias": weights["bias"][0]} if layer.bias else {}
    return _filled(module, {"weight": weights["weight"].T, **bias})  # a stack has [in, out], PyTorch [out, in]


@ordinary.register
def _(layer: Activation, weights: Weights) -> nn.Module:
    return MODULES[layer.kind]()


@ordinary.register
def _(layer: BatchNorm, weights: Weights) -> nn.Module:
    norm = nn.BatchNorm1d(layer.width, eps=layer.eps, momentum=layer.momentum)
    statistics = {"running_mean": weights["mean"][0], "running_var": weights["variance"][0]}
    return _filled(norm, {"weight": weights["scale"][0], "bias": weights["shift"][0], **statistics})


@ordinary.register
def _(layer: LayerNorm, weights: Weights) -> nn.Module:
    return _filled(nn.LayerNorm(layer.width), {"weight": weights["scale"][0], "bias": weights["shift"][0]})


@ordinary.register
def _(layer: Dropout, weights: Weights) -> nn.Module:
    return nn.Dropout(layer.share)


@ordinary.register
def _(layer: Embedding, weights: Weights) -> nn.Module:
    return Lookup(layer.layout.plain, [weights[name] for name in layer.shapes()])


class Lookup(nn.Module):
    """Rows [N, F] whose last columns hold codes to [N, width]: what each code stands for, then the plain numbers."""

    def __init__(self, plain: int, tables: Sequence[Tensor]):
        super().__init__()
        self.plain = plain
        self.tables = nn.ModuleList(_filled(nn.Embedding(*table.shape), {"weight": table}) for table in tables)

    def forward(self, x: Tensor) -> Tensor:
        codes = x[:, self.plain :].long()
        vectors = [table(codes[:, column]) for column, table in enumerate(self.tables)]
        return torch.cat([*vectors, x[:, : self.plain]], dim=1)


def _filled(module: nn.Module, weights: Weights) -> nn.Module:
    kept = {name: tensor for name, tensor in module.state_dict().items() if name not in weights}  # batches counted, 0
    module.load_state_dict(kept | {name: tensor.contiguous() for name, tensor in weights.items()})
    return module


class Predictor(nn.Module):
    """Encoded rows [N, F] to what they predict: probabilities, scores or values.

    Binary [N]; multiclass [N, K]; multilabel [N, L]; regression [N] or [N, O] in the user's units, float64. A loss that forecasts
    gives its quantiles as well, [N, Q] or [N, O, Q], at `levels`.
    """

    def __init__(self, body: nn.Sequential, head: Head):
        super().__init__()
        self.body = body
        self.head = head
        self.levels = levels_of(head)

    def forward(self, features: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        output = self.body(features)[None]  # of one run
        numbers = shown_of(self.head.predict(output))[1][0]
        return (numbers, quantiles_of(self.head, output)[0]) if self.levels else numbers

    def kind(self, width: int) -> str:
        """What the numbers are, found on rows of so many features."""
        return shown_of(self.head.predict(self.body(torch.zeros(2, width))[None]))[0]


def shown_of(prediction: Prediction) -> tuple[str, Tensor]:
    """The kind of a prediction and the numbers that say most: probabilities where there are any, else scores or values."""
    for kind in ("probabilities", "values", "scores"):
        numbers = getattr(prediction, kind)
        if numbers is not None:
            return kind, numbers
    raise ValueError("a prediction holds scores, probabilities or values")
