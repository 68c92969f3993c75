"""Whether arenas of two records are of the same data: the same task, the same rows to draw from, the same target.

How the rows are divided, encoded and scaled may differ; then the runs are not paired. A file is known by its name, as it may lie
elsewhere or have grown; what is generated is known by everything that generates it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from losscli.compare.result import Arena
from losscli.errors import shown

TREATMENT = ("split", "encode", "transform", "standardise")  # what is done with rows, whichever they are


def alike(number: int, arena: Arena, others: Sequence[Arena]) -> int | None:
    """The place among `others` of the arena of the same data; of several the one at the same place, `number`."""
    places = [place for place, other in enumerate(others) if not _differences(arena, other)]
    return number if number in places else places[0] if places else None


def of_these(task: str, data: str, block: Mapping[str, Any], arenas: Sequence[Arena]) -> list[Arena]:
    """Those of the arenas that are of these data, which a spec's `data:` block describes."""
    mine = _identity_of(task, data, block)
    return [arena for arena in arenas if _identity(arena) == mine]


def of_other_data(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[int]:
    """The arenas, from 1, that two records have both, of other rows or with another target; records as they were read.

    What they score cannot be compared.
    """
    pairs = [
        [
            _identity_of(arena["task"], arena["data"], spec.get("data", {}))
            for arena, spec in zip(record["results"]["arenas"], record["specs"], strict=False)
        ]
        for record in (before, after)
    ]
    return {number for number, (one, other) in enumerate(zip(*pairs, strict=False), 1) if one != other}


def difference(arena: Arena, others: Sequence[Arena]) -> str:
    """What tells an arena from the one of `others` that is most like it, in words."""
    return min((_differences(arena, other) for other in others), key=len)[0]


def _differences(arena: Arena, other: Arena) -> list[str]:
    mine, theirs = _identity(arena), _identity(other)
    return [
        f"{key} is {shown(mine.get(key))} in the new one, {shown(theirs.get(key))} in the old one"
        for key in dict.fromkeys([*mine, *theirs])
        if mine.get(key) != theirs.get(key)
    ]


def _identity(arena: Arena) -> Mapping[str, Any]:
    return _identity_of(arena.task, arena.data, arena.spec.get("data", {}))


def _identity_of(task: str, name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What must agree, the most telling first."""
    from losscli.data.sources import sources  # slow to import, and nothing else here needs it

    kind = str(data.get("source"))
    identity = sources.get(kind).identity if kind in sources else None
    if identity is not None:
        rest = {key: data.get(key) for key in identity}
    else:
        rest = {key: value for key, value in data.items() if key not in TREATMENT}
    return {"task": task, "data": name, **_said(rest)}


def _said(block: Mapping[str, Any]) -> dict[str, Any]:
    """A block without what says nothing (null, false, 0, nothing in a list): a record from before a key has it not.

    >>> _said({"name": "moons", "counts": False, "corrupt": {"labels": 0.2, "votes": 0}})
    {'name': 'moons', 'corrupt': {'labels': 0.2}}
    """
    plain = {key: _said(value) if isinstance(value, Mapping) else value for key, value in block.items()}
    return {key: value for key, value in plain.items() if value}
