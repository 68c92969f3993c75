"""A comparison in plain language: one paragraph that a person can paste into a mail."""

from __future__ import annotations

from losscli.compare.result import Arena
from losscli.compare.verdict import described
from losscli.errors import counted


def paragraph(arena: Arena) -> str:
    """What was compared on which data with how many seeds, what came out, and what one may not conclude; no markup."""
    seeds = len({run.seed for run in arena.runs})
    names = ", ".join(f"{entry.entry} ({described(entry, arena)})" for entry in arena.entries)
    return f"On {arena.data}, {counted(len(arena.entries), 'entry').replace('entrys', 'entries')} with {counted(seeds, 'seed')}: {names}."
