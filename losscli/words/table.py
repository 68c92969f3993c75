"""Arenas as one table for programs: a row per entry, with column names that stay the same. Numbers are as exact as they are."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from losscli.compare.result import Arena, Delta, EntryResult, YardstickResult

if TYPE_CHECKING:
    import pyarrow as pa

FIXED = (
    "arena", "data", "task", "entry", "loss", "options", "tuned", "verdict", "seeds", "finished", "seconds",
    "delta_metric", "delta_mean", "delta_ci95_low", "delta_ci95_high", "delta_p", "delta_p_holm", "delta_n", "reason",
)  # fmt: skip
OF_A_METRIC = ("mean", "sd", "ci95_low", "ci95_high", "n", "baseline")

COUNTS = ("arena", "seeds", "finished", "delta_n")
TEXTS = ("data", "task", "entry", "loss", "options", "tuned", "verdict", "delta_metric", "reason")


def table_columns(arenas: Sequence[Arena]) -> list[str]:
    """Those of `FIXED`, then for each metric `<metric>_mean`, `_sd`, `_ci95_low`, `_ci95_high`, `_n` (seeds with a value) and
    `_baseline`.
    """
    metrics = dict.fromkeys(metric for arena in arenas for metric in arena.directions)
    return [*FIXED, *(f"{metric}_{part}" for metric in metrics for part in OF_A_METRIC)]


def table_rows(arenas: Sequence[Arena]) -> Iterator[dict[str, Any]]:
    """What is said of each entry on the test split, by column; `arena` counts from 1. A metric that an arena has not is missing.

    Below the entries of an arena stand its yardsticks, with `yardstick` for a verdict and no loss.
    """
    for number, arena in enumerate(arenas, start=1):
        for entry in arena.entries:
            yield {"arena": number, **_facts(arena, entry), **dict(_scores(arena, entry))}
        for plain in arena.yardsticks:
            facts = {"data": arena.data, "task": arena.task, "entry": plain.name, "verdict": "yardstick"}
            yield {"arena": number, **facts, **dict(_scores(arena, plain))}


def arrow(arenas: Sequence[Arena]) -> pa.Table:
    """The table as Arrow has it: int64, float64 and text; null for what is not there or no number."""
    import pyarrow as pa

    columns, rows = table_columns(arenas), list(table_rows(arenas))
    return pa.table({name: pa.array([_finite(row.get(name)) for row in rows], _type(name)) for name in columns})


def _type(name: str) -> pa.DataType:
    import pyarrow as pa

    if name in TEXTS:
        return pa.string()
    return pa.int64() if name in COUNTS or name.endswith("_n") else pa.float64()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _facts(arena: Arena, entry: EntryResult) -> dict[str, Any]:
    lost = [run.lost for run in arena.runs_of(entry.entry)]
    delta = entry.delta or Delta("", math.nan, None)
    low, high = delta.ci95 or (None, None)
    return {
        "data": arena.data,
        "task": arena.task,
        "entry": entry.entry,
        "loss": entry.loss,
        "options": json.dumps(dict(entry.options), default=str),
        "tuned": json.dumps(entry.tuned, default=str) if entry.tuned else "",
        "verdict": entry.verdict,
        "seeds": len(lost),
        "finished": lost.count(False),
        "seconds": entry.seconds,
        "delta_metric": delta.metric,
        "delta_mean": delta.mean,
        "delta_ci95_low": low,
        "delta_ci95_high": high,
        "delta_p": delta.p,
        "delta_p_holm": delta.p_holm,
        "delta_n": delta.seeds or None,
        "reason": delta.reason,
    }


def _scores(arena: Arena, entry: EntryResult | YardstickResult) -> Iterator[tuple[str, Any]]:
    for metric in arena.directions:
        score = entry.score(metric)
        low, high = score.ci95 or (None, None)
        values = (score.mean, score.sd, low, high, score.n if score.of else None, arena.without_model(metric))
        yield from zip((f"{metric}_{part}" for part in OF_A_METRIC), values, strict=True)
