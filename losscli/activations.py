"""Activations: what may stand between the layers of a model, and between its last layer and the loss. One line each.

An activation says what it is called, what it is in PyTorch (and so in ONNX, whose graph is traced from that), where it may
stand, and what its numbers are. Nothing here loads torch before a number is to be computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Activation:
    """One of them; `title` and `layer` are its names in `torch` and `torch.nn` (no layer: it has none there).

    `hidden` ones may follow a hidden layer, `output` ones may stand before the loss. `across` ones look at all outputs of a
    row, the last dimension. Their numbers lie between `low` and `high`; `gives` is what these mean, if anything.

    >>> import torch
    >>> ACTIVATIONS["relu"](torch.tensor([-1.0, 2.0])).tolist(), ACTIVATIONS["relu"].module()
    ([0.0, 2.0], ReLU())
    >>> ACTIVATIONS["softmax"](torch.zeros(1, 2)).tolist()
    [[0.5, 0.5]]
    """

    name: str
    title: str
    layer: str | None = None
    low: float = -math.inf
    high: float = math.inf
    hidden: bool = False
    output: bool = True
    across: bool = False
    gives: str | None = None
    settings: Mapping[str, float] = field(default_factory=dict)  # what torch is told beside the numbers

    def __call__(self, x: Tensor) -> Tensor:
        return self.function(x)

    @cached_property
    def function(self) -> Callable[[Tensor], Tensor]:
        """That of PyTorch."""
        import torch

        function = attrgetter(self.title)(torch)
        return partial(function, **self._settings) if self._settings else function

    @property
    def _settings(self) -> dict[str, Any]:
        return {**({"dim": -1} if self.across else {}), **self.settings}

    @property
    def written(self) -> str:
        """The function's name in Python, as a message to somebody who writes code says it."""
        return self.title.rpartition(".")[2]

    def module(self) -> nn.Module:
        """PyTorch's own layer; `TypeError` where it has none."""
        from torch import nn

        if self.layer is None:
            raise TypeError(f"torch.nn has no layer for {self.name}")
        return getattr(nn, self.layer)(**self._settings)  # type: ignore[no-any-return]


PROBABILITIES, LOGS = "probabilities", "log-probabilities"
LEAK = {"negative_slope": 0.2}
NONE = Activation("none", "clone", "Identity")
ACTIVATIONS: Mapping[str, Activation] = {
    activation.name: activation
    for activation in (
        NONE,
        Activation("relu", "relu", "ReLU", low=0, hidden=True),
        Activation("sigmoid", "sigmoid", "Sigmoid", 0, 1, gives=PROBABILITIES),
        Activation("softmax", "softmax", "Softmax", 0, 1, across=True, gives=PROBABILITIES),
        Activation("log-softmax", "log_softmax", "LogSoftmax", high=0, across=True, gives=LOGS),
        Activation("elu", "nn.functional.elu", "ELU", low=-1, hidden=True, output=False),
        Activation("gelu", "nn.functional.gelu", "GELU", low=-0.17, hidden=True, output=False),
        Activation("tanh", "tanh", "Tanh", -1, 1, hidden=True),
        Activation("silu", "nn.functional.silu", "SiLU", low=-0.28, hidden=True, output=False),
        # Below 0 it has the slope that adversarial pairs use; torch's own default is 0.01.
        Activation("leaky-relu", "nn.functional.leaky_relu", "LeakyReLU", hidden=True, output=False, settings=LEAK),
        Activation("softplus", "nn.functional.softplus", "Softplus", low=0),
        Activation("exp", "exp", low=0),
    )
}

# What a spec may say; to a type checker any text, as the table above decides.
if TYPE_CHECKING:
    Hidden = str
    Output = str
else:
    Hidden = Literal[tuple(name for name, activation in ACTIVATIONS.items() if activation.hidden)]
    Output = Literal[tuple(name for name, activation in ACTIVATIONS.items() if activation.output)]
