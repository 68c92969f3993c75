"""Which rows a model was trained on, as short keys of what it saw of them, so that predict knows them again in any file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from losscli.data.dataset import Dataset, Part
from losscli.data.encode import Encoder
from losscli.tasks import Column

MOST = 1 << 14  # training rows that have a key in a record, drawn evenly: 64 KB of each seed
CHUNK = 1 << 12  # rows at a time: their products stay in the cache
SURE = 3.0  # standard deviations beyond what held-out rows have in common with training rows by chance


def keys_of(features: np.ndarray) -> np.ndarray:
    """uint64 [N]: a number that equal rows of float32 [N, F] share, and others hardly ever: 1 in 2^32 pairs for its upper half.

    Multilinear hashing of the bits of each number (Lemire and Kaser 2014, Strongly Universal String Hashing is Fast,
    https://arxiv.org/abs/1202.4961); the multipliers are those of SplitMix64.

    >>> rows = np.array([[1.0, 0.0], [1.0, -0.0], [0.0, 1.0]], np.float32)
    >>> one, same, other = keys_of(rows).tolist()
    >>> one == same, one == other
    (True, False)
    """
    multipliers = _multipliers(features.shape[1] + 1)
    keys = np.empty(len(features), np.uint64)
    for start in range(0, len(features), CHUNK):
        part = np.ascontiguousarray(features[start : start + CHUNK]) + np.float32(0)  # -0 becomes 0
        keys[start : start + len(part)] = (part.view(np.uint32) * multipliers[1:]).sum(axis=1) + multipliers[0]
    return keys


def _multipliers(count: int) -> np.ndarray:
    """uint64 [count], of which no library's generator may ever change one: records hold keys that they made."""
    state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    mixed: np.ndarray = state ^ (state >> np.uint64(31))
    return mixed


def _short(keys: np.ndarray) -> np.ndarray:
    return (keys >> np.uint64(32)).astype(np.uint32)  # the upper half is the one that is strongly universal


@dataclass(frozen=True)
class RowKeys:
    """Of one dataset: `keys` uint32 [k] of the training rows, or of k of them where they are too many, in rising order.

    `trained` is how many training rows there are, `rows` how many in all splits, and `total` the sum of all their keys, mod 2^64.
    Of `held_out` other rows, `shared` equal a training row that has a key, as chance has it.
    """

    keys: np.ndarray
    trained: int
    rows: int
    total: int
    held_out: int
    shared: int

    @classmethod
    def of(cls, dataset: Dataset) -> RowKeys:
        """Of what a dataset's model sees."""
        parts = {split: np.concatenate(list(_keys(part))) for split, part in dataset.parts.items() if part.rows}
        trained = parts.pop("train")
        others = np.concatenate([*parts.values(), trained[:0]])
        drawn = np.linspace(0, len(trained) - 1, min(len(trained), MOST)).astype(np.int64)
        keys = np.sort(_short(trained[drawn]))
        total = int(trained.sum(dtype=np.uint64)) + int(others.sum(dtype=np.uint64))
        shared = int(np.isin(_short(others), keys).sum())
        return cls(keys, len(trained), len(trained) + len(others), total % 2**64, len(others), shared)

    @property
    def share(self) -> float:
        """Of the training rows, those that have a key."""
        return len(self.keys) / self.trained

    @property
    def by_chance(self) -> float:
        """The share of new rows that equals a row that has a key though it is another row, not quite 0 where none did."""
        return (self.shared + 1) / (self.held_out + 2)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` makes it of again."""
        counts = np.array([self.trained, self.rows, self.held_out, self.shared], np.int64)
        return {"keys": self.keys, "counts": counts, "total": np.array([self.total], np.uint64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> RowKeys:
        """Raises `KeyError` or `ValueError` for what `arrays` never gave."""
        keys, (total,) = arrays["keys"], arrays["total"].tolist()
        trained, rows, held_out, shared = arrays["counts"].tolist()
        counted = 0 < len(keys) <= trained <= rows and 0 <= shared <= held_out <= rows
        if keys.dtype != np.uint32 or keys.ndim != 1 or not counted:
            raise ValueError("no keys of rows")
        return cls(keys, trained, rows, total, held_out, shared)


@dataclass(frozen=True)
class Overlap:
    """Of `rows` new rows, `count` equal one that was trained on: `whole` where they are the very table, `exact` where every
    training row has a key."""

    rows: int
    count: int
    whole: bool
    exact: bool


def _keys(part: Part) -> Iterator[np.ndarray]:
    for start in range(0, part.rows, 1 << 16):  # a stream encodes them now
        yield keys_of(part.features[start : start + (1 << 16)])


def overlap(
    known: Sequence[RowKeys], encoders: Sequence[Encoder], features: Mapping[str, Column], rows: int
) -> Overlap | None:
    """What new rows have in common with those that models were trained on, each by its own keys and encoder; None where it is
    no more than chance has, as in tables whose rows often repeat.
    """
    hit, whole = np.zeros(rows, bool), False
    for own, encoder in zip(known, encoders, strict=True):
        chunks = (np.arange(start, min(start + (1 << 16), rows)) for start in range(0, rows, 1 << 16))
        keys = np.concatenate([keys_of(encoder.transform(features, chunk)) for chunk in chunks])
        hit |= np.isin(_short(keys), own.keys)
        whole = whole or (rows == own.rows and int(keys.sum(dtype=np.uint64)) == own.total)
    hits, share = int(hit.sum()), _union(own.share for own in known)
    chance = _union(own.by_chance for own in known)
    most = rows * chance + SURE * math.sqrt(rows * chance * (1 - chance))
    if not whole and hits <= most:
        return None
    return Overlap(rows, min(rows, round(hits / share)), whole, share == 1)


def _union(shares: Iterable[float]) -> float:
    return 1 - math.prod(1 - share for share in shares)
