"""Scores as tables have them: long, wide, with folds; and what is wrong with them, told with its place."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from losscli.errors import DataError, Place, SpecError
from losscli.judge.arena import Terms, _train_share, common
from losscli.judge.scores import read_scores


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text(text)
    return path


SHAPES = {
    "a column per metric": "model,seed,acc\na,0,0.5\na,1,0.6\nb,0,0.7\nb,1,0.8\n",
    "a row per value": "Model;Metric;Seed;Value\na;acc;0;0,5\na;acc;1;0,6\nb;acc;0;0,7\nb;acc;1;0,8\n",
    "a column per entry": "seed\ta\tb\n0\t0.5\t0.7\n1\t0.6\t0.8\n",
    "a column per seed": "model,seed_0,seed_1\na,0.5,0.6\nb,0.7,0.8\n",
    "percents, quotes, a note": 'method,random seed,remark,acc\n"a",0,x,50%\na,1,y,60%\nb,0,z,70%\nb,1,,80%\n',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_holds_the_same(tmp_path: Path, shape: str) -> None:
    scores = read_scores(written(tmp_path, SHAPES[shape]), "acc")
    assert list(scores.values) == ["acc"]
    assert {
        entry: {seed.removeprefix("seed_"): round(value, 6) for seed, value in runs.items()}
        for entry, runs in scores.values["acc"].items()
    } == {
        "a": {"0": 0.5, "1": 0.6},
        "b": {"0": 0.7, "1": 0.8},
    }
    seeds = [seed.removeprefix("seed_") for seed in scores.seeds]
    assert (scores.entries, seeds, scores.folds) == (["a", "b"], ["0", "1"], False)


def test_folds_and_seeds_by_name(tmp_path: Path) -> None:
    scores = read_scores(written(tmp_path, "model,fold,acc\na,fold-b,1\na,fold-a,2\nb,fold-b,3\nb,fold-a,4\n"))
    assert (scores.folds, scores.seeds) == (True, ["fold-b", "fold-a"])


def test_repeated_folds_are_paired_by_both(tmp_path: Path) -> None:
    rows = [f"{entry},{repeat},{fold},{repeat + fold}" for entry in "ab" for repeat in (0, 1) for fold in range(5)]
    path = written(tmp_path, "\n".join(["model,repeat,fold,acc", *rows]))
    scores = read_scores(path)
    assert list(scores.values) == ["acc"]
    assert (scores.folds, scores.seeds) == (True, [f"{repeat}/{fold}" for repeat in (0, 1) for fold in range(5)])
    assert _train_share(scores, Terms()) == pytest.approx(0.8)


def test_a_column_per_fold_is_of_folds(tmp_path: Path) -> None:
    scores = read_scores(written(tmp_path, "model,fold 1,fold 2\na,1,2\nb,3,\n"))
    assert (scores.folds, scores.seeds) == (True, ["fold 1", "fold 2"])
    assert math.isnan(scores.values["score"]["b"]["fold 2"])


def test_numbers_are_in_order(tmp_path: Path) -> None:
    assert read_scores(written(tmp_path, "model,seed,acc\na,10,1\na,9,2\n")).seeds == ["9", "10"]


def test_empty_cells_have_no_value(tmp_path: Path) -> None:
    runs = read_scores(written(tmp_path, "model,seed,acc\na,0,\na,1,n/a\na,2,NaN\na,3,0.5\n")).values["acc"]["a"]
    assert [math.isnan(value) for value in runs.values()] == [True, True, True, False]


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("model,acc\na,1\n", (1, None), "no column says the seed"),
        ("model,seed,acc\na,0,0.5\na,0,0.6\n", (3, 3), "two values of acc for '0': lines 2 and 3"),
        ("model,seed,acc\na,0,0.5\na,1,good\n", (3, 3), "must be a finite number"),
        ("model,seed,acc\na,0,0.5\na,1,inf\n", (3, 3), "must be a finite number"),
        ("model,seed,acc\na,0,0.5\na,1\n", (3, None), "must have 3 fields, and has 2"),
        ("model,seed,acc\na,,0.5\n", (2, 2), "a row has no seed"),
        ("model,seed,acc,acc\na,0,1,2\n", (1, None), "two columns are called 'acc'"),
        ("model,seed,acc\n", (None, None), "holds no scores"),
        ("model,seed,name\na,0,x\n", (None, None), "holds no scores"),
        ("", (None, None), "empty"),
        ("1,2,3\n4,5,6\n", (1, None), "must name the columns"),
        ("\x89PNG\x1a", (None, None), "no text"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, text: str, place: tuple[int | None, int | None], part: str
) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=part) as caught:
        read_scores(path)
    at = caught.value.problems[0].place or Place("")
    assert (at.file, at.line, at.column) == (str(path), *place)


def test_a_row_that_stands_twice_is_taken_once(tmp_path: Path) -> None:
    scores = read_scores(written(tmp_path, "model,seed,acc\na,0,0.5\na,0,0.5\n"))
    assert scores.values["acc"]["a"] == {"0": 0.5}
    assert any("twice" in note for note in scores.notes)


def test_common_seeds(tmp_path: Path) -> None:
    scores = read_scores(written(tmp_path, "model,seed,acc\na,0,1\na,1,2\na,2,3\nb,0,\nb,1,4\n"))
    assert common(scores).values == {"acc": {"a": {"1": 2.0}, "b": {"1": 4.0}}}
    with pytest.raises(SpecError, match="no seed"):
        common(read_scores(written(tmp_path, "model,seed,acc\na,0,1\nb,1,4\n")))
