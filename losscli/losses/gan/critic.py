"""Critics: scores without a sigmoid, whose differences are distances; hinge stops where they are large enough."""

from __future__ import annotations

from losscli.lazy import Tensor
from losscli.losses import Positive, loss
from losscli.losses.finite import difference, widened
from losscli.losses.gan.cross_entropy import TARGET
from losscli.losses.gan.sides import GRADIENT, scores_high


@loss("gan", "scores", TARGET, per_value=False, aliases=("hinge-gan",), kernels={"generator": scores_high}, signed=True)
def hinge(prediction: Tensor, target: Tensor) -> Tensor:
    """Hinge: the discriminator pays for rows that are not a margin of 1 on their side; the generator wants high scores.

    Use: discriminators that would run ahead: rows beyond the margin move it no more.
    Avoid: small sets, where soon all rows are beyond the margin and it stands still.

    Domain: any scores D(x) of real rows and D(g) of made-up rows.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B].

    Formula: L = max(0, 1 - D(x)) + max(0, 1 + D(g)); the generator minimises -D(g).

    Source: Lim and Ye 2017, Geometric GAN, arXiv 1705.02894; Miyato et al. 2018, arXiv 1802.05957.

    Kin: the discriminator's side is hinge of binary with real rows as yes; the generator's is that of wgan-gp.

    >>> import torch
    >>> hinge(torch.tensor([0.5]), torch.tensor([-3.0])).item()
    0.5
    """
    return (1 - widened(prediction)).relu() + (1 + widened(target)).relu()


def clipped(weights: Tensor, *, limit: Positive = 0.05) -> Tensor:
    """Every weight of the critic within limit of 0; a limit may be [r, 1], one for each run.

    >>> import torch
    >>> clipped(torch.tensor([-0.2, 0.01])).tolist()
    [-0.05000000074505806, 0.009999999776482582]
    """
    return weights.clamp(-limit, limit)  # type: ignore[arg-type]


@loss(
    "gan",
    "scores",
    TARGET,
    per_value=False,
    aliases=("wgan", "wasserstein-clip"),
    kernels={"generator": scores_high},
    projection=clipped,
    signed=True,
    differences=True,
)
def wgan_clip(prediction: Tensor, target: Tensor) -> Tensor:
    """Wasserstein with clipped weights: the critic's scores are to be as far apart as its small weights allow.

    Use: to see where the idea came from; wgan-gp bounds the slope itself.
    Avoid: deep critics: weights at the limit make it almost linear, and slopes vanish or grow from layer to layer.

    Domain: any scores D(x) of real rows and D(g) of made-up rows; no sigmoid before them.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B]; weights [..., P] -> [..., P].

    Formula: L = D(g) - D(x), every weight of D within limit of 0 after each step; the generator minimises -D(g).

    Source: Arjovsky et al. 2017, Wasserstein GAN, arXiv 1701.07875.

    Kin: wgan-gp with another brake.

    >>> import torch
    >>> wgan_clip(torch.tensor([2.0]), torch.tensor([0.5])).item()
    -1.5
    """
    return difference(target, prediction)


@loss(
    "gan",
    "scores",
    TARGET,
    per_value=False,
    aliases=("wasserstein", "wasserstein-gp"),
    kernels={"generator": scores_high},
    penalties=(GRADIENT,),
    signed=True,
    differences=True,
)
def wgan_gp(prediction: Tensor, target: Tensor) -> Tensor:
    """Wasserstein with a gradient penalty: differences of scores are distances, as the critic's slope is to be 1.

    Use: separate lumps of data: the generator has a slope however sure the critic is.
    Avoid: one critic step for each of the generator where the critic lags: its distance means something near its best only.

    Domain: any scores D(x) of real rows and D(g) of made-up rows; no sigmoid before them.
    Shapes: prediction D(x) [..., B], target D(g) [..., B] -> [..., B]; the gradient of D [..., B, F] -> [..., B].

    Formula: L = D(g) - D(x) + weight (|grad D(e x + (1 - e) g)| - 1)^2, 0 <= e <= 1 for each row; the generator minimises -D(g).

    Source: Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv 1704.00028 (with weight 10).

    Kin: wgan-clip bounds weights in place of slopes; dragan has the same penalty near real rows.

    >>> import torch
    >>> wgan_gp(torch.tensor([2.0]), torch.tensor([0.5])).item()  # and the penalty
    -1.5
    """
    return difference(target, prediction)
