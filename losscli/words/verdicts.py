"""How a verdict is said in a table, and what tuning chose for an entry."""

from __future__ import annotations

from collections.abc import Mapping

from losscli.compare.result import Arena, EntryResult
from losscli.errors import counted

PLAIN = ("reference", "better", "worse", "equivalent")  # verdicts that say all in a word


def described(entry: EntryResult, arena: Arena) -> str:
    """The verdict in a few words, for a table: `better`, `inconclusive, about 12 more seeds`, `one seed, an anecdote`."""
    if entry.verdict in PLAIN:
        return entry.verdict
    if entry.verdict == "same":
        return "the same"
    if entry.delta is None:
        return _without_pairs(entry, arena)
    if entry.verdict == "undefined":
        return f"no verdict, {entry.delta.reason}"
    more = entry.delta.seeds_needed
    if entry.verdict == "too-few-seeds":
        return "one seed, an anecdote" if entry.delta.of == 1 else f"too few seeds, {more or 'some'} more"
    lost = max(arena.lost_runs(entry.entry), arena.lost_runs(arena.reference))
    if lost:
        return f"inconclusive, {counted(lost, 'run')} diverged"
    return f"inconclusive, about {counted(more, 'more seed')}" if more else "inconclusive, needs more rows"


def _without_pairs(entry: EntryResult, arena: Arena) -> str:
    """Why there is nothing to compare: no run that finished, or no value of the headline in any."""
    runs = len(arena.runs_of(entry.entry))
    if runs and arena.lost_runs(entry.entry) == runs:
        return "every run diverged"
    if runs and arena.lost_runs(arena.reference) == len(arena.runs_of(arena.reference)):
        return "the reference diverged"
    if runs and not entry.score(arena.headline).n:
        return f"has no {arena.headline}"
    if runs and not arena.reference_entry.score(arena.headline).n:
        return f"the reference has no {arena.headline}"
    return f"{arena.headline} in no seed of both"


def chosen(entry: EntryResult) -> str:
    """What tuning chose for an entry, the most frequent first: `lr: 0.001 in 7 of 10 seeds, 0.003 in 3`."""
    return "; ".join(f"{name}: {_by_seeds(counts)}" for name, counts in entry.tuned.items())


def _by_seeds(counts: Mapping[str, int]) -> str:
    ranked = sorted(((value, count) for value, count in counts.items() if count), key=lambda pair: -pair[1])
    if not ranked:
        return f"nothing, as no run with any of {', '.join(counts)} finished"
    first, *others = ranked
    seeds = f"{first[0]} in {first[1]} of {counted(sum(counts.values()), 'seed')}"
    return ", ".join([seeds, *(f"{value} in {count}" for value, count in others)])
