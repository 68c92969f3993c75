"""A comparison as CSV: one line per entry, with column names that stay the same. Numbers are as exact as they are.

A cell that a spreadsheet would take for a formula gets an apostrophe before it
(https://owasp.org/www-community/attacks/CSV_Injection); numbers stay numbers, also below zero.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from losscli.compare.result import Arena, Delta, EntryResult, YardstickResult
from losscli.comparison import Comparison
from losscli.errors import visible
from losscli.words.view import View, select

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run, where it begins a text
LONGEST = 2000  # characters of a foreign cell

FIXED = (
    "arena", "data", "task", "entry", "loss", "options", "tuned", "verdict", "seeds", "finished", "seconds",
    "delta_metric", "delta_mean", "delta_ci95_low", "delta_ci95_high", "delta_p", "delta_p_holm", "delta_n", "reason",
)  # fmt: skip
OF_A_METRIC = ("mean", "sd", "ci95_low", "ci95_high", "n", "baseline")


def to_csv(comparison: Comparison, view: View | None = None) -> str:
    """All arenas in one table, on the test split; `arena` numbers them from 1. Entries are in a view's order and never
    cut, as programs are not to miss any. A metric that an arena has not is empty.

    Below the entries of an arena stand its yardsticks, with `yardstick` for a verdict and no loss.

    Columns: those of `FIXED`, then for each metric `<metric>_mean`, `_sd`, `_ci95_low`, `_ci95_high`, `_n` (seeds with a value)
    and `_baseline`.
    """
    uncut = replace(view or View(), top=None)  # a program gets every entry, as in JSON
    arenas = [select(arena, uncut) for arena in comparison.arenas]
    metrics = list(dict.fromkeys(metric for arena in arenas for metric in arena.directions))
    columns = [*FIXED, *(f"{metric}_{part}" for metric in metrics for part in OF_A_METRIC)]
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    table.writeheader()
    for number, arena in enumerate(arenas, start=1):
        for entry in arena.entries:
            row = {"arena": number, **_facts(arena, entry), **dict(_scores(arena, entry))}
            table.writerow({name: cell(value) for name, value in row.items()})
        for plain in arena.yardsticks:
            facts = {"data": arena.data, "task": arena.task, "entry": plain.name, "verdict": "yardstick"}
            row = {"arena": number, **facts, **dict(_scores(arena, plain))}
            table.writerow({name: cell(value) for name, value in row.items()})
    return text.getvalue()


def cell(value: Any) -> Any:
    """A value as a cell holds it.

    >>> cell("=1+1"), cell("@SUM"), cell("focal"), cell(-0.5), cell(float("nan"))
    ("'=1+1", "'@SUM", 'focal', -0.5, '')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if not isinstance(value, str):
        return value
    return harmless(visible(value, LONGEST))


def harmless(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula.

    >>> harmless("=1+1"), harmless("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


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
