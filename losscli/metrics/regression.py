"""How far off numbers are, in the user's units. Several outputs: each on its own, then their mean.

Forecasts: a loss that says how sure it is gives quantiles and an interval, too (`losses.Forecast`); one that does not is taken at
its word, so its quantiles are all its point, it has no interval, and its CRPS is its absolute error.
"""

from __future__ import annotations

from losscli.direction import LEVEL
from losscli.lazy import Tensor, torch
from losscli.metrics import metric

LEVELS = (0.1, 0.5, 0.9)  # of `Prediction.quantiles`


@metric("regression", reads="values", direction="down", high=float("inf"))
def rmse(prediction: Tensor, target: Tensor) -> Tensor:
    """The root of the mean squared error.

    >>> rmse(torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 3.0]])).round(decimals=4).tolist()  # sqrt(4 / 2)
    [1.4142]
    """
    return _over_outputs(_errors(prediction, target).square().mean(1).sqrt())


@metric("regression", reads="values", direction="down", high=float("inf"))
def mae(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean absolute error.

    >>> mae(torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 3.0]])).tolist()
    [1.0]
    """
    return _over_outputs(_errors(prediction, target).abs().mean(1))


@metric("regression", reads="values", direction="down", high=float("inf"))
def median_ae(prediction: Tensor, target: Tensor) -> Tensor:
    """The median absolute error: half of the rows are closer than this.

    >>> median_ae(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([[1.0, 2.0, 4.0, 100.0]])).tolist()  # (2 + 4) / 2
    [3.0]
    """
    far = _errors(prediction, target).abs().sort(dim=1).values
    rows = far.shape[1]
    return _over_outputs((far[:, (rows - 1) // 2] + far[:, rows // 2]) / 2)


@metric("regression", reads="values", direction="up", low=float("-inf"))
def r2(prediction: Tensor, target: Tensor) -> Tensor:
    """The share of the target's variance that is explained; 0 is as good as its mean. Constant outputs are left out.

    >>> r2(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[1.0, 2.0, 4.0]])).round(decimals=4).tolist()  # 1 - 3/14
    [0.7857]
    """
    truth = target.double()
    spread = (truth - truth.mean(1, keepdim=True)).square().sum(1)
    constant = (truth == truth[:, :1]).all(1)
    share = 1 - _errors(prediction, target).square().sum(1) / spread
    share = share.masked_fill(constant, float("nan"))
    return share if share.ndim == 1 else share.nanmean(-1)


@metric("regression", reads="values", direction="down", high=float("inf"))
def mape(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean absolute error as a share of the target, 1 being 100 %; rows whose target is 0 are left out.

    scikit-learn divides by 2e-16 there instead, and one such row makes the mean useless. NaN where all targets are 0.

    >>> mape(torch.tensor([[1.0, 3.0, 7.0]]), torch.tensor([[2.0, 4.0, 0.0]])).tolist()  # (1/2 + 1/4) / 2
    [0.375]
    """
    share = _errors(prediction, target).abs() / target.double().abs()
    left_out = (target == 0).expand(share.shape)
    return _over_outputs(share.masked_fill(left_out, float("nan")).nanmean(1))


