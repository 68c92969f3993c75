"""How good the probabilities are: a decision may be right and its probability still wrong.

Each has a twin `-scaled`, which judges the probabilities after temperature scaling on the valid split. Weighted and focal
losses put rows in a good order and shift the probabilities; what a temperature cannot mend, such as the shift of `pos_weight`, is
left in the twin.
"""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.metrics import metric

BINS = 15


@metric("binary", reads="probabilities", direction="down", high=float("inf"), scaled=True, soft=True)
def log_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Minus the mean log-probability of what was true, in nats; the truth may be a share of yes, too.

    Probabilities are clipped to [eps, 1 - eps], eps of their number type, as in scikit-learn: a certain mistake costs
    15.9 in float32, not infinity.

    >>> log_loss(torch.tensor([[0.5, 0.25]]), torch.tensor([[1.0, 0.0]])).round(decimals=4).tolist()  # log 2, log 4/3
    [0.4904]
    """
    yes, no = clipped(prediction), clipped(1 - prediction)
    truth = target.double()
    return -(truth * yes.log() + (1 - truth) * no.log()).mean(-1)


@metric(
    "multiclass", reads="probabilities", direction="down", high=float("inf"), name="log-loss", scaled=True, soft=True
)
def log_loss_of_classes(prediction: Tensor, target: Tensor) -> Tensor:
    """Minus the mean log-probability of the right class, in nats; clipped as in the binary case.

    Where the truth is probabilities, it is their cross-entropy, which is least, but not 0, where the prediction equals them.

    >>> log_loss_of_classes(torch.tensor([[[0.5, 0.5]]]), torch.tensor([[0]])).round(decimals=4).tolist()  # log 2
    [0.6931]
    """
    if target.ndim == prediction.ndim:
        return -_expected(clipped(prediction).log(), target).mean(-1)
    return -clipped(_expected(prediction, target)).log().mean(-1)  # the logarithm of one class, not of all


@metric("multilabel", reads="probabilities", direction="down", high=float("inf"), name="log-loss")
def log_loss_of_labels(prediction: Tensor, target: Tensor) -> Tensor:
    """Minus the mean log-probability of what was true, over all labels of all rows, in nats; clipped as in the binary case.

    >>> log_loss_of_labels(torch.tensor([[[0.5, 0.25]]]), torch.tensor([[[1.0, 0.0]]])).round(decimals=4).tolist()
    [0.4904]
    """
    return log_loss(prediction.flatten(1), target.flatten(1))


@metric("binary", reads="probabilities", direction="down", scaled=True, soft=True)
def brier(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean squared error of the probability; the truth may be a share of yes, too.

    >>> brier(torch.tensor([[0.5, 1.0]]), torch.tensor([[1.0, 1.0]])).tolist()
    [0.125]
    """
    return (prediction.double() - target).square().mean(-1)


@metric("multiclass", reads="probabilities", direction="down", high=2.0, name="brier", scaled=True, soft=True)
def brier_of_classes(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean over rows of the squared error summed over the classes (0 to 2); the truth may be probabilities, too.

    >>> brier_of_classes(torch.tensor([[[0.5, 0.5]]]), torch.tensor([[0]])).tolist()
    [0.5]
    """
    p = prediction.double()
    certain = target.double().square().sum(-1) if target.ndim == p.ndim else 1.0
    # sum_k (p_k - t_k)^2, without the one-hot where a class is the truth
    return (p.square().sum(-1) - 2 * _expected(p, target) + certain).mean(-1)


@metric("binary", reads="probabilities", direction="down", scaled=True, soft=True)
def ece(prediction: Tensor, target: Tensor) -> Tensor:
    """Expected calibration error: how far the share of positives is from the mean probability, over 15 bins of it.

    The bins are equally wide, each holds its upper end, and each counts by its rows. Naeini et al. 2015, Obtaining Well
    Calibrated Probabilities Using Bayesian Binning.

    >>> ece(torch.tensor([[0.9, 0.9, 0.2]]), torch.tensor([[1.0, 0.0, 0.0]])).round(decimals=4).tolist()  # (0.8 + 0.2) / 3
    [0.3333]
    """
    return gap(prediction.double(), target.double().expand(prediction.shape))


@metric("multiclass", reads="probabilities", direction="down", name="ece", scaled=True)
def ece_of_classes(prediction: Tensor, target: Tensor) -> Tensor:
    """Expected calibration error of the confidence: how far it is from the share of rows that are right, over 15 bins.

    The confidence is the largest probability of a row. Guo et al. 2017, On Calibration of Modern Neural Networks.

    >>> p = torch.tensor([[[0.7, 0.3], [0.4, 0.6]]])
    >>> ece_of_classes(p, torch.tensor([[0, 1]])).round(decimals=4).tolist()  # (0.3 + 0.4) / 2
    [0.35]
    """
    confidence, predicted = prediction.double().max(-1)
    return gap(confidence, (predicted == target).double())


def gap(probability: Tensor, outcome: Tensor) -> Tensor:
    """The mean over rows [R, N] of the distance between mean probability and mean outcome in each row's bin."""
    edges = torch.linspace(0, 1, BINS + 1, dtype=torch.float64, device=probability.device)[1:-1]
    bins = torch.bucketize(probability.contiguous(), edges)
    missing = probability.new_zeros(len(probability), BINS).scatter_add(1, bins, probability - outcome)
    return missing.abs().sum(-1) / probability.shape[-1]


def clipped(probabilities: Tensor) -> Tensor:
    """float64 probabilities that have a finite logarithm."""
    eps = torch.finfo(probabilities.dtype).eps  # of the type they came in: a float32 1.0 is any number near it
    return probabilities.clamp(eps, 1 - eps).double()


def _expected(values: Tensor, target: Tensor) -> Tensor:
    """The value of each row's class, or the mean under its probabilities: [R, N, K]; [R or 1, N] or [R or 1, N, K] -> [R, N]"""
    if target.ndim == values.ndim:
        return (values * target.double()).sum(-1)
    index = target.long().expand(values.shape[:-1])
    return values.gather(-1, index.unsqueeze(-1)).squeeze(-1)
