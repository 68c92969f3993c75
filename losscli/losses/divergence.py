"""A KL divergence of the user's own, tried on a few rows: does it get logarithms, and is it summed over the classes?

torch's KLDivLoss takes log-probabilities and does not check, and its reduction "mean" divides by the number of classes, too.
"""

from __future__ import annotations

from collections.abc import Callable

from losscli.errors import Finding
from losscli.lazy import Tensor, torch

CLOSE = 1e-4


def mistakes(kernel: Callable[[Tensor, Tensor], Tensor], raw: Tensor, given: Tensor, target: Tensor) -> list[Finding]:
    """What is amiss with a kernel that, of log-probabilities, is the KL divergence from the target [B, K], or a K-th of it.

    `raw` are outputs of a model [B, K], `given` what the kernel gets of them.

    >>> raw, target = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.25, 0.75]])
    >>> [finding.code for finding in mistakes(torch.nn.KLDivLoss(reduction="batchmean"), raw, raw, target)]
    ['logs-are-due']
    """
    logs = torch.log_softmax(raw, -1)
    divergence = (torch.xlogy(target, target) - target * logs).sum(-1).mean()
    share = _mean(kernel, logs, target) / divergence
    by_class = _close(share, 1 / raw.shape[-1])
    if not by_class and not _close(share, 1.0):
        return []
    findings = []
    if not _close(_mean(kernel, given, target) / divergence, float(share)):
        message = "it is a KL divergence of log-probabilities, and it gets what are none: its numbers mean nothing"
        cure = "put log_softmax into it, or say what it takes: expects = 'log-probabilities' beside it"
        findings.append(Finding("logs-are-due", "warning", message, cure))
    if by_class:
        message = (
            "it is the KL divergence divided by the number of classes, as torch's reduction 'mean' is: its slopes are as many "
            "times smaller, and so is what a learning rate does"
        )
        findings.append(Finding("divided-by-classes", "warning", message, "sum over the classes (torch: batchmean)"))
    return findings


def _mean(kernel: Callable[[Tensor, Tensor], Tensor], given: Tensor, target: Tensor) -> Tensor:
    return kernel(given.clone(), target.clone()).detach().mean()


def _close(value: Tensor, expected: float) -> bool:
    return bool((value / expected - 1).abs() < CLOSE)
