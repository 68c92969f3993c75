"""What may be said of an entry beside the reference, and how it is said in a table."""

from __future__ import annotations

import math

from losscli.compare.result import Arena, EntryResult
from losscli.errors import counted

ANECDOTE = "one seed, an anecdote"


def described(entry: EntryResult, arena: Arena) -> str:
    """The verdict in a few words, for a table: `better`, `inconclusive, about 12 more seeds`, `one seed, an anecdote`."""
    if entry.verdict in ("reference", "better", "worse", "equivalent"):
        return entry.verdict
    if entry.delta is None:
        return _without_pairs(entry, arena)
    more = entry.delta.seeds_needed
    if entry.verdict == "too-few-seeds":
        if entry.delta.seeds == 1:
            return ANECDOTE
        return "too few seeds" + (f", {more} more" if more else "")
    return "inconclusive" + (f", about {counted(more, 'more seed')}" if more else "")


def _without_pairs(entry: EntryResult, arena: Arena) -> str:
    """Why there is nothing to compare: no run that finished, or no value of the headline in any."""
    statuses = [run.status for run in arena.runs if run.entry == entry.entry]
    if statuses and all(status == "diverged" for status in statuses):
        return "every run diverged"
    score = entry.scores.get("test", {}).get(arena.headline)
    if statuses and (score is None or not any(map(math.isfinite, score.values))):
        return f"has no {arena.headline}"
    return "no seed in common"
