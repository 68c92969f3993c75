"""How good the probabilities are: a decision may be right and its probability still wrong."""

from __future__ import annotations

import torch
from torch import Tensor

from losscli.metrics import metric


@metric("binary", reads="probabilities", direction="down", high=float("inf"))
def log_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Minus the mean log-probability of what was true, in nats.

    Probabilities are clipped to [eps, 1 - eps], eps of their number type, as in scikit-learn: a certain mistake costs
    15.9 in float32, not infinity.

    >>> log_loss(torch.tensor([[0.5, 0.25]]), torch.tensor([[1.0, 0.0]])).round(decimals=4).tolist()  # log 2, log 4/3
    [0.4904]
    """
    yes, no = clipped(prediction), clipped(1 - prediction)
    truth = target.double()
    return -(truth * yes.log() + (1 - truth) * no.log()).mean(-1)


@metric("multiclass", reads="probabilities", direction="down", high=float("inf"), name="log-loss")
def log_loss_of_classes(prediction: Tensor, target: Tensor) -> Tensor:
    """Minus the mean log-probability of the right class, in nats; clipped as in the binary case.

    >>> log_loss_of_classes(torch.tensor([[[0.5, 0.5]]]), torch.tensor([[0]])).round(decimals=4).tolist()  # log 2
    [0.6931]
    """
    return -_of_class(clipped(prediction), target).log().mean(-1)


@metric("binary", reads="probabilities", direction="down")
def brier(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean squared error of the probability.

    >>> brier(torch.tensor([[0.5, 1.0]]), torch.tensor([[1.0, 1.0]])).tolist()
    [0.125]
    """
    return (prediction.double() - target).square().mean(-1)


@metric("multiclass", reads="probabilities", direction="down", high=2.0, name="brier")
def brier_of_classes(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean over rows of the squared error summed over the classes (0 to 2).

    >>> brier_of_classes(torch.tensor([[[0.5, 0.5]]]), torch.tensor([[0]])).tolist()
    [0.5]
    """
    p = prediction.double()
    # sum_k (p_k - [k = y])^2, without the one-hot
    return (p.square().sum(-1) - 2 * _of_class(p, target) + 1).mean(-1)


def clipped(probabilities: Tensor) -> Tensor:
    """float64 probabilities that have a finite logarithm."""
    eps = torch.finfo(probabilities.dtype).eps
    return probabilities.clamp(eps, 1 - eps).double()


def _of_class(probabilities: Tensor, target: Tensor) -> Tensor:
    """[R, N, K] and [R or 1, N] -> [R, N]"""
    index = target.long().expand(probabilities.shape[:-1])
    return probabilities.gather(-1, index.unsqueeze(-1)).squeeze(-1)
