"""The machine output: the one object that `--format json` prints and a record keeps. Its shape is fixed.

A change that could break a reader raises `SCHEMA_VERSION`. Numbers that are not finite are null.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from losscli.compare.breakdown import LOST, Breakdown
from losscli.compare.result import Arena, Delta, EntryResult, Estimate, RunResult, finite
from losscli.comparison import Comparison
from losscli.words.paragraph import paragraph
from losscli.words.verdicts import described

SCHEMA_VERSION = 1


def to_json(comparison: Comparison) -> dict[str, Any]:
    """The object, of plain dicts, lists, strings, numbers and None: `json.dumps(..., allow_nan=False)` takes it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "losscli": version("losscli"),
        "record": comparison.record,
        "device": comparison.device,
        "arenas": [_arena(arena) for arena in comparison.arenas],
        "timing": {key: finite(value) for key, value in comparison.timing.items()},
        **(
            {"breakdown": [_breakdown(breakdown) for breakdown in comparison.breakdowns]}
            if comparison.breakdowns
            else {}
        ),
    }


def _arena(arena: Arena) -> dict[str, Any]:
    return {
        "task": arena.task,
        "data": arena.data,
        "headline": arena.headline,
        "reference": arena.reference,
        "entries": [_entry(entry, arena) for entry in arena.entries],
        "baseline": {
            split: {name: finite(value) for name, value in scores.items()} for split, scores in arena.baseline.items()
        },
        "runs": [_run(run) for run in arena.runs],
        "findings": [finding.to_json() for finding in arena.findings],
        "labels": list(arena.labels),
        "rows": dict(arena.rows),
        "resampled": arena.resampled,
        "split": arena.split,
        **({"impossible": {name: list(seeds) for name, seeds in arena.impossible.items()}} if arena.impossible else {}),
        "corrupt": _plain(arena.corrupt),
        "comparisons": arena.comparisons,
        "why": dict(arena.why),
        "paragraph": paragraph(arena),
    }


def _entry(entry: EntryResult, arena: Arena) -> dict[str, Any]:
    return {
        "entry": entry.entry,
        "loss": entry.loss,
        "options": _plain(entry.options),
        **{
            split: {name: _estimate(score) for name, score in entry.scores.get(split, {}).items()}
            for split in ("test", "valid", "train")
        },
        "delta": _delta(entry.delta),
        "verdict": entry.verdict,
        "deltas": {metric: _delta(delta) for metric, delta in entry.deltas.items()},
        "described": described(entry, arena),
        "tuned": {name: dict(counts) for name, counts in entry.tuned.items()},
        "seconds": finite(entry.seconds),
    }


def _breakdown(breakdown: Breakdown) -> dict[str, Any]:
    """Levels and scores of one kind of damage; `arenas` are places in the list of arenas, one for each level.

    `lost_at` is where each seed has lost `lost` of its own clean score: null beyond the levels tried, which the median and
    the range take for more than any level.
    """
    return {
        "kind": breakdown.kind,
        "metric": breakdown.metric,
        "direction": breakdown.direction,
        "levels": list(breakdown.levels),
        "arenas": list(breakdown.arenas),
        "lost": LOST,
        "entries": [
            {
                "entry": line.entry,
                "scores": [_estimate(score) for score in line.scores],
                "lost_at": {
                    "median": finite(line.fall.median),
                    "range": _interval(line.fall.range),
                    "reached": line.fall.reached,
                    "values": [finite(value) for value in line.fall.values],
                },
            }
            for line in breakdown.lines
        ],
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "mean": finite(estimate.mean),
        "sd": finite(estimate.sd),
        "ci95": _interval(estimate.ci95),
        "n": estimate.n,
        "of": estimate.of,
        "values": [finite(value) for value in estimate.values],
    }


def _delta(delta: Delta | None) -> dict[str, Any] | None:
    if delta is None:
        return None
    return {
        "metric": delta.metric,
        "mean": finite(delta.mean),
        "ci95": _interval(delta.ci95),
        "p": finite(delta.p),
        "p_holm": finite(delta.p_holm),
        "sd": finite(delta.sd),
        "seeds": delta.seeds,
        "of": delta.of,
        "seeds_needed": delta.seeds_needed,
        "margin": finite(delta.margin),
        "test": delta.test,
        "verdict": delta.verdict,
        "reason": delta.reason,
        **({"target": delta.target} if delta.target is not None else {}),
    }


def _interval(ci95: tuple[float, float] | None) -> list[float | None] | None:
    return None if ci95 is None else [finite(bound) for bound in ci95]


def _run(run: RunResult) -> dict[str, Any]:
    return {
        "entry": run.entry,
        "seed": run.seed,
        "status": run.status,
        "epochs": run.epochs,
        "best_epoch": run.best_epoch,
        "calibration": _plain(run.calibration),
        "tuned": _plain(run.tuned),
    }


def _plain(value: Any) -> Any:
    """Options as JSON has them: a tuple becomes a list, a number that is not finite null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return finite(value) if isinstance(value, float) else value
