"""A table column by column: what each holds and what became of it, and which of them might be the target."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from losscli.advice.numbers import Numbers, numbers
from losscli.data.dataset import ColumnStory, Table
from losscli.errors import counted
from losscli.tasks import Column

MOST_LEVELS = 5  # of a category that are told
FEW = 20  # different values, up to which a column may be a class

# What people call the column that is to be predicted, from the surest word on.
TARGET_WORDS: tuple[str, ...] = (
    "target",
    "label",
    "class",
    "outcome",
    "response",
    "survived",
    "churn",
    "default",
    "diagnosis",
    "fraud",
)
TARGET_WORDS += ("y", "quality", "price", "species", "rating", "score", "result", "deny", "visits")
LATE_WORDS = ("y",)  # a target where it is the last column, else a coordinate
LEAST_EACH = 10  # rows for each of the texts of a target
MOST_SUGGESTIONS = 5


@dataclass(frozen=True)
class ColumnFacts:
    """One column: `shape` of numbers, `levels` of a category (the most frequent ones, with their rows, of `present`)."""

    name: str
    kind: str
    role: str
    why: str
    missing: int
    distinct: int
    shape: Numbers | None = None
    levels: tuple[tuple[str, int], ...] = ()
    present: int = 0  # rows that have a value
    parts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "role": self.role,
            "why": self.why,
            "missing": self.missing,
            "distinct": self.distinct,
            "numbers": None if self.shape is None else asdict(self.shape),
            "levels": [{"level": level, "rows": rows} for level, rows in self.levels],
            "present": self.present,
            "parts": list(self.parts),
        }


def columns_of(table: Table) -> list[ColumnFacts]:
    """Every column that the table tells of, in its order; of a table that tells nothing, what it holds."""
    by_name = {**table.features, **table.targets}
    by_name |= {table.exposure.name: table.exposure.column} if table.exposure else {}
    stories = dict(table.columns) or {
        name: _story(name, column, name in table.targets) for name, column in by_name.items()
    }
    return [_facts(story, by_name.get(story.name)) for story in stories.values()]


def _story(name: str, column: Column, target: bool) -> ColumnStory:
    kind = "category" if column.is_category else "number"
    return ColumnStory(
        name, kind, "target" if target else "feature", f"made as a {kind}", None, int(column.missing.sum())
    )


def _facts(story: ColumnStory, column: Column | None) -> ColumnFacts:
    fields = (story.name, story.kind, story.role, story.why, story.missing)
    if column is None:
        return ColumnFacts(*fields, distinct=story.distinct or 0, parts=story.parts)
    present = int((~column.missing).sum())
    if column.levels is None:
        shape = numbers(column.values)
        distinct = shape.distinct if shape else 0
        return ColumnFacts(*fields, distinct=distinct, shape=shape, present=present, parts=story.parts)
    counts = np.bincount(column.values[~column.missing], minlength=len(column.levels))
    order = np.argsort(-counts, kind="stable")[:MOST_LEVELS]  # stable: equally frequent ones keep their order
    levels = tuple((column.levels[at], int(counts[at])) for at in order if counts[at])
    distinct = int((counts > 0).sum())
    return ColumnFacts(*fields, distinct=distinct, levels=levels, present=present, parts=story.parts)


@dataclass(frozen=True)
class Suggestion:
    """Columns that might be the target, and why."""

    columns: tuple[str, ...]
    reason: str


def suggestions(columns: Sequence[ColumnFacts], table: Table) -> list[Suggestion]:
    """Which columns might be the target, the likeliest first: by name, place, and what they hold."""
    by_name = {**table.features, **table.targets}
    usable = [column for column in columns if _could_be(column, by_name)]
    several = _yes_or_no_at_the_end(usable, columns)
    ranked = sorted(usable, key=lambda column: -_likeliness(column, columns)[0])
    result = [
        Suggestion((column.name,), _likeliness(column, columns)[1]) for column in ranked if column.name not in several
    ]
    if several:
        reason = f"the last {counted(len(several), 'column')} are yes or no: one multilabel target"
        result.insert(0, Suggestion(several, reason))
    return result[:MOST_SUGGESTIONS]


def _could_be(column: ColumnFacts, by_name: Mapping[str, Column]) -> bool:
    if column.name not in by_name or column.distinct < 2:
        return False
    if column.shape is None:  # texts that hardly ever come back name the rows
        return column.distinct <= max(FEW, column.present // LEAST_EACH)
    counting = column.shape.whole and bool((np.diff(by_name[column.name].values) == 1).all())
    return not counting


def _likeliness(column: ColumnFacts, columns: Sequence[ColumnFacts]) -> tuple[float, str]:
    words = re.split(r"[\W_]+", column.name.casefold())
    meant = [word for word in words if word not in LATE_WORDS or column.name == columns[-1].name]
    scores = [len(TARGET_WORDS) - TARGET_WORDS.index(word) for word in meant if word in TARGET_WORDS]
    reasons = [f"it is called {column.name}"] if scores else []
    points = 3.0 + max(scores) / len(TARGET_WORDS) if scores else 0.0
    if column.name == columns[-1].name:
        points, reasons = points + 1.5, [*reasons, "it is the last column"]
    elif column.name == columns[0].name:
        points, reasons = points + 1.0, [*reasons, "it is the first column"]
    if column.distinct <= FEW:
        points += 1.0 if column.distinct == 2 else 0.5
        reasons.append(f"{column.distinct} different values")
    else:
        reasons.append("numbers" if column.shape else f"{column.distinct} different texts")
    if column.missing:
        points, reasons = points - 2.0, [*reasons, f"but {counted(column.missing, 'row')} without a value"]
    return points, ", ".join(reasons)


def _yes_or_no_at_the_end(usable: Sequence[ColumnFacts], columns: Sequence[ColumnFacts]) -> tuple[str, ...]:
    """The columns of 0 and 1 that a table ends with, where they are several and not all of it."""
    names = {column.name for column in usable}
    tail: list[str] = []
    for column in reversed(columns):
        shape = column.shape
        if (
            column.name not in names
            or shape is None
            or not (shape.low == 0 and shape.high == 1 and shape.distinct == 2)
        ):
            break
        tail.insert(0, column.name)
    return tuple(tail) if 2 <= len(tail) <= len(columns) // 2 else ()
