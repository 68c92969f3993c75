"""One run of a stack as an ordinary PyTorch model: the same numbers, without the run dimension.

`body` is an `nn.Sequential` of what each layer says it is in PyTorch, so that its weights load anywhere; what follows it (the
activation before the loss, the units of a regression target) is in `Predictor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from losscli.stack.forecast import levels_of, quantiles_of
from losscli.stack.head import Head
from losscli.stack.layers import Layer
from losscli.stack.network import shifted, split_off

Weights = Mapping[str, Tensor]


def body(layers: Sequence[Layer], weights: Weights) -> nn.Sequential:
    """The layers as PyTorch's own; `weights` by `layers.<index>.<parameter>`, as a record names them.

    >>> from losscli.stack.layers import Linear
    >>> net = body([Linear(2, 1)], {"layers.0.weight": torch.tensor([[1.0], [2.0]]), "layers.0.bias": torch.zeros(1, 1)})
    >>> net(torch.tensor([[3.0, 4.0]])).tolist()
    [[11.0]]
    """
    modules = []
    for index, layer in enumerate(layers):
        prefix = f"layers.{index}."
        own = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
        modules.append(layer.module(own))
    return nn.Sequential(*modules).eval()


class Predictor(nn.Module):
    """Encoded rows [N, F], or noise [N, Z], to what they predict: probabilities, scores, values or samples.

    Binary [N]; multiclass [N, K]; multilabel [N, L]; regression [N] or [N, O] in the user's units, float64. A loss that forecasts
    gives its quantiles as well, [N, Q] or [N, O, Q], at `levels`. An exposure's logarithm is the first column of the rows.
    """

    def __init__(self, body: nn.Sequential, head: Head, offset: int | None = None):
        super().__init__()
        self.body, self.offset = body, offset
        self.head = head
        self.levels = levels_of(head)

    def forward(self, features: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        output = self._outputs(features)[None]  # of one run
        numbers = self.head.predict(output).numbers[0]
        return (numbers, quantiles_of(self.head, output)[0]) if self.levels else numbers

    def _outputs(self, features: Tensor) -> Tensor:
        """Raw outputs [N, O]; the offset that rows begin with, if they do, goes around the body."""
        first, rest = split_off(features, self.offset)
        return shifted(self.body(rest), first, self.offset)

    def kind(self, width: int) -> str:
        """What the numbers are, found on rows of so many features."""
        return self.head.predict(self._outputs(torch.zeros(2, width))[None]).kind
