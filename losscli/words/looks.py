"""How seeds were added, in words: how many looks there were, at which level, and why there was no further one."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.compare.result import Arena
from losscli.errors import counted, joined, visible
from losscli.looks import LEVEL, Looks

MOST_NAMED = 6  # entries


def ended(looks: Looks) -> str:
    """Why there was no further look.

    >>> looks = Looks.between(6, 40)
    >>> from dataclasses import replace
    >>> ended(replace(looks, done=2)), ended(replace(looks, done=4, open=("focal",)))
    ('settled after 12 of 40 seeds (look 2 of 4)', 'not settled at 40 seeds (look 4 of 4)')
    """
    if not looks.done:
        return f"stopped before the first look, at {counted(looks.sizes[0], 'seed')}"
    seeds = looks.sizes[looks.done - 1]
    look = f"(look {looks.done} of {len(looks.sizes)})"
    if looks.ended == "settled":
        return f"settled after {seeds} of {looks.most} seeds {look}"
    return f"not settled at {seeds} seeds {look}" if looks.ended == "limit" else f"stopped after {seeds} seeds {look}"


def levels(looks: Looks) -> str:
    """The looks with their levels: `6 seeds (0.75 %), 12 (0.75 %), 24 (1.5 %) and 40 (2 %)`.

    >>> levels(Looks.between(6, 12))
    '6 seeds (2.5 %) and 12 (2.5 %)'
    """
    each = [f"{size} ({percent(level)})" for size, level in zip(looks.sizes, looks.levels, strict=True)]
    first = f"{looks.sizes[0]} seeds ({percent(looks.levels[0])})"
    return joined([first, *each[1:]], len(each))


def percent(share: float) -> str:
    """A level with two digits.

    >>> percent(0.0075), percent(0.02)
    ('0.75 %', '2 %')
    """
    return f"{100 * share:.2g} %"


def sentences(arena: Arena) -> list[str]:
    """What the paragraph says of looks; nothing where there are none."""
    looks = arena.looks
    if looks is None or len(looks.sizes) == 1:
        return []
    still = f"; still open: {_names(looks.open)}" if looks.open else ""
    return [
        f"Seeds were added in stages: {ended(looks)}{still}.",
        f"Looks were planned at {levels(looks)}; p-values and intervals allow for all of them, which together err as often"
        f" as one at {percent(LEVEL)}.",
    ]


def caption(arena: Arena) -> str:
    """What stands below a table: how it ended, and at which level; empty without looks."""
    looks = arena.looks
    if looks is None or len(looks.sizes) == 1 or not looks.done:
        return ""
    level = looks.levels[looks.done - 1]
    return (
        f"{ended(looks)}; this look spends {percent(level)} of the {percent(LEVEL)},"
        " which p-values and intervals allow for"
    )


def _names(names: Sequence[str]) -> str:
    return joined([visible(name) for name in names], MOST_NAMED)
