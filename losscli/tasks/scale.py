"""The scale of a regression target: how its numbers become what a loss sees, and come back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from losscli.lazy import Tensor, torch

LARGEST_LOG = math.log(np.finfo(np.float32).max) - 0.01  # e to more than that would be infinite as float32
LOG_RATES = ("log-rates", "log-rate+zero-logit")  # what losses expect whose first output is the logarithm of a rate
LOWEST: Mapping[str, float] = {"log": 0.0, "log1p": -1.0}  # what a transform's numbers must be above


def like(numbers: np.ndarray | Tensor, other: Tensor) -> Tensor:
    """These numbers as a tensor of the other's type, where it is."""
    return torch.as_tensor(numbers, dtype=other.dtype).to(other.device)


@dataclass(frozen=True)
class TargetScale:
    """How a regression target was scaled, from the training split: `transform(value) = scaled * scale + center`, each [O].

    In a stack, where each run has its own, they are tensors [R, 1] or [R, 1, O]. Every transform rises, so a quantile of
    the scaled target is a quantile in units; a mean is not: under `log` it is the geometric mean, and lies lower.
    `low` and `high` [O], in the transform's numbers, are what predictions stay within; None without a transform.

    Scaled numbers are float32. Units are float64: near 1.7e9, say, two float32 numbers are 128 apart.
    """

    center: np.ndarray | Tensor
    scale: np.ndarray | Tensor
    transform: str = "none"
    low: np.ndarray | Tensor | None = None
    high: np.ndarray | Tensor | None = None

    def in_units(self, scaled: Tensor) -> Tensor:
        """Scaled values [..., N] or [..., N, O] in the user's units, float64; under a transform, at most float32's largest.

        >>> TargetScale(np.array([10.0]), np.array([2.0])).in_units(torch.tensor([0.0, 1.5])).tolist()
        [10.0, 13.0]
        """
        return self._undone(self._unscaled(scaled))

    def predicted(self, scaled: Tensor) -> Tensor:
        """Scaled predictions in the user's units, float64. Under a transform they stay near what training has seen.

        A row unlike any other is off by a few units of a logarithm, and e to that power is a mean over all rows.

        >>> limits = {"low": np.array([0.0]), "high": np.array([1.0])}
        >>> TargetScale(np.zeros(1), np.ones(1), "log", **limits).predicted(torch.tensor([-2.0, 0.0, 9.0])).tolist()
        [1.0, 1.0, 2.718281828459045]
        """
        values = self._unscaled(scaled)
        if self.low is not None and self.high is not None:
            values = values.clamp(like(self.low, values), like(self.high, values))
        return self._undone(values)

    def _unscaled(self, scaled: Tensor) -> Tensor:
        wide = scaled.double()
        return wide * like(self.scale, wide) + like(self.center, wide)

    def _undone(self, values: Tensor) -> Tensor:
        if self.transform == "none":
            return values
        limited = values.clamp(max=LARGEST_LOG)
        return torch.exp(limited) if self.transform == "log" else torch.expm1(limited)

    def scaled(self, units: Tensor) -> Tensor:
        """Values [..., N] or [..., N, O] in the user's units, float64, as the loss sees them: centred, then float32.

        >>> units = torch.tensor([1.7e9 + 3], dtype=torch.float64)
        >>> TargetScale(np.array([1.7e9]), np.array([2.0])).scaled(units).tolist()
        [1.5]
        """
        values = self.forward(self.transform, units)
        return ((values - like(self.center, values)) / like(self.scale, values)).float()

    @staticmethod
    def forward(transform: str, values: Tensor) -> Tensor:
        """Values in the user's units as the transform has them.

        >>> TargetScale.forward("log1p", torch.tensor([0.0, math.e - 1], dtype=torch.float64)).tolist()
        [0.0, 1.0]
        """
        if transform == "none":
            return values
        return torch.log(values) if transform == "log" else torch.log1p(values)