@metric("regression", reads="values", direction="down", high=float("inf"), name="poisson-deviance")
def poisson_deviance(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean Poisson deviance, 2 (y log(y / m) - y + m): of counts and their expected number m; 0 is perfect.

    Where rows have an exposure, both are over each row's own. The deviance of rates, weighted by exposure, is the same sum
    divided by that of the exposures: it orders models alike. Infinite where 0 or less was expected and something was counted,
    NaN where a target is negative. McCullagh and Nelder 1989, Generalized Linear Models, 2.3.

    >>> poisson_deviance(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 2.0]])).tolist()  # (2 x 1 + 0) / 2
    [1.0]
    """
    mean, truth = prediction.double(), target.double()
    ratio = torch.where(mean > 0, truth / mean, float("inf"))
    impossible = (mean < 0) | ((mean == 0) & (truth > 0))
    deviance = 2 * (torch.xlogy(truth, ratio.masked_fill(truth == 0, 1.0)) - truth + mean)
    return _over_outputs(deviance.masked_fill(impossible, float("inf")).masked_fill(truth < 0, float("nan")).mean(1))


def _pinball(prediction: Tensor, target: Tensor, place: int) -> Tensor:
    level = LEVELS[place]
    short = -_errors(prediction[..., place], target)
    return _over_outputs(torch.maximum(level * short, (level - 1) * short).mean(1))


@metric("regression", reads="quantiles", direction="down", high=float("inf"), name="pinball-10")
def pinball_10(prediction: Tensor, target: Tensor) -> Tensor:
    """The pinball loss of the 10 % quantile: too high costs nine times as much as too low.

    >>> pinball_10(torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[2.0]])).tolist()
    [0.1]
    """
    return _pinball(prediction, target, 0)


@metric("regression", reads="quantiles", direction="down", high=float("inf"), name="pinball-50")
def pinball_50(prediction: Tensor, target: Tensor) -> Tensor:
    """The pinball loss of the median: half the absolute error.

    >>> pinball_50(torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[4.0]])).tolist()
    [1.0]
    """
    return _pinball(prediction, target, 1)


@metric("regression", reads="quantiles", direction="down", high=float("inf"), name="pinball-90")
def pinball_90(prediction: Tensor, target: Tensor) -> Tensor:
    """The pinball loss of the 90 % quantile: too low costs nine times as much as too high.

    >>> pinball_90(torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[4.0]])).tolist()
    [0.9]
    """
    return _pinball(prediction, target, 2)


@metric("regression", reads="interval", direction="target")
def coverage(prediction: Tensor, target: Tensor) -> Tensor:
    """The share of targets within the interval, ends included; best is the interval's own level, neither less nor more.

    The level is 90 %, or that between the outer quantiles which the loss learns; results tell it (`calibration.level`).

    >>> coverage(torch.tensor([[[0.0, 2.0], [0.0, 2.0]]]), torch.tensor([[1.0, 3.0]])).tolist()
    [0.5]
    """
    low, high = _ends(prediction)
    truth = target.double()
    return _over_outputs(((low <= truth) & (truth <= high)).double().mean(1))


@metric("regression", reads="interval", direction="down", high=float("inf"), name="interval-width", headline=False)
def interval_width(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean width of the interval: of two that cover what they promise the narrower is better.

    >>> interval_width(torch.tensor([[[0.0, 2.0], [1.0, 2.0]]]), torch.tensor([[1.0, 3.0]])).tolist()
    [1.5]
    """
    low, high = _ends(prediction)
    return _over_outputs((high - low).mean(1))


@metric("regression", reads="interval", direction="down", high=float("inf"), name="interval-score", levelled=True)
def interval_score(prediction: Tensor, target: Tensor, *, level: float = LEVEL) -> Tensor:
    """The width of the interval, and 2 / (1 - level) times how far the target lies outside: narrow and right at once.

    In the units of the target. It is a proper score: on average no interval has a lower one than that between the true
    quantiles (1 - level) / 2 and (1 + level) / 2, so intervals of different levels cannot be compared by it. Winkler 1972,
    A Decision-Theoretic Approach to Interval Estimation (https://doi.org/10.1080/01621459.1972.10481224); Gneiting and
    Raftery 2007, Strictly Proper Scoring Rules, equation 43 (https://doi.org/10.1198/016214506000001437).

    >>> rows = torch.tensor([[[0.0, 2.0], [0.0, 2.0]]])
    >>> interval_score(rows, torch.tensor([[1.0, 3.0]]), level=0.5).tolist()  # (2 + (2 + 2 / 0.5 x 1)) / 2
    [4.0]
    """
    low, high = _ends(prediction)
    truth = target.double()
    outside = (low - truth).clamp(min=0) + (truth - high).clamp(min=0)
    return _over_outputs((high - low + 2 / (1 - level) * outside).mean(1))


@metric("regression", reads="crps", direction="down", high=float("inf"))
def crps(prediction: Tensor, target: Tensor) -> Tensor:
    """Continuous ranked probability score: judges the whole forecast, in the units of the target. A point's is its MAE.

    It reads each row's own score [R, N]: the closed form of a Gaussian or Laplace forecast, otherwise twice the mean
    pinball loss over the quantiles (`stack/forecast.py`). Gneiting and Raftery 2007, Strictly Proper Scoring Rules.

    >>> crps(torch.tensor([[0.2, 0.4]]), torch.tensor([[1.0, 3.0]])).round(decimals=4).tolist()
    [0.3]
    """
    return _over_outputs(prediction.double().mean(1))


def _ends(interval: Tensor) -> tuple[Tensor, Tensor]:
    """The lower and the upper end, in float64: ends that crossed are no interval of negative width."""
    low, high = interval.double().sort(-1).values.unbind(-1)
    return low, high


def _errors(prediction: Tensor, target: Tensor) -> Tensor:
    return prediction.double() - target.double()


def _over_outputs(values: Tensor) -> Tensor:
    """[R] stays, [R, O] -> [R]"""
    return values if values.ndim == 1 else values.mean(-1)
