"""A column of texts as its different texts, which is what kinds and dates are told from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from losscli.data.dataset import ColumnStory
from losscli.data.delimited import MOST_PLACES, first_of
from losscli.data.gather import Raw
from losscli.errors import DataError, Problem, shown


@dataclass(frozen=True)
class Levels:
    """A column of texts as its different texts, trimmed, and each row's index into them, -1 where missing."""

    raw: Raw
    levels: Any
    codes: np.ndarray
    padded: int = 0  # rows whose text was trimmed
    example: str | None = None  # the first of them, as it stood in the file
    _kept: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: Raw, missing: Sequence[str]) -> Levels:
        import pyarrow as pa
        import pyarrow.compute as pc

        assert raw.texts is not None
        encoded = raw.texts.unify_dictionaries().combine_chunks()
        encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
        rows = pc.fill_null(encoded.indices, -1).to_numpy()
        trimmed = pc.utf8_trim_whitespace(encoded.dictionary)
        merged = pc.if_else(pc.is_in(trimmed, pa.array(list(missing), pa.string())), None, trimmed).dictionary_encode()
        places = np.append(pc.fill_null(merged.indices, -1).to_numpy(zero_copy_only=False), -1)
        padded = np.append(pc.not_equal(trimmed, encoded.dictionary).to_numpy(zero_copy_only=False), False)
        of_rows = np.flatnonzero(padded[rows]) if padded.any() else np.empty(0, dtype=np.int64)
        example = encoded.dictionary[int(rows[of_rows[0]])].as_py() if len(of_rows) else None
        return cls(raw, merged.dictionary, places[rows].astype(np.int32), len(of_rows), example)

    @property
    def name(self) -> str:
        return self.raw.name

    @property
    def texts(self) -> list[str]:
        """The levels as Python's own texts."""
        return self._kept.setdefault("texts", self.levels.to_pylist())

    def rows_of(self, wrong: np.ndarray) -> np.ndarray:
        """The rows that hold one of these levels (bool, one each)."""
        return np.flatnonzero((self.codes >= 0) & np.append(wrong, False)[self.codes])

    def text(self, row: int) -> str:
        return self.texts[int(self.codes[row])]

    def refuse(self, wrong: np.ndarray, must: str, cure: str) -> None:
        """`DataError` with the first row of each of these levels that occurs, of five levels; the last counts the others."""
        rows = self.rows_of(wrong)
        if not len(rows):
            return
        levels, firsts, counts = np.unique(self.codes[rows], return_index=True, return_counts=True)
        order = np.argsort(firsts)
        problems = []
        for level, first, count in zip(levels[order], firsts[order], counts[order], strict=True):
            times = f" ({count} rows hold it)" if count > 1 else ""
            message = f"{shown(self.texts[level])} in {shown(self.name)} {must}{times}"
            problems.append(Problem(message, self.raw.origin.place(int(rows[first])), cure))
            if len(problems) > MOST_PLACES:
                break
        raise DataError(first_of(problems, len(levels)))

    def story(self, kind: str, why: str, role: str = "feature", parts: Sequence[str] = ()) -> ColumnStory:
        present = np.flatnonzero(self.codes >= 0)
        example = self.text(int(present[0])) if len(present) else None
        missing = len(self.codes) - len(present)
        return ColumnStory(self.name, kind, role, why, len(self.levels), missing, example, tuple(parts))
