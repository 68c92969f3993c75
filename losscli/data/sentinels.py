"""Numbers that stand where there is no value: -999, 9999, or -1 where nothing else is below 0. Noticed, never taken out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from losscli.data.delimited import NUMBER
from losscli.data.levels import Levels
from losscli.data.totals import are_totals
from losscli.errors import Finding, counted, listed, setting, shown
from losscli.tasks.labels import label_of

NINES = [10**digits - 1 for digits in range(2, 10)]  # 99, 999 ...
HIGH = frozenset(
    {77, 88, 777, 888, 7777, 8888, *NINES, *(nines - 1 for nines in NINES), *(nines - 2 for nines in NINES)}
)
LOW = frozenset({*range(-9, 0), -66, *(-number for number in HIGH)})
SMALL = -10  # above it, a number below 0 is one that measurements reach, too
MOST_NAMED = 8  # texts in a flag
MOST = 4  # different ones in a column
LEAST_VALUES, LEAST_ROWS = 5, 2  # different values besides them, and rows that hold one
SPIKE = 3  # times as frequent as the value next to it


def sentinels(values: np.ndarray) -> list[float]:
    """The numbers of a column [N] that seem to mean that there is no value.

    >>> ages = np.arange(20.0, 80.0)
    >>> sentinels(np.append(ages, [-999, -999])), sentinels(np.append(ages, [99.0] * 5)), sentinels(np.append(ages, 81.0))
    ([-999.0], [], [])
    """
    low, high = (np.nanmin(values), np.nanmax(values)) if len(values) and not np.isnan(values).all() else (0.0, 0.0)
    below, above = low in LOW, high in HIGH
    if not (below or above):  # nearly all columns end here
        return []
    different, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return (_below(different, counts) if below else []) + (_above(different, counts) if above else [])


def _below(different: np.ndarray, counts: np.ndarray) -> list[float]:
    """Where no other number is below 0; or far below all others."""
    negative = int((different < 0).sum())
    codes = next((at for at, value in enumerate(different) if value not in LOW), len(different))
    far = [at for at in range(codes) if different[at] < SMALL]
    rest = different[len(far) :]
    if far and len(rest) >= LEAST_VALUES and rest[0] - different[far[-1]] > rest[-1] - rest[0] > 0:
        return _frequent(different, counts, far)
    others = different[negative:]
    if negative > codes or negative > MOST or len(others) < LEAST_VALUES:
        return []
    spikes = [at for at in range(negative) if different[at] < SMALL or counts[at] >= SPIKE * counts[negative]]
    return _frequent(different, counts, spikes)


def _above(different: np.ndarray, counts: np.ndarray) -> list[float]:
    """Where it is as far above all others as they are apart."""
    codes = next((at for at, value in enumerate(different[::-1]) if value not in HIGH), len(different))
    for number in range(min(codes, MOST), 0, -1):
        rest = different[: len(different) - number]
        rest = rest[rest >= 0]
        if len(rest) >= LEAST_VALUES and different[-number] - rest[-1] > rest[-1] - rest[0] > 0:
            return _frequent(different, counts, list(range(len(different) - number, len(different))))
    return []


def _frequent(different: np.ndarray, counts: np.ndarray, places: Sequence[int]) -> list[float]:
    enough = counts[list(places)].sum() >= LEAST_ROWS if places else False
    return [float(different[at]) for at in places] if enough else []


def noticed_sentinels(name: str, values: np.ndarray) -> tuple[Finding, ...]:
    """A finding with the flag that takes them for missing."""
    numbers = sentinels(values)
    if not numbers:
        return ()
    texts = [label_of(number) for number in numbers]
    rows = counted(int(np.isin(values, numbers).sum()), "row")
    message = (
        f"{shown(name)} is {listed(texts)} in {rows}: does that mean that there is no value? It is read as a number"
    )
    return (Finding("sentinel", "warning", message, also_missing(name, texts)),)


def also_missing(column: str, texts: Sequence[str]) -> str:
    """The cure that takes these texts for missing ones in one column.

    >>> print(also_missing("age", ["-999", "?"]))
    data.missing_in: {age: ["-999", "?"]} (--set 'data.missing_in.age=["-999", "?"]')
    """
    import json

    return setting("missing_in", json.dumps(list(texts), ensure_ascii=False), column)


def mended(texts: Levels, wrong: np.ndarray, otherwise: str) -> str:
    """What to do about levels that do not belong (bool, one each): mend them, take them for missing, or else."""
    names = [texts.texts[at] for at in np.flatnonzero(wrong).tolist()]
    if are_totals(names):
        return f"take the row of the total out of the file{otherwise}"
    if len(names) > MOST_NAMED:
        return f"mend them, or list them under data.missing_in if they mean that there is no value{otherwise}"
    means = "it, or if it means" if len(names) == 1 else "them, or if they mean"
    return f"mend {means} that there is no value, {also_missing(texts.name, names)}{otherwise}"


def without(values: np.ndarray, missing: Sequence[str]) -> np.ndarray:
    """The numbers [N], NaN for those that `missing` lists, however they are written."""
    numbers = [float(text) for text in missing if re.match(NUMBER, text)]
    absent = np.isin(values, [number for number in numbers if math.isfinite(number)]) if numbers else None
    return values if absent is None else np.where(absent, np.nan, values)
