"""Losses of proxies: each class has a vector of its own, which is learned with the model and stands for its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from losscli.lazy import Tensor, functional, torch
from losscli.losses import Bounds, NonNegative, Number, Positive, loss
from losscli.losses.embedding.relations import cosines, logsumexp_where, wide
from losscli.losses.parts import Weight

Degrees = Annotated[Number, Bounds(low=0, high=90)]


def one_each(classes: int, outputs: int, options: Mapping[str, Any]) -> tuple[int, ...]:
    """A vector for each class, [C, D]."""
    return classes, outputs


PROXIES = {"proxies": Weight(one_each)}


def among_classes(logits: Tensor, labels: Tensor) -> Tensor:
    """Softmax cross-entropy of logits [..., B, C], [..., B]."""
    flat = functional.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="none")
    return flat.view(labels.shape)


def is_own(cosine: Tensor, labels: Tensor) -> Tensor:
    """Which of the classes is a row's own, bool [..., B, C]."""
    return labels.unsqueeze(-1) == torch.arange(cosine.shape[-1], device=labels.device)


@loss("embedding", "embeddings", "class label", weights=PROXIES, aliases=("norm-softmax",))
def normalized_softmax(vectors: Tensor, labels: Tensor, proxies: Tensor, *, temperature: Positive = 0.05) -> Tensor:
    """Normalised softmax: a softmax classifier of directions, with only the angles to a vector of each class.

    Use: a plain and quick start where there are many rows of each class.
    Avoid: more classes than fit in memory, each with a vector of its own; for classes that training has not seen it promises
    nothing.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B], proxies [..., C, D] -> [..., B].

    Formula: L = -log softmax(cos(x, w) / t)_y

    Source: Zhai and Wu 2019, Classification is a Strong Baseline for Deep Metric Learning, https://arxiv.org/abs/1811.12649.

    Kin: arcface and cosface with margin 0 and scale 1/t; proxy-nca with scale 1/(2 t).

    Elsewhere: pytorch-metric-learning NormalizedSoftmaxLoss

    >>> row, proxies = torch.tensor([[2.0, 0.0]]), torch.eye(2)
    >>> round(normalized_softmax(row, torch.tensor([0]), proxies, temperature=1.0).item(), 4)  # log(1 + e^(0 - 1))
    0.3133
    """
    return among_classes(cosines(vectors, proxies) / wide(temperature), labels)


@loss("embedding", "embeddings", "class label", weights=PROXIES)
def arcface(
    vectors: Tensor, labels: Tensor, proxies: Tensor, *, margin: Degrees = 28.6, scale: Positive = 64.0
) -> Tensor:
    """Additive angular margin: a row must be nearer to the proxy of its class than to others by so many degrees.

    Use: many classes with few rows each, as of faces.
    Avoid: the default scale at a large learning rate, or with wrong labels.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B], proxies [..., C, D] -> [..., B].

    Formula: L = -log softmax(scale z)_y, z_c = cos(x, w_c), z_y = cos(angle(x, w_y) + margin); beyond 180 degrees z_y = cos -
    margin sin margin (in radians), so that it goes on falling

    Source: Deng, Guo, Xue and Zafeiriou 2019, ArcFace, https://arxiv.org/abs/1801.07698.

    Kin: with margin 0, normalized-softmax with temperature 1 / scale; cosface has its margin on the cosine.

    Elsewhere: pytorch-metric-learning ArcFaceLoss

    >>> row, proxies = torch.tensor([[1.0, 1.0]]), torch.eye(2)
    >>> round(arcface(row, torch.tensor([0]), proxies, margin=45.0, scale=1.0).item(), 4)  # log(1 + e^(0.7071 - 0))
    1.1079
    """
    cosine = cosines(vectors, proxies)
    angle = torch.deg2rad(torch.as_tensor(wide(margin), dtype=cosine.dtype, device=cosine.device))
    sine = (1 - cosine.square()).clamp(min=torch.finfo(cosine.dtype).eps).sqrt()  # its slope at 0 has no bound
    turned = cosine * angle.cos() - sine * angle.sin()  # cos(a + b)
    turned = torch.where(cosine >= -angle.cos(), turned, cosine - angle * angle.sin())
    return among_classes(wide(scale) * torch.where(is_own(cosine, labels), turned, cosine), labels)


