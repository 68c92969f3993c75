"""Looking metrics up."""

from __future__ import annotations

import math

import pytest

from losscli.errors import SpecError
from losscli.metrics import find, for_task, metrics
from losscli.tasks import tasks


def test_the_default_metrics_of_every_task_exist():
    looked_at = 0
    for task in tasks:
        serving = for_task(task.name)
        assert set(task.default_metrics) <= set(serving)
        looked_at += 1
    assert looked_at >= 4


def test_a_wrong_name_gets_the_nearest_one():
    with pytest.raises(SpecError) as caught:
        find("acuracy", "binary")
    assert "did you mean accuracy?" in (caught.value.problems[0].cure or "")


INFINITE = math.inf
RANGES = {  # of scikit-learn's functions of these names; the costs of a decision are bounded by what the spec gives
    (
        "up",
        0,
        1,
    ): "accuracy balanced-accuracy precision recall f1 macro-f1 micro-f1 weighted-f1 subset-accuracy auroc auprc "
    "mean-average-precision top-1",
    ("up", -1, 1): "mcc quadratic-kappa",
    ("down", 0, 1): "expected-cost hamming-loss ece ranking-loss brier",
    ("down", 0, 2): "multiclass/brier",
    ("down", 0, math.log(2)): "js",
    (
        "down",
        0,
        INFINITE,
    ): "kl emd log-loss rmse mae median-ae mape poisson-deviance pinball-10 pinball-50 pinball-90 crps",
    ("up", -INFINITE, 1): "r2",
}
KNOWN = {name: ends for ends, names in RANGES.items() for name in names.split()}


def test_directions_and_ranges():
    """Of forecasts' intervals another file tells; a twin after calibration has what its original has."""
    seen = set()
    for full in metrics.names():
        item = metrics.get(full)
        if item.reads == "interval":
            continue
        name = item.of if f"{full.split('/')[0]}/{item.of}" not in KNOWN else f"{full.split('/')[0]}/{item.of}"
        assert item.name == full.split("/")[1]
        assert item.low < item.high
        if name in KNOWN:  # a new one is held to its oracle
            assert (item.direction, item.low, item.high) == KNOWN[name], full
            seen.add(name)
    assert seen == set(KNOWN)


def test_a_metric_names_the_tasks_on_whose_shelves_it_stands():
    seen = 0
    for full in metrics.names():
        item = metrics.get(full)
        assert full.split("/")[0] in item.tasks
        lent = {f"{home}/{item.of}" for home in item.tasks}
        borrowers = {task.name for task in tasks if lent & set(task.borrowed_metrics)}
        assert {task.name for task in tasks if for_task(task.name).get(item.name) is item} == {
            *item.tasks,
            *borrowers,
        }, full
        seen += 1
    assert seen >= 40
