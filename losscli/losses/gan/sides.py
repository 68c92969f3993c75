"""What generators minimise, where penalties take their points, and what they make of a gradient: parts that losses share."""

from __future__ import annotations

from collections.abc import Mapping

from losscli.lazy import Tensor, functional, torch
from losscli.losses import NonNegative
from losscli.losses.finite import widened
from losscli.losses.parts import Penalty

SPREAD = 0.5  # how far from a real row DRAGAN looks, in standard deviations of a column: columns are standardised


def told_apart(real: Tensor, fake: Tensor) -> Tensor:
    """Binary cross-entropy of the discriminator: real rows are yes, made-up rows are no."""
    return functional.softplus(-widened(real)) + functional.softplus(widened(fake))


def passes_for_real(real: Tensor, fake: Tensor) -> Tensor:
    """Binary cross-entropy of the generator, with the labels changed over: its rows are to be yes."""
    return functional.softplus(-widened(fake))


def scores_high(real: Tensor, fake: Tensor) -> Tensor:
    """Whatever the score is, a higher one is better for the generator."""
    return -widened(fake)


def at_real(points: Mapping[str, Tensor]) -> Tensor:
    """The real rows."""
    return points["real"]


def at_fake(points: Mapping[str, Tensor]) -> Tensor:
    """The rows that were made up."""
    return points["fake"]


def between(points: Mapping[str, Tensor]) -> Tensor:
    """A point on the line from each real row to a made-up one, as far along as each row's own `mix` says."""
    return torch.lerp(points["real"], points["fake"], points["mix"])


def around_real(points: Mapping[str, Tensor]) -> Tensor:
    """A point near each real row, in a direction and at a distance of its own."""
    return points["real"] + SPREAD * points["mix"] * (2 * points["noise"] - 1)


def slope_of_one(gradient: Tensor, *, weight: NonNegative = 0.1) -> Tensor:
    """weight (norm - 1)^2 of each sample's own gradient [..., B, F] -> [..., B].

    >>> slope_of_one(torch.tensor([[3.0, 4.0], [0.0, 1.0]]), weight=1.0).tolist()
    [16.0, 0.0]
    """
    slope: Tensor = torch.linalg.vector_norm(gradient, dim=-1)
    return weight * (slope - 1).square()


def slope_of_zero(gradient: Tensor, *, gamma: NonNegative = 0.1) -> Tensor:
    """gamma / 2 norm^2 of each sample's own gradient [..., B, F] -> [..., B].

    >>> slope_of_zero(torch.tensor([[3.0, 4.0], [0.0, 1.0]]), gamma=1.0).tolist()
    [12.5, 0.5]
    """
    return gamma / 2 * gradient.square().sum(-1)


R1 = Penalty(at_real, slope_of_zero)
R2 = Penalty(at_fake, slope_of_zero)
GRADIENT = Penalty(between, slope_of_one)
NEAR_DATA = Penalty(around_real, slope_of_one)
