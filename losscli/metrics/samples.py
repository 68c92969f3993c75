"""How well rows that were made up stand for real ones: samples [R, N, F] beside real rows [R or 1, M, F], both in units.

Distances are taken in standard deviations of the real rows, column by column, so that no column counts more for its unit.
"""

from __future__ import annotations

import math

from losscli.lazy import Tensor, torch
from losscli.metrics import metric
from losscli.tasks.neighbours import some, standardised
from losscli.tasks.shapes import Mixture

DIRECTIONS = 64
WIDTHS = (0.25, 0.5, 1.0, 2.0)  # of the kernels of mmd, in units of the median distance of real rows
NEAR = 3.0  # standard deviations of a lump, within which a row is a good one
COPY = 0.01  # of the distance that real rows have to the closest training row
FAIR = 0.25  # of its share is the least that a lump must get


def directions(columns: int) -> Tensor:
    """Unit vectors [D, F], the same each time: evenly spaced in the plane, drawn once where there are more columns."""
    if columns <= 2:
        angles = math.pi * torch.arange(DIRECTIONS, dtype=torch.float64) / DIRECTIONS
        return torch.stack([angles.cos(), angles.sin()], -1) if columns == 2 else torch.ones(1, 1).double()
    drawn = torch.randn(DIRECTIONS, columns, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    unit: Tensor = drawn / drawn.norm(dim=-1, keepdim=True)
    return unit


def wasserstein(one: Tensor, other: Tensor) -> Tensor:
    """Wasserstein-1 along the last dimension, [..., N] and [..., M] -> [...]: the area between the two quantile functions.

    >>> wasserstein(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 3.0])).item()
    1.5
    """
    one, other = one.sort(-1).values, other.sort(-1).values
    n, m = one.shape[-1], other.shape[-1]
    if n == m:
        return (one - other).abs().mean(-1)
    steps = torch.arange(1, n, dtype=torch.float64) / n, torch.arange(1, m, dtype=torch.float64) / m
    edges = torch.cat([torch.zeros(1).double(), *steps, torch.ones(1).double()]).sort().values
    middle = (edges[1:] + edges[:-1]) / 2
    width = (edges[1:] - edges[:-1]).to(one)
    places = [(middle * count).long().clamp(max=count - 1).to(one.device) for count in (n, m)]
    return ((one[..., places[0]] - other[..., places[1]]).abs() * width).sum(-1)


@metric("gan", reads="samples", direction="down", high=math.inf, name="sliced-w1")
def sliced_w1(prediction: Tensor, target: Tensor) -> Tensor:
    """Sliced Wasserstein-1: how far rows must be moved along a line, the mean over 64 directions, in sd of the real rows.

    Source: Rabin et al. 2012, Wasserstein Barycenter and Its Application to Texture Mixing.

    >>> sliced_w1(torch.tensor([[[3.0], [5.0]]]), torch.tensor([[[2.0], [4.0]]])).tolist()  # 1, and the sd is 1
    [1.0]
    """
    samples, real = standardised(prediction, target)
    along = directions(samples.shape[-1]).mT.to(samples.device)  # [F, D]
    return wasserstein((samples @ along).mT, (real @ along).mT).mean(-1)


def _paired(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """At most so many rows of each side, standardised: evenly from first to last, as their order tells nothing."""
    samples, real = standardised(prediction, target)
    return some(samples), some(real)


def _by_run(prediction: Tensor, target: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The rows of each run, one after another: all pairs of all runs at once would not fit."""
    samples, real = _paired(prediction, target)
    return list(zip(samples, real.expand(len(samples), -1, -1), strict=True))


@metric("gan", reads="samples", direction="down", high=math.inf)
def energy(prediction: Tensor, target: Tensor) -> Tensor:
    """Energy distance: how much farther rows are from real ones than rows of a kind are from each other; its square root.

    At most 1000 rows of each side are compared, each with each.

    Source: Szekely and Rizzo 2013, Energy statistics: A class of statistics based on distances.

    >>> energy(torch.tensor([[[1.0], [1.0]]]), torch.tensor([[[-1.0], [1.0]]])).tolist()  # 2 * 1 - 0 - 1
    [1.0]
    """
    return torch.stack([_energy(*pair) for pair in _by_run(prediction, target)])


def _energy(samples: Tensor, real: Tensor) -> Tensor:
    across, own, other = torch.cdist(samples, real), torch.cdist(samples, samples), torch.cdist(real, real)
    return (2 * across.mean() - own.mean() - other.mean()).clamp(min=0).sqrt()


@metric("gan", reads="samples", direction="down", high=math.inf)
def mmd(prediction: Tensor, target: Tensor) -> Tensor:
    """Maximum mean discrepancy: by how much the mean likeness of rows differs, within and across; its square root.

    The kernel is the mean of gaussians of four widths around the median distance of real rows. At most 1000 rows of each side
    are compared, each with each.

    Source: Gretton et al. 2012, A Kernel Two-Sample Test.

    >>> mmd(torch.tensor([[[0.0], [1.0]]]), torch.tensor([[[0.0], [1.0]]])).tolist()
    [0.0]
    """
    return torch.stack([_mmd(*pair) for pair in _by_run(prediction, target)])


def _mmd(samples: Tensor, real: Tensor) -> Tensor:
    within = torch.cdist(real, real)
    apart = within[~torch.eye(len(real), dtype=torch.bool, device=real.device)]
    middle = apart.median() if len(apart) else within.new_ones(())
    unit = torch.where(middle > 0, middle, 1.0)

    def likeness(distance: Tensor) -> Tensor:
        return torch.stack([torch.exp(-((distance / (width * unit)) ** 2) / 2) for width in WIDTHS]).mean()

    apart_by = likeness(torch.cdist(samples, samples)) + likeness(within) - 2 * likeness(torch.cdist(samples, real))
    return apart_by.clamp(min=0).sqrt()


def _nearest_lump(samples: Tensor, mixture: Mixture) -> tuple[Tensor, Tensor]:
    """The lump that each row is nearest to, [R, N], and whether it is a good one of it (bool)."""
    centers = torch.as_tensor(mixture.centers, dtype=torch.float64, device=samples.device)
    distance, lump = torch.cdist(samples.double(), centers.expand(len(samples), -1, -1)).min(-1)
    return lump, distance <= NEAR * mixture.sd


@metric("gan", reads="samples", direction="up", high=math.inf, needs="mixture", name="modes")
def modes(prediction: Tensor, target: Tensor, *, mixture: Mixture) -> Tensor:
    """How many lumps of a known mixture get rows fairly: within 3 sd of it, at least a quarter of its share of all rows.

    >>> two = Mixture(torch.tensor([[0.0], [9.0]]).numpy(), 1.0)
    >>> modes(torch.tensor([[[0.1], [8.0]], [[0.1], [0.2]]]), torch.zeros(1, 2, 1), mixture=two).tolist()
    [2.0, 1.0]
    """
    lump, good = _nearest_lump(prediction, mixture)
    count = len(mixture.centers)
    shares = torch.nn.functional.one_hot(lump, count).mul(good.unsqueeze(-1)).double().mean(1)  # [R, M]
    return (shares >= FAIR / count).double().sum(-1)


@metric("gan", reads="samples", direction="up", needs="mixture", name="good-share", headline=False)
def good_share(prediction: Tensor, target: Tensor, *, mixture: Mixture) -> Tensor:
    """The share of rows within 3 sd of a lump of a known mixture; of real rows in the plane it is 0.989.

    >>> two = Mixture(torch.tensor([[0.0], [9.0]]).numpy(), 1.0)
    >>> good_share(torch.tensor([[[0.1], [5.0]]]), torch.zeros(1, 2, 1), mixture=two).tolist()
    [0.5]
    """
    return _nearest_lump(prediction, mixture)[1].double().mean(-1)


@metric("gan", reads="samples", direction="down", name="lost-spread", headline=False)
def lost_spread(prediction: Tensor, target: Tensor) -> Tensor:
    """The share of the real rows' standard deviation that rows lack, along a line, the mean over 64 directions.

    1: all rows are the same. Rows that are spread farther lose nothing by it.

    >>> lost_spread(torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[0.0], [4.0]]])).tolist()
    [0.75]
    """
    samples, real = standardised(prediction, target)
    along = directions(samples.shape[-1]).mT.to(samples.device)  # [F, D]
    spread, wanted = ((rows @ along).std(1, correction=0) for rows in (samples, real))  # [R, D]
    return (1 - spread / torch.where(wanted > 0, wanted, 1.0)).clamp(min=0).where(wanted > 0, 0.0).mean(-1)


@metric("gan", reads="samples", direction="down", name="ks")
def ks(prediction: Tensor, target: Tensor) -> Tensor:
    """Kolmogorov-Smirnov, column by column: the largest distance between two distribution functions, the mean over columns.

    >>> ks(torch.tensor([[[0.0], [1.0]]]), torch.tensor([[[0.5], [2.0]]])).tolist()
    [0.5]
    """
    samples, real = (rows.double().mT.contiguous().sort(-1).values for rows in (prediction, target))  # [R, F, N]
    real = real.expand(len(samples), -1, -1).contiguous()
    at = torch.cat([samples, real], -1)
    below = [torch.searchsorted(rows, at, right=True).double() / rows.shape[-1] for rows in (samples, real)]
    return (below[0] - below[1]).abs().amax(-1).mean(-1)


@metric("gan", reads="samples", direction="down", high=2.0, name="pair-correlation")
def pair_correlation(prediction: Tensor, target: Tensor) -> Tensor:
    """How far correlations of two columns are from those of the real rows, the mean over all pairs; undefined for one column.

    A column that is constant goes with no other: its correlations count as 0.

    >>> rows = torch.tensor([[[0.0, 0.0], [1.0, 1.0]]])
    >>> pair_correlation(rows * torch.tensor([1.0, -1.0]), rows).round(decimals=6).tolist()  # -1 in place of 1
    [2.0]
    """
    columns = prediction.shape[-1]
    if columns < 2:
        return torch.full((len(prediction),), math.nan, dtype=torch.float64)
    first, second = torch.triu_indices(columns, columns, 1).to(prediction.device)
    apart = _correlations(prediction) - _correlations(target)
    return apart[:, first, second].abs().mean(-1)


def _correlations(rows: Tensor) -> Tensor:
    centered = rows.double() - rows.double().mean(1, keepdim=True)
    norm = centered.norm(dim=1, keepdim=True)
    unit = centered / torch.where(norm > 0, norm, 1.0)
    return unit.mT @ unit


@metric("gan", reads="nearest", direction="up", high=math.inf, name="closest-record", headline=False)
def closest_record(prediction: Tensor, target: Tensor) -> Tensor:
    """How far rows are from the closest training row, the median, in units of what it is for real rows: 1 as they are, 0 copies.

    >>> closest_record(torch.tensor([[0.5, 1.0, 2.0]]), torch.zeros(1, 3, 2)).tolist()
    [1.0]
    """
    # As torch.median gives it, which has no deterministic form on a GPU.
    return prediction.double().sort(-1).values[..., (prediction.shape[-1] - 1) // 2]


@metric("gan", reads="nearest", direction="down", name="copies", headline=False)
def copies(prediction: Tensor, target: Tensor) -> Tensor:
    """The share of rows that are copies of training rows: a hundredth as far from one as real rows are, or less.

    >>> copies(torch.tensor([[0.001, 1.0]]), torch.zeros(1, 2, 2)).tolist()
    [0.5]
    """
    return (prediction <= COPY).double().mean(-1)
