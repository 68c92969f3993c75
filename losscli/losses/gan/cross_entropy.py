"""The first pairs: a classifier of real and made-up rows, trained by cross-entropy or squares, and who it is to deceive."""

from __future__ import annotations

from losscli.lazy import Tensor, functional
from losscli.losses import loss
from losscli.losses.finite import widened
from losscli.losses.gan.sides import NEAR_DATA, R1, passes_for_real, told_apart

TARGET = "score"


def fewer_told_apart(real: Tensor, fake: Tensor) -> Tensor:
    """What the discriminator gains by made-up rows is what the generator loses: its slope vanishes where D is sure."""
    return -functional.softplus(widened(fake))


@loss(
    "gan",
    "scores",
    TARGET,
    name="gan-minimax",
    per_value=False,
    aliases=("minimax", "vanilla-gan", "saturating-gan"),
    kernels={"generator": fewer_told_apart},
    signed=True,
)
def minimax(prediction: Tensor, target: Tensor) -> Tensor:
    """Minimax: binary cross-entropy for the discriminator; the generator minimises its negative, which saturates.

    Use: to see why nobody trains so: the theory is about this pair, and practice about the others.
    Avoid: all but demonstrations: where the discriminator is sure of a made-up row, the generator has no slope left.

    Domain: any scores D(x) of real rows and D(g) of made-up rows.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B].

    Formula: L = sp(-D(x)) + sp(D(g)); the generator minimises -sp(D(g)).

    Source: Goodfellow et al. 2014, Generative Adversarial Networks, arXiv 1406.2661.

    Kin: the discriminator's side is that of gan-nonsaturating, r1 and dragan: bce-logits with real rows as 1, made-up rows as 0.

    Asked: Is binary cross-entropy the generator's loss? No. It is the discriminator's, with real rows as yes and made-up rows as
    no. Here the generator minimises the negative of the part that it can move, which has no slope where the discriminator
    wins; in gan-nonsaturating it minimises a cross-entropy of its own, with the labels changed over. Are BCE and Wasserstein
    used together? No. Scores either go through a sigmoid into a cross-entropy, or stay as they are and are subtracted (wgan-gp,
    wgan-clip). A sigmoid before a Wasserstein loss bounds the very distance that it is to measure.

    >>> import torch
    >>> round(minimax(torch.tensor([0.0]), torch.tensor([0.0])).item(), 4)  # 2 log 2
    1.3863
    """
    return told_apart(prediction, target)


@loss(
    "gan",
    "scores",
    TARGET,
    name="gan-nonsaturating",
    per_value=False,
    aliases=("nonsaturating", "non-saturating", "ns-gan"),
    kernels={"generator": passes_for_real},
)
def nonsaturating(prediction: Tensor, target: Tensor) -> Tensor:
    """Non-saturating: binary cross-entropy for both; for the generator with the labels changed over.

    Use: the plain pair that works at all: the generator's slope is largest where the discriminator is sure.
    Avoid: data in separate lumps, where it drops some of them and goes in circles: r1 is the same with a brake.

    Domain: any scores D(x) of real rows and D(g) of made-up rows.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B].

    Formula: L = sp(-D(x)) + sp(D(g)); the generator minimises sp(-D(g)).

    Source: Goodfellow et al. 2014, Generative Adversarial Networks, arXiv 1406.2661, section 3.

    Kin: r1 with gamma 0, dragan with weight 0; gan-minimax has the same discriminator.

    >>> import torch
    >>> round(nonsaturating(torch.tensor([0.0]), torch.tensor([0.0])).item(), 4)  # 2 log 2
    1.3863
    """
    return told_apart(prediction, target)


def squared_from_real(real: Tensor, fake: Tensor) -> Tensor:
    """The score of a made-up row is to be that of a real one, 1."""
    return (widened(fake) - 1).square() / 2


@loss(
    "gan",
    "scores",
    TARGET,
    per_value=False,
    aliases=("least-squares", "least-squares-gan"),
    kernels={"generator": squared_from_real},
)
def lsgan(prediction: Tensor, target: Tensor) -> Tensor:
    """Least squares: scores of real rows are to be 1, of made-up rows 0; the generator wants 1 for its own.

    Use: where cross-entropy is too sure too early: a row far on the right side still has a slope.
    Avoid: discriminators that run ahead: far scores have large slopes, and rows lump together.

    Domain: any scores D(x) of real rows and D(g) of made-up rows.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B].

    Formula: L = ((D(x) - 1)^2 + D(g)^2) / 2; the generator minimises (D(g) - 1)^2 / 2.

    Source: Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv 1611.04076.

    Kin: mse of the scores against 1 and 0, halved.

    >>> import torch
    >>> lsgan(torch.tensor([0.0]), torch.tensor([2.0])).item()  # (1 + 4) / 2
    2.5
    """
    return ((widened(prediction) - 1).square() + widened(target).square()) / 2


@loss(
    "gan",
    "scores",
    TARGET,
    per_value=False,
    aliases=("dragan-penalty",),
    kernels={"generator": passes_for_real},
    penalties=(NEAR_DATA,),
)
def dragan(prediction: Tensor, target: Tensor) -> Tensor:
    """DRAGAN: the non-saturating pair, with a discriminator whose slope near real rows is to be 1.

    Use: data in lumps: the discriminator cannot be steep around one of them alone.
    Avoid: rows with columns that are nearly functions of others: near a real row there is then no other row.

    Domain: any scores D(x) of real rows and D(g) of made-up rows; points are up to half a standard deviation from x.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B]; the gradient of D [..., B, F] -> [..., B].

    Formula: L = sp(-D(x)) + sp(D(g)) + weight (|grad D(x + noise)| - 1)^2; the generator minimises sp(-D(g)).

    Source: Kodali et al. 2017, On Convergence and Stability of GANs, arXiv 1705.07215.

    Kin: dragan(weight 0) = gan-nonsaturating; wgan-gp has the same penalty between real and made-up rows.

    >>> import torch
    >>> round(dragan(torch.tensor([0.0]), torch.tensor([0.0])).item(), 4)  # 2 log 2, and the penalty
    1.3863
    """
    return told_apart(prediction, target)


@loss(
    "gan",
    "scores",
    TARGET,
    name="r1",
    per_value=False,
    aliases=("r1-gan", "gan-r1"),
    kernels={"generator": passes_for_real},
    penalties=(R1,),
)
def flat_at_real(prediction: Tensor, target: Tensor) -> Tensor:
    """R1: the non-saturating pair, with a discriminator that is to be flat at real rows.

    Use: the first choice among the plain pairs: near the data it settles where the others circle.
    Avoid: a large gamma: a discriminator that is flat everywhere tells the generator nothing.

    Domain: any scores D(x) of real rows and D(g) of made-up rows.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B]; the gradient of D [..., B, F] -> [..., B].

    Formula: L = sp(-D(x)) + sp(D(g)) + gamma / 2 |grad D(x)|^2; the generator minimises sp(-D(g)).

    Source: Mescheder et al. 2018, Which Training Methods for GANs do actually Converge?, arXiv 1801.04406.

    Kin: r1(gamma 0) = gan-nonsaturating; r3gan adds the same at made-up rows.

    >>> import torch
    >>> round(flat_at_real(torch.tensor([0.0]), torch.tensor([0.0])).item(), 4)  # 2 log 2, and the penalty
    1.3863
    """
    return told_apart(prediction, target)
