"""What a view shows of an arena: order, cut and metrics by hand; the reference stays, verdicts are not touched."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from losscli.compare.result import Arena
from losscli.words.view import View, in_words, select

MakeArena = Callable[..., Arena]
SCORES = {"m": [0.7, 0.7], "Z": [0.9, 0.9], "a": [0.8, 0.8], "none": [math.nan, math.nan]}


def shown(arena: Arena, **display: object) -> list[str]:
    return [entry.entry for entry in select(arena, View(**display)).entries]  # type: ignore[arg-type]


def test_without_wishes_it_is_the_order_of_the_spec(arena_of: MakeArena) -> None:
    arena = arena_of(SCORES)
    assert shown(arena) == ["m", "Z", "a", "none"]
    assert in_words(arena, View()) == ""


def test_a_metric_sorts_the_best_first_and_what_has_no_value_last(arena_of: MakeArena) -> None:
    arena = arena_of(SCORES)
    assert shown(arena, sort="auroc") == ["Z", "a", "m", "none"]
    assert shown(replace(arena, directions={**arena.directions, "auroc": "down"}), sort="auroc") == [
        "m", "a", "Z", "none",
    ]  # fmt: skip
    assert in_words(arena, View(sort="auroc")) == "sorted by auroc, which is no ranking"


def test_names_sort_too_and_times_do_not(arena_of: MakeArena) -> None:
    arena = arena_of(SCORES)
    times = [replace(entry, seconds=time) for entry, time in zip(arena.entries, (3.0, 1.0, 2.0, 0.5), strict=True)]
    assert shown(arena, sort="name") == ["a", "m", "none", "Z"]
    shared = replace(arena, entries=times)  # time is that of a stack, and tells nothing of an entry
    assert shown(shared, sort="time") == ["m", "Z", "a", "none"]


def test_a_metric_of_another_arena_leaves_the_order(arena_of: MakeArena) -> None:
    arena = arena_of(SCORES)
    assert shown(arena, sort="rmse") == ["m", "Z", "a", "none"]
    assert in_words(arena, View(sort="rmse")) == ""


@pytest.mark.parametrize(("top", "names"), [(1, ["Z", "m"]), (2, ["Z", "a", "m"]), (3, ["Z", "a", "m"]), (9, None)])
def test_the_reference_is_never_cut(arena_of: MakeArena, top: int, names: list[str] | None) -> None:
    arena = arena_of(SCORES)
    assert arena.reference == "m"
    assert shown(arena, sort="auroc", top=top) == (names or ["Z", "a", "m", "none"])
    said = in_words(arena, View(top=1))
    assert said == "1 of 4 entries shown"


def test_the_headline_is_always_shown_and_the_rest_on_demand(arena_of: MakeArena) -> None:
    arena = arena_of(SCORES)
    assert list(select(arena, View(metrics=("log-loss", "rmse", "auroc"))).directions) == ["auroc", "log-loss"]
    of_spec = replace(arena, spec={"metrics": ["auroc", "accuracy"]})
    assert list(select(of_spec, View()).directions) == ["auroc", "accuracy"]


def test_nothing_but_the_tables_changes(arena_of: MakeArena) -> None:
    arena = arena_of(SCORES)
    found = select(arena, View("auroc", ("accuracy",), 2))
    assert (found.runs, found.findings, found.reference) == (arena.runs, arena.findings, arena.reference)
    assert {entry.entry: entry.verdict for entry in arena.entries}.items() >= {
        entry.entry: entry.verdict for entry in found.entries
    }.items()
