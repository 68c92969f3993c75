"""A comparison as `losscli compare` would make it, without any training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from agreement import assert_agrees

from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, Point, RunResult
from losscli.comparison import Comparison
from losscli.errors import Finding
from losscli.losses import losses, own
from losscli.words.answer import answer

DIRECTIONS: dict[str, Any] = {"auroc": "up", "accuracy": "up", "log-loss": "down"}
MakeComparison = Callable[..., Comparison]


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


@pytest.fixture(autouse=True)
def _losses_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test puts on the shelf of losses stands there for that test."""
    losses.names()
    monkeypatch.setattr(losses, "_items", dict(losses._items))
    monkeypatch.setattr(own, "_adopted", {})


@pytest.fixture(autouse=True)
def _answers_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence of every record that a test writes says what its verdicts say."""

    def checked(arena: Arena) -> str:
        sentence = answer(arena)
        assert_agrees(sentence, arena)
        return sentence

    monkeypatch.setattr("losscli.reports.json.answer", checked)


@pytest.fixture
def arena_of() -> Callable[..., Arena]:
    return make_arena


@pytest.fixture
def comparison_of() -> MakeComparison:
    def make(*arenas: Arena, record: str | None = None, unmet: Sequence[str] = ()) -> Comparison:
        timing = {"load_seconds": 0.5, "train_seconds": 2.0, "steps": 100, "run_samples_per_second": math.inf}
        return Comparison(arenas, "cpu", record, timing, unmet)

    return make
