"""The two plain distances: squared, whose best answer is the mean, and absolute, whose best answer is the median."""

from __future__ import annotations

import torch  # noqa: F401  (the examples use it)
from torch import Tensor

from losscli.losses import loss


@loss("regression", "values", "any number", aliases=("l2", "MSELoss", "MeanSquaredError", "squared-error"))
def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared error: aims at the mean; one row that is ten times farther off counts a hundred times.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = (x - y)^2.

    Source: Legendre 1805 (least squares); torch.nn.MSELoss. scikit-learn halves it.

    Kin: twice huber with delta to infinity.

    >>> mse(torch.tensor(3.0), torch.tensor(1.0)).item()
    4.0
    """
    return (prediction - target).square()


@loss("regression", "values", "any number", aliases=("l1", "L1Loss", "MeanAbsoluteError", "absolute-error"))
def mae(prediction: Tensor, target: Tensor) -> Tensor:
    """Absolute error: aims at the median; outliers count no more than their distance.

    Domain: any number.
    Shapes: prediction and target [...] -> [...].

    Formula: L = |x - y|.

    Source: torch.nn.L1Loss; Koenker and Bassett 1978 (least absolute deviations).

    Kin: twice quantile with tau 1/2; smooth-l1 with beta to 0.

    >>> mae(torch.tensor(3.0), torch.tensor(1.0)).item()
    2.0
    """
    return (prediction - target).abs()
