"""The CSV report as other programs read it: the stdlib's reader and pyarrow are the oracles."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import replace

import pyarrow.csv
import pytest

from losscli.compare.result import Arena
from losscli.comparison import Comparison
from losscli.reports.csv import cell, to_csv
from losscli.words.view import View

MakeArena = Callable[..., Arena]
MakeComparison = Callable[..., Comparison]
SCORES = {"bce-logits": [0.80, 0.82, 0.84], "focal gamma=2": [0.81, 0.84, 0.84]}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_line_per_entry_with_stable_names(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    arena = arena_of(SCORES, diverged={"focal gamma=2": [2]})
    text = to_csv(comparison_of(arena))
    first, second = rows(text)
    assert text.splitlines()[0] == (
        "arena,data,task,entry,loss,options,tuned,verdict,seeds,finished,seconds,delta_metric,delta_mean,"
        "delta_ci95_low,delta_ci95_high,delta_p,delta_p_holm,delta_n,reason,"
        "auroc_mean,auroc_sd,auroc_ci95_low,auroc_ci95_high,auroc_n,auroc_baseline,"
        "accuracy_mean,accuracy_sd,accuracy_ci95_low,accuracy_ci95_high,accuracy_n,accuracy_baseline,"
        "log-loss_mean,log-loss_sd,log-loss_ci95_low,log-loss_ci95_high,log-loss_n,log-loss_baseline"
    )
    assert (first["entry"], first["verdict"], first["delta_mean"], first["seeds"]) == (
        "bce-logits",
        "reference",
        "",
        "3",
    )
    assert (second["entry"], second["finished"], json.loads(second["options"])) == (
        "focal gamma=2",
        "2",
        {"gamma": 2.0},
    )
    assert float(first["auroc_mean"]) == pytest.approx(0.82)
    assert float(first["auroc_sd"]) == pytest.approx(0.02)
    assert float(second["delta_mean"]) == pytest.approx((0.01 + 0.02) / 2)
    assert (first["auroc_baseline"], first["log-loss_mean"]) == ("0.5", "")  # NaN is an empty cell
    estimate = arena.entries[0].scores["test"]["auroc"]
    assert float(first["auroc_mean"]) == estimate.mean  # bit by bit


def test_another_reader_agrees_on_numbers(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    table = pyarrow.csv.read_csv(io.BytesIO(to_csv(comparison_of(arena_of(SCORES))).encode()))
    assert table.num_rows == 2
    assert str(table.schema.field("auroc_mean").type) == "double"
    assert str(table.schema.field("delta_mean").type) == "double"


def test_arenas_share_a_table_and_what_one_has_not_is_empty(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    other = arena_of({"mse": [3.0]}, headline="rmse", directions={"rmse": "down"}, task="regression", data="mpg")
    found = rows(to_csv(comparison_of(arena_of(SCORES), other)))
    assert [(row["arena"], row["data"]) for row in found] == [("1", "titanic"), ("1", "titanic"), ("2", "mpg")]
    assert (found[2]["auroc_mean"], found[0]["rmse_mean"]) == ("", "")


def test_a_view_sorts_and_chooses_columns(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    found = rows(to_csv(comparison_of(arena_of(SCORES)), View(sort="auroc", metrics=("accuracy",))))
    assert [row["entry"] for row in found] == ["focal gamma=2", "bce-logits"]
    assert "log-loss_mean" not in found[0]


@pytest.mark.parametrize(
    "foreign", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", '=cmd|"/C calc"!A0', "a\n=1", "\x1b[31m"]
)
def test_no_cell_is_a_formula_or_steers_a_terminal(
    arena_of: MakeArena, comparison_of: MakeComparison, foreign: str
) -> None:
    text = to_csv(comparison_of(arena_of({foreign: [0.8], "b": [0.7]}, data=foreign)))
    found = rows(text)
    assert len(found) == 2
    told = [value for row in found for name, value in row.items() if name in ("entry", "data", "loss")]
    assert len(told) == 6
    assert not [value for value in told if value.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "\x1b" not in text


def test_numbers_below_zero_stay_numbers(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    arena = arena_of({"a": [0.8, 0.8], "b": [0.7, 0.6]})
    assert float(rows(to_csv(comparison_of(arena)))[1]["delta_mean"]) == pytest.approx(-0.15)
    assert cell(-math.inf) == ""


def test_what_tuning_chose_is_json(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    arena = arena_of({"a": [0.8]})
    tuned = replace(arena, entries=[replace(arena.entries[0], tuned={"lr": {"0.1": 1}})])
    assert json.loads(rows(to_csv(comparison_of(tuned)))[0]["tuned"]) == {"lr": {"0.1": 1}}


def test_p_values_stand_under_their_names(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    """Six differences of one sign: 2 of 64 flips; two comparisons make twice that after Holm."""
    scores = {"a": [0.8] * 6, "b": [0.81, 0.82, 0.83, 0.84, 0.85, 0.86], "c": [0.71, 0.72, 0.73, 0.74, 0.75, 0.76]}
    for row in rows(to_csv(comparison_of(arena_of(scores, resampled=False))))[1:]:
        assert (float(row["delta_p"]), float(row["delta_p_holm"])) == (2 / 64, 4 / 64)


def test_programs_get_every_entry_whatever_the_view(arena_of: MakeArena, comparison_of: MakeComparison) -> None:
    comparison = comparison_of(arena_of({"a": [0.7], "b": [0.9], "c": [0.8]}))
    assert [row["entry"] for row in rows(to_csv(comparison, View(sort="auroc", top=1)))] == ["b", "c", "a"]
