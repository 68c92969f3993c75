"""Tempered logarithm, exponential and softmax: what bi-tempered losses, binary and multiclass, are made of.

A temperature t is a number, or a tensor that broadcasts against what it is applied to; t = 1 is the ordinary logarithm
and exponential. All is written in logarithms, so that a probability of 1e-300 keeps its digits.

Source: Amid et al. 2019, Robust Bi-Tempered Logistic Loss Based on Bregman Divergences, https://arxiv.org/abs/1906.03361.
"""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.losses import Number

STEPS = 8  # of Newton's method: as many as float64 needs for up to 10,000 classes and temperatures up to 10
NOTHING = 1e-20  # stands for 1 - t at t = 1, where the tempered functions are limits


def tempered_log(log_p: Tensor, t: Number) -> Tensor:
    """`log_t(p) = (p^(1 - t) - 1) / (1 - t)` of `p = exp(log_p)`; t = 1 gives `log_p` back.

    >>> round(tempered_log(torch.tensor(0.25).log(), 0.5).item(), 4)  # (sqrt(1/4) - 1) / (1/2)
    -1.0
    """
    gap = _gap(t)
    return torch.expm1(gap * log_p) / gap


def log_tempered_exp(u: Tensor, t: Number) -> Tensor:
    """The logarithm of `exp_t(u) = (1 + (1 - t) u)^(1 / (1 - t))` for t >= 1 and u <= 0; t = 1 gives `u` back.

    >>> round(log_tempered_exp(torch.tensor(-1.0), 2.0).exp().item(), 4)  # 1 / (1 + 1)
    0.5
    """
    gap = _gap(t)
    return torch.log1p(gap * u) / gap


def tempered_log_softmax(activation: Tensor, t: Number) -> Tensor:
    """The logarithms of probabilities `exp_t(a_k - c)`, c such that they sum to 1 over the last dimension, for t >= 1.

    Shapes: activation [..., K] -> [..., K]; a tensor t broadcasts against [..., K]. The gradient is exact, of the first
    order: the normaliser c moves with `p_k^t / sum_j p_j^t`.

    The paper iterates a fixed point; here Newton's method solves `log_t(sum_k exp_t(a_k - c)) = 0`. Its left side is a
    convex, falling function of c, so that from c = max a, here 0, the steps never overshoot.

    >>> tempered_log_softmax(torch.tensor([0.0, 0.0]), 1.2).exp().tolist()
    [0.5, 0.5]
    """
    activation = activation - activation.detach().amax(-1, keepdim=True)  # digits of c, not of 1e4 + c
    fixed = activation.detach()
    center = torch.zeros_like(fixed[..., :1])
    for _ in range(STEPS):
        logs = log_tempered_exp(fixed - center, t)
        total = torch.logsumexp(logs, -1, keepdim=True)
        # log_t(Z) Z^t / sum_k p_k^t, where exp_t' = exp_t^t
        center = center + tempered_log(total, t) * torch.exp(t * total - torch.logsumexp(t * logs, -1, keepdim=True))
    escort = torch.softmax(t * log_tempered_exp(fixed - center, t), -1)
    center = center + (escort * (activation - fixed)).sum(-1, keepdim=True)  # adds 0, and the gradient
    return log_tempered_exp(activation - center, t)


def tempered_divergence(logs: Tensor, right: Tensor, t: Number) -> Tensor:
    """The tempered cost of the right class, `-log_t(p_y) - (1 - sum_k p_k^(2 - t)) / (2 - t)`, for 0 <= t <= 1.

    Shapes: log-probabilities `logs` [..., K], class index `right` [...] -> [...]; a tensor t broadcasts against [...].
    With t = 1 it is `-log p_y`.

    >>> round(tempered_divergence(torch.tensor([0.25, 0.75]).log(), torch.tensor(1), 1.0).item(), 4)  # -log(3/4)
    0.2877
    """
    order = 2 - t
    mask = torch.zeros_like(logs, dtype=torch.bool).scatter(-1, right.unsqueeze(-1), True)
    log_p = logs.gather(-1, right.unsqueeze(-1)).squeeze(-1)
    every = order.unsqueeze(-1) if isinstance(order, Tensor) and order.ndim else order
    others = torch.exp(every * logs).masked_fill(mask, 0.0).sum(-1)
    # Plain: 1 - sum_k p_k^(2 - t), which cancels for a confident right answer; 1 - p_y^(2 - t) alone is an expm1.
    return (torch.expm1(order * log_p) + others) / order - tempered_log(log_p, t)


def _gap(t: Number) -> Number:
    """`1 - t`, never 0: at t = 1 so little that the tempered functions are their limits to the last digit."""
    gap = 1 - t
    return gap.masked_fill(gap == 0, NOTHING) if isinstance(gap, Tensor) else gap or NOTHING
