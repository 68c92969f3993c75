"""Which entries and metrics of an arena a table shows, and in which order. An order is no ranking: verdicts are not touched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from losscli.compare.result import Arena, EntryResult

NAME = "name"  # what entries can be sorted by besides a metric


@dataclass(frozen=True)
class View:
    """What to show; nothing given means all entries in the order of the spec, and the metrics that the spec names.

    `sort` is a metric (the best of the test split first) or `name`; `top` is how many entries to show, beside the
    reference, which is never left out. With `by_class`, what each class gets is shown, too; with `verbose`, all that is said.
    """

    sort: str | None = None
    metrics: Sequence[str] = ()
    top: int | None = None
    by_class: bool = False
    verbose: bool = False


def select(arena: Arena, view: View) -> Arena:
    """The arena with the entries and metrics of a view, in its order; runs, findings and verdicts stay whole."""
    return replace(
        arena,
        entries=_cut(_ordered(arena, view.sort), arena.reference, view.top),
        directions={name: arena.directions[name] for name in _metrics(arena, view)},
    )


def in_words(arena: Arena, view: View) -> str:
    """What a reader of the view must know of it: what is not shown, and that its order ranks nothing."""
    shown = len(select(arena, view).entries)
    parts = [f"{shown} of {len(arena.entries)} entries shown"] if shown < len(arena.entries) else []
    if view.sort == NAME or view.sort in arena.directions:
        parts.append(f"sorted by {view.sort}, which is no ranking")
    return ", ".join(parts)


def _metrics(arena: Arena, view: View) -> list[str]:
    """The headline, then those that are asked for; those of the spec where none are."""
    named = list(view.metrics) or list(arena.spec.get("metrics", ())) or list(arena.directions)
    return list(dict.fromkeys([arena.headline, *(name for name in named if name in arena.directions)]))


def _ordered(arena: Arena, sort: str | None) -> list[EntryResult]:
    if sort == NAME:
        return sorted(arena.entries, key=lambda entry: entry.entry.casefold())
    if sort is None or sort not in arena.directions:
        return list(arena.entries)
    return sorted(arena.entries, key=lambda entry: _last_if_none(-arena.goodness(entry, sort)))


def _last_if_none(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _cut(entries: list[EntryResult], reference: str, top: int | None) -> list[EntryResult]:
    if top is None:
        return entries
    return [entry for place, entry in enumerate(entries) if place < top or entry.entry == reference]
