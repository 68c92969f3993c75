"""Which rows of a batch belong together, how far they are apart, and means over those of them that count."""

from __future__ import annotations

from losscli.lazy import Tensor, functional, torch
from losscli.losses import Number
from losscli.losses.finite import widened


def relations(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Which pairs of rows with class indices [..., B] are of one class, and which of two, bool [..., B, B] each; a row is no pair
    with itself.

    Floating-point labels are those of pairs: the rows 2 i and 2 i + 1 are of one class where they say 1 and of two where they
    say 0; nothing is known of any other two rows.

    >>> relations(torch.tensor([0, 0, 1]))[0].int().tolist()
    [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    >>> relations(torch.tensor([1.0, 1.0, 0.0, 0.0]))[1].int().tolist()
    [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    """
    places = torch.arange(labels.shape[-1], device=labels.device)
    if labels.is_floating_point():
        partner = places[:, None] == (places ^ 1)  # 0 and 1, 2 and 3 ...
        agree = labels[..., :, None] > 0.5
        return partner & agree, partner & ~agree
    agree = labels[..., :, None] == labels[..., None, :]
    return agree & (places[:, None] != places), ~agree


def directions(vectors: Tensor) -> Tensor:
    """The vectors at length 1; float16 has too few digits for what follows, and becomes float32."""
    return functional.normalize(widened(vectors), dim=-1)


def cosines(vectors: Tensor, others: Tensor | None = None) -> Tensor:
    """The cosine of every vector [..., B, D] with every other, or with each of `others` [..., C, D]: [..., B, B or C]."""
    one = directions(vectors)
    return one @ (one if others is None else directions(others)).mT


def distances(vectors: Tensor) -> Tensor:
    """How far any two of the vectors are apart, [..., B, B].

    By differences: through a product of matrices, |a|^2 + |b|^2 - 2 a b, near rows would lose their digits, and the root of
    a 0 that is no exact 0 has a slope without a bound. Here the slope at 0 is 0.
    """
    rows = widened(vectors)
    return torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")


def wide(option: Number) -> Number:
    """An option of each run, [R, 1], so that it broadcasts over pairs [R, B, B]."""
    return option.unsqueeze(-1) if isinstance(option, Tensor) and option.ndim else option


def mean_where(values: Tensor, counted: Tensor) -> Tensor:
    """The mean of the values [..., B, B] that count, 0 where none does: [...]."""
    return (values * counted).sum((-2, -1)) / counted.sum((-2, -1)).clamp(min=1)


def mean_of_costly(values: Tensor) -> Tensor:
    """The mean of those of the values [..., B] that are above 0, which are all that is left to learn: [...]."""
    return values.sum(-1) / (values > 0).sum(-1).clamp(min=1)


def logsumexp_where(values: Tensor, counted: Tensor) -> Tensor:
    """The logarithm of the sum of the exponentials of those of the values [..., B, B] that count, [..., B].

    Where none does it is so far down that its exponential is 0; an infinity would have no gradient.
    """
    lowest = torch.finfo(values.dtype).min / 4
    return torch.logsumexp(values.masked_fill(~counted, lowest), -1)
