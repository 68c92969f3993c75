"""Targets as users mean them: which label is yes, what order classes have, labels in one cell, probabilities, transforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.preprocessing import MultiLabelBinarizer

from losscli.errors import DataError, Place, SpecError
from losscli.tasks import Column, Origin, TargetOptions, tasks
from losscli.tasks.order import ranks


def numbers(*values: float, column: int = 3) -> Column:
    return Column(np.array(values, dtype=np.float64), origin=Origin("rows.csv", column, np.arange(2, 2 + len(values))))


def words(*values: str | None) -> Column:
    levels = tuple(dict.fromkeys(value for value in values if value is not None))
    codes = [levels.index(value) if value is not None else -1 for value in values]
    return Column(np.array(codes, dtype=np.int32), levels, Origin("rows.csv", 3, np.arange(2, 2 + len(values))))


def decode(task: str, *columns: Column, **options):
    return tasks.get(task).decode({f"t{at}": column for at, column in enumerate(columns)}, TargetOptions(**options))


@pytest.mark.parametrize(
    ("column", "positive", "labels", "values"),
    [
        (words("malignant", "benign"), "benign", ("malignant", "benign"), [0, 1]),
        (words("malignant", "benign"), "malignant", ("benign", "malignant"), [1, 0]),
        (words("TRUE", "FALSE"), "True", ("FALSE", "TRUE"), [1, 0]),  # as YAML has `positive: true`
        (words("yes", "no"), "NO", ("yes", "no"), [0, 1]),
        (numbers(0, 1, 1), "0", ("1", "0"), [1, 0, 0]),
        (words("high", "low"), None, ("low", "high"), [1, 0]),
    ],
)
def test_the_positive_label(column, positive, labels, values):
    target = decode("binary", column, positive=positive)
    assert (target.labels, target.values.tolist()) == (labels, values)
    (told,) = target.findings
    assert "1 is the positive one (data.positive)" in told.message


def test_a_positive_label_that_may_be_either_is_none():
    assert decode("binary", words("yes", "YES"), positive="YES").labels == ("yes", "YES")
    with pytest.raises(DataError, match=r"data\.positive is 'Yes', and the target 't0' has no such label"):
        decode("binary", words("yes", "YES"), positive="Yes")


def test_a_positive_label_that_is_not_there():
    with pytest.raises(
        DataError, match=r"data\.positive is 'malign', and the target 't0' has no such label"
    ) as refused:
        decode("binary", words("malignant", "benign"), positive="malign")
    assert "did you mean malignant" in refused.value.problems[0].cure


def test_an_order_that_is_given():
    target = decode("multiclass", words("so-so", "poor", "rich", "poor"), order=("poor", "So-So", "rich"))
    assert target.labels == ("poor", "so-so", "rich")
    assert target.values.tolist() == [1, 0, 2, 0]
    assert target.ordered == "given"
    assert decode("multiclass", numbers(3, 1, 2), order=("3", "2", "1")).values.tolist() == [0, 2, 1]


def test_an_order_that_lacks_a_label_or_has_one_too_many():
    with pytest.raises(DataError, match=r"data\.order lacks labels of the target 't0': 'so-so', 'rich'") as refused:
        decode("multiclass", words("so-so", "poor", "rich"), order=("poor", "sos-o"))
    assert "'so-so' for 'sos-o'" in refused.value.problems[0].cure
    target = decode("multiclass", words("b", "a"), order=("b", "a", "z"))
    assert target.labels == ("b", "a")
    assert [found.code for found in target.findings] == ["order-unused", "target-mapped"]


@pytest.mark.parametrize(
    ("rising", "origin"),
    [
        (["-3", "1", "2.5", "10"], "numbers"),
        (["low", "Medium", "HIGH"], "words"),
        (["very poor", "poor", "fair", "good", "very good"], "words"),
        (["strongly_disagree", "disagree", "neutral", "agree", "strongly-agree"], "words"),
        (["Fair", "Good", "Very Good", "Premium", "Ideal"], "words"),
        (["1 - bad", "2 - fair", "10 - good"], "words"),
        (["stage 1", "stage 2", "stage 10"], "words"),
        (["<18", "18-25", "26-64", "65+"], "words"),
        (["First", "Second", "Third"], "words"),
        (["1st", "2nd", "3rd"], "words"),
        (["(-inf,0]", "(0,10]", "(10,inf)"], "words"),
        (["[0, 5)", "[5, 20)", "[20, Inf)"], "words"),
        (["(5,10]", "(10,15]", "(100,200]"], "words"),
        (["(-2.5,0.5]", "(0.5,1e+03]", "(1e+03,1.2e+03]"], "words"),
        (["unter 18", "18-29", "30-64", "ab 65"], "words"),
        (["moins de 10", "10-20", "plus de 20"], "words"),
        (["sehr schlecht", "schlecht", "mittel", "gut", "sehr gut"], "words"),
        (["nie", "selten", "manchmal", "oft", "immer"], "words"),
        (["stimme nicht zu", "neutral", "stimme zu"], "words"),
        (["zu wenig", "genau richtig", "zu viel"], "words"),
        (["nein", "vielleicht", "ja"], "words"),
        (["Faible", "Moyen", "Élevé"], "words"),
        (["jamais", "rarement", "parfois", "souvent", "toujours"], "words"),
        (["bajo", "medio", "alto"], "words"),
        (["nunca", "a veces", "siempre"], "words"),
        (["basso", "medio", "alto"], "words"),
        (["Adelie", "chinstrap", "Gentoo"], "alphabet"),
        (["3 apples", "4 pears", "plums"], "alphabet"),
        (["1 a", "1 b"], "alphabet"),  # the numbers do not tell them apart
        (["good", "great", "very good"], "alphabet"),  # nor does the ladder: two on one rung
    ],
)
def test_an_order_that_is_found(rising, origin):
    shuffled = rising[1::2] + rising[::2]
    places, found = ranks(shuffled)
    assert [shuffled[at] for at in places] == rising
    assert found == origin


def test_labels_of_one_cell_are_what_scikit_learn_makes_of_them():
    cells = ["action; comedy", "drama", "comedy", "drama;action;", " ", "action;comedy"]
    oracle = MultiLabelBinarizer()
    expected = oracle.fit_transform([[part.strip() for part in cell.split(";") if part.strip()] for cell in cells])
    target = decode("multilabel", words(*cells), separator=";")
    assert target.labels == tuple(oracle.classes_)
    np.testing.assert_array_equal(target.values, expected)
    assert target.values.dtype == np.float32
    assert "holds 3 labels, 1.33 per row; 1 row without any: 'action', 'comedy', 'drama'" in target.findings[0].message


def test_an_empty_cell_names_no_label():
    target = decode("multilabel", words("a|b", None, "b", None), separator="|")
    assert target.values.tolist() == [[1, 1], [0, 0], [0, 1], [0, 0]]
    only_numbers = decode("multilabel", numbers(10, float("nan"), 9), separator="|")
    assert only_numbers.labels == ("9", "10")
    assert only_numbers.values.tolist() == [[0, 1], [0, 0], [1, 0]]


def test_a_separator_is_for_one_column_that_names_labels():
    with pytest.raises(SpecError, match="one target column, and 2 are given"):
        decode("multilabel", words("a", "b"), words("b", "a"), separator=";")
    with pytest.raises(DataError, match="no cell of the target 't0' names a label"):
        decode("multilabel", words(";", None), separator=";")
    with pytest.raises(DataError) as refused:
        decode("multilabel", words("a;b", "b"))
    flag = "--set 'data.separator=;'"
    assert refused.value.problems[0].cure == f'set data.separator: ";" ({flag}) for several labels in one cell'


def test_probabilities_of_the_classes():
    target = decode("multiclass", numbers(0.2, 0.5, 0.0), numbers(0.3, 0.5, 1.0), numbers(0.5, 0.0005, 0.0))
    assert (target.soft, target.labels, target.values.dtype) == (True, ("t0", "t1", "t2"), np.float32)
    np.testing.assert_allclose(target.values.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(target.values[0], [0.2, 0.3, 0.5], rtol=1e-6)
    assert target.classes.tolist() == [2, 0, 1]
    assert tasks.get("multiclass").outputs(target) == 3
    assert [found.code for found in target.findings] == ["target-soft"]
    reordered = decode("multiclass", numbers(0.2, 0.5), numbers(0.8, 0.5), order=("t1", "t0"))
    assert reordered.labels == ("t1", "t0")
    np.testing.assert_allclose(reordered.values[0], [0.8, 0.2], rtol=1e-6)


def test_columns_of_which_one_is_1_are_classes():
    target = decode("multiclass", numbers(0, 1, 0), numbers(1, 0, 0), numbers(0, 0, 1))
    assert (target.soft, target.values.tolist(), target.values.dtype) == (False, [1, 0, 2], np.int64)
    with pytest.raises(DataError, match="no row is of the class 't2'"):
        decode("multiclass", numbers(0, 1), numbers(1, 0), numbers(0, 0))


def test_rows_that_are_no_probabilities_are_refused_at_their_places():
    with pytest.raises(DataError) as refused:
        decode("multiclass", numbers(0.5, 0.5, 0.6), numbers(0.5, 0.2, 0.6, column=4))
    assert [problem.place for problem in refused.value.problems] == [Place("rows.csv", 3, 3), Place("rows.csv", 4, 3)]
    assert "must sum to 1 in every row, and these sum to 0.7" in refused.value.problems[0].message
    with pytest.raises(DataError) as refused:
        decode("multiclass", numbers(1.5, 0.5), numbers(-0.5, 0.5, column=4))
    assert [problem.place for problem in refused.value.problems] == [Place("rows.csv", 2, 3), Place("rows.csv", 2, 4)]
    with pytest.raises(DataError) as refused:
        decode("multiclass", numbers(*[0.1] * 9), numbers(*[0.1] * 9))
    assert len(refused.value.problems) == 5
    assert refused.value.problems[-1].message.endswith("(and 4 rows more)")


def test_the_baseline_of_probabilities_is_their_mean():
    train = torch.tensor([[0.2, 0.8], [0.4, 0.6]])
    found = tasks.get("multiclass").baseline(train, 3, outputs=2)
    torch.testing.assert_close(found.probabilities, torch.tensor([[0.3, 0.7]]).expand(1, 3, 2))
    assert found.labels.tolist() == [[1, 1, 1]]


@pytest.mark.parametrize(
    ("transform", "column", "places", "cure"),
    [
        ("log", numbers(3, 0, -1), [3, 4], "leave transform out"),
        ("log", numbers(3, 0, 2), [3], "log1p"),
        ("log1p", numbers(3, -1, 2, -5), [3, 5], "leave transform out"),
    ],
)
def test_what_has_no_logarithm_is_refused_at_its_place(transform, column, places, cure):
    with pytest.raises(DataError, match=f"transform {transform}: the target 't0' must be above") as refused:
        decode("regression", column, transform=transform)
    assert [problem.place.line for problem in refused.value.problems] == places
    assert cure in refused.value.problems[0].cure


def test_many_such_values_are_five_and_a_count():
    with pytest.raises(DataError) as refused:
        decode("regression", numbers(*range(-10, 1)), transform="log")
    assert len(refused.value.problems) == 5
    assert refused.value.problems[-1].message.endswith("(and 6 more)")


def test_a_transformed_target_stays_in_the_users_units():
    target = decode("regression", numbers(1, 10, 100), transform="log")
    assert (target.values.tolist(), target.transform) == ([1, 10, 100], "log")
    assert [found.code for found in target.findings] == ["target-transformed"]


READINGS = [
    ("positive", "a", "binary"),
    ("order", ("a", "b"), "multiclass"),
    ("separator", ";", "multilabel"),
    ("transform", "log", "regression"),
    ("standardise", False, "regression"),
]


@pytest.mark.parametrize(("key", "value", "home"), READINGS)
def test_a_key_for_another_task_is_refused(key, value, home):
    refusing = 0
    for task in tasks:
        if task.name != home:
            refusing += 1
            with pytest.raises(SpecError, match=f"data.{key} is for task {home}, and the task is {task.name}"):
                decode(task.name, numbers(1, 2), **{key: value})
    assert refusing >= 3
