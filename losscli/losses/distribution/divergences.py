"""Divergences: zero where the two distributions are the same, whatever the order of the classes."""

from __future__ import annotations

from losscli.lazy import Tensor, torch
from losscli.losses import Positive, loss
from losscli.losses.finite import widened
from losscli.losses.multiclass.classes import over_classes

LEAST = 2.0**-126  # 1e-38, the least number of float32 with all its digits: a target of 0 where its logarithm is taken


def at_least_zero(divergence: Tensor) -> Tensor:
    """The same, but 0 where rounding left less: float32 sums to -6e-8 for equal distributions. The gradient stays what it is.

    >>> at_least_zero(torch.tensor([-6e-8, 0.25])).tolist()
    [0.0, 0.25]
    """
    return divergence - divergence.detach().clamp(max=0)


@loss(
    "distribution",
    "logits",
    "probabilities",
    aliases=("kl", "kl-divergence", "forward-kl", "kullback-leibler", "relative-entropy"),
)
def kl_div(prediction: Tensor, target: Tensor) -> Tensor:
    """KL divergence from the target: what is lost by believing q where t holds; q must cover all that t does.

    Use: the default for probabilities, votes and a teacher's answers; its cheapest prediction is their mean.
    Avoid: rows whose targets are certain and sometimes wrong: one such row may cost any amount.

    Domain: any logits; target probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B, K] -> [..., B].

    Formula: L = sum_k t_k log(t_k / q_k), q = softmax(x).

    Source: Kullback and Leibler 1951, On Information and Sufficiency.

    Kin: equals cross-entropy less the entropy of t, -sum_k t_k log t_k, so its gradient is that of cross-entropy, q - t;
    distillation with temperature 1. reverse-kl with the two changed over.

    Elsewhere: torch KLDivLoss(reduction="batchmean") of log_softmax(x), whose "mean" is this divided by K; Keras KLDivergence.

    >>> round(kl_div(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]])).item(), 4)  # 1 log(1 / (1/2))
    0.6931
    """
    logs = torch.log_softmax(prediction, -1)
    return at_least_zero((torch.xlogy(target, target) - target * logs).sum(-1))


@loss("distribution", "logits", "probabilities", aliases=("backward-kl", "exclusive-kl", "mode-seeking-kl"))
def reverse_kl(prediction: Tensor, target: Tensor) -> Tensor:
    """Reverse KL: what is lost by believing t where q holds, so q keeps to the likeliest part of t and leaves the rest.

    Use: targets with several peaks of which one is to be told, and nothing that is impossible.
    Avoid: votes, whose zeros are chance: where t is 0, any probability costs 87 times itself.

    Domain: any logits; target probabilities over the K classes. A target of 0 counts as 1.2e-38, the least float32: the plain
    divergence is infinite there.
    Shapes: prediction [..., B, K], target [..., B, K] -> [..., B].

    Formula: L = sum_k q_k log(q_k / t_k), q = softmax(x).

    Source: Minka 2005, Divergence Measures and Message Passing; Kullback and Leibler 1951.

    Kin: kl-div with the two changed over; both are nearly the same for distributions that are close.

    >>> round(reverse_kl(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.75, 0.25]])).item(), 4)  # 1/2 log(2/3) + 1/2 log 2
    0.1438
    """
    logs = torch.log_softmax(widened(prediction), -1)
    given = widened(target).clamp(min=LEAST).log()
    gap = logs - given
    # Plain: sum q gap. Its slopes q (gap - L) would cancel where a gap is 87: what all gaps share with the likeliest goes first.
    shared = gap.detach().gather(-1, logs.argmax(-1, keepdim=True))
    return at_least_zero((shared + (logs.exp() * (gap - shared)).sum(-1, keepdim=True)).squeeze(-1))


@loss("distribution", "logits", "probabilities", aliases=("js", "js-divergence", "jensen-shannon"))
def js_div(prediction: Tensor, target: Tensor) -> Tensor:
    """Jensen-Shannon divergence: both distributions beside their middle; no row costs more than log 2.

    Use: targets of which some are wrong: no row costs more than 0.693.
    Avoid: a bad start: the gradient of a confident mistake vanishes.

    Domain: any logits; target probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B, K] -> [..., B].

    Formula: L = 1/2 sum_k (t_k log(t_k / m_k) + q_k log(q_k / m_k)), m = (t + q) / 2, q = softmax(x).

    Source: Lin 1991, Divergence Measures Based on the Shannon Entropy.

    Kin: the mean of two kl-div, from t and from q to their middle; the square of scipy's jensenshannon, which is a distance.

    >>> round(js_div(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]])).item(), 4)  # 3/4 log(4/3)
    0.2158
    """
    logs = torch.log_softmax(widened(prediction), -1)
    t = widened(target)
    given = t.log()  # -inf for a target of 0, which logaddexp takes
    middle = torch.logaddexp(given, logs) - torch.log(torch.tensor(2.0, dtype=logs.dtype))
    from_target = torch.where(t > 0, t * (given.clamp(min=-1e4) - middle), 0.0)
    return at_least_zero((from_target + logs.exp() * (logs - middle)).sum(-1) / 2)


