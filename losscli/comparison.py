"""A comparison: all arenas of one command, as `losscli.compare` returns it and as Python prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from losscli.compare.breakdown import Breakdown
from losscli.compare.result import Arena
from losscli.words.notebook import html_of
from losscli.words.paragraph import paragraph


@dataclass(frozen=True)
class Comparison:
    """All arenas of one command."""

    arenas: Sequence[Arena]
    device: str
    record: str | None
    timing: Mapping[str, float]
    unmet: Sequence[str] = field(default=())  # expectations of the specs that were not met, in words
    breakdowns: Sequence[Breakdown] = field(default=())  # over levels of `data.corrupt`
    machines: Mapping[str, int] = field(default_factory=dict)  # what trained, by its maker's name, and how many stacks
    partial: bool = False  # whether it was stopped, and `record` is to be gone on with

    def __str__(self) -> str:
        """The leaderboards in short, a line per entry, each with its paragraph; the whole is in `arenas`."""
        return "\n\n".join(f"{arena}\n\n{paragraph(arena)}" for arena in self.arenas)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return html_of(self.arenas)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.arenas)} arenas; print it for the leaderboards>"
