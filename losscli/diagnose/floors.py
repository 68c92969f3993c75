"""The losses that a mistake cannot go below, and where trainings start: closed forms, in nats, each with its derivation.

`K` classes, `p` the share of positives, `r` the share of wrong labels, `B` rows in a batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

LN2 = math.log(2.0)


def squashed(classes: int, width: float = 1.0) -> float:
    """Cross-entropy of outputs between 0 and 1: the best are 1 for the right class and 0 for the others.

    -1 + ln(e + K - 1) = ln(1 + (K - 1) / e), after a softmax and after a sigmoid alike. `width` is how far apart two outputs
    may be: 2 after a tanh.

    >>> round(squashed(4), 4), round(squashed(10), 4), round(squashed(10, 2.0), 4)
    (0.7437, 1.4612, 0.7966)
    """
    return math.log1p((classes - 1) / math.exp(width))


def squashed_wrong(classes: int) -> float:
    """The least of the same for a wrong answer, where another class gets 1 as well: -1 + ln(2e + K - 2) = ln(2 + (K - 2) / e).

    >>> round(squashed_wrong(2), 4), round(squashed_wrong(4), 4)
    (0.6931, 1.0064)
    """
    return math.log(2 + (classes - 2) / math.e)


def sigmoid_twice(p: float) -> float:
    """Binary cross-entropy of a sigmoid of a sigmoid: a positive costs ln(1 + 1/e), a negative ln 2.

    >>> round(sigmoid_twice(0.5), 4), round(sigmoid_twice(0.52), 4)
    (0.5032, 0.4956)
    """
    return p * math.log1p(math.exp(-1.0)) + (1 - p) * LN2


def relu_before_sigmoid(p: float) -> float:
    """Binary cross-entropy of logits of at least 0: a positive may cost nothing, a negative costs ln 2.

    >>> round(relu_before_sigmoid(0.51), 4)
    0.3396
    """
    return (1 - p) * LN2


def entropy(shares: Sequence[float]) -> float:
    """Cross-entropy of a constant prediction at its best: the entropy of the classes.

    >>> round(entropy([0.5, 0.5]), 4), round(entropy([0.69, 0.128, 0.092, 0.09]), 4)
    (0.6931, 0.9554)
    """
    total = math.fsum(shares)
    return math.fsum(-share / total * math.log(share / total) for share in shares if share > 0)


def noise(wrong: float, classes: int) -> float:
    """Cross-entropy at its best where a share r of the labels is drawn among the other classes: -(1-r) ln(1-r) - r ln(r/(K-1)).

    The highest entropy, too, that predictions of accuracy 1 - r may have.

    >>> round(noise(0.3, 4), 4), noise(0.0, 4)
    (0.9404, 0.0)
    """
    return entropy([1 - wrong, *[wrong / (classes - 1)] * (classes - 1)])


def smoothed(smoothing: float, classes: int) -> float:
    """Cross-entropy at its best with label smoothing s: every class gets s/K of a row. No fault.

    >>> round(smoothed(0.1, 4), 4), round(smoothed(0.1, 10), 4)
    (0.3488, 0.5003)
    """
    return noise(smoothing * (classes - 1) / classes, classes)


def over_batch(shares: Sequence[float], batch: int) -> float:
    """A softmax over the rows of a batch: the n_c rows of a class share one unit, sum n_c/B ln n_c at best.

    n_c is drawn with each batch (binomial); its mean alone would give ln(B/K), which is (K-1)/2B too low.

    >>> round(over_batch([0.25] * 4, 50), 4), round(math.log(50 / 4) + 3 / 100, 4)
    (2.5563, 2.5557)
    """
    return math.fsum(_n_ln_n(share, batch) for share in shares) / batch


def _n_ln_n(share: float, batch: int) -> float:
    """The mean of n ln n for a binomial n."""
    if not 0 < share < 1:
        return share * batch * math.log(max(batch, 1))
    steps = range(1, batch + 1)
    logs = (
        math.lgamma(batch + 1)
        - math.lgamma(n + 1)
        - math.lgamma(batch - n + 1)
        + n * math.log(share)
        + (batch - n) * math.log1p(-share)
        for n in steps
    )
    return math.fsum(math.exp(log) * n * math.log(n) for n, log in zip(steps, logs, strict=True))


def overlap(accuracy: float, classes: int = 2) -> float:
    """Cross-entropy at its best where K normal classes, all as far apart, overlap so much that this accuracy is the best, too.

    Lower than `noise`, as some rows are surer than others: that tells a hard problem from wrong labels, unless accuracy is little
    more than chance. Each class has a direction of its own, in which its rows lie d further on: the logits are d times the
    places, and the best accuracy is that of d + z above the largest of K - 1 others, z standard normal.

    >>> round(overlap(0.5), 4), overlap(0.643) < noise(0.357, 2)
    (0.6931, True)
    >>> round(overlap(0.75, 4) / noise(0.25, 4), 2), round(overlap(0.3, 4) / noise(0.7, 4), 2)
    (0.74, 0.99)
    """
    import numpy as np

    places, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()
    if classes == 2:  # the log-odds are normal, with mean d^2/2 and variance d^2 of the whole distance d
        d = 2 * NormalDist().inv_cdf(min(max(accuracy, 0.5), 1 - 1e-9))
        return float(weights @ np.logaddexp(0.0, -(d * d / 2 + d * places)))
    low, high = 0.0, 40.0
    for _ in range(50):
        d = (low + high) / 2
        right = sum(w * NormalDist().cdf(z + d) ** (classes - 1) for z, w in zip(places, weights, strict=True))
        low, high = (d, high) if right < accuracy else (low, d)
    logits = d * np.random.default_rng(0).normal(size=(1 << 12, classes))
    logits[:, 0] += d * d
    return float((np.logaddexp.reduce(logits, axis=1) - logits[:, 0]).mean())
