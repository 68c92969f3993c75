"""What a record holds of one arena, as figures need it: curves and predictions as arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from losscli.compare.breakdown import Breakdown
from losscli.compare.result import Arena, EntryResult
from losscli.errors import visible
from losscli.record.predictions import runs_of

if TYPE_CHECKING:
    import pyarrow as pa

POOLED = 200_000  # rows of an entry that one picture can use; beyond, every so many-th is taken


@dataclass(frozen=True)
class Sample:
    """What one run says of N test rows: truth [N, m], prediction [N, k] of a `kind`, interval low and high [N, m] or None."""

    seed: int
    row: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    kind: str
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    def some(self, step: int) -> Sample:
        """Every `step`-th row."""
        cut = [None if part is None else part[::step] for part in (self.low, self.high)]
        return Sample(
            self.seed, self.row[::step], self.truth[::step], self.prediction[::step], self.kind, cut[0], cut[1]
        )


@dataclass(frozen=True)
class ReportContents:
    """One arena, its machine `output`, and what its runs predict: entry -> one sample per seed."""

    arena: Arena
    output: Mapping[str, Any]
    samples: Mapping[str, Sequence[Sample]]
    breakdown: Breakdown | None = None  # over levels of damage, shown beside the first of its arenas

    @property
    def names(self) -> list[str]:
        return [entry.entry for entry in self.arena.entries]

    def called(self, entry: str, limit: int = 60) -> str:
        """An entry's name for Plotly, unlike those of all others."""
        return distinct(plain(name, limit) for name in self.names)[self.place(entry)]

    def name(self, entry: str) -> str:
        """An entry's name in a title, where it is text and never markup."""
        return visible(entry, 40)

    def label(self, index: int) -> str:
        """The user's name of a class or a target column for Plotly, unlike those of all others."""
        names = distinct(plain(name, 24) for name in self.arena.labels)
        return names[index] if index < len(names) else f"class {index}"

    def class_name(self, index: int) -> str:
        """The same in a title."""
        return visible(self.arena.labels[index], 24) if index < len(self.arena.labels) else f"class {index}"

    def place(self, entry: str) -> int:
        """Where an entry stands in the arena."""
        return self.names.index(entry)

    @cached_property
    def by_score(self) -> list[EntryResult]:
        """The entries, best mean of the headline first; those without a value last."""

        def key(entry: EntryResult) -> float:
            goodness = self.arena.goodness(entry, self.arena.headline)
            return -goodness if math.isfinite(goodness) else math.inf

        return sorted(self.arena.entries, key=key)

    def drawn_first(self, most: int = 6) -> list[str]:
        """The entries that a chart begins with: the reference and the best others, in the order of the arena."""
        others = [entry.entry for entry in self.by_score if entry.entry != self.arena.reference]
        shortlist = {self.arena.reference, *others[: most - 1]}
        return [name for name in self.names if name in shortlist]

    def curves(self, entry: str, split: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """Epochs [T], and the values [S, T] of every seed that did not diverge, NaN where a run had ended."""
        runs = [
            {point.epoch: point.value for point in run.history if (point.split, point.metric) == (split, metric)}
            for run in self.arena.runs_of(entry)
            if not run.lost
        ]
        epochs = sorted({epoch for run in runs for epoch in run})
        values = [[run.get(epoch, math.nan) for epoch in epochs] for run in runs]
        return np.array(epochs), np.array(values, np.float64).reshape(len(runs), len(epochs))

    def choice(self, entry: str, seed: int, what: str) -> Any:
        """What was chosen for a run on its valid split: `temperature`, `thresholds`; of intervals the `level` asked for."""
        runs = (run for run in self.arena.runs if (run.entry, run.seed) == (entry, seed))
        return next((run.calibration.get(what) for run in runs), None)

    def followed(self) -> list[str]:
        """The metrics that were followed per epoch, the headline first, the loss last."""
        metrics = dict.fromkeys(point.metric for run in self.arena.runs for point in run.history)
        return sorted(metrics, key=lambda name: (name == "loss", name != self.arena.headline))

    def limits(self, metric: str) -> tuple[float, float]:
        """Between which numbers a metric lies; a loss, and what depends on the spec, may be anything."""
        from losscli.metrics import for_task

        definition = for_task(self.arena.task).get(metric)
        return (-math.inf, math.inf) if definition is None or definition.needs else (definition.low, definition.high)

    def pooled(self, entry: str) -> Sample | None:
        """The rows of all seeds of an entry together; their seeds do not count any more."""
        samples = self.samples.get(entry, ())
        if not samples:
            return None
        step = 1 + sum(len(sample.row) for sample in samples) // POOLED
        parts = [sample.some(step) for sample in samples]
        ends = [
            None
            if any(getattr(part, end) is None for part in parts)
            else np.concatenate([getattr(p, end) for p in parts])
            for end in ("low", "high")
        ]
        row, truth, prediction = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "truth", "prediction")
        )
        return Sample(samples[0].seed, row, truth, prediction, samples[0].kind, ends[0], ends[1])


def samples_of(table: pa.Table, arena: int) -> dict[str, list[Sample]]:
    """The samples of an arena, by entry, from predictions.parquet."""
    return {
        entry: [
            Sample(seed, run.row, run.truth, run.prediction, run.kind, run.low, run.high)
            for seed, run in by_seed.items()
        ]
        for entry, by_seed in runs_of(table, arena).items()
    }


def plain(text: object, limit: int = 60) -> str:
    """Foreign text for Plotly, which reads `<b>` and `&lt;` in texts.

    >>> plain("<b>a & b")
    '&lt;b>a &amp; b'
    """
    return visible(text, limit).replace("&", "&amp;").replace("<", "&lt;")


def distinct(texts: Iterable[str]) -> list[str]:
    """Texts that stay apart though they were cut.

    >>> distinct(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    counts: dict[str, int] = {}
    names = []
    for text in texts:
        counts[text] = count = counts.get(text, 0) + 1
        names.append(text if count == 1 else f"{text} ({count})")
    return names
