"""What the flags of `judge` say: ways and margins, for all metrics or for one by its name."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from losscli.direction import Direction
from losscli.errors import Place, SpecError, shown

WAYS: dict[str, Direction] = {"higher": "up", "lower": "down", "up": "up", "down": "down", "max": "up", "min": "down"}


def ways(texts: Sequence[str] | None) -> dict[str, Direction]:
    """`lower` for all metrics (under the empty name), `rmse=lower` for one.

    >>> ways(["lower", "auc=higher"])
    {'': 'down', 'auc': 'up'}
    """
    directions: dict[str, Direction] = {}
    for text in texts or ():
        metric, _, way = text.rpartition("=")
        if way.strip().lower() not in WAYS:
            message = f"--better takes higher or lower, and {shown(text)} is given"
            raise SpecError(message, place=Place("--better"), cure="--better lower, or --better rmse=lower")
        directions[metric.strip()] = WAYS[way.strip().lower()]
    return directions


def margins(texts: Sequence[str] | None) -> dict[str, float | str]:
    """`0.01` for all metrics, `2%` of the reference's mean, `rmse=0.1` for one.

    >>> margins(["2%", "auc=0.01"])
    {'': '2%', 'auc': 0.01}
    """
    sizes: dict[str, float | str] = {}
    for text in texts or ():
        metric, _, size = text.rpartition("=")
        size = size.strip()
        try:
            value = float(size.removesuffix("%"))
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0) or not re.fullmatch(r"[0-9.eE+-]+\s*%?", size):
            message = f"--equivalence takes a size of at least 0, and {shown(text)} is given"
            raise SpecError(message, place=Place("--equivalence"), cure="--equivalence 0.01, or 2%, or rmse=0.1")
        sizes[metric.strip()] = size if size.endswith("%") else value
    return sizes
