"""Arenas as training would make them, from a few scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, Point, RunResult
from losscli.errors import Finding

DIRECTIONS: dict[str, Any] = {"auroc": "up", "accuracy": "up", "log-loss": "down"}


def make_run(entry: str, seed: int, score: float, diverged: bool = False, epochs: int = 5) -> RunResult:
    """A run whose test auroc is `score`, valid `score + 0.01`, train `score + 0.02`; log-loss is NaN throughout."""
    history = [
        Point(epoch, split, metric, math.nan if diverged else value / epoch)
        for epoch in range(1, epochs + 1)
        for split, metric, value in (("train", "loss", 1.0), ("valid", "loss", 1.2), ("valid", "auroc", score))
    ]
    scores = {
        split: {"auroc": score + shift, "accuracy": score - 0.1, "log-loss": math.nan}
        for split, shift in (("train", 0.02), ("valid", 0.01), ("test", 0.0))
    }
    return RunResult(entry, seed, "diverged" if diverged else "ok", epochs, epochs - 1, scores, history, 0.5)


def make_arena(
    scores: Mapping[str, Sequence[float]],
    diverged: Mapping[str, Sequence[int]] | None = None,
    findings: Sequence[Finding] = (),
    **facts: Any,
) -> Arena:
    entries = [SimpleNamespace(name=name, loss=name.split()[0], options={"gamma": 2.0}, beside={}) for name in scores]
    runs = [
        make_run(name, seed, value, seed in (diverged or {}).get(name, ()))
        for name, values in scores.items()
        for seed, value in enumerate(values)
    ]
    given: dict[str, Any] = {
        "task": "binary",
        "data": "titanic",
        "headline": "auroc",
        "directions": DIRECTIONS,
        "baseline": {"test": {"auroc": 0.5, "accuracy": 0.6, "log-loss": math.nan}},
        "labels": ("died", "survived"),
        "spec": {"model": {"kind": "mlp", "hidden": [64, 32]}},
        "rows": {"train": 70, "valid": 15, "test": 15},
        **facts,
    }
    return build_arena(entries, runs, findings=findings, **given)  # type: ignore[arg-type]
