"""A multi-layer perceptron: hidden layers of linear, norm, activation, dropout; then a linear layer to the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from losscli.activations import Hidden
from losscli.options import Count
from losscli.stack.models import Model, model

if TYPE_CHECKING:
    from losscli.stack.layers import Layer


@model("mlp")
class Mlp(Model):
    """`{kind: mlp, hidden: [64, 64], activation: relu, norm: none, dropout: 0.0}`

    `hidden` are the widths of the hidden layers. `activation` is what follows each of them. `norm` is what stands before that.
    `dropout` is the share of hidden units that a training step leaves out.
    """

    kind: Literal["mlp"] = "mlp"
    hidden: Annotated[list[Annotated[Count, Field(le=65536)]], Field(min_length=1, max_length=32)] = Field(
        default=[64, 64]
    )
    activation: Hidden = "relu"
    norm: Literal["none", "batch", "layer"] = "none"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def layers(self, features: int, outputs: int) -> list[Layer]:
        from losscli.stack.layers import Activation, BatchNorm, Dropout, LayerNorm, Linear

        layers: list[Layer] = []
        width = features
        for hidden in self.hidden:
            layers.append(Linear(width, hidden, bias=self.norm != "batch"))
            if self.norm != "none":
                layers.append(BatchNorm(hidden) if self.norm == "batch" else LayerNorm(hidden))
            layers.append(Activation(self.activation))
            if self.dropout:
                layers.append(Dropout(self.dropout))
            width = hidden
        return [*layers, Linear(width, outputs)]
