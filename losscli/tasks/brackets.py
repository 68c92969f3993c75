"""Labels that are ranges of a number, and stand in its order: `under 10k`, `10k-20k`, `[10.000-15.000)`, `65 and over`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

LONGEST = 60  # characters of a label that is looked at
NUMBER = re.compile(r"\d[\d.,' ]*\d|\d")
UNITS = {"k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "b": 1e9, "bn": 1e9}
UNIT = re.compile(r"\s?(k|mn|mio|m|bn|b)(?![a-z])")
BELOW = re.compile(
    r"<|≤|\b(under|less than|fewer than|below|up to|at most|younger than|lower than|no more than|until|maximum"
    r"|unter|bis|weniger als|moins de|jusqu'à|menos de|hasta|meno di|fino a|minder dan)\b"
)
ABOVE = re.compile(
    r">|≥|\+|\b(over|more than|above|at least|older than|greater than|from|or more|and more|plus|minimum"
    r"|über|ab|mehr als|mindestens|plus de|à partir de|más de|mas de|a partir de|più di|oltre|meer dan|et plus|y más|und mehr)\b"
)
INTERVAL = re.compile(r"[\[(]\s*([^\s,;]{1,24})\s*[,;]\s*([^\s,;]{1,24})\s*[\])]")  # of cut(): (1e+03,2.5e+03], [0, 5)
ENDLESS = re.compile(r"(?<![\w.])([+-]?)(?:inf(?:inity)?|∞)(?!\w)")  # as cut() and pandas write the ends
NOTHING = frozenset(["none", "no", "zero", "nothing", "never"])


def bracket_keys(labels: Sequence[str]) -> list[tuple[float, int]] | None:
    """Where each label stands among the others; None where they are not all ranges that follow each other.

    >>> bracket_keys(["10k-20k", "under 10k", "over 20k"])
    [(10000.0, 0), (10000.0, -1), (20000.0, 1)]
    >>> bracket_keys(["[10.000-15.000)", "[15.000-20.000)"]), bracket_keys(["flat 1", "house 2"])
    ([(10000.0, 0), (15000.0, 0)], None)
    """
    spans = [_span(label) for label in labels]
    if any(span is None for span in spans):
        return None
    known = [span for span in spans if span is not None]
    if not any(low != high for low, high in known):
        return None
    keys = [_key(low, high) for low, high in known]
    ordered = [known[at] for at in sorted(range(len(keys)), key=keys.__getitem__)]
    ends = [(one[1], other[0]) for one, other in pairwise(ordered)]
    return keys if len(set(keys)) == len(keys) and all(high <= low for high, low in ends) else None


def _key(low: float, high: float) -> tuple[float, int]:
    if low == float("-inf"):
        return high, -1
    return low, 1 if high == float("inf") else 0


def _span(label: str) -> tuple[float, float] | None:
    """From where to where; one number is both."""
    if interval := INTERVAL.fullmatch(label.strip()):
        return _ends(interval[1], interval[2])
    text = ENDLESS.sub(lambda end: "under" if end[1] == "-" else "over", label.strip().casefold())
    if len(text) > LONGEST:
        return None
    if text in NOTHING:
        return float("-inf"), 0.0
    numbers = [(match, _value(match[0])) for match in NUMBER.finditer(text)]
    if not 0 < len(numbers) <= 2 or any(value is None for _, value in numbers):
        return None
    factors = [UNITS[unit[1]] if (unit := UNIT.match(text, match.end())) else 1.0 for match, _ in numbers]
    if len(numbers) == 2 and factors[0] == 1.0 < factors[1] and numbers[0][1] < numbers[1][1]:  # type: ignore[operator]
        factors[0] = factors[1]  # 10-20k
    values = [value * factor for (_, value), factor in zip(numbers, factors, strict=True) if value is not None]
    if len(values) == 2:
        return (values[0], values[1]) if values[0] <= values[1] else None
    (value,) = values
    if BELOW.search(text):
        return float("-inf"), value
    return (value, float("inf")) if ABOVE.search(text) else (value, value)


def _ends(low: str, high: str) -> tuple[float, float] | None:
    try:
        ends = float(low.replace("∞", "inf")), float(high.replace("∞", "inf"))
    except ValueError:
        return None
    return ends if ends[0] <= ends[1] else None


def _value(text: str) -> float | None:
    """A number with whatever marks: three digits after a mark are thousands, unless 0 stands before it."""
    plain = re.sub(r"(?<=[1-9\d])[., ']+(?=\d{3}(?!\d))", "", text) if not text.startswith("0") else text
    try:
        return float(plain.replace(",", "."))
    except ValueError:
        return None