@loss("distribution", "logits", "probabilities", aliases=("knowledge-distillation", "kd", "hinton"))
def distillation(prediction: Tensor, target: Tensor, *, temperature: Positive = 2.0) -> Tensor:
    """Distillation: KL divergence after both distributions were softened, so that a teacher's small probabilities teach, too.

    Use: a teacher's probabilities, most of which are nearly certain.
    Avoid: votes, and probabilities that are to be believed: with a temperature above 1 the mean of several targets is missed.

    Domain: any logits; target probabilities over the K classes. The teacher's logits are the logarithms of the target.
    Shapes: prediction [..., B, K], target [..., B, K] -> [..., B].

    Formula: L = T^2 sum_k s_k log(s_k / q_k), s = softmax(log(t) / T), q = softmax(x / T), T the temperature.

    Source: Hinton, Vinyals and Dean 2015, Distilling the Knowledge in a Neural Network, https://arxiv.org/abs/1503.02531;
    T^2 keeps the gradient's size.

    Kin: temperature 1 is kl-div; T to infinity, for targets without a 0, is half the mean squared distance of the logits x and
    log(t), both about their means.

    >>> round(distillation(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.8, 0.2]])).item(), 4)  # 4 KL((2/3, 1/3), (1/2, 1/2))
    0.2265
    """
    logits, t, warmth = widened(prediction), widened(target), over_classes(temperature)
    logs = torch.log_softmax(logits / warmth, -1)
    softened = torch.softmax(t.log() / warmth, -1)  # a target of 0 stays 0
    divergence = at_least_zero((torch.xlogy(softened, softened) - softened * logs).sum(-1))
    return temperature**2 * divergence


@loss("distribution", "logits", "probabilities", aliases=("squared-hellinger", "bhattacharyya-coefficient"))
def hellinger(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared Hellinger distance: how far the roots of the probabilities are apart; no row costs more than 1.

    Use: small probabilities that count, in a loss that no row can dominate.
    Avoid: a bad start: the gradient of a confident mistake vanishes.

    Domain: any logits; target probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B, K] -> [..., B].

    Formula: L = 1/2 sum_k (sqrt(t_k) - sqrt(q_k))^2 = 1 - sum_k sqrt(t_k q_k), q = softmax(x). The distance itself is its
    root, whose slope at 0 is infinite.

    Source: Hellinger 1909, Neue Begruendung der Theorie quadratischer Formen; Le Cam 1986.

    Kin: at most total-variation, which is at most sqrt(2 L); about a quarter of kl-div for distributions that are close.

    >>> round(hellinger(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]])).item(), 4)  # 1 - sqrt(1/2)
    0.2929
    """
    logs = torch.log_softmax(widened(prediction), -1)
    return (widened(target).sqrt() - (logs / 2).exp()).square().sum(-1) / 2


@loss("distribution", "logits", "probabilities", aliases=("tv", "tv-distance"))
def total_variation(prediction: Tensor, target: Tensor) -> Tensor:
    """Total variation: the probability that must be moved to make one distribution of the other; no row costs more than 1.

    Use: rows of which some are wrong, where a share that is off by so much should cost so much.
    Avoid: votes, of which it learns the middle and not the mean; a bad start: the gradient of a confident mistake vanishes.

    Domain: any logits; target probabilities over the K classes.
    Shapes: prediction [..., B, K], target [..., B, K] -> [..., B].

    Formula: L = 1/2 sum_k |t_k - q_k|, q = softmax(x).

    Source: Jordan 1881; Levin and Peres 2017, Markov Chains and Mixing Times, chapter 4.

    Kin: for one-hot targets half of mae of multiclass, 1 - q_y; at most the root of kl-div / 2 (Pinsker).

    >>> total_variation(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.75, 0.25]])).item()  # (1/4 + 1/4) / 2
    0.25
    """
    return (torch.softmax(prediction, -1) - target).abs().sum(-1) / 2
