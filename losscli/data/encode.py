"""From columns to numbers: what a model sees of a table, learned from the training rows only.

Numbers are scaled; a missing one is filled in first. A category becomes one 0/1 feature per level that the training rows
have, or one column of codes that the network looks up in a table of its own. A level that the training rows lack becomes
zeros, or code 0. All is computed in float64, because a sum of large float32 values overflows, and handed over as float32
[N, F]: plain numbers first, codes last.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from losscli.data.encoding import Encoding
from losscli.data.spelling import Spelling, meaning_of, spelling_of
from losscli.errors import DataError, SpecError, choose_from, counted, listed, setting, shown
from losscli.tasks import Column

MOST_LISTED = 8
SAMPLE = 1000
FEWEST, MOST = 2, 50  # numbers that stand for a level, unless the spec says how many


@dataclass(frozen=True)
class NumberCode:
    """How one number column is encoded: `(value or fill - center) / scale`; with `indicator` also where it was missing.

    A `boolean` one held 0 and 1 only: elsewhere they may be written false and true.
    """

    name: str
    fill: float
    center: float
    scale: float
    indicator: bool = False
    boolean: bool = False

    kind: ClassVar[str] = "number"
    height: ClassVar[int] = 0
    size: ClassVar[int] = 0

    @property
    def width(self) -> int:
        return 1 + self.indicator

    def names(self) -> list[str]:
        return [self.name, *[f"{self.name} is missing"] * self.indicator]

    def write(self, column: Column, rows: np.ndarray, plain: np.ndarray, codes: np.ndarray) -> None:
        """Those rows into `plain` [N, width]; a number has no `codes`, [N, 0]."""
        if column.is_category:
            raise DataError(f"the column {shown(self.name)} must hold numbers, as it did when the model was trained")
        values = column.values[rows]
        holes = np.isnan(values)
        filled = np.where(holes, self.fill, values)
        scaled = filled / self.scale - self.center / self.scale  # divided first: a difference of extremes overflows
        limit = np.finfo(np.float32).max
        plain[:, 0] = np.clip(scaled, -limit, limit)
        plain[:, 1:] = holes[:, None]


@dataclass(frozen=True)
class CategoryCode:
    """How one category column is encoded: one feature per level, then one for missing if that is a level of its own.

    With `size`, one column of codes instead, 0 for what training never saw, and a network turns each into `size` numbers.
    `fill` is the level that a missing value becomes, where it is not one of its own; with `indicator` a feature tells.
    `spelling` says which texts are one level.
    """

    name: str
    levels: tuple[str, ...]
    missing: bool
    fill: str | None = None
    indicator: bool = False
    size: int = 0
    spelling: Spelling = "text"

    kind: ClassVar[str] = "category"

    @property
    def height(self) -> int:
        """How many codes there are, the rows of its table; 0 where it is not embedded."""
        return 1 + len(self.levels) + self.missing if self.size else 0

    @property
    def width(self) -> int:
        return self.indicator + (0 if self.size else len(self.levels) + self.missing)

    def names(self) -> list[str]:
        level_names = [] if self.size else [f"{self.name}={level}" for level in self.levels]
        return level_names + [f"{self.name} is missing"] * (self.indicator + (self.missing and not self.size))

    def places(self, texts: Sequence[str]) -> np.ndarray:
        """Which level each of these texts is, int64; -1 for what training never saw, however it may be spelled.

        >>> CategoryCode("code", ("1", "2"), False, spelling="number").places(["2.0", "1", "3"]).tolist()
        [1, 0, -1]
        """
        by_text, by_meaning = self._level_places
        places = [
            by_text[text] if text in by_text else by_meaning.get(meaning_of(text, self.spelling), -1) for text in texts
        ]
        return np.array(places, dtype=np.int64)

    @cached_property
    def _level_places(self) -> tuple[dict[str, int], dict[Hashable, int]]:
        """The place of each level, by its text and by what it means."""
        by_text = {level: place for place, level in enumerate(self.levels)}
        return by_text, {meaning_of(level, self.spelling): place for level, place in by_text.items()}

    def write(self, column: Column, rows: np.ndarray, plain: np.ndarray, codes: np.ndarray) -> None:
        """Those rows into `plain` [N, width] and, where it is embedded, into `codes` [N, 1]."""
        if column.levels is None:
            raise DataError(f"the column {shown(self.name)} must hold categories, as it did when the model was trained")
        absent = len(self.levels) if self.missing else -1 if self.fill is None else self.places([self.fill])[0]
        places = np.append(self.places(column.levels), absent)[
            column.values[rows]
        ]  # code -1, missing, reads the last place
        if self.size:
            codes[:, 0] = places + 1
        else:
            hits = np.flatnonzero(places >= 0)
            plain[hits, places[hits]] = 1.0
        if self.indicator:
            plain[:, -1] = column.values[rows] < 0


@dataclass(frozen=True)
class OffsetCode:
    """The exposure of counts: the first column of all, `log(value) - log_mean`, which a network adds to its log-rates.

    `log_mean` is the logarithm of the training rows' mean exposure, so that a rate is one per mean exposure, and training starts
    at the mean count. `logarithms` where the column holds logarithms already.
    """

    name: str
    log_mean: float
    logarithms: bool = False

    kind: ClassVar[str] = "offset"
    height: ClassVar[int] = 0
    size: ClassVar[int] = 0
    width: ClassVar[int] = 1

    def names(self) -> list[str]:
        return [self.name if self.logarithms else f"log {self.name}"]

    def write(self, column: Column, rows: np.ndarray, plain: np.ndarray, codes: np.ndarray) -> None:
        """Those rows into `plain` [N, 1]; there are no `codes`, [N, 0]."""
        plain[:, 0] = self.logs(column.values[rows]) - self.log_mean

    def logs(self, values: np.ndarray) -> np.ndarray:
        """The logarithms of the exposures that a column holds."""
        return values if self.logarithms else np.log(values)


Code = NumberCode | CategoryCode | OffsetCode
KINDS: Mapping[str, type[Code]] = {kind.kind: kind for kind in (NumberCode, CategoryCode, OffsetCode)}


@dataclass(frozen=True)
class Encoder:
    """The encoding of a table's features. Plain numbers and texts inside, so that a record can hold it as JSON."""

    codes: tuple[Code, ...]
    constant: tuple[str, ...] = ()  # features left out because they do not vary over the training rows
    dates: Mapping[str, bool | None] = field(
        default_factory=dict
    )  # by date column, whether 03/04/2024 is a day of April
    units: Mapping[str, str] = field(default_factory=dict)  # by column, what was taken off its numbers: $, %, kg

    @classmethod
    def fit(cls, features: Mapping[str, Column], rows: np.ndarray, encoding: Encoding | None = None) -> Encoder:
        """Learn from `rows` alone. Raises `DataError` if no feature varies over them.

        How many levels an embedded category has in the whole table decides how large its vectors are, so that the models
        of all seeds have one shape; which codes there are is learned from `rows` like all else.

        >>> column = Column(np.array([1.0, 3.0, 99.0]))
        >>> encoder = Encoder.fit({"x": column}, rows=np.array([0, 1]))
        >>> encoder.transform({"x": column}, np.array([0, 1])).tolist()
        [[-1.0], [1.0]]
        """
        encoding = encoding or Encoding()
        _refuse_wrong_names(encoding, features)
        fitted = {name: _fit(name, column, rows, encoding) for name, column in features.items()}
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
        """F: the columns of what `transform` makes, codes among them."""
        return sum(code.width for code in self.codes) + len(self.embedded)

    @property
    def embedded(self) -> tuple[int, ...]:
        """How many codes each of the last columns has."""
        return tuple(code.height for code in self.codes if code.size)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Into how many numbers a network turns each of them."""
        return tuple(code.size for code in self.codes if code.size)

    @property
    def offset(self) -> OffsetCode | None:
        """What encodes the exposure, if there is one."""
        first = self.codes[0] if self.codes else None
        return first if isinstance(first, OffsetCode) else None

    def names(self) -> list[str]:
        """What each of the F features is called: `age`, `sex=female`, `deck is missing`; an embedded one by its column."""
        plain = [name for code in self.codes for name in code.names()]
        return plain + [code.name for code in self.codes if code.size]

    def transform(self, features: Mapping[str, Column], rows: np.ndarray) -> np.ndarray:
        """Those rows as float32 [N, F].

        Columns are found by name and levels by text: a new table may have them in another order.
        """
        lacking = [code.name for code in self.codes if code.name not in features]
        if lacking:
            raise DataError(f"the table lacks columns that the model needs: {', '.join(map(shown, lacking[:5]))}")
        out = np.zeros((len(rows), self.width), dtype=np.float32)
        plain, codes = np.split(out, [self.width - len(self.embedded)], axis=1)
        start, at = 0, 0
        for code in self.codes:
            stop, behind = start + code.width, at + bool(code.size)
            code.write(features[code.name], rows, plain[:, start:stop], codes[:, at:behind])
            start, at = stop, behind
        return out

    def state(self) -> dict[str, Any]:
        """All there is to it, as plain JSON."""
        columns: list[dict[str, Any]] = [{"kind": code.kind, **asdict(code)} for code in self.codes]
        for column in columns:
            column.update({"levels": list(column["levels"])} if "levels" in column else {})
        units = {"units": dict(self.units)} if self.units else {}
        return {"columns": columns, "constant": list(self.constant), "dates": dict(self.dates), **units}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Encoder:
        """The encoder that `state` was taken from; what an older state does not say is as it was then."""
        codes: list[Any] = []
        for column in state["columns"]:
            kind = KINDS[column["kind"]]
            given = {attribute.name: column[attribute.name] for attribute in fields(kind) if attribute.name in column}
            if "levels" in given:
                given["levels"] = tuple(given["levels"])
                given.setdefault("spelling", spelling_of(given["levels"]))
            codes.append(kind(**given))
        return cls(tuple(codes), tuple(state["constant"]), state.get("dates", {}), state.get("units", {}))

    def describe_embedding(self, features: Mapping[str, Column]) -> str:
        """Which categories are embedded, in words, with their levels in the whole table; nothing where none is."""
        descriptions = [
            f"{shown(code.name)} ({counted(len(features[code.name].levels or ()), 'level')} as {code.size} numbers)"
            for code in self.codes
            if code.size
        ]
        return listed(descriptions, MOST_LISTED)


def _refuse_wrong_names(encoding: Encoding, features: Mapping[str, Column]) -> None:
    for name in encoding.embedding.columns:
        if name not in features:
            cure = choose_from(name, [name for name, column in features.items() if column.is_category])
            raise SpecError(f"data.encode.embedding: there is no feature called {shown(name)}", cure=cure)
        if not features[name].is_category:
            cure = f"set {setting('types', 'category', name)}, if its numbers are names"
            raise SpecError(f"data.encode.embedding: {shown(name)} is a column of numbers, not a category", cure=cure)


def _fit(name: str, column: Column, rows: np.ndarray, encoding: Encoding) -> Code | None:
    if column.levels is None:
        number = _number(name, column.values[rows], encoding)
        return number and replace(number, boolean=_only_zeros_and_ones(column.values))
    if encoding.embeds(name):
        kinds = len(np.unique(column.values))
        return _category(name, column, rows, encoding, _size(kinds, encoding)) if kinds > 1 else None
    code = _category(name, column, rows, encoding, 0)
    return code if code.width > 1 else None


def _only_zeros_and_ones(values: np.ndarray) -> bool:
    few = values[:SAMPLE]  # which tell it of most columns
    return all(bool(((part == 0) | (part == 1) | np.isnan(part)).all()) for part in (few, values))


def _number(name: str, values: np.ndarray, encoding: Encoding) -> NumberCode | None:
    holes = np.isnan(values)
    present = values[~holes]
    if not len(present):
        return None
    fill = _fill(present, encoding.missing.numbers)
    filled = np.where(holes, fill, values)
    indicator = encoding.indicator and bool(holes.any())
    if filled.min() == filled.max():
        return NumberCode(name, fill, float(filled[0]), 1.0, indicator) if indicator else None
    center, scale = SCALES[encoding.numbers](filled)
    return NumberCode(name, fill, float(center), float(scale), indicator)


def _fill(present: np.ndarray, rule: Literal["median", "mean"] | float) -> float:
    if isinstance(rule, str):
        return float(np.median(present) if rule == "median" else center_and_scale(present)[0])
    return float(rule)


def _category(name: str, column: Column, rows: np.ndarray, encoding: Encoding, size: int) -> CategoryCode:
    assert column.levels is not None
    counts = np.bincount(column.values[rows] + 1, minlength=len(column.levels) + 1)
    levels = tuple(level for level, count in zip(column.levels, counts[1:], strict=True) if count)
    holes, rule, spelling = bool(counts[0]), encoding.missing.categories, spelling_of(column.levels)
    if rule == "level" or not levels:
        return CategoryCode(name, levels, holes, size=size, spelling=spelling)
    fill = encoding.missing.constant if rule == "constant" else column.levels[int(counts[1:].argmax())]
    assert fill is not None  # `Missing` has seen to it
    if holes and fill not in levels:
        levels = (*levels, fill)
    return CategoryCode(name, levels, False, fill, encoding.indicator and holes, size, spelling)


def _size(kinds: int, encoding: Encoding) -> int:
    """How many numbers stand for a level. The rule of thumb is fastai's, with an end: 1.6 n^0.56, at most 50.

    >>> [_size(kinds, Encoding()) for kinds in (2, 10, 300, 100_000)]
    [2, 6, 39, 50]
    """
    size = encoding.embedding.size
    return min(MOST, max(FEWEST, round(1.6 * kinds**0.56))) if size == "auto" else size


def center_and_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (over N, ddof 0) of float64 [N, ...], without overflow up to the largest double.

    >>> center_and_scale(np.array([0.0, 2e200]))
    (np.float64(1e+200), np.float64(1e+200))
    """
    size = np.abs(values).max(axis=0)
    size = np.where(size > 0, size, 1.0)
    unit = values / size
    return unit.mean(axis=0) * size, unit.std(axis=0) * size


