"""How far predicted distributions are from true ones: both [R, N, K], the truth [1, N, K] where all runs share it."""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.metrics import metric
from losscli.metrics.probabilities import clipped, gap


@metric("distribution", reads="probabilities", direction="down", high=float("inf"), scaled=True, soft=True)
def kl(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean Kullback-Leibler divergence from the truth to the prediction, in nats; probabilities are clipped as by log-loss.

    It is the log-loss less the entropy of the truth, so it is 0 where the prediction is right.

    >>> kl(torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[1.0, 0.0]]])).round(decimals=4).tolist()  # log 2
    [0.6931]
    """
    truth = target.double()
    return (torch.xlogy(truth, truth) - truth * clipped(prediction).log()).sum(-1).clamp(min=0).mean(-1)


@metric("distribution", reads="probabilities", direction="down", high=0.6931471805599453, scaled=True, soft=True)
def js(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean Jensen-Shannon divergence of prediction and truth, in nats: 0 to log 2.

    >>> js(torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[1.0, 0.0]]])).round(decimals=4).tolist()  # 3/4 log(4/3)
    [0.2158]
    """
    p, truth = prediction.double(), target.double()
    middle = (p + truth) / 2
    entropies = torch.xlogy(p, p) + torch.xlogy(truth, truth) - 2 * torch.xlogy(middle, middle)
    return (entropies.sum(-1) / 2).clamp(min=0).mean(-1)


@metric("distribution", reads="probabilities", direction="down", high=float("inf"), scaled=True, soft=True)
def emd(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean earth mover's distance (Wasserstein-1), in bins: how far probability is out of place, in the order of the bins.

    >>> emd(torch.tensor([[[0.5, 0.0, 0.5]]]), torch.tensor([[[1.0, 0.0, 0.0]]])).tolist()  # half of it, by two bins
    [1.0]
    """
    return (prediction.double() - target.double())[..., :-1].cumsum(-1).abs().sum(-1).mean(-1)


@metric("distribution", reads="labels", direction="up", name="top-1", soft=True)
def top_1(prediction: Tensor, target: Tensor) -> Tensor:
    """The share of rows whose likeliest class is one of those that are likeliest in truth.

    >>> top_1(torch.tensor([[0, 1]]), torch.tensor([[[0.5, 0.5], [0.6, 0.4]]])).tolist()
    [0.5]
    """
    truth = target.expand(len(prediction), *target.shape[1:])
    mass = truth.gather(-1, prediction.long().unsqueeze(-1)).squeeze(-1)
    return (mass == truth.amax(-1)).double().mean(-1)


@metric("distribution", reads="probabilities", direction="down", name="ece", scaled=True, soft=True)
def ece_of_shares(prediction: Tensor, target: Tensor) -> Tensor:
    """Expected calibration error: how far the confidence is from the share that the chosen class has in truth, over 15 bins.

    The confidence is the largest probability of a row. Guo et al. 2017, On Calibration of Modern Neural Networks.

    >>> p, truth = torch.tensor([[[0.7, 0.3], [0.6, 0.4]]]), torch.tensor([[[0.5, 0.5], [0.6, 0.4]]])
    >>> ece_of_shares(p, truth).round(decimals=4).tolist()  # (0.2 + 0) / 2
    [0.1]
    """
    confidence, top = prediction.double().max(-1)
    truth = target.double().expand(prediction.shape)
    return gap(confidence, truth.gather(-1, top.unsqueeze(-1)).squeeze(-1))
