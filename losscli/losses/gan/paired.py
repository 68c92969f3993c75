"""Relativistic pairs: each real row is to score above the made-up row beside it, and for the generator the other way round."""

from __future__ import annotations

from losscli.lazy import Tensor, functional
from losscli.losses import loss
from losscli.losses.finite import difference
from losscli.losses.gan.cross_entropy import TARGET
from losscli.losses.gan.sides import R1, R2


def above_real(real: Tensor, fake: Tensor) -> Tensor:
    """A made-up row is to score above the real row beside it."""
    return functional.softplus(difference(real, fake))


@loss(
    "gan",
    "scores",
    TARGET,
    per_value=False,
    aliases=("rgan", "rpgan"),
    kernels={"generator": above_real},
    differences=True,
)
def relativistic(prediction: Tensor, target: Tensor) -> Tensor:
    """Relativistic: a real row is to score above the made-up row beside it; the generator wants the opposite.

    Use: data in lumps: a generator that drops one of them loses against the real rows there.
    Avoid: long trainings without a penalty: it need not settle, and r3gan does.

    Domain: any scores D(x) of real rows and D(g) of made-up rows; only their differences count.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B].

    Formula: L = sp(D(g) - D(x)); the generator minimises sp(D(x) - D(g)).

    Source: Jolicoeur-Martineau 2018, The relativistic discriminator, arXiv 1807.00734.

    Kin: relativistic = r3gan(gamma 0); auc-pairwise of binary compares all pairs in place of those beside each other.

    >>> import torch
    >>> round(relativistic(torch.tensor([1.0]), torch.tensor([1.0])).item(), 4)  # log 2
    0.6931
    """
    return functional.softplus(difference(target, prediction))


@loss(
    "gan",
    "scores",
    TARGET,
    per_value=False,
    aliases=("r3", "relativistic-r1-r2"),
    kernels={"generator": above_real},
    penalties=(R1, R2),
    differences=True,
)
def r3gan(prediction: Tensor, target: Tensor) -> Tensor:
    """R3GAN: the relativistic pair, with a discriminator that is to be flat at real and at made-up rows.

    Use: the default: it finds every lump of the data and settles.
    Avoid: a large gamma: a discriminator that is flat everywhere tells the generator nothing.

    Domain: any scores D(x) of real rows and D(g) of made-up rows; only their differences count.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B]; the gradient of D [..., B, F] -> [..., B].

    Formula: L = sp(D(g) - D(x)) + gamma / 2 (|grad D(x)|^2 + |grad D(g)|^2); the generator minimises sp(D(x) - D(g)).

    Source: Huang et al. 2024, The GAN is dead; long live the GAN! A Modern Baseline GAN, arXiv 2501.05441.

    Kin: r3gan(gamma 0) = relativistic; r1 is the same penalty at real rows alone.

    >>> import torch
    >>> round(r3gan(torch.tensor([1.0]), torch.tensor([1.0])).item(), 4)  # log 2, and the penalties
    0.6931
    """
    return functional.softplus(difference(target, prediction))
