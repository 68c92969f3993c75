"""The machine output: the one object that `--format json` prints and a record keeps. Its shape is fixed.

A change that could break a reader raises `SCHEMA_VERSION`. Numbers that are not finite are null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from losscli.compare.breakdown import LOST, Breakdown
from losscli.compare.by_class import EntryByClass
from losscli.compare.by_class import to_json as classes_to_json
from losscli.compare.result import Arena, Delta, EntryResult, Estimate, RunResult, YardstickResult, finite
from losscli.comparison import Comparison
from losscli.looks import Looks
from losscli.words.answer import answer, breakdown_answer
from losscli.words.columns import described
from losscli.words.paragraph import paragraph

SCHEMA_VERSION = 1


def to_json(comparison: Comparison, by_class: bool = False) -> dict[str, Any]:
    """The object, of plain dicts, lists, strings, numbers and None: `json.dumps(..., allow_nan=False)` takes it.

    With `by_class`, each arena has its entries class by class, too, which a record does not keep: it keeps the predictions.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "losscli": version("losscli"),
        "record": comparison.record,
        "device": comparison.device,
        **({"machines": dict(comparison.machines)} if comparison.machines else {}),
        "arenas": [
            _arena(arena, len(comparison.machines) > 1, comparison.by_class(at) if by_class else None)
            for at, arena in enumerate(comparison.arenas)
        ],
        "timing": _plain(comparison.timing),
        **({"partial": True} if comparison.partial else {}),
        **(
            {"breakdown": [_breakdown(breakdown) for breakdown in comparison.breakdowns]}
            if comparison.breakdowns
            else {}
        ),
    }


def _arena(arena: Arena, several: bool, classes: Sequence[EntryByClass] | None = None) -> dict[str, Any]:
    """An arena; `several` kinds of machines make each run say which was its own. `classes`: its entries class by class."""
    return {
        "task": arena.task,
        "data": arena.data,
        "headline": arena.headline,
        "reference": arena.reference,
        "entries": [_entry(entry, arena) for entry in arena.entries],
        "baseline": _plain(arena.baseline),
        **({"yardsticks": [_yardstick(one) for one in arena.yardsticks]} if arena.yardsticks else {}),
        "runs": [_run(run, run.machine if several else "") for run in arena.runs],
        "findings": [finding.to_json() for finding in arena.findings],
        "labels": _plain(arena.labels),
        "rows": _plain(arena.rows),
        "resampled": arena.resampled,
        "split": arena.split,
        **({"impossible": _plain(arena.impossible)} if arena.impossible else {}),
        "corrupt": _plain(arena.corrupt),
        "comparisons": arena.comparisons,
        **({"looks": _looks(arena.looks)} if arena.looks else {}),
        "why": dict(arena.why),
        "summary": answer(arena),
        "paragraph": paragraph(arena),
        **({} if classes is None else {"by_class": list(map(classes_to_json, classes))}),
    }


def _looks(looks: Looks) -> dict[str, Any]:
    """The seeds and the level of each look, how many were taken, and why there was no further one: settled, limit or stopped."""
    return {name: _plain(getattr(looks, name)) for name in ("sizes", "levels", "done", "open", "ended")}


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
        "tuned": _plain(entry.tuned),
        "seconds": finite(entry.seconds),
    }


def _yardstick(yardstick: YardstickResult) -> dict[str, Any]:
    return {
        "yardstick": yardstick.name,
        **{
            split: {name: _estimate(score) for name, score in yardstick.scores.get(split, {}).items()}
            for split in ("test", "valid", "train")
        },
        "leads": {entry: _delta(lead) for entry, lead in yardstick.leads.items()},
        "beats": yardstick.beats,
    }


def _breakdown(breakdown: Breakdown) -> dict[str, Any]:
    """Levels and scores of one kind of damage; `arenas` are places in the list of arenas, one for each level.

    `lost_at` is where each seed has lost `lost` of its own clean score: null beyond the levels tried, which the median and
    the range take for more than any level.
    """
    return {
        **{name: _plain(getattr(breakdown, name)) for name in ("kind", "metric", "direction", "levels", "arenas")},
        "summary": breakdown_answer(breakdown),
        "lost": LOST,
        "entries": [
            {
                "entry": line.entry,
                "scores": [_estimate(score) for score in line.scores],
                "lost_at": _plain(
                    {name: getattr(line.fall, name) for name in ("median", "range", "reached", "values")}
                ),
            }
            for line in breakdown.lines
        ],
    }


def _estimate(estimate: Estimate) -> Any:
    names = ("mean", "sd", "ci95", "n", "of", "values")
    return _plain({name: getattr(estimate, name) for name in names})


def _delta(delta: Delta | None) -> Any:
    """All that is known of a difference; `target` only of a metric that has one."""
    return delta and _plain({name: value for name, value in vars(delta).items() if (name, value) != ("target", None)})


def _run(run: RunResult, machine: str) -> Any:
    names = ("entry", "seed", "status", "epochs", "best_epoch", "calibration", "tuned")
    more = {name: value for name, value in (("reason", run.reason), ("machine", machine)) if value}
    return _plain({**{name: getattr(run, name) for name in names}, **more})


def _plain(value: Any) -> Any:
    """Values as JSON has them: a tuple becomes a list, a number that is not finite null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return finite(value) if isinstance(value, float) else value
