"""The one sentence that answers: it agrees with the verdicts, whatever they are, and praises nobody without one."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from agreement import FORMS, assert_agrees, says
from arenas import make_arena
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.compare.breakdown import Breakdown, BreakdownPoint, Line
from losscli.compare.result import NO_ESTIMATE, Arena, Delta, EntryResult, Estimate, RunResult, Verdict
from losscli.reports.recall import recall
from losscli.tasks import tasks
from losscli.words.answer import answer, breakdown_answer
from losscli.words.paragraph import paragraph

MakeArena = Callable[..., Arena]
VERDICTS = [verdict for verdict in get_args(Verdict) if verdict != "reference"]
VERSIONS = Path(__file__).parents[1] / "record" / "versions"
BASE = [0.80 + 0.01 * random.Random(seed).random() for seed in range(12)]


def shifted(by: float, width: float = 0.001) -> list[float]:
    noise = random.Random(by)
    return [value + by + width * noise.gauss(0, 1) for value in BASE]


def with_verdicts(verdicts: list[str], seeds: int = 10, direction: str = "up", names: list[str] | None = None) -> Arena:
    """An arena whose entries have these verdicts, with numbers that fit them."""
    names = names or [f"e{place}" for place in range(len(verdicts))]
    sign = -1.0 if direction == "down" else 1.0
    score = Estimate(0.8, 0.01, (0.79, 0.81), (0.8,) * seeds)
    entries = [EntryResult("ref", "ref", {}, {"test": {"auroc": score}}, None, "reference", 1.0)]
    for place, (name, verdict) in enumerate(zip(names, verdicts, strict=True)):
        mean = {"better": 0.05, "worse": -0.05}.get(verdict, 0.001) * (1 + place / 10) * sign
        delta = Delta("auroc", mean, (mean, mean), 0.01, 0.01, 0.01, seeds, seeds, margin=0.005, verdict=verdict)  # type: ignore[arg-type]
        if verdict == "undefined":
            delta = replace(delta, reason="both have auroc in 1 of 10 seeds") if place % 2 else None  # type: ignore[assignment]
        entries.append(EntryResult(name, name, {}, {"test": {"auroc": score}}, delta, verdict, 1.0))  # type: ignore[arg-type]
    runs = [
        RunResult(entry.entry, seed, "ok", 1, 1, {"test": {"auroc": 0.8}}, [], 0.1)
        for entry in entries
        for seed in range(seeds)
    ]
    return Arena("binary", "data", "auroc", {"auroc": direction}, "ref", entries, {}, runs, (), (), {})  # type: ignore[dict-item]


@pytest.mark.parametrize("seeds", [1, 10])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_every_combination_of_verdicts_is_said_as_it_is(direction: str, seeds: int) -> None:
    for count in (1, 2, 3):
        for verdicts in itertools.combinations_with_replacement(VERDICTS, count):
            arena = with_verdicts(list(verdicts), seeds, direction)
            assert_agrees(answer(arena), arena)


@given(st.lists(st.sampled_from(VERDICTS), min_size=4, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_many_entries_are_counted_and_the_first_of_each_verdict_named(verdicts: list[str], chance: Any) -> None:
    names = [f"l{number}" for number in range(len(verdicts))]
    chance.shuffle(names)
    arena = with_verdicts(verdicts, names=names)
    assert_agrees(answer(arena), arena)


@given(
    st.lists(st.sampled_from([-0.1, -0.003, 0.0, 0.0001, 0.003, 0.1, math.nan]), min_size=1, max_size=5),
    st.sampled_from([1, 2, 5, 10]),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=12),
    st.sampled_from([0.0001, 0.02]),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_verdicts_of_runs_are_said_as_they_are(
    shifts: list[float], seeds: int, lost: list[tuple[int, int]], width: float, resampled: bool
) -> None:
    """Arenas as training makes them: runs that are lost, values that are missing, few seeds."""
    scores = {f"l{place}": shifted(shift, width)[:seeds] for place, shift in enumerate([0.0, *shifts])}
    diverged = {name: [seed for entry, seed in lost if f"l{entry}" == name] for name in scores}
    arena = make_arena(scores, diverged, resampled=resampled)
    assert_agrees(answer(arena), arena)


@pytest.mark.parametrize("folder", sorted(VERSIONS.glob("*/*")), ids=lambda path: path.parent.name)
def test_records_of_before_are_answered(folder: Path) -> None:
    for arena in recall(folder).comparison.arenas:
        assert_agrees(answer(arena), arena)


def test_the_oracle_can_fail() -> None:
    arena = with_verdicts(["better", "worse"])
    sentence = answer(arena)
    assert_agrees(sentence, arena)
    wrong = with_verdicts(["worse", "better"])
    for other in (wrong, with_verdicts(["better", "better"]), with_verdicts(["inconclusive", "inconclusive"])):
        with pytest.raises(AssertionError):
            assert_agrees(sentence, other)


def test_the_example_of_wrong_labels(arena_of: MakeArena) -> None:
    scores = {"cross-entropy": BASE, "mae": shifted(0.1), "sce": shifted(0.1001), "focal": shifted(-0.02)}
    arena = arena_of(scores, resampled=False, corrupt={"labels": 0.4}, data="digits")
    assert answer(arena) in (
        "sce and mae beat cross-entropy on digits with 40 % wrong labels (by about 0.10 auroc, 12 seeds); focal is worse.",
        "mae and sce beat cross-entropy on digits with 40 % wrong labels (by about 0.10 auroc, 12 seeds); focal is worse.",
    )


@pytest.mark.parametrize(
    ("scores", "facts", "sentence"),
    [
        (
            {"a": BASE[:1], "b": shifted(0.1)[:1]},
            {},
            "One run each cannot tell b from a on titanic; 10 seeds are advised.",
        ),
        (
            {"a": BASE[:3], "b": shifted(0.1)[:3]},
            {"resampled": False},
            "3 seeds are too few to tell b from a on titanic; 10 seeds are advised.",
        ),
        (
            {"a": BASE, "b": shifted(0.0, 1e-5)},
            {"resampled": False},
            "b is as good as a on titanic by auroc (within 0.0050, 12 seeds).",
        ),
        (
            {"a": BASE, "b": shifted(0.1)},
            {"resampled": False, "baseline": {"test": {"auroc": 0.95}}},
            "b beats a on titanic (by about 0.10 auroc, 12 seeds),"
            " but none is clearly better than a prediction without any model.",
        ),
        (
            {"a": [0.81]},
            {},
            "a reaches auroc 0.81 on titanic, where a prediction without any model gets 0.5 (1 seed).",
        ),
        (
            {"a": [0.49, 0.5, 0.51]},
            {},
            "a is not clearly better than a prediction without any model on titanic (auroc 0.5 against 0.5, 3 seeds).",
        ),
    ],
)
def test_sentences(arena_of: MakeArena, scores: dict[str, list[float]], facts: dict[str, Any], sentence: str) -> None:
    assert answer(arena_of(scores, **facts)) == sentence


def test_lost_runs_are_said(arena_of: MakeArena) -> None:
    scores = {"a": BASE, "b": shifted(0.1)}
    some = answer(arena_of(scores, {"b": [1, 2]}, resampled=False))
    assert some == "No difference from a is proven on titanic for b (auroc, 12 seeds; some runs diverged)."
    every = answer(arena_of(scores, {"b": range(12)}, resampled=False))
    assert every == "There is no verdict by auroc on titanic for b (every run diverged)."
    all_of_them = answer(arena_of(scores, {"a": range(12), "b": range(12)}, resampled=False))
    assert all_of_them == "Nothing can be compared on titanic: every run diverged."


def test_another_metric_that_says_otherwise_is_said() -> None:
    arena = with_verdicts(["better"])
    worse = Delta("log-loss", 0.1, (0.05, 0.15), verdict="worse")
    entries = [arena.entries[0], replace(arena.entries[1], deltas={"log-loss": worse})]
    sentence = answer(replace(arena, entries=entries, directions={"auroc": "up", "log-loss": "down"}))
    assert sentence == "e0 beats ref on data (by about 0.050 auroc, 10 seeds), but e0 is worse on log-loss."


def test_a_difference_too_small_to_matter_is_said_so() -> None:
    arena = with_verdicts(["better"])
    small = replace(arena.entries[1].delta, mean=0.002)  # type: ignore[type-var]
    sentence = answer(replace(arena, entries=[arena.entries[0], replace(arena.entries[1], delta=small)]))
    assert sentence == "e0 beats ref on data (by about 0.0020 auroc, perhaps too little to matter, 10 seeds)."


def test_a_target_is_come_closer_to_and_not_exceeded() -> None:
    arena = with_verdicts(["better"], direction="target")
    closer = replace(arena.entries[1].delta, mean=-0.03, target=0.9)  # type: ignore[type-var]
    sentence = answer(replace(arena, entries=[arena.entries[0], replace(arena.entries[1], delta=closer)]))
    assert sentence == "e0 beats ref on data (auroc about 0.030 closer to its 90 %, 10 seeds)."


def test_tuning_is_said() -> None:
    arena = with_verdicts(["better"])
    entries = [replace(entry, tuned={"lr": {"0.01": 10}}) for entry in arena.entries]
    assert answer(replace(arena, entries=entries)) == "e0 beats ref on data (by about 0.050 auroc, 10 seeds, lr tuned)."


def test_names_of_others_are_no_markup_and_no_line_ends() -> None:
    arena = with_verdicts(["better"], names=["a\x1b[31m\nb"])
    assert answer(replace(arena, data="x\u202ey")).startswith(r"a\x1b[31m\nb beats ref on x\u202ey (by")


@pytest.mark.parametrize("task", tasks.names())
def test_every_task_has_an_answer(task: str) -> None:
    for verdicts in (["better"], []):
        arena = replace(with_verdicts(verdicts), task=task, baseline={"test": {"auroc": 0.9}})
        assert tasks.get(task).without_model in answer(arena)


def curve(entry: str, *levels: float) -> Line:
    return Line(entry, (NO_ESTIMATE,) * 3, BreakdownPoint(levels))


def stress(*lines: Line, kind: str = "labels", direction: Any = "up") -> Breakdown:
    return Breakdown(kind, "multiclass", "digits", "accuracy", direction, (0.0, 0.2, 0.4), (0, 1, 2), lines, 0.1)


def test_what_each_bears_is_said_the_toughest_first() -> None:
    lines = [curve("cross-entropy", 0.14, 0.15, 0.16), curve("gce", 0.33, 0.34, math.inf)]
    expected = "gce bears 34 % wrong labels before it loses 5 % of its accuracy; cross-entropy 15 % (digits, 3 seeds)."
    assert breakdown_answer(stress(*lines)) == expected
    assert "is 5 % worse in accuracy" in breakdown_answer(stress(*lines, direction="down"))
    assert "bears feature noise of 0.34 sd" in breakdown_answer(stress(*lines, kind="feature_noise"))


def test_what_never_breaks_and_what_has_no_clean_score() -> None:
    tough = breakdown_answer(stress(curve("mae", math.inf, math.inf), curve("ce", 0.1, 0.2)))
    assert (
        tough
        == "mae bears 40 % wrong labels, the most that was tried, and never loses 5 % of its accuracy; ce 10 % (digits, 2 seeds)."
    )
    mostly = breakdown_answer(stress(curve("mae", math.inf, 0.37, math.inf), curve("ce", 0.1, 0.2, 0.1)))
    assert mostly.startswith(
        "mae bears 40 % wrong labels, the most that was tried, and loses 5 % of its accuracy with 1 of 3 seeds; ce 10 %"
    )
    assert breakdown_answer(stress(curve("mae", math.nan))).startswith("Nothing can be said of digits")


def test_forms_are_of_every_verdict() -> None:
    assert set(FORMS) == set(VERDICTS) - {"same"}
    assert not says("x beats y on z", "better", "y", "x")


def test_a_comparison_that_was_stopped_claims_no_seeds_that_it_has_not(arena_of: MakeArena) -> None:
    whole = arena_of({"a": BASE, "b": shifted(0.0, 0.05)})
    stopped = replace(whole, runs=[run for run in whole.runs if run.entry == "a" or run.seed >= 7])
    assert stopped.whole_seeds == 5
    assert answer(stopped).endswith("for b (auroc, 5 of 12 seeds; the training was stopped).")
    assert "12 seeds" not in answer(stopped).replace("5 of 12 seeds", "")
    assert "It takes more rows" not in paragraph(stopped)
    assert "losscli resume goes on" in paragraph(stopped)
