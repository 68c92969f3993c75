"""What changed between two records, in words: nothing is claimed that the numbers do not say."""

from __future__ import annotations

from typing import Any

import pytest

from losscli.cli.changes import sentences
from losscli.compare.samedata import of_other_data
from losscli.record.difference import KeyChange, ScoreChange

NOT_COMPARED = "The data differ, so the scores cannot be compared."


def outcome(*scores: ScoreChange) -> str:
    return sentences("1", "2", [], scores)[1]


def test_the_same_is_called_the_same() -> None:
    assert sentences("1", "2", [], [ScoreChange(1, "mae", "r2", 0.5, 0.5)]) == [
        "1 and 2 were asked for the same.",
        "r2: mae is the same.",
    ]


@pytest.mark.parametrize(
    ("before", "after", "word"), [(0.5, 0.25, "fell by 0.2500 to 0.2500"), (-2.0, 1.0, "rose by 3.000 to 1.000")]
)
def test_up_and_down(before: float, after: float, word: str) -> None:
    assert outcome(ScoreChange(1, "mae", "r2", before, after)) == f"r2: mae {word}."


def test_the_largest_move_comes_first_and_the_rest_is_counted() -> None:
    scores = [ScoreChange(1, f"e{size}", "auroc", 0.5, 0.5 + size / 100) for size in (1, 4, 2, 3)]
    assert outcome(*scores).startswith("auroc: e4 rose by 0.0400")
    assert outcome(*scores).endswith("1 more in the table.")


def test_what_came_and_went() -> None:
    scores = [
        ScoreChange(1, "a", "m", None, 1.0),
        ScoreChange(1, "b", "m", 1.0, None),
        ScoreChange(1, "c", "m", None, None),
    ]
    assert outcome(*scores) == "m: a is new; b is gone; c has no value."


def test_arenas_and_foreign_names() -> None:
    keys = [KeyChange(2, "data.drop", "[a]", "-")]
    told = sentences("1", "2", keys, [ScoreChange(2, "x\x1b[31m", "m", 1.0, 2.0)])
    assert told[0] == "From 1 to 2, 1 setting changed: data.drop (arena 2) is gone (was [a])."
    assert "\x1b" not in told[1]
    assert told[1].startswith("m (arena 2): x")


@pytest.mark.parametrize(
    ("first", "second", "others"),
    [
        (
            {"source": "csv", "path": "a/x.csv", "target": "y"},
            {"source": "csv", "path": "b/x.csv", "target": "y"},
            set(),
        ),
        ({"source": "csv", "split": {"test": 0.1}}, {"source": "csv", "split": {"test": 0.2}}, set()),
        ({"source": "csv"}, {"source": "csv", "weight": None}, set()),  # a record of before has it not
        ({"source": "csv", "target": "y"}, {"source": "csv", "target": "z"}, {1}),
        ({"source": "synthetic", "noise": 0.25}, {"source": "synthetic"}, {1}),
        ({"source": "synthetic", "noise": 0.25}, {"source": "synthetic", "noise": 0.5}, {1}),
        ({"source": "csv"}, {"source": "synthetic"}, {1}),
    ],
)
def test_scores_on_other_data_are_not_compared(first: Any, second: Any, others: set[int]) -> None:
    one, other = (
        {"results": {"arenas": [{"task": "binary", "data": "x"}]}, "specs": [{"data": data}]}
        for data in (first, second)
    )
    assert of_other_data(one, other) == others
    told = sentences("1", "2", [], [ScoreChange(1, "mae", "r2", 0.5, 0.25)], others)[1]
    assert told == (NOT_COMPARED if others else "r2: mae fell by 0.2500 to 0.2500.")
