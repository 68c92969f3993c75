"""Tags, curves and pages: over the whole shelf, and against what is known of some."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from losscli.errors import SpecError
from losscli.explain.catalogue import lines, named, settings
from losscli.explain.curve import curves
from losscli.explain.page import elsewhere, page
from losscli.explain.tags import MEANINGS, is_robust, tags_of
from losscli.losses import Loss, find, losses
from losscli.tasks import tasks

SHELF = [pytest.param(item, id=f"{item.task}/{item.name}") for item in losses]


@pytest.mark.parametrize("item", SHELF)
def test_every_loss_has_a_page(item: Loss) -> None:
    shown = page(item)
    assert json.loads(json.dumps(shown.to_json(), allow_nan=False))["name"] == item.name
    assert item.task in shown.serves
    assert set(shown.tags) <= set(MEANINGS)
    assert len(shown.options) == len(item.options)
    assert bool(shown.readings) == (tasks.get(item.task).truths() is not None)
    assert all(library and name for library, name in shown.elsewhere)


@pytest.mark.parametrize("item", SHELF)
def test_every_loss_says_what_it_is_for_and_what_not(item: Loss) -> None:
    shown = page(item)
    for said in (shown.use, shown.avoid):
        assert said.endswith(".")
        assert 10 < len(said) < 200


@pytest.mark.parametrize("item", SHELF)
def test_the_slope_is_the_slope_of_the_curve(item: Loss) -> None:
    for curve in curves(item):
        at, loss, slope = (np.array(part) for part in (curve.at, curve.loss, curve.slope))
        assert np.isfinite(loss).all()
        if item.detached or (item.task, item.name) == ("embedding", "triplet"):
            continue  # the mean of the triplets that still cost something jumps where one is done
        rise = np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(at))  # the trapezium rule, from the left end
        blur = 0.01 + 0.03 * np.abs(loss).max() + (at[1] - at[0]) * np.abs(slope).max()  # a kink falls between points
        assert np.abs(rise - (loss[1:] - loss[0])).max() < blur


@pytest.mark.parametrize(
    ("task", "name", "robust"),
    [
        ("regression", "mse", False),
        ("regression", "rmse", False),
        ("regression", "expectile", False),
        ("regression", "gaussian-nll", False),
        ("regression", "poisson-nll", False),
        ("regression", "mae", True),  # the slope is bounded by 1
        ("regression", "huber", True),  # Huber 1964: by delta
        ("regression", "cauchy", True),
        ("regression", "tukey-biweight", True),  # redescending: 0 beyond c
        ("binary", "bce-logits", False),
        ("binary", "bce", False),
        ("binary", "hinge", False),
        ("binary", "brier", True),  # at most 1
        ("binary", "gce", True),  # at most 1 / q
        ("multiclass", "cross-entropy", False),
        ("multiclass", "mae", True),  # at most 2: Ghosh et al. 2017
        ("multiclass", "bi-tempered", True),  # t1 < 1
    ],
)
def test_robust_is_what_the_literature_says(task: str, name: str, robust: bool) -> None:
    assert is_robust(find(name, task)) is robust


@pytest.mark.parametrize(
    ("task", "name", "wanted"),
    [
        ("binary", "dice", {"over-batch", "imbalanced"}),
        ("binary", "auc-pairwise", {"over-batch", "imbalanced"}),
        ("binary", "focal", {"calibrated", "imbalanced"}),  # its alpha weighs yes
        ("binary", "hinge", {"calibrated"}),
        ("multiclass", "ldam", {"needs-class-counts"}),
        ("multiclass", "corn", {"ordinal"}),
        ("regression", "poisson-nll", {"counts"}),
        ("regression", "gamma-nll", {"positive"}),
        ("regression", "gaussian-nll", {"probabilistic"}),
    ],
)
def test_tags(task: str, name: str, wanted: set[str]) -> None:
    assert wanted <= set(tags_of(find(name, task)))


def test_a_curve_that_one_can_check_by_hand() -> None:
    (curve,) = curves(find("mse", "regression"))
    middle = len(curve.at) // 2
    assert (curve.at[0], curve.loss[0], curve.slope[0]) == (-4.0, 16.0, -8.0)
    assert (curve.at[middle], curve.loss[middle]) == pytest.approx((0.0, 0.0))
    (entropy,) = curves(find("cross-entropy", "multiclass"))
    assert entropy.loss[middle] == pytest.approx(math.log(3))


def test_yes_and_no_have_a_curve_each_where_they_differ() -> None:
    names = [curve.name for curve in curves(find("asymmetric", "binary"))]
    assert names == ["asymmetric, y = 1", "asymmetric, y = 0"]


def test_looking_up_names() -> None:
    assert [item.task for item in named(["focal"])] == ["binary"]
    assert [item.task for item in named(["focal"], "multiclass")] == ["multiclass"]
    assert [item.name for item in named(["mae", "mse"])] == ["mae", "mse"]
    with pytest.raises(SpecError, match="no task has all") as caught:
        named(["huber", "hinge"])
    assert "regression" in str(caught.value)
    with pytest.raises(SpecError) as caught:
        named(["focl"])
    assert "did you mean focal" in (caught.value.problems[0].cure or "")


def test_values_of_options() -> None:
    items = named(["focal", "bce-logits"], "binary")
    assert settings(items, {"gamma": [0.0, 2.0]}) == [[{"gamma": 0.0}, {"gamma": 2.0}], [{}]]
    asked = settings(named(["cost-sensitive"], "binary"), {"false_negative": [1.0, 5.0]})
    assert asked == [[{"false_positive": 1.0, "false_negative": cost} for cost in (1.0, 5.0)]]
    for wrong in ({"gama": 1.0}, {"gamma": -1.0}, {"gamma": [float(each) for each in range(9)]}):
        with pytest.raises(SpecError):
            settings(items, wrong)


def test_filters_meet_and_wrong_words_are_told() -> None:
    robust = [line.item.name for line in lines(task="binary", expects="logits", tag="robust")]
    assert "brier" in robust
    assert "bce" not in robust
    assert [line.item.name for line in lines(search="Charoenphakdee nothing-of-the-kind")] == []
    for wrong in ({"task": "binry"}, {"expects": "logit"}, {"tag": "robst"}):
        with pytest.raises(SpecError) as caught:
            lines(**wrong)
        assert "did you mean" in (caught.value.problems[0].cure or "")


def test_names_elsewhere_are_read_from_the_docstring() -> None:
    assert dict(elsewhere(find("bce-logits", "binary")))["torch"] == "BCEWithLogitsLoss"
