"""What changed from one record to another, in the words of a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import groupby

from losscli.errors import counted, visible
from losscli.record.difference import ABSENT, KeyChange, ScoreChange
from losscli.words.numbers import decimals, number

MOST = 3  # settings and entries that are told one by one; the table has them all
LONGEST = 60


def sentences(
    before: str, after: str, keys: Sequence[KeyChange], scores: Sequence[ScoreChange], others: Set[int] = frozenset()
) -> list[str]:
    """What differs in what was asked for, then what came out, by metric; of `others`, the arenas of other data, nothing.

    >>> keys = [KeyChange(1, "train.lr", "0.01", "0.002"), KeyChange(1, "train.clip", "-", "1")]
    >>> scores = [ScoreChange(1, "bce", "auroc", 0.75, 0.875), ScoreChange(1, "focal", "auroc", None, 0.9)]
    >>> for sentence in sentences("0001", "0002", keys, scores):
    ...     print(sentence)
    From 0001 to 0002, 2 settings changed: train.lr from 0.01 to 0.002, train.clip is new (1).
    auroc: bce rose by 0.1250 to 0.8750; focal is new.
    """
    comparable = [score for score in scores if score.arena not in others]
    apart = [
        f"The data{_arena(number)} differ, so the scores cannot be compared."
        for number in sorted({score.arena for score in scores} & others)
    ]
    return [_settings(visible(before, LONGEST), visible(after, LONGEST), keys), *apart, *_outcomes(comparable)]


def _settings(before: str, after: str, keys: Sequence[KeyChange]) -> str:
    if not keys:
        return f"{before} and {after} were asked for the same."
    in_both_first = sorted(keys, key=lambda key: ABSENT in (key.before, key.after))
    told = [_setting(key) for key in in_both_first[:MOST]]
    more = [f"and {len(keys) - MOST} more"] if len(keys) > MOST else []
    return f"From {before} to {after}, {counted(len(keys), 'setting')} changed: {', '.join([*told, *more])}."


def _setting(change: KeyChange) -> str:
    key = f"{visible(change.key, LONGEST)}{_arena(change.arena)}"
    one, other = (visible(value, LONGEST) for value in (change.before, change.after))
    if change.before == ABSENT:
        return f"{key} is new ({other})"
    return f"{key} is gone (was {one})" if change.after == ABSENT else f"{key} from {one} to {other}"


def _outcomes(scores: Sequence[ScoreChange]) -> Iterator[str]:
    for (arena, metric), group in groupby(scores, key=lambda score: (score.arena, score.metric)):
        changes = list(group)
        values = [value for change in changes for value in (change.before, change.after) if value is not None]
        told = [_outcome(change, decimals(values)) for change in sorted(changes, key=_size, reverse=True)[:MOST]]
        more = [f"{len(changes) - MOST} more in the table"] if len(changes) > MOST else []
        yield f"{visible(metric, LONGEST)}{_arena(arena)}: {'; '.join([*told, *more])}."


def _outcome(change: ScoreChange, places: int | None) -> str:
    name = visible(change.entry, LONGEST)
    if change.before is None or change.after is None:
        return f"{name} {_presence(change)}"
    apart = change.after - change.before
    if apart == 0:
        return f"{name} is the same"
    return f"{name} {'rose' if apart > 0 else 'fell'} by {number(abs(apart), places)} to {number(change.after, places)}"


def _presence(change: ScoreChange) -> str:
    if change.before is change.after:
        return "has no value"
    return "is gone" if change.after is None else "is new"


def _size(change: ScoreChange) -> float:
    """What moved most is told first; what came or went, after it."""
    return -1.0 if change.before is None or change.after is None else abs(change.after - change.before)


def _arena(number: int) -> str:
    return "" if number == 1 else f" (arena {number})"
