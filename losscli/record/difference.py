"""What two records have apart: the keys of their specs, and what their entries score."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from losscli.spec.origins import values

ABSENT = "-"


@dataclass(frozen=True)
class KeyChange:
    """One key of a spec that says something else in the other record."""

    arena: int  # from 1
    key: str
    before: str
    after: str


@dataclass(frozen=True)
class ScoreChange:
    """One entry's mean on the test split, in both records; None where one has it not."""

    arena: int
    entry: str
    metric: str
    before: float | None
    after: float | None


def changed(before: Sequence[Any], after: Sequence[Any]) -> list[KeyChange]:
    """The keys in which the specs of two records differ, arena by arena; a list is one value.

    >>> changed([{"train": {"lr": 0.1}}], [{"train": {"lr": 0.2}, "seeds": 3}])[1]
    KeyChange(arena=1, key='train.lr', before='0.1', after='0.2')
    """
    changes = []
    for number in range(max(len(before), len(after))):
        one, other = (_written(specs[number]) if number < len(specs) else {} for specs in (before, after))
        for key in sorted({*one, *other}):
            if one.get(key, ABSENT) != other.get(key, ABSENT):
                changes.append(KeyChange(number + 1, key, one.get(key, ABSENT), other.get(key, ABSENT)))
    return changes


def _written(spec: Any) -> dict[str, str]:
    """Values as a spec has them: null, true, ["a"]."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        for key, value in values(spec).items()
    }


def moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ScoreChange]:
    """What every entry of two results scores by the headline metric, arena by arena, in the order of the first."""
    changes = []
    pairs = [before["arenas"], after["arenas"]]
    for number in range(max(map(len, pairs))):
        one, other = (arenas[number] if number < len(arenas) else None for arenas in pairs)
        metric = next(arena["headline"] for arena in (one, other) if arena is not None)
        means = [_means(arena, metric) for arena in (one, other)]
        changes += [
            ScoreChange(number + 1, entry, metric, means[0].get(entry), means[1].get(entry))
            for entry in dict.fromkeys([*means[0], *means[1]])
        ]
    return changes


def _means(arena: Mapping[str, Any] | None, metric: str) -> dict[str, float | None]:
    entries = arena["entries"] if arena else []
    return {entry["entry"]: entry["test"].get(metric, {}).get("mean") for entry in entries}