def median_and_range(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and interquartile range of float64 [N]; where half of the values are the same, the standard deviation.

    >>> median_and_range(np.array([1.0, 2.0, 3.0, 4.0, 1000.0]))
    (np.float64(3.0), np.float64(2.0))
    """
    size = np.abs(values).max() or 1.0
    low, middle, high = np.percentile(values / size, [25, 50, 75])
    between = min((high - low) * min(size, np.finfo(np.float64).max / 2), np.finfo(np.float64).max)
    return middle * size, between if between > 0 else center_and_scale(values)[1]


def _as_they_are(values: np.ndarray) -> tuple[float, float]:
    return 0.0, 1.0


SCALES: Mapping[str, Callable[[np.ndarray], tuple[Any, Any]]] = {
    "standard": center_and_scale,
    "robust": median_and_range,
    "none": _as_they_are,
}


def power_of(values: np.ndarray) -> float:
    """A power of two, by which values can be divided without rounding so that their squares are numbers; 1 where they are.

    >>> power_of(np.array([3.0, -1e10])), power_of(np.array([1e200])) > 1e199
    (1.0, True)
    """
    size = float(np.abs(values).max(initial=0.0))
    return 1.0 if size == 0.0 or 1e-140 < size < 1e140 else float(np.ldexp(1.0, int(np.frexp(size)[1]) - 1))
