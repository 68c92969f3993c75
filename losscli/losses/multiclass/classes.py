"""What a sample's own class picks out of K numbers, and what the other classes hold together."""

from __future__ import annotations

from losscli.errors import SpecError
from losscli.lazy import Tensor, functional, torch
from losscli.losses import Number


def of_class(values: Tensor, target: Tensor) -> Tensor:
    """The value of each sample's class: [..., B, K], [..., B] -> [..., B]."""
    return values.gather(-1, target.unsqueeze(-1)).squeeze(-1)


def expected(values: Tensor, target: Tensor) -> Tensor:
    """The value of each sample's class, or its mean under a target of probabilities [..., B, K] -> [..., B]."""
    return (values * target).sum(-1) if target.is_floating_point() else of_class(values, target)


def is_class(values: Tensor, target: Tensor) -> Tensor:
    """True at each sample's class, [..., B, K]."""
    return torch.zeros_like(values, dtype=torch.bool).scatter(-1, target.unsqueeze(-1), True)


def distribution(values: Tensor, target: Tensor) -> Tensor:
    """The target as probabilities, [..., B, K]: one-hot for an index."""
    return target if target.is_floating_point() else is_class(values, target).to(values.dtype)


def logs_of_both(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """log p_y and log(1 - p_y) of logits, [..., B] each: from the lead of y over all others, so that both keep their digits.

    >>> [round(log.item(), 4) for log in logs_of_both(torch.tensor([[1e4, 1e4, -1e4]]), torch.tensor([0]))]  # log 1/2
    [-0.6931, -0.6931]
    """
    scores = prediction - prediction.detach().amax(-1, keepdim=True)  # near 0, where floats are dense
    others = torch.logsumexp(scores.masked_fill(is_class(scores, target), float("-inf")), -1)
    lead = of_class(scores, target) - others
    # Plain: log(1 - p_y) out of the logs of all classes. Their slopes, as large as log p_y, would have to cancel.
    return functional.logsigmoid(lead), functional.logsigmoid(-lead)


def missed(prediction: Tensor, target: Tensor) -> Tensor:
    """The probability that softmax gives away: 1 - p_y of logits, or 1 - sum_k t_k p_k. [..., B]."""
    p = torch.softmax(prediction, -1)
    if target.is_floating_point():
        return ((1 - target) * p).sum(-1)
    # Plain: 1 - p_y, which cancels to 0 for a confident right answer.
    return p.masked_fill(is_class(p, target), 0.0).sum(-1)


def entropy(logs: Tensor) -> Tensor:
    """Of log-probabilities [..., K] -> [...], in nats."""
    return -(logs.exp() * logs).sum(-1)


def class_weight(weight: Number, prediction: Tensor, target: Tensor) -> Number | Tensor:
    """The weight of each sample's class, [..., B], from one number, or from [K] or [R, 1, K]."""
    if not isinstance(weight, Tensor) or weight.ndim == 0:
        return weight
    return of_class(weight.expand_as(prediction), target)


def over_classes(option: Number) -> Number:
    """An option that broadcasts against [..., B], made to broadcast against [..., B, K]."""
    return option.unsqueeze(-1) if isinstance(option, Tensor) else option


def training_counts(counts: Number | str, prediction: Tensor) -> Tensor:
    """How many rows of each class were trained on, at least one; in float32 or wider, since float16 ends at 65504."""
    if isinstance(counts, str):
        raise SpecError(
            f"counts are {counts!r}, which only a training split can fill in",
            cure="give the number of training rows of each class: counts=torch.bincount(labels, minlength=K)",
        )
    dtype = torch.promote_types(prediction.dtype, torch.float32)
    return torch.as_tensor(counts, dtype=dtype, device=prediction.device).clamp(min=1)
