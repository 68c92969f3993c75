"""How numbers and times are written for people, in the terminal and in reports."""

from __future__ import annotations

import math
from collections.abc import Iterable

from losscli.compare.result import Estimate


def decimals(values: Iterable[float]) -> int | None:
    """How many decimals a column of these numbers needs to show four digits; None where only 1e-05 will do.

    >>> decimals([0.8, 1.0]), decimals([57.3, 60.1]), decimals([1e-5])
    (4, 2, None)
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest >= 1e7 or 0 < largest < 1e-3:
        return None
    return 4 if largest <= 1 else max(0, 3 - math.floor(math.log10(largest)))


def number(value: float, places: int | None = 4, sign: str = "-") -> str:
    """A number with its decimals; `-` where there is none.

    >>> number(0.5), number(float("nan")), number(0.25, 2, "+"), number(1.5e9, None), number(-0.00001)
    ('0.5000', '-', '+0.25', '1.5e+09', '0.0000')
    """
    if not math.isfinite(value):
        return "-"
    if places is not None and round(value, places) == 0:
        value = 0.0  # -0.0000 is no number
    return f"{value:{sign}.3g}" if places is None else f"{value:{sign}.{places}f}"


def spread(estimate: Estimate, places: int | None) -> str:
    """`0.8421 ± 0.0203`, or the mean alone where one seed has a value; with how many have one, where not all do.

    >>> spread(Estimate(0.5, 0.1, None, (0.4, 0.6, math.nan)), 2), spread(Estimate(0.5, math.nan, None, (0.5,)), 2)
    ('0.50 ± 0.10 (2 of 3)', '0.50')
    """
    mean = number(estimate.mean, places)
    some = f" ({estimate.n} of {estimate.of})" if 0 < estimate.n < estimate.of else ""
    return (f"{mean} ± {number(estimate.sd, places)}" if math.isfinite(estimate.sd) else mean) + some


def duration(seconds: float) -> str:
    """Seconds as people say them; `-` where they are not known.

    >>> duration(0.25), duration(61.2), duration(7322), duration(float("nan"))
    ('0.25 s', '1 min 01 s', '2 h 02 min', '-')
    """
    if not math.isfinite(seconds):
        return "-"
    if seconds < 60:
        return f"{seconds:.{1 if seconds >= 1 else 2}f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
