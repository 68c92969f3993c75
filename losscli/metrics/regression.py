"""How far off numbers are, in the user's units. Several outputs: each on its own, then their mean."""

from __future__ import annotations

import torch  # noqa: F401  (the examples use it)
from torch import Tensor

from losscli.metrics import metric


@metric("regression", reads="values", direction="down", high=float("inf"))
def rmse(prediction: Tensor, target: Tensor) -> Tensor:
    """The root of the mean squared error.

    >>> rmse(torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 3.0]])).round(decimals=4).tolist()  # sqrt(4 / 2)
    [1.4142]
    """
    return _over_outputs(_errors(prediction, target).square().mean(1).sqrt())


@metric("regression", reads="values", direction="down", high=float("inf"))
def mae(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean absolute error.

    >>> mae(torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 3.0]])).tolist()
    [1.0]
    """
    return _over_outputs(_errors(prediction, target).abs().mean(1))


@metric("regression", reads="values", direction="down", high=float("inf"))
def median_ae(prediction: Tensor, target: Tensor) -> Tensor:
    """The median absolute error: half of the rows are closer than this.

    >>> median_ae(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([[1.0, 2.0, 4.0, 100.0]])).tolist()  # (2 + 4) / 2
    [3.0]
    """
    far = _errors(prediction, target).abs().sort(dim=1).values
    rows = far.shape[1]
    return _over_outputs((far[:, (rows - 1) // 2] + far[:, rows // 2]) / 2)


@metric("regression", reads="values", direction="up", low=float("-inf"))
def r2(prediction: Tensor, target: Tensor) -> Tensor:
    """The share of the target's variance that is explained; 0 is as good as its mean. Constant outputs are left out.

    >>> r2(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[1.0, 2.0, 4.0]])).round(decimals=4).tolist()  # 1 - 3/14
    [0.7857]
    """
    truth = target.double()
    spread = (truth - truth.mean(1, keepdim=True)).square().sum(1)
    constant = (truth == truth[:, :1]).all(1)
    share = 1 - _errors(prediction, target).square().sum(1) / spread
    share = share.masked_fill(constant, float("nan"))
    return share if share.ndim == 1 else share.nanmean(-1)


def _errors(prediction: Tensor, target: Tensor) -> Tensor:
    return prediction.double() - target.double()


def _over_outputs(values: Tensor) -> Tensor:
    """[R] stays, [R, O] -> [R]"""
    return values if values.ndim == 1 else values.mean(-1)
