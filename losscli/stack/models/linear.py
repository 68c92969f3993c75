"""A linear model: logistic regression, softmax regression, least squares, depending on the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from losscli.stack.models import Model, model

if TYPE_CHECKING:
    from losscli.stack.layers import Layer


@model("linear")
class LinearModel(Model):
    """`{kind: linear}`"""

    kind: Literal["linear"] = "linear"

    def layers(self, features: int, outputs: int) -> list[Layer]:
        from losscli.stack.layers import Linear

        return [Linear(features, outputs)]
