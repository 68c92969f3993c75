"""A comparison: all arenas of one command, as `losscli.compare` returns it and as Python prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from losscli.compare.breakdown import Breakdown
from losscli.compare.by_class import EntryByClass, by_class
from losscli.compare.result import Arena
from losscli.errors import MachineError
from losscli.tasks import tasks
from losscli.tasks.predictions import Predictions
from losscli.words.answer import answers
from losscli.words.notebook import html_of
from losscli.words.paragraph import paragraph
from losscli.words.table import arrow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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
    # What its runs say of their test splits: arena (its place) and entry -> seed -> predictions, as a record keeps them.
    predictions: Mapping[tuple[int, str], Mapping[int, Predictions]] = field(default_factory=dict, compare=False)

    def by_class(self, place: int) -> list[EntryByClass]:
        """The entries of an arena class by class, as far as predictions are kept; none where nothing is decided."""
        arena = self.arenas[place]
        runs = {entry.entry: self.predictions.get((place, entry.entry), {}) for entry in arena.entries}
        return by_class(tasks.get(arena.task), arena.labels, runs)

    def __str__(self) -> str:
        """The answers, then the leaderboards in short, a line per entry, each with its paragraph; the whole is in `arenas`."""
        boards = [f"{arena}\n\n{paragraph(arena)}" for arena in self.arenas]
        return "\n\n".join(["\n".join(answers(self.arenas, self.breakdowns)), *boards])

    def to_arrow(self) -> pa.Table:
        """A row for each entry, with its options, verdict, difference and metrics on the test split: `words/table.py`."""
        return arrow(self.arenas)

    def to_pandas(self) -> pd.DataFrame:
        """The same as a frame. Raises `MachineError` where pandas is not installed."""
        try:
            return self.to_arrow().to_pandas()
        except ModuleNotFoundError as missing:
            raise MachineError("pandas is not installed", cure="pip install pandas, or to_arrow()") from missing

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return html_of(self.arenas)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.arenas)} arenas; print it for the leaderboards>"