@loss("embedding", "embeddings", "class label", weights=PROXIES, aliases=("am-softmax",))
def cosface(
    vectors: Tensor, labels: Tensor, proxies: Tensor, *, margin: NonNegative = 0.35, scale: Positive = 64.0
) -> Tensor:
    """Additive cosine margin: the cosine with the proxy of the class must be larger than others by a margin.

    Use: as arcface; its margin is easier to think of.
    Avoid: a margin above 1, which two classes cannot both have in few dimensions.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B], proxies [..., C, D] -> [..., B].

    Formula: L = -log softmax(scale z)_y, z_c = cos(x, w_c), z_y = cos(x, w_y) - margin

    Source: Wang et al. 2018, CosFace, https://arxiv.org/abs/1801.09414.

    Kin: with margin 0, normalized-softmax with temperature 1 / scale; arcface has its margin on the angle.

    Elsewhere: pytorch-metric-learning CosFaceLoss

    >>> row, proxies = torch.tensor([[1.0, 0.0]]), torch.eye(2)
    >>> round(cosface(row, torch.tensor([0]), proxies, margin=1.0, scale=1.0).item(), 4)  # log 2
    0.6931
    """
    cosine = cosines(vectors, proxies)
    return among_classes(wide(scale) * torch.where(is_own(cosine, labels), cosine - wide(margin), cosine), labels)


@loss("embedding", "embeddings", "class label", weights=PROXIES)
def proxy_nca(vectors: Tensor, labels: Tensor, proxies: Tensor, *, scale: Positive = 1.0) -> Tensor:
    """Neighbourhood components with proxies for neighbours: a softmax over minus the squared distances to them.

    Use: few rows of each class in a batch, where pairs of one class are rare.
    Avoid: a large scale: the softmax is sure as soon as the own proxy is the nearest, and pulls no more.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B], proxies [..., C, D] -> [..., B].

    Formula: L = -log softmax(-scale d^2)_y, d the distance of the direction of x to that of each proxy

    Source: Movshovitz-Attias et al. 2017, No Fuss Distance Metric Learning using Proxies, https://arxiv.org/abs/1703.07464; its
    own class in the denominator, too, as in Teh, DeVries and Taylor 2020, ProxyNCA++, https://arxiv.org/abs/2004.01113.

    Kin: d^2 = 2 - 2 cos, so it is normalized-softmax with temperature 1 / (2 scale).

    Elsewhere: pytorch-metric-learning ProxyNCALoss

    >>> row, proxies = torch.tensor([[2.0, 0.0]]), torch.eye(2)
    >>> round(proxy_nca(row, torch.tensor([0]), proxies, scale=1.0).item(), 4)  # log(1 + e^-2)
    0.1269
    """
    return among_classes(2 * wide(scale) * cosines(vectors, proxies), labels)  # -d^2 up to a constant, which cancels


@loss("embedding", "embeddings", "class label", over_batch=True, weights=PROXIES)
def proxy_anchor(
    vectors: Tensor, labels: Tensor, proxies: Tensor, *, margin: NonNegative = 0.1, alpha: Positive = 32.0
) -> Tensor:
    """Proxy anchors: the vector of a class pulls the rows of the class and pushes all others, the hard ones most.

    Use: quick to learn, as every row meets every proxy.
    Avoid: batches with few rows of a class, whose hardness is then weighed among few.

    Domain: a class for each row.
    Shapes: [..., B, D], [..., B], proxies [..., C, D] -> [...].

    Formula: L = mean over the proxies with rows in the batch of log(1 + sum over their rows of e^(-alpha (s - margin))) + mean
    over all proxies of log(1 + sum over other rows of e^(alpha (s + margin))), s the cosine

    Source: Kim, Kim, Cho and Kwak 2020, Proxy Anchor Loss for Deep Metric Learning, https://arxiv.org/abs/2003.13911.

    Kin: multi-similarity has the same form, with a row in the place of the proxy.

    Elsewhere: pytorch-metric-learning ProxyAnchorLoss

    >>> row, proxies = torch.tensor([[1.0, 0.0]]), torch.eye(2)
    >>> round(proxy_anchor(row, torch.tensor([0]), proxies, margin=0.0, alpha=1.0).item(), 4)  # log(1 + 1/e) + (0 + log 2) / 2
    0.6598
    """
    cosine = cosines(vectors, proxies).mT  # [..., C, B]
    own, scale, offset = is_own(cosine.mT, labels).mT, wide(alpha), wide(margin)
    present = own.any(-1)  # [..., C]
    pull = functional.softplus(logsumexp_where(scale * (offset - cosine), own))
    push = functional.softplus(logsumexp_where(scale * (cosine + offset), ~own))
    return (pull * present).sum(-1) / present.sum(-1).clamp(min=1) + push.mean(-1)
