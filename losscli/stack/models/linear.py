"""A linear model: logistic regression, softmax regression, least squares, depending on the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from losscli.stack.models import Model, model

if TYPE_CHECKING:
    from losscli.stack.layers import Layer


@model("linear")
class LinearModel(Model):
    """`{kind: linear}`

    Its weights have further to go than those of a network, whose layers multiply: with a rate of 2e-3, six hundred steps of Adam
    move none by more than 1.2, and a decay keeps them from where they would be.
    """

    plan: ClassVar[Mapping[str, Any]] = {"lr": 2e-2, "weight_decay": 0.0}

    kind: Literal["linear"] = "linear"

    def layers(self, features: int, outputs: int) -> list[Layer]:
        from losscli.stack.layers import Linear

        return [Linear(features, outputs)]
