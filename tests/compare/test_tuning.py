"""The choice among candidates, by hand: the valid split decides, the diverged never win, equals fall to the first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from losscli.compare.result import Arena, RunResult
from losscli.compare.tuning import best, with_choices
from losscli.words.phrases import tuned_options as in_words

MakeArena = Callable[..., Arena]


def tried(name: str, valid: float, loss: float = 1.0, test: float = 0.0, status: str = "ok") -> SimpleNamespace:
    scores = {"valid": {"auroc": valid, "rmse": valid, "loss": loss}, "test": {"auroc": test}}
    return SimpleNamespace(name=name, status=status, scores=scores)


def chosen(*candidates: SimpleNamespace, headline: str = "auroc", direction: Any = "up") -> str:
    return str(best(candidates, headline, direction).name)


def test_the_valid_split_decides_and_the_test_split_does_not() -> None:
    assert chosen(tried("a", 0.7, test=0.9), tried("b", 0.8, test=0.1), tried("c", 0.75)) == "b"
    assert chosen(tried("a", 3.0), tried("b", 2.0), headline="rmse", direction="down") == "b"


def test_the_headline_decides_and_the_own_loss_does_not() -> None:
    assert chosen(tried("a", 0.8, loss=9.0), tried("b", 0.7, loss=0.1)) == "a"


def test_without_a_headline_the_own_loss_decides() -> None:
    assert chosen(tried("a", math.nan, loss=0.5), tried("b", math.nan, loss=0.3), tried("c", math.nan, math.nan)) == "b"
    assert chosen(tried("a", math.nan, loss=0.1), tried("b", 0.2, loss=9.0)) == "a"  # a value of 0 would beat none


def test_of_equals_the_first_wins() -> None:
    assert chosen(tried("a", 0.7), tried("b", 0.8), tried("c", 0.8)) == "b"
    assert chosen(tried("a", math.nan, math.nan), tried("b", math.nan, math.nan)) == "a"


def test_a_diverged_candidate_wins_only_among_its_like() -> None:
    assert chosen(tried("a", 0.9, status="diverged"), tried("b", 0.1), tried("c", 0.2, status="stopped")) == "c"
    assert chosen(tried("a", math.nan, status="diverged"), tried("b", math.nan, status="diverged")) == "a"


def test_a_run_is_what_is_chosen_from() -> None:
    runs = [RunResult("a", 0, "ok", 1, 1, {"valid": {"auroc": score}}, [], 0.0) for score in (0.5, 0.6)]
    assert best(runs, "auroc", "up") is runs[1]


# What is said of the choices


def tuned(arena: Arena, choices: Mapping[str, list[dict[str, Any]]]) -> Arena:
    """The arena, as if these had been chosen: of each entry, seed by seed."""
    runs = [replace(run, tuned=choices[run.entry][run.seed]) for run in arena.runs]
    return replace(arena, runs=runs)


def told(arena: Arena, grids: Mapping[str, Any], allowed: Any = lambda name, value: True) -> dict[str, str]:
    return {found.code: f"{found.message} | {found.cure}" for found in with_choices(arena, grids, allowed).findings}


RATES = {"lr": [1e-3, 1e-4, 1e-2]}  # not in order


def test_choices_are_counted_value_by_value(arena_of: MakeArena) -> None:
    arena = tuned(
        arena_of({"a": [0.8] * 3, "b": [0.7] * 3}, diverged={"b": [1]}),
        {"a": [{"lr": 1e-3}, {"lr": 1e-2}, {"lr": 1e-3}], "b": [{"lr": 1e-4, "w": None}] * 3},
    )
    found = with_choices(arena, {"a": RATES, "b": {**RATES, "w": [None, "balanced", 2.0]}}, lambda *_: True).entries
    assert found[0].tuned == {"lr": {"0.001": 2, "0.0001": 0, "0.01": 1}}
    assert found[1].tuned == {  # the seed that diverged chose nothing
        "lr": {"0.001": 0, "0.0001": 2, "0.01": 0},
        "w": {"null": 2, "balanced": 0, "2.0": 0},
    }


def test_the_value_that_most_seeds_chose_is_said_first(arena_of: MakeArena) -> None:
    rates = [1e-3, 1e-2, 1e-2, 1e-2, 1e-4, 1e-4]
    arena = tuned(arena_of({"a": [0.8] * 6}), {"a": [{"lr": rate} for rate in rates]})
    (found,) = with_choices(arena, {"a": RATES}, lambda *_: True).entries
    assert in_words(found) == "lr: 0.01 in 3 of 6 seeds, 0.0001 in 2, 0.001 in 1"


def test_without_tuning_nothing_changes(arena_of: MakeArena) -> None:
    arena = arena_of({"a": [0.8], "b": [0.7]})
    assert with_choices(arena, {"a": {}, "b": {}}, lambda *_: True) is arena


def test_the_end_of_a_grid_is_told_where_most_seeds_chose_it(arena_of: MakeArena) -> None:
    arena = arena_of({"a": [0.8] * 4, "b": [0.7] * 4})
    inner, low, high = ({"lr": rate} for rate in (1e-3, 1e-4, 1e-2))
    found = told(
        tuned(arena, {"a": [high, high, high, low], "b": [high, high, inner, inner]}), {"a": RATES, "b": RATES}
    )
    assert "lr = 0.01, the highest of its grid" in found["tuned-to-the-edge"]
    assert "a (3 of 4)" in found["tuned-to-the-edge"]
    assert "b (" not in found["tuned-to-the-edge"]  # half is not most
    assert "by 0.1 for example" in found["tuned-to-the-edge"]  # 0.01 is ten times 0.001
    assert "tuned-to-the-edge" not in told(tuned(arena, {"a": [inner] * 4, "b": [inner] * 4}), {"a": RATES, "b": RATES})


def test_no_end_is_told_beyond_which_there_is_nothing(arena_of: MakeArena) -> None:
    arena = tuned(arena_of({"a": [0.8] * 2}), {"a": [{"gamma": 0}] * 2})
    grids = {"a": {"gamma": [0, 1, 2]}}
    assert "by -1 for example" in told(arena, grids)["tuned-to-the-edge"]
    assert told(arena, grids, lambda name, value: value >= 0) == {}
    assert told(tuned(arena, {"a": [{"w": None}] * 2}), {"a": {"w": [None, 2]}}) == {}


def test_a_grid_is_extended_by_ten_times_at_most(arena_of: MakeArena) -> None:
    arena = tuned(arena_of({"a": [0.8] * 2}), {"a": [{"lr": 1e-8}] * 2})
    assert "by 1e-09 for example" in told(arena, {"a": {"lr": [1e-8, 1e-3]}})["tuned-to-the-edge"]
    high = tuned(arena_of({"a": [0.8] * 2}), {"a": [{"lr": 1e-3}] * 2})
    assert "by 0.01 for example" in told(high, {"a": {"lr": [1e-8, 1e-3]}})["tuned-to-the-edge"]


def test_where_every_candidate_diverged_nothing_was_chosen(arena_of: MakeArena) -> None:
    arena = arena_of({"a": [0.8] * 2}, diverged={"a": range(2)})
    arena = tuned(arena, {"a": [{"lr": 1e7}] * 2})
    (found,) = with_choices(arena, {"a": {"lr": [1e7, 1e8]}}, lambda *_: True).entries
    assert in_words(found) == "lr: nothing, as no run with any of 1e+07, 1e+08 finished"


def test_forty_entries_at_the_edge_are_one_finding(arena_of: MakeArena) -> None:
    names = [f"e{n}" for n in range(40)]
    arena = tuned(arena_of({name: [0.8] for name in names}), {name: [{"lr": 1e-2}] for name in names})
    found = told(arena, dict.fromkeys(names, RATES))
    assert found["tuned-to-the-edge"].count("(1 of 1)") == 4
    assert "and 36 more" in found["tuned-to-the-edge"]


def test_an_option_that_its_own_loss_chose_is_told(arena_of: MakeArena) -> None:
    arena = arena_of({"a": [0.8], "b": [0.7]}, headline="log-loss")  # which has no value in these runs
    arena = tuned(arena, {"a": [{"margin": 1, "lr": 1e-3}], "b": [{"lr": 1e-3}]})
    found = told(arena, {"a": {**RATES, "margin": [1, 2, 0]}, "b": RATES})
    assert found["tuned-by-own-loss"].startswith("a: log-loss has no value for it")
    assert "margin" in found["tuned-by-own-loss"]
    assert "b:" not in found["tuned-by-own-loss"]


@pytest.mark.parametrize(("gamma", "said"), [([1, 2], True), ([], False)])
def test_unequal_numbers_of_candidates_are_told(arena_of: MakeArena, gamma: list[int], said: bool) -> None:
    arena = tuned(arena_of({"a": [0.8], "b": [0.7]}), {"a": [{"lr": 1e-3}], "b": [{"lr": 1e-3}]})
    found = told(arena, {"a": {**RATES, **({"gamma": gamma} if gamma else {})}, "b": RATES})
    assert ("unequal-tuning" in found) is said
    if said:
        assert "a 6, b 3;" in found["unequal-tuning"]
