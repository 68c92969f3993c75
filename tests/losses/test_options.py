"""What is refused as an option of a loss, and with what cure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from losscli.errors import SpecError
from losscli.losses import REQUIRED, Bounds, Choice, Option, Several, find, losses
from losscli.losses.options import check_options, missing_from, problems_of

BAD = [
    ("binary", "bce-logits", {"gamma": 2.0}, "no option 'gamma'"),
    ("binary", "bce-logits", {"pos_weight": -1}, "> 0, and -1 is"),
    ("binary", "bce-logits", {"pos_weight": 0}, "> 0, and 0 is"),
    ("binary", "bce-logits", {"pos_weight": "effective"}, "or balanced, and 'effective'"),
    ("binary", "bce-logits", {"pos_weight": []}, "empty list"),
    ("binary", "bce", {"label_smoothing": 1.5}, ">= 0 and <= 1, and 1.5 is"),
    ("binary", "bce", {"label_smoothing": float("nan")}, "and nan is"),
    ("binary", "bce", {"label_smoothing": None}, "and null is"),
    ("binary", "bce", {"label_smoothing": {}}, "and {} is"),
    ("binary", "focal", {"gamma": True}, "and true is"),
    ("binary", "focal", {"gamma": "2"}, "'2'"),
    ("binary", "focal", {"gamma": [1.0, -1.0]}, "and -1.0 is"),
    ("binary", "focal", {"gamma": [[1.0]]}, "and [1.0] is"),
    ("binary", "focal", {"gamma": float("inf")}, "and inf is"),
    ("multiclass", "multi-margin", {"p": 3}, ">= 1 and <= 2"),
    ("multiclass", "cross-entropy", {"weight": [0, 0, 0]}, "all zero"),
    ("multiclass", "focal", {"alpha": 0}, "all zero"),
    ("multiclass", "cross-entropy", {"weight": {"a": -1}}, "per class, and -1 is"),
    ("multiclass", "cross-entropy", {"weight": "balancd"}, "balanced or effective"),
    ("regression", "huber", {"delta": 0}, "> 0"),
    ("binary", "auc-pairwise", {"surrogate": "hing"}, "logistic, hinge, squared-hinge"),
    ("binary", "cost-sensitive", {"false_positive": -1}, ">= 0, and -1 is"),
    ("binary", "cost-sensitive", {"false_positive": None}, "and null is"),
    ("binary", "gce", {"q": 0}, "> 0 and <= 1"),
    ("binary", "bi-tempered", {"t2": 0.5}, ">= 1"),
    ("binary", "poly-1", {"epsilon": -1.5}, ">= -1"),
    ("regression", "quantile", {"tau": 1.2}, "> 0 and < 1"),
    ("regression", "mse", {"delta": 1}, "no option 'delta'"),
]


@pytest.mark.parametrize(("task", "name", "options", "said"), BAD)
def test_refused(task, name, options, said):
    found = problems_of(find(name, task), options)
    assert len(found) == 1
    assert said in found[0].message
    assert name in found[0].message
    assert found[0].cure


GOOD = [
    ("binary", "bce-logits", {"pos_weight": None, "label_smoothing": 0}),
    ("binary", "bce-logits", {"pos_weight": "balanced"}),
    ("multilabel", "bce-logits", {"pos_weight": [1, 2.5]}),
    ("multiclass", "cross-entropy", {"weight": {"cat": 1, "dog": 0.5}}),
    ("multiclass", "cross-entropy", {"weight": {"cat": 0}}),  # the others count 1
    ("multiclass", "cross-entropy", {"weight": [0, 0, 2]}),  # one class counts
    ("multiclass", "focal", {"alpha": {"cat": 0, "dog": 0}}),
    ("multiclass", "ldam", {"counts": {"cat": 0}}),
    ("multiclass", "cross-entropy", {"weight": "effective"}),
    ("binary", "focal", {"gamma": [0, 0.5, 2], "alpha": 0.25}),
]


@pytest.mark.parametrize(("task", "name", "options"), GOOD)
def test_accepted(task, name, options):
    assert problems_of(find(name, task), options) == []


def test_defaults_are_within_their_bounds():
    checked = 0
    for item in losses:
        defaults = {name: option.default for name, option in item.options.items() if not option.required}
        assert problems_of(item, defaults) == []
        checked += len(item.options)
    assert checked > 10


def test_all_mistakes_at_once_with_the_nearest_name():
    with pytest.raises(SpecError) as caught:
        check_options(find("focal", "binary"), {"gama": 2, "alpha": 7})
    assert len(caught.value.problems) == 2
    assert "did you mean gamma?" in (caught.value.problems[0].cure or "")


def test_a_foreign_name_is_shown_with_its_control_characters():
    found = problems_of(find("focal", "binary"), {"\x1b[31m" + "x" * 500: 1})
    assert "\x1b" not in found[0].message
    assert len(found[0].message) < 150


@pytest.mark.parametrize(
    ("name", "task", "canonical"),
    [
        ("BCEWithLogitsLoss", "binary", "bce-logits"),
        ("BCEWithLogitsLoss", "multilabel", "bce-logits"),
        ("ce", "multiclass", "cross-entropy"),
        ("CrossEntropyLoss", "multiclass", "cross-entropy"),
        ("l1", "regression", "mae"),
        ("l2", "regression", "mse"),
        ("pinball", "regression", "quantile"),
    ],
)
def test_aliases(name, task, canonical):
    assert find(name, task).name == canonical


def test_a_loss_of_another_task_names_its_task():
    with pytest.raises(SpecError, match="'mse' is for regression, and the task is multiclass"):
        find("mse", "multiclass")


def test_an_option_without_default_must_be_given():
    item = find("cost-sensitive", "binary")
    for given, said in (
        ({}, "needs false_positive and false_negative, which have no default"),
        ({"false_negative": 5}, "needs false_positive, which has no default"),
    ):
        with pytest.raises(SpecError, match=said) as caught:
            check_options(item, given)
        (problem,) = caught.value.problems
        assert problem.cure == "for example {name: cost-sensitive, false_positive: 1.0, false_negative: 1.0}"
    check_options(item, {"false_positive": 1, "false_negative": [1, 5]})


def test_what_is_missing_and_what_is_wrong_are_told_together():
    with pytest.raises(SpecError) as caught:
        check_options(find("cost-sensitive", "binary"), {"false_positive": -1})
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 2
    assert "needs false_negative" in messages[0]
    assert "false_positive must be a number >= 0" in messages[1]
    assert caught.value.problems[1].cure == "for example false_positive: 1.0"


def test_an_example_of_a_required_option_is_within_its_bounds():
    for accepts, shown in (
        (Bounds(low=0, high=1, low_open=True, high_open=True), "0.5"),
        (Bounds(low=5), "5"),
        (Choice(("logistic", "hinge")), "logistic"),
        (Several(Bounds(low=0)), "[1.0]"),
    ):
        option = Option("it", REQUIRED, accepts)
        item = replace(find("mse", "regression"), options={"it": option})
        assert missing_from(item, {})[0].cure == f"for example {{name: mse, it: {shown}}}"


@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_a_number_for_each_class_goes_to_the_weight_where_an_option_is_one_number(task: str) -> None:
    with pytest.raises(SpecError, match="alpha must be a number >= 0 and <= 1, and not one per class") as caught:
        check_options(find("focal", task), {"alpha": {"yes": 0.9}})
    assert "weight: {LABEL: NUMBER}" in (caught.value.problems[0].cure or "")
