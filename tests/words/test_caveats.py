"""What qualifies a verdict: metrics that say the opposite, entries no better than no model, one learning rate for all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from scipy import stats

from losscli.compare.leaderboard import build_arena
from losscli.compare.result import Arena, RunResult
from losscli.tasks import Task, tasks
from losscli.words.paragraph import paragraph

MakeArena = Callable[..., Arena]
WOBBLE = [0.001, -0.001, 0.002, 0.0, -0.002, 0.001, 0.0, -0.001, 0.002, -0.001]
UP: Mapping[str, Any] = {"auprc": "up", "log-loss": "down", "log-loss-scaled": "down", "brier": "down"}


def measured(scores: Mapping[str, Sequence[float]], spec: Mapping[str, Any] | None = None) -> Arena:
    """Entries over ten seeds; each has a mean of auprc, log-loss and log-loss-scaled, which wobble by entry."""
    runs = []
    for place, (name, means) in enumerate(scores.items()):
        for seed in range(10):
            by = WOBBLE[(seed + place) % 10]
            values = {**{metric: mean + by for metric, mean in zip(UP, means, strict=False)}, "brier": 0.1 + by}
            runs.append(RunResult(name, seed, "ok", 1, 1, {"test": values}, [], 0.1))
    entries = [SimpleNamespace(name=name, loss=name, options={}, beside={}) for name in scores]
    return build_arena(
        entries,  # type: ignore[arg-type]
        runs,
        task="binary",
        data="rare",
        headline="auprc",
        directions=UP,
        baseline={"test": {"auprc": 0.02, "log-loss": 0.098, "log-loss-scaled": 0.098}},
        spec={"metrics": ["auprc", "log-loss", "log-loss-scaled"], **(spec or {})},
        resampled=False,
    )


RARE = {"bce-logits": [0.3, 0.06, 0.06], "focal": [0.4, 0.08, 0.05], "weighted": [0.4, 0.12, 0.11]}


def test_every_metric_that_is_shown_has_its_difference_and_verdict() -> None:
    arena = measured(RARE)
    reference, focal, weighted = arena.entries
    assert reference.deltas == {}
    assert {metric: delta.verdict for metric, delta in focal.deltas.items()} == {
        "auprc": "better",
        "log-loss": "worse",
        "log-loss-scaled": "better",
    }  # and none of brier, which is measured and not shown
    assert focal.deltas["auprc"] == focal.delta
    found = focal.deltas["log-loss"]
    pairs = [[run.scores["test"]["log-loss"] for run in arena.runs if run.entry == name] for name in RARE]
    assert found.mean == pytest.approx(0.02, abs=1e-3)
    assert found.sd == pytest.approx(stats.tstd([one - other for one, other in zip(pairs[1], pairs[0], strict=True)]))
    assert found.p_holm == pytest.approx(4 * found.p)  # of two entries on two metrics: one family beside the headline
    assert weighted.deltas["log-loss-scaled"].verdict == "worse"


def test_the_paragraph_names_the_metrics_on_which_a_winner_loses() -> None:
    text = paragraph(measured(RARE))
    assert "focal, better on auprc, is worse on log-loss (0.020" in text
    assert "after a temperature better, 0.0" in text
    assert "weighted, better on auprc, is worse on log-loss (0.060" in text
    assert "higher, and worse than the 0.098 without any model; after a temperature still worse, 0.0" in text
    assert "Every comparison is settled" not in text
    assert "the better one" not in text


def test_a_winner_that_loses_nowhere_is_told_as_before() -> None:
    text = paragraph(measured({"a": [0.3, 0.06, 0.06], "b": [0.4, 0.05, 0.05]}))
    assert "Other measures" not in text
    assert "Every comparison is settled. Before you rely on b, try it on data" in text
    same = paragraph(measured({"a": [0.3, 0.06, 0.06], "b": [0.3, 0.08, 0.06]}))
    assert "b, no different on auprc, is worse on log-loss (" in same
    (reference, other), arena = measured({"a": [0.3, 0.06, 0.06], "b": [0.3, 0.08, 0.06]}).entries, measured(RARE)
    still = paragraph(replace(arena, entries=[reference, replace(other, verdict="inconclusive")], reference="a"))
    assert "b, open on auprc, is worse on log-loss (" in still


def test_entries_no_better_than_no_model_are_told() -> None:
    none = paragraph(measured({"a": [0.02, 0.06, 0.06], "b": [0.01, 0.06, 0.06]}))
    assert "But none of them is clearly better than a prediction without any model, which gets auprc 0.02" in none
    one = paragraph(measured({"a": [0.3, 0.06, 0.06], "b": [0.01, 0.06, 0.06]}))
    assert "Not clearly better than a prediction without any model, which gets auprc 0.02: b." in one
    assert "without any model" not in paragraph(measured({"a": [0.3, 0.06, 0.06], "b": [0.4, 0.06, 0.06]}))


@pytest.mark.parametrize("task", list(tasks), ids=lambda task: task.name)
def test_a_baseline_is_called_what_it_is(task: Task) -> None:
    arena = replace(measured({"a": [0.02, 0.06, 0.06], "b": [0.01, 0.06, 0.06]}), task=task.name)
    assert f"better than {task.without_model}, which gets auprc 0.02" in paragraph(arena)
    alone = replace(arena, entries=arena.entries[:1])
    assert f"; {task.without_model} gets 0.02" in paragraph(alone)
    named = {
        "embedding": "the distance between the features themselves",
        "gan": "a gaussian fitted to the training rows",
    }
    assert task.without_model == named.get(task.name, "a prediction without any model")


def test_a_common_learning_rate_may_be_why() -> None:
    assert "All used the same learning rate, 0.001, which" in paragraph(measured(RARE, {"train": {"lr": 0.001}}))
    tuned = paragraph(measured(RARE, {"train": {"lr": 0.001}, "tune": {"lr": [0.001, 0.01]}}))
    assert "the same learning rate" not in tuned
    assert "Each entry used the learning rate that did best on the valid rows of each seed." in tuned


def test_a_reference_without_a_value_is_the_cause_and_has_a_cure() -> None:
    text = paragraph(measured({"hinge": [math.nan, 0.1, 0.1], "bce": [0.3, 0.1, 0.1]}))
    assert "Not comparable: bce (the reference has no auprc). Another measure (--metric)" in text
    assert "no seed in common" not in text


@pytest.mark.parametrize(("seeds", "said"), [(10, "which are 2 rounds of 5 folds;"), (7, "tests on one of 5 folds;")])
def test_folds_are_called_folds(arena_of: MakeArena, seeds: int, said: str) -> None:
    scores = {"a": [0.8 + step for step in WOBBLE[:seeds]], "b": [0.8 - step for step in WOBBLE[:seeds]]}
    text = paragraph(arena_of(scores, split="folds", spec={"data": {"split": {"folds": 5}}}))
    assert said in text
    assert "folds" not in paragraph(arena_of(scores))


def test_entries_that_blew_up_are_told_once(arena_of: MakeArena) -> None:
    scores = {name: [0.8 + step for step in WOBBLE] for name in "abcd"}
    arena = arena_of(scores, diverged={"b": range(10), "c": range(10), "d": [3]})
    assert len([found for found in arena.findings if found.code == "diverged"]) == 2
    whole = next(found for found in arena.findings if found.severity == "error")
    assert whole.message == "runs of 2 entries diverged and count in no mean: b (all 10), c (all 10)"
    text = paragraph(arena)
    assert "Not comparable: b (every run diverged) and c (every run diverged)." in text
    assert "blew up: 1 run of d." in text


def test_where_everything_blew_up_nothing_is_compared(arena_of: MakeArena) -> None:
    arena = arena_of({"a": [0.8] * 6, "b": [0.8] * 6}, diverged={"a": range(6), "b": range(6)})
    text = paragraph(arena)
    assert text.endswith("the training of every entry blew up with every seed: there is nothing to compare.")
