"""From columns to numbers: what a model sees of a table, learned from the training rows only.

Numbers are standardised; a missing one becomes the training median first. Categories become one 0/1 feature per
level that the training rows have; a level that they lack becomes zeros. Missing is a level where they have it. All is
computed in float64, because a sum of large float32 values overflows, and handed over as float32 [N, F].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from losscli.errors import DataError, shown
from losscli.tasks import Column, TargetScale


@dataclass(frozen=True)
class NumberCode:
    """How one number column is encoded: `(value or fill - center) / scale`, one feature."""

    name: str
    fill: float
    center: float
    scale: float

    width = 1

    def write(self, column: Column, rows: np.ndarray, out: np.ndarray) -> None:
        if column.is_category:
            raise DataError(f"the column {shown(self.name)} must hold numbers, as it did when the model was trained")
        values = column.values[rows]
        filled = np.where(np.isnan(values), self.fill, values)
        scaled = filled / self.scale - self.center / self.scale  # divided first: a difference of extremes overflows
        limit = np.finfo(np.float32).max
        out[:, 0] = np.clip(scaled, -limit, limit)


@dataclass(frozen=True)
class CategoryCode:
    """How one category column is encoded: one feature per level, then one for missing if the training rows had any."""

    name: str
    levels: tuple[str, ...]
    missing: bool

    @property
    def width(self) -> int:
        return len(self.levels) + self.missing

    def write(self, column: Column, rows: np.ndarray, out: np.ndarray) -> None:
        if column.levels is None:
            raise DataError(f"the column {shown(self.name)} must hold categories, as it did when the model was trained")
        place = {level: index for index, level in enumerate(self.levels)}
        absent = len(self.levels) if self.missing else -1
        places = np.array([*(place.get(level, -1) for level in column.levels), absent])
        found = places[column.values[rows]]  # code -1, missing, reads the last place
        known = np.flatnonzero(found >= 0)
        out[known, found[known]] = 1.0


@dataclass(frozen=True)
class Encoder:
    """The encoding of a table's features. Plain numbers and texts inside, so that a record can hold it as JSON."""

    codes: tuple[NumberCode | CategoryCode, ...]
    constant: tuple[str, ...] = ()  # features left out because they do not vary over the training rows

    @classmethod
    def fit(cls, features: Mapping[str, Column], rows: np.ndarray) -> Encoder:
        """Learn from `rows` alone. Raises `DataError` if no feature varies over them.

        >>> column = Column(np.array([1.0, 3.0, 99.0]))
        >>> encoder = Encoder.fit({"x": column}, rows=np.array([0, 1]))
        >>> encoder.transform({"x": column}, np.array([0, 1])).tolist()
        [[-1.0], [1.0]]
        """
        fitted = {name: _fit(name, column, rows) for name, column in features.items()}
        codes = tuple(code for code in fitted.values() if code is not None)
        if not codes:
            raise DataError(
                "no feature varies over the training rows, so there is nothing to learn from"
                if features
                else "there is no feature column besides the target",
                cure="add feature columns, or take fewer out with data.drop",
            )
        return cls(codes, tuple(name for name, code in fitted.items() if code is None))

    @property
    def width(self) -> int:
        return sum(code.width for code in self.codes)

    def names(self) -> list[str]:
        """What each of the F features is called: `age`, `sex=female`, `deck is missing`."""
        names: list[str] = []
        for code in self.codes:
            if isinstance(code, NumberCode):
                names.append(code.name)
            else:
                names += [f"{code.name}={level}" for level in code.levels]
                names += [f"{code.name} is missing"] * code.missing
        return names

    def transform(self, features: Mapping[str, Column], rows: np.ndarray) -> np.ndarray:
        """Those rows as float32 [N, F].

        Columns are found by name and levels by text: a new table may have them in another order.
        """
        lacking = [code.name for code in self.codes if code.name not in features]
        if lacking:
            raise DataError(f"the table lacks columns that the model needs: {', '.join(map(shown, lacking[:5]))}")
        out = np.zeros((len(rows), self.width), dtype=np.float32)
        start = 0
        for code in self.codes:
            code.write(features[code.name], rows, out[:, start : start + code.width])
            start += code.width
        return out

    def state(self) -> dict[str, Any]:
        """All there is to it, as plain JSON."""
        kinds = {NumberCode: "number", CategoryCode: "category"}
        columns = [{"kind": kinds[type(code)], **asdict(code)} for code in self.codes]
        for column in columns:
            column.update({"levels": list(column["levels"])} if "levels" in column else {})
        return {"columns": columns, "constant": list(self.constant)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Encoder:
        """The encoder that `state` was taken from."""
        codes: list[NumberCode | CategoryCode] = []
        for column in state["columns"]:
            if column["kind"] == "number":
                codes.append(NumberCode(column["name"], column["fill"], column["center"], column["scale"]))
            else:
                codes.append(CategoryCode(column["name"], tuple(column["levels"]), column["missing"]))
        return cls(tuple(codes), tuple(state["constant"]))


def _fit(name: str, column: Column, rows: np.ndarray) -> NumberCode | CategoryCode | None:
    values = column.values[rows]
    if column.levels is not None:
        counts = np.bincount(values + 1, minlength=len(column.levels) + 1)
        levels = tuple(level for level, count in zip(column.levels, counts[1:], strict=True) if count)
        code = CategoryCode(name, levels, bool(counts[0]))
        return code if code.width > 1 else None
    present = values[~np.isnan(values)]
    if not len(present) or present.min() == present.max():
        return None
    fill = float(np.median(present))
    center, scale = center_and_scale(np.where(np.isnan(values), fill, values))
    return NumberCode(name, fill, float(center), float(scale))


def center_and_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (over N, ddof 0) of float64 [N, ...], without overflow up to the largest double.

    >>> center_and_scale(np.array([0.0, 2e200]))
    (np.float64(1e+200), np.float64(1e+200))
    """
    size = np.abs(values).max(axis=0)
    size = np.where(size > 0, size, 1.0)
    unit = values / size
    return unit.mean(axis=0) * size, unit.std(axis=0) * size


def target_scale(train: np.ndarray) -> TargetScale:
    """How to standardise a regression target, from its training values [N] or [N, O]; a constant output has scale 1."""
    values = train.astype(np.float64).reshape(len(train), -1)
    center, scale = center_and_scale(values)
    constant = values.min(axis=0) == values.max(axis=0)
    return TargetScale(np.where(constant, values[0], center), np.where(constant, 1.0, scale))
