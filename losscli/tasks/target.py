"""What a target is: its columns as they were read, how the user means them, and what they decode to."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from losscli.errors import Finding, Place


@dataclass(frozen=True)
class Origin:
    """Where a column stands in a user's file, so that an error about a value can name its place."""

    file: str
    column: int  # from 1
    lines: np.ndarray | None = None  # the line of each row, where it is known

    def place(self, row: int) -> Place:
        return Place(self.file, int(self.lines[row]) if self.lines is not None else None, self.column)


@dataclass(frozen=True)
class Column:
    """One column of a table as it was read.

    A number column holds float64 with NaN where a value is missing (infinities never get this far). A category column
    holds int32 codes into `levels`, -1 where missing; booleans are categories with the levels "False" and "True".
    """

    values: np.ndarray
    levels: tuple[str, ...] | None = None
    origin: Origin | None = None

    @property
    def is_category(self) -> bool:
        return self.levels is not None

    @property
    def missing(self) -> np.ndarray:
        return self.values < 0 if self.is_category else np.isnan(self.values)

    @property
    def resident(self) -> int:
        """Bytes of memory that its values take."""
        return int(self.values.nbytes)

    def holding(self, values: np.ndarray, origin: Origin | None = None) -> Column:
        """A column of the same levels with other values, which are kept where this one's are."""
        return Column(values, self.levels, origin)


Transform = Literal["none", "log", "log1p"]
Order = Literal["given", "numbers", "words", "alphabet"]  # where the order of classes is from


@dataclass(frozen=True)
class TargetOptions:
    """How target columns are meant, where they do not say it themselves.

    `positive` is the label that counts as yes (binary), `order` the labels from lowest to highest (multiclass), `separator`
    what stands between the labels of one cell (multilabel in one column), `transform` what a regression target is
    learned as, `standardise` whether it is standardised after that, `counts` whether columns hold counts of which shares are to
    be made (distribution), `pairs` the prefixes of the columns of the two halves of a pair (embedding).
    """

    positive: str | None = None
    order: tuple[str, ...] | None = None
    separator: str | None = None
    transform: Transform = "none"
    standardise: bool = True
    counts: bool = False
    pairs: tuple[str, ...] | None = None

    @property
    def given(self) -> list[str]:
        """The keys of those that are not as they are by default; each task says which it takes (`Task.options`)."""
        return [field.name for field in fields(self) if getattr(self, field.name) != field.default]


AS_GIVEN = TargetOptions()


@dataclass(frozen=True)
class Target:
    """A decoded target.

    `values`: float32 [N] of 0/1, or of shares of yes (binary, `soft`), int64 [N] (multiclass), float32 [N, K] of
    probabilities (multiclass, `soft`; distribution), float32 [N, L] of 0/1 (multilabel), float64 [N] or [N, O] in the user's
    units (regression). `labels`: for classes, the user's label of each index (binary: of 0, then of 1); for multilabel the
    labels, for regression the names of the columns.
    `ordered` says where the order of the classes is from, `transform` and `standardise` what the values of a regression go
    through before a loss sees them. `paired`: rows 2 i and 2 i + 1 are a pair, and both have its value, 1 for the same.
    """

    values: np.ndarray
    labels: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    soft: bool = False
    ordered: Order | None = None
    transform: Transform = "none"
    standardise: bool = True
    paired: bool = False

    @property
    def classes(self) -> np.ndarray:
        """`values`, but the most likely class of each row [N] where they are probabilities."""
        return self.decided(self.values)

    def decided(self, values: np.ndarray) -> np.ndarray:
        """The same of any rows' values: of shares of yes (binary), whether they are above 1/2.

        >>> Target(np.empty(0), ("0", "1"), soft=True).decided(np.array([0.2, 0.5, 0.75])).tolist()
        [0.0, 0.0, 1.0]
        """
        if not self.soft:
            return values
        classes: np.ndarray = values.argmax(axis=1) if values.ndim == 2 else (values > 0.5).astype(values.dtype)
        return classes
