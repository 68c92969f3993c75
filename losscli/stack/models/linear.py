"""A linear model: logistic regression, softmax regression, least squares, depending on the loss."""

from __future__ import annotations

from typing import Literal

from losscli.stack.layers import Layer, Linear
from losscli.stack.models import Model, model


@model("linear")
class LinearModel(Model):
    """`{kind: linear}`"""

    kind: Literal["linear"] = "linear"

    def layers(self, features: int, outputs: int) -> list[Layer]:
        return [Linear(features, outputs)]
