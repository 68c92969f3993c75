"""Targets that a loss cannot judge are named before training: the column, its first such values, and where they stand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from losscli.losses import losses
from losscli.losses.domain import DOMAINS, check_target
from losscli.tasks import Column, Origin, Target

CLASSES = {
    "class index",
    "class index or probabilities",
    "class rank",
    "probabilities",
    "probabilities in order",
    "class label",
    "class label or pairs",
}


def judged(words: str, values: list[float] | np.ndarray, names: tuple[str, ...] = ("y",), **columns: Column) -> list:
    return check_target(
        SimpleNamespace(name="ours", target=words, own_units=False),  # type: ignore[arg-type]
        "regression",
        Target(np.asarray(values, dtype=np.float32), names),
        columns,
    )


@pytest.mark.parametrize(
    ("words", "right", "wrong", "said"),
    [
        (
            "number >= 0",
            [0.0, 2.5],
            [1.0, -1.0, -0.5, -1.0, -7.0],
            "a number >= 0, and it holds -1, -0.5 (4 of 5 rows)",
        ),
        ("number > 0", [0.25, 2.0], [1.0, 0.0], "a number > 0, and it holds 0 (1 of 2 rows)"),
        ("count (integer >= 0)", [0.0, 3.0], [2.0, 2.5], "a count (an integer >= 0), and it holds 2.5 (1 of 2 rows)"),
        ("count (integer >= 0)", [1.0], [-2.0], "a count (an integer >= 0), and it holds -2 (1 of 1 row)"),
        ("any number", [-1.0], [np.nan], "a number, and it holds nan (1 of 1 row)"),
    ],
)
def test_values_outside_the_domain_are_named(words, right, wrong, said):
    assert judged(words, right) == []
    (problem,) = judged(words, wrong)
    assert problem.message == f"ours: the target 'y' must be {said}"
    assert "mse" in problem.cure or "leave out" in problem.cure


def test_every_column_of_several_is_judged_and_has_its_place():
    values = np.array([[1.0, 2.0], [1.0, -2.0], [-3.0, -2.0]])
    lines = np.array([2, 3, 7])
    columns = {name: Column(values[:, i], None, Origin("a.csv", i + 1, lines)) for i, name in enumerate(("a", "b"))}
    found = judged("number >= 0", values, ("a", "b"), **columns)
    assert [str(problem.place) for problem in found] == ["a.csv:7:1", "a.csv:3:2"]
    assert "'b' must be a number >= 0, and it holds -2 (2 of 3 rows)" in found[1].message


def test_foreign_names_stay_harmless():
    (problem,) = judged("number > 0", [0.0], ("\x1b[2J",))
    assert "\x1b" not in problem.message


def test_every_loss_says_its_domain_in_known_words():
    said = {item.target for item in losses}
    assert len(said) >= 3
    assert said <= set(DOMAINS) | CLASSES
