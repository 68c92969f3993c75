"""The shape of a column of numbers: where it lies, how it leans, what it holds besides plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from losscli.data.encode import power_of

FAR_OUT = 3.0  # interquartile ranges beyond the quartiles: "far out" in Tukey 1977, 2 in a million of a normal sample
SKEWED = 1.0


@dataclass(frozen=True)
class Numbers:
    """Of the values that are there. Quantiles are those of numpy; `outliers` lie beyond Tukey's far fences."""

    rows: int
    distinct: int
    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float
    mean: float
    sd: float
    skewness: float
    zeros: int
    negatives: int
    whole: bool  # all are integers
    outliers: int
    ceiling: int  # rows that hold exactly the highest
    mark: str | None = None  # what stood at the numbers: a unit, a currency, %

    @property
    def positive(self) -> bool:
        return self.low > 0

    @property
    def count_like(self) -> bool:
        """Whole numbers from 0 on, of several sizes, which nothing says to be measured."""
        return self.mark is None and self.whole and self.low >= 0 and self.distinct > 2

    @property
    def unit(self) -> bool:
        """Between 0 and 1, and not only at the ends."""
        return self.low >= 0 and self.high <= 1 and not self.whole


def numbers(values: np.ndarray) -> Numbers | None:
    """The shape of finite numbers [N]; None where there is none.

    >>> shape = numbers(np.array([0.0, 1.0, 2.0, 2.0, 100.0]))
    >>> shape.median, shape.outliers, shape.zeros, shape.count_like
    (2.0, 1, 1, True)
    """
    given = values[np.isfinite(values)].astype(np.float64)
    if not len(given):
        return None
    power = power_of(given)
    scaled = given / power
    quantiles = np.quantile(scaled, (0, 0.25, 0.5, 0.75, 1)) * power
    low, quarter, median, three_quarters, high = (float(at) for at in quantiles)
    return Numbers(
        rows=len(given),
        distinct=len(np.unique(given)),
        low=low,
        quarter=quarter,
        median=median,
        three_quarters=three_quarters,
        high=high,
        mean=float(scaled.mean() * power),
        sd=float(scaled.std() * power),
        skewness=skewness(scaled),
        zeros=int((given == 0).sum()),
        negatives=int((given < 0).sum()),
        whole=bool((given == np.floor(given)).all()),
        outliers=int(far_out(scaled).sum()),
        ceiling=int((given == high).sum()),
    )


def figure(value: float, whole: bool = False) -> str:
    """A number as people write it: whole ones in full, others with four digits, and no exponent below ten million.

    >>> figure(2175.0, whole=True), figure(1102.5, whole=True), figure(3932.7997), figure(53940.4), figure(0.00012)
    ('2175', '1102.5', '3933', '53940', '0.00012')
    """
    if whole and abs(value) < 1e15:
        return f"{value:.16g}"
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"


def skewness(values: np.ndarray) -> float:
    """The third standardised moment; 0 for a constant.

    >>> round(skewness(np.array([0.0, 0.0, 0.0, 1.0])), 4)  # 2 / sqrt(3)
    1.1547
    """
    scale = float(np.abs(values).max(initial=0.0))
    centred = values / scale - (values / scale).mean() if scale else values  # scaled first: cubes stay finite
    spread = float(centred.std())
    return float((centred**3).mean() / spread**3) if spread > 1e-12 else 0.0


def far_out(values: np.ndarray) -> np.ndarray:
    """bool [N]: beyond the quartiles by more than three times the distance between them."""
    quarter, three_quarters = np.quantile(values, (0.25, 0.75))
    reach = FAR_OUT * (three_quarters - quarter)
    if not reach:  # more than half of the values are one number: there is no yardstick for what is far
        return np.zeros(len(values), dtype=bool)
    far: np.ndarray = (values < quarter - reach) | (values > three_quarters + reach)
    return far
