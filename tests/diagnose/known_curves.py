"""Curves of known causes, from closed forms: an exponential approach to what torch's own loss is at the best wrong output."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from losscli.diagnose.case import Facts
from losscli.diagnose.history import History, Series


@dataclass(frozen=True)
class Sample:
    """A curve, what is known of it, and its cause (None: healthy)."""

    cause: str | None
    history: History
    facts: Facts = field(default_factory=Facts)


def approach(
    start: float, floor: float, points: int = 40, pace: float = 4.0, noise: float = 0.0, seed: int = 0
) -> list[float]:
    """Values from `start` to `floor`, never below it but for noise."""
    rng = np.random.default_rng(seed)
    values = floor + (start - floor) * np.exp(-np.arange(points) / pace)
    return list(values + noise * np.abs(rng.standard_normal(points)))


def history(train: Sequence[float], valid: Sequence[float], **metrics: Sequence[float]) -> History:
    return History(Series.of(train), Series.of(valid), {name: Series.of(values) for name, values in metrics.items()})


def labels(shares: Sequence[float], rows: int = 1000) -> torch.Tensor:
    """[N] classes in these shares."""
    counts = [round(share * rows) for share in shares]
    return torch.repeat_interleave(torch.arange(len(shares)), torch.tensor(counts))


def at_best(outputs: torch.Tensor, classes: torch.Tensor) -> float:
    return float(functional.cross_entropy(outputs, classes))


def squashed(k: int) -> float:
    """Cross-entropy of outputs that a softmax or a sigmoid has brought to 0 and 1."""
    y = labels([1 / k] * k, 100 * k)
    return at_best(functional.one_hot(y, k).double(), y)


def twice(p: float) -> float:
    y = labels([1 - p, p]).double()
    return float(functional.binary_cross_entropy_with_logits(y, y))


def rectified(p: float) -> float:
    y = labels([1 - p, p]).double()
    return float(functional.binary_cross_entropy_with_logits(1e4 * y, y))


def constant(shares: Sequence[float]) -> float:
    """Cross-entropy of the same answer for every row: the logs of the shares."""
    y = labels(shares, 10_000)
    counts = torch.bincount(y).double()
    return at_best((counts / counts.sum()).log().expand(len(y), -1), y)


def noisy(wrong: float, k: int) -> float:
    """Cross-entropy of a model that knows how often labels are wrong."""
    y = labels([1 - wrong, *[wrong / (k - 1)] * (k - 1)], 99_000)
    p = torch.tensor([1 - wrong, *[wrong / (k - 1)] * (k - 1)], dtype=torch.float64)
    return at_best(p.log().expand(len(y), -1), y)


def over_batch(k: int, batch: int) -> float:
    """Cross-entropy over the rows of a batch at its best: the rows of a class share the mass; mean over drawn batches."""
    generator = torch.Generator().manual_seed(3)
    losses = []
    for _ in range(400):
        y = torch.randint(k, (batch,), generator=generator)
        z = 1e3 * functional.one_hot(y, k).double()
        losses.append(float(functional.nll_loss(functional.log_softmax(z, 0), y)))
    return float(np.mean(losses))


def accuracies(level: float, points: int = 40) -> list[float]:
    return [level * (1 - 0.6 * math.exp(-at)) for at in range(points)]


def samples() -> Mapping[str, Sample]:
    """All of them by name: other classes, priors, batches and lengths than any log that the signatures were tried on."""
    return {**_plateaus(), **_signs(), **_motions(), **_values(), **_healthy()}


def _plateaus() -> dict[str, Sample]:
    made = {}
    for k in (2, 3, 6, 17):
        curve = approach(0.9 * math.log(k), squashed(k), noise=1e-4, seed=k)
        facts = Facts("cross-entropy", k)
        made[f"softmax {k}"] = Sample(
            "softmax-before-cross-entropy", history(curve, curve, accuracy=accuracies(1.0)), facts
        )
    for p in (0.12, 0.35, 0.5, 0.8):
        for name, floor, cause in (
            ("twice", twice(p), "sigmoid-before-bce-with-logits"),
            ("relu", rectified(p), "relu-before-logits"),
        ):
            curve = approach(0.69, floor, noise=1e-4, seed=int(100 * p))
            facts = Facts(classes=2, positive_rate=p)
            made[f"{name} {p}"] = Sample(cause, history(curve, curve, accuracy=accuracies(0.995)), facts)
    for shares in ([0.5, 0.5], [0.8, 0.15, 0.05], [0.1] * 10, [0.4, 0.3, 0.2, 0.1]):
        curve = approach(1.05 * math.log(len(shares)), constant(shares), noise=2e-4, seed=len(shares))
        stays = [max(shares)] * 40
        made[f"constant {len(shares)}"] = Sample(
            "dead-relu", history(curve, curve, accuracy=stays), Facts(priors=shares)
        )
    for wrong, k in ((0.2, 3), (0.25, 6), (0.4, 10)):
        train, valid = (approach(math.log(k), shift + noisy(wrong, k), noise=1e-3, seed=k) for shift in (-0.01, 0.01))
        made[f"noise {k}"] = Sample(
            "label-noise", history(train, valid, accuracy=accuracies(1 - wrong)), Facts(classes=k)
        )
    for k, batch in ((3, 32), (5, 128), (10, 64)):
        curve = approach(0.9 * math.log(batch), over_batch(k, batch), noise=5e-3, seed=k)
        facts = Facts(classes=k, batch_size=batch)
        made[f"dim {k}"] = Sample("softmax-wrong-dim", history(curve, curve, accuracy=accuracies(0.97)), facts)
    at_zero = float(
        functional.binary_cross_entropy_with_logits(torch.zeros(4).double(), labels([0.5, 0.5], 4).double())
    )
    curve = [at_zero + 0.01, *[at_zero] * 20]
    made["all dead"] = Sample(
        "relu-before-logits", history(curve, [at_zero] * 21, accuracy=[0.7] * 21), Facts(classes=2, positive_rate=0.3)
    )
    divided = [0.02 * value for value in approach(1.2, 0.4)]
    made["a mean below its least"] = Sample(
        "reported-mean-scaled", history(divided, divided, accuracy=accuracies(0.8)), Facts(classes=3)
    )
    hundred = [100 * 0.27] * 12
    made["hundred"] = Sample(
        "logits-into-bce", history(hundred, [31.0] * 12, accuracy=[0.69] * 12), Facts(positive_rate=0.27)
    )
    made["margin"] = Sample(
        "stuck-at-margin",
        history(np.random.default_rng(1).normal(0.3, 0.01, 40), [0.3] * 40),
        Facts("triplet", margin=0.3),
    )
    falls = approach(0.41, 0.2, noise=0.004)
    made["down to the margin"] = Sample(
        "stuck-at-margin", history(falls, falls), Facts("nn.TripletMarginLoss", margin=0.2)
    )
    made["ln N"] = Sample(
        "stuck-at-margin", history([math.log(256)] * 30, [math.log(256)] * 30), Facts("info-nce", batch_size=256)
    )
    for k, batch in ((10, 64), (3, 20)):
        curve = [value / batch for value in approach(0.6 * math.log(k), 0.02)]
        facts = Facts(classes=k, batch_size=batch)
        made[f"divided {k}"] = Sample("reported-mean-scaled", history(curve, curve, accuracy=accuracies(0.99)), facts)
        summed = [value * batch * batch for value in curve]
        made[f"summed {k}"] = Sample("reported-mean-scaled", history(summed, summed, accuracy=accuracies(0.99)), facts)
    return made


def _signs() -> dict[str, Sample]:
    steps = np.arange(30)
    bce = list(0.5 - 0.4 * steps**1.5)
    made = {
        "-1/+1": Sample(
            "bce-target-outside-0-1", history(bce, bce, accuracy=accuracies(0.98, 30)), Facts("bce-logits")
        ),
        "scores": Sample("logits-into-nll", history(bce, bce, accuracy=accuracies(0.9, 30)), Facts("nll", 7)),
    }
    for k in (3, 10):
        curve = approach(-1.3 / k, -0.99)
        made[f"nll {k}"] = Sample(
            "softmax-before-nll", history(curve, curve, accuracy=accuracies(0.99)), Facts(classes=k)
        )
    target = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    start, best = (
        float(functional.kl_div(torch.tensor(p, dtype=torch.float64), target, reduction="sum"))
        for p in ([1 / 3] * 3, [1.0, 0, 0])
    )
    curve = approach(start, best)
    made["kl"] = Sample("kldiv-input-not-log", history(curve, curve), Facts("kl_div"))
    made["kl, unnamed"] = Sample("kldiv-input-not-log", history(curve, curve), Facts())
    return made


def _motions() -> dict[str, Sample]:
    steps = np.arange(40)
    still = [1.234567] * 20
    grows = list(2.0 * 1.3**steps)
    falls = approach(1.6, 0.01, pace=6)
    turns = list(np.concatenate([falls[:6], np.linspace(falls[5], 1.4, 34)]))
    rises = approach(1.6, 0.15)[:10] + list(0.35 + 0.05 * np.sin(steps[:30]))
    crawl = list(2.4 - 0.004 * steps)
    root = [*np.linspace(0.8, 0.001, 30), *[math.nan] * 5]
    return {
        "nothing": Sample("nothing-is-updated", history(still, [1.3] * 20, accuracy=[0.2] * 20), Facts(classes=5)),
        "nothing, with dropout": Sample(
            "nothing-is-updated",
            history(np.random.default_rng(0).normal(1.6, 0.01, 20), [1.61] * 20, accuracy=[0.1] * 20),
        ),
        "grows": Sample("learning-rate-too-large", history(grows, grows, r2=[1 - g for g in grows])),
        "grows to NaN": Sample(
            "learning-rate-too-large", history([*grows, math.inf, math.nan], [*grows, math.nan, math.nan])
        ),
        "root": Sample("sqrt-without-eps", history(root, root)),
        "crawls": Sample("learning-rate-too-small", history(crawl, crawl, accuracy=[0.11] * 40), Facts(classes=10)),
        "turns": Sample("overfitting", history(falls, turns, accuracy=accuracies(0.7)), Facts(classes=5)),
        "stays": Sample(
            "overfitting", history(falls, approach(1.6, 1.1, pace=3), accuracy=accuracies(0.6)), Facts(classes=5)
        ),
        "added up": Sample(
            "zero-grad-missing",
            history(rises, approach(1.6, 0.2)[:10] + list(0.3 + 0.05 * steps[:30])),
            Facts(classes=5),
        ),
    }


def _values() -> dict[str, Sample]:
    rng = np.random.default_rng(4)
    variance = 6.5
    flat = approach(11.0, variance, noise=0.02)
    r2 = list(0.02 * rng.standard_normal(40))
    apart = float((torch.randn(200_000, generator=torch.Generator().manual_seed(1)) * 3).abs().mean())
    absolute = approach(1.3 * apart, apart, noise=0.01)
    near = approach(-0.7, 0.0)
    level = [variance * (1 - value) for value in near]
    far = [3.0e5 * (1 - 2e-4 * at) for at in range(30)]
    return {
        "broadcast": Sample("broadcast-n1-n", history(flat, flat, r2=r2), Facts(target_std=math.sqrt(variance))),
        "broadcast, unknown spread": Sample(
            "broadcast-n1-n", history(flat, [v + 1.5 * rng.random() for v in flat], r2=r2)
        ),
        "broadcast, absolute": Sample("broadcast-n1-n", history(absolute, absolute, r2=r2), Facts(target_std=3.0)),
        "constant value": Sample("dead-relu", history(level, level, r2=near), Facts(target_std=math.sqrt(variance))),
        "far from 0": Sample("target-not-scaled", history(far, far, r2=[1 - value / 900 for value in far])),
        "far from 0, by spread": Sample("target-not-scaled", history(far, far), Facts("mse", target_std=30.0)),
    }


def _healthy() -> dict[str, Sample]:
    made = {}
    for k in (2, 3, 5, 10):
        train, valid = approach(1.1 * math.log(k), 0.01), approach(math.log(k), 0.03)
        made[f"learns {k}"] = Sample(None, history(train, valid, accuracy=accuracies(0.99)), Facts(classes=k))
        y = labels([1 / k] * k, 100 * k)
        best = (functional.one_hot(y, k) * 0.9 + 0.1 / k).double()
        floor = float(functional.cross_entropy(best.log(), y, label_smoothing=0.1))
        train, valid = approach(1.1 * math.log(k), floor + 0.01), approach(math.log(k), floor + 0.015)
        made[f"smoothed {k}"] = Sample(None, history(train, valid, accuracy=accuracies(0.995)), Facts(classes=k))
        train, valid = approach(math.log(k), 0.42), approach(math.log(k), 0.46)
        made[f"middling {k}"] = Sample(None, history(train, valid, accuracy=accuracies(0.82)), Facts(classes=k))
        scores = 2 * torch.randn(20_000, k, generator=torch.Generator().manual_seed(k), dtype=torch.float64)
        p = scores.softmax(-1)
        entropy, right = float(-(p * p.log()).sum(-1).mean()), float(p.max(-1).values.mean())
        train, valid = approach(math.log(k), entropy - 0.01), approach(math.log(k), entropy + 0.01)
        made[f"hard {k}"] = Sample(None, history(train, valid, accuracy=accuracies(right)), Facts(classes=k))
    variance, near = 4.0, approach(-0.3, 0.93)
    loss = [variance * (1 - value) for value in near]
    made["regression"] = Sample(None, history(loss, loss, r2=near), Facts(target_std=2.0))
    near = approach(-0.3, 0.5)
    loss = [variance * (1 - value) for value in near]
    made["half explained"] = Sample(None, history(loss, loss, r2=near), Facts(target_std=2.0))
    likelihood = approach(1.4, -2.3)
    made["Gaussian likelihood"] = Sample(None, history(likelihood, likelihood), Facts("GaussianNLLLoss"))
    dropped, valid = approach(1.5, 0.35, noise=0.02), approach(1.2, 0.2)
    falls = approach(0.41, 0.03)
    made["triplets"] = Sample(None, history(falls, falls), Facts("triplet", margin=0.2))
    easy = approach(0.11, 0.002)
    made["quick to learn"] = Sample(
        None, history(easy, easy, accuracy=[0.97, *[0.999] * 39]), Facts(classes=10, batch_size=64)
    )
    made["dropout"] = Sample(None, history(dropped, valid, accuracy=accuracies(0.94)), Facts(classes=5))
    short = [1.1, 0.8, 0.65, 0.58, 0.55]
    made["short"] = Sample(None, history(short, short, accuracy=[0.6, 0.7, 0.75, 0.78, 0.8]), Facts(classes=3))
    return made
