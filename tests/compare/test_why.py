"""Where the best entry and the reference part ways, counted by hand on predictions that one can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from losscli.compare.result import Arena
from losscli.compare.why import ProbedRun, why
from losscli.stack.probe import Memory, Snapshot
from losscli.tasks import tasks
from losscli.tasks.predictions import Predictions

ROWS = 40
BINARY = tasks.get("binary")


def said(truth: Any, prediction: Any, kind: Any = "probabilities") -> Predictions:
    columns = [np.asarray(each, np.float32).reshape(len(truth), -1) for each in (truth, prediction)]
    return Predictions(np.arange(len(truth)), *columns, kind)


@pytest.fixture
def arena(arena_of: Callable[..., Arena]) -> Arena:
    """Two entries and two seeds, of which focal has the better mean."""
    return arena_of({"bce": [0.8, 0.8], "focal": [0.9, 0.9]}, headline="accuracy")


def test_classes_and_quarters(arena: Arena) -> None:
    """Rows 0 to 29 are of class 0; bce is right on all of them and wrong on all others, focal right on all."""
    truth = np.arange(ROWS) >= 30
    bce = np.where(truth, 0.4, 0.1)
    focal = np.where(truth, 0.8, 0.2)
    runs = [
        ProbedRun(name, seed, said(truth, p), ()) for name, p in (("bce", bce), ("focal", focal)) for seed in (0, 1)
    ]
    found = why(arena, runs, BINARY)
    assert (found["best"], found["reference"], found["measure"]) == ("focal", "bce", "accuracy")
    assert found["verdict"] == "too-few-seeds"
    assert found["classes"] == [
        {"class": "died", "rows": 30, "best": 1.0, "reference": 1.0},
        {"class": "survived", "rows": 10, "best": 1.0, "reference": 0.0},
    ]
    hardest = found["difficulty"][-1]
    assert (hardest["rows"], hardest["best"], hardest["reference"]) == (10, 1.0, 0.0)
    assert all(part["reference"] == 1.0 for part in found["difficulty"][:-1])


def test_rows_are_as_hard_as_all_entries_find_them(arena: Arena) -> None:
    """What one entry alone finds hard and the other easy is not the hardest quarter."""
    truth = np.ones(ROWS)
    one, other = np.full(ROWS, 0.9), np.full(ROWS, 0.9)
    one[:10], other[:10] = 0.0, 1.0  # 1.0 lacking in sum
    one[10:20] = other[10:20] = 0.4  # 1.2 lacking
    found = why(
        arena, [ProbedRun("bce", 0, said(truth, one), ()), ProbedRun("focal", 0, said(truth, other), ())], BINARY
    )
    hardest = found["difficulty"][-1]
    assert (hardest["reference"], hardest["best"]) == (0.0, 0.0)
    third = found["difficulty"][-2]
    assert (third["reference"], third["best"]) == (0.0, 1.0)


def test_numbers_are_off_by_so_much(arena_of: Callable[..., Arena]) -> None:
    arena = replace(arena_of({"mse": [2.0], "mae": [1.0]}), task="regression", directions={"auroc": "down"})
    truth = np.arange(ROWS, dtype=float)
    runs = [
        ProbedRun("mse", 0, said(truth, truth + np.repeat([0.0, 0.0, 0.0, 8.0], 10), "values"), ()),
        ProbedRun("mae", 0, said(truth, truth + 1, "values"), ()),
    ]
    found = why(arena, runs, tasks.get("regression"))
    assert found["measure"] == "mae"
    assert [line["reference"] for line in found["classes"]] == [0.0, 0.0, 0.0, 8.0]
    assert [line["best"] for line in found["classes"]] == [1.0] * 4
    assert found["difficulty"][-1] == {"part": "hardest quarter", "rows": 10, "best": 1.0, "reference": 8.0}


def test_multiclass_scores_decide_by_the_largest(arena: Arena) -> None:
    three = replace(arena, task="multiclass", labels=("a", "b", "c"))
    truth = np.arange(30) % 3
    right = np.eye(3)[truth] * 5
    wrong = np.roll(right, 1, axis=1)
    runs = [
        ProbedRun("bce", 0, said(truth, wrong, "scores"), ()),
        ProbedRun("focal", 0, said(truth, right, "scores"), ()),
    ]
    found = why(three, runs, tasks.get("multiclass"))
    assert [(line["class"], line["reference"], line["best"]) for line in found["classes"]] == [
        (label, 0.0, 1.0) for label in "abc"
    ]


def test_of_several_labels_a_group_is_the_rows_that_carry_one(arena: Arena) -> None:
    """Rows 0 to 3 carry the first label, rows 2 to 5 the second; bce misses the second on all of its rows."""
    truth = np.zeros((24, 2))
    truth[:4, 0] = truth[2:6, 1] = 1
    missed = truth * [1, 0]
    two = replace(arena, task="multilabel", labels=("a", "b"))
    runs = [ProbedRun("bce", 0, said(truth, missed), ()), ProbedRun("focal", 0, said(truth, truth), ())]
    assert why(two, runs, tasks.get("multilabel"))["classes"] == [
        {"class": "a", "rows": 4, "best": 1.0, "reference": 0.75},  # two of its rows lose one label of two
        {"class": "b", "rows": 4, "best": 1.0, "reference": 0.5},
    ]


def test_every_seed_has_its_own_hard_rows(arena: Arena) -> None:
    """Both entries are wrong on the first ten rows of seed 0, and on the last ten of seed 1."""
    truth = np.ones(ROWS)
    wrong = {0: np.arange(ROWS) < 10, 1: np.arange(ROWS) >= 30}
    runs = [
        ProbedRun(name, seed, said(truth, np.where(rows, 0.2, 0.9)), ())
        for name in ("bce", "focal")
        for seed, rows in wrong.items()
    ]
    parts = why(arena, runs, tasks.get("binary"))["difficulty"]
    assert [(part["best"], part["reference"]) for part in parts] == [(1.0, 1.0)] * 3 + [(0.0, 0.0)]


@pytest.mark.parametrize(("rows", "parts"), [(19, 0), (20, 4)])
def test_twenty_rows_are_enough_for_quarters(arena: Arena, rows: int, parts: int) -> None:
    p = said(np.arange(rows) % 2, np.linspace(0, 1, rows))
    found = why(arena, [ProbedRun("bce", 0, p, ()), ProbedRun("focal", 0, p, ())], tasks.get("binary"))
    assert [part["rows"] for part in found["difficulty"]] == [5.0] * parts


def test_of_many_classes_the_most_frequent_are_shown(arena: Arena) -> None:
    """Of 31 classes one has no row, one has one row in one of the two seeds, all others have two."""
    labels = tuple(f"c{n}" for n in range(31))
    truths = [np.repeat(np.arange(29), 2), np.append(np.repeat(np.arange(29), 2), 30)]
    runs = [
        ProbedRun(name, seed, said(truth, np.eye(31)[truth]), ())
        for name in ("bce", "focal")
        for seed, truth in enumerate(truths)
    ]
    found = why(replace(arena, task="multiclass", labels=labels), runs, tasks.get("multiclass"))["classes"]
    assert [(line["class"], line["rows"]) for line in found] == [(f"c{n}", 2.0) for n in range(29)] + [("c30", 0.5)]


def test_under_auroc_each_row_tells_its_share_of_it(arena_of: Callable[..., Arena]) -> None:
    """The mean of a class is the area under the curve, as scikit-learn has it, ties and all."""
    chance = np.random.default_rng(0)
    truth = chance.random(200) < 0.2
    bce, focal = chance.integers(0, 9, 200), chance.integers(0, 9, 200) + truth
    runs = [ProbedRun("bce", 0, said(truth, bce), ()), ProbedRun("focal", 0, said(truth, focal), ())]
    found = why(arena_of({"bce": [0.8], "focal": [0.9]}), runs, BINARY)
    assert found["measure"] == "rank"
    for line in found["classes"]:
        assert line["reference"] == pytest.approx(roc_auc_score(truth, bce))
        assert line["best"] == pytest.approx(roc_auc_score(truth, focal))


def test_under_log_loss_each_row_tells_its_share_of_it(arena_of: Callable[..., Arena]) -> None:
    arena = arena_of({"bce": [0.8], "focal": [0.9]}, headline="log-loss")
    arena = replace(
        arena,
        entries=[
            replace(entry, scores={"test": {"log-loss": entry.scores["test"]["auroc"]}}) for entry in arena.entries
        ],
    )
    truth = np.arange(40) % 2
    p = np.linspace(0.05, 0.95, 40)
    found = why(arena, [ProbedRun("bce", 0, said(truth, p), ()), ProbedRun("focal", 0, said(truth, p), ())], BINARY)
    assert (found["measure"], found["best"]) == ("log-loss", "bce")
    total = sum(line["rows"] * line["best"] for line in found["difficulty"]) / 40
    assert total == pytest.approx(log_loss(truth, p), rel=1e-5)


def test_looks_are_averaged_over_seeds(arena: Arena) -> None:
    def look(epoch: int, share: float, memorised: float) -> Snapshot:
        return Snapshot(epoch, (share, 1 - share), (1 - share, share), Memory(memorised, 0.0, 1.0))

    runs = [
        ProbedRun("bce", 0, None, [look(0, 0.2, 0.0), look(2, 0.4, 0.5), look(4, 1.0, 1.0)]),
        ProbedRun("bce", 1, None, [look(0, 0.4, 0.5), look(2, 0.8, 1.0)]),  # it stopped early
        ProbedRun("focal", 0, None, ()),
    ]
    found = why(arena, runs, BINARY)
    told = found["attention"]["entries"]
    assert list(told) == ["bce"]
    assert told["bce"]["epochs"] == [0, 2]
    np.testing.assert_allclose(told["bce"]["rows"], [[0.3, 0.7], [0.6, 0.4]])
    np.testing.assert_allclose(told["bce"]["gradient"], [[0.7, 0.3], [0.4, 0.6]])
    assert found["memory"]["entries"]["bce"]["memorised"] == [0.25, 0.75]


def test_one_entry_has_nothing_to_be_better_than(arena_of: Callable[..., Arena]) -> None:
    assert why(arena_of({"bce": [0.8]}), [], BINARY) == {}
