"""What becomes of a target column: mapped with a notice, accepted, or refused with its place."""

from __future__ import annotations

import numpy as np
import pytest

from losscli.errors import DataError, Place, SpecError
from losscli.tasks import Column, Origin, TargetOptions, tasks


def numbers(*values: float) -> Column:
    return Column(
        np.array(values, dtype=np.float64), origin=Origin("rows.csv", 3, np.arange(2, 2 + len(values), dtype=np.int64))
    )


def words(*values: str | None) -> Column:
    levels = tuple(dict.fromkeys(value for value in values if value is not None))
    codes = [levels.index(value) if value is not None else -1 for value in values]
    return Column(np.array(codes, dtype=np.int32), levels, Origin("rows.csv", 3, np.arange(2, 2 + len(values))))


def decode(task: str, *columns: Column):
    return tasks.get(task).decode({f"t{at}": column for at, column in enumerate(columns)})


def codes(target) -> list[str]:
    return [finding.code for finding in target.findings]


BINARY = [
    (numbers(0, 1, 1), ("0", "1"), [0, 1, 1], []),
    (numbers(1, 2, 1), ("1", "2"), [0, 1, 0], ["target-mapped"]),
    (numbers(-1, 1, 1), ("-1", "1"), [0, 1, 1], ["target-mapped"]),
    (words("yes", "no", "yes"), ("no", "yes"), [1, 0, 1], ["target-mapped"]),
    (words("Yes", "no", "no"), ("no", "Yes"), [1, 0, 0], ["target-mapped"]),
    (words("TRUE", "false"), ("false", "TRUE"), [1, 0], ["target-mapped"]),
    (words("positive", "negative"), ("negative", "positive"), [1, 0], ["target-mapped"]),
    (words("1", "0"), ("0", "1"), [1, 0], []),
    (words("10", "9"), ("9", "10"), [1, 0], ["target-mapped"]),
    (Column(np.array([1, 0, 1], dtype=np.int32), ("False", "True")), ("False", "True"), [1, 0, 1], ["target-mapped"]),
    (Column(np.array([2, 0], dtype=np.int32), ("a", "unused", "c")), ("a", "c"), [1, 0], ["target-mapped"]),
]


@pytest.mark.parametrize(("column", "labels", "values", "found"), BINARY)
def test_binary(column, labels, values, found):
    target = decode("binary", column)
    assert target.labels == labels
    assert target.values.tolist() == values
    assert target.values.dtype == np.float32
    assert codes(target) == found
    assert tasks.get("binary").outputs(target) == 1


def test_the_notice_shows_the_mapping():
    (finding,) = decode("binary", words("yes", "no")).findings
    assert finding.severity == "info"
    assert "'no' is 0, 'yes' is 1" in finding.message


@pytest.mark.parametrize(
    ("column", "said", "cure"),
    [
        (numbers(0, 1, 2), "it holds 3: '0', '1', '2'", "task: multiclass"),
        (words("a", "b", "c"), "it holds 3", "task: multiclass"),
        (numbers(*range(30)), "it holds 30", "task: regression"),
        (numbers(0, 2, 0.5), "0.5 is not a whole number", "task: regression"),
        (numbers(1, 1, 1), "it holds 1: '1'", "another target"),
        (words("a", "a"), "it holds 1: 'a'", "another target"),
        (numbers(), "it holds 0", "another target"),
        (words("\x1b[2J", "b", "c"), r"'\x1b[2J'", "task: multiclass"),
    ],
)
def test_binary_refuses(column, said, cure):
    with pytest.raises(DataError) as caught:
        decode("binary", column)
    assert said in str(caught.value)
    assert cure in (caught.value.problems[0].cure or "")


def test_a_fraction_is_refused_at_its_place():
    with pytest.raises(DataError) as caught:
        decode("multiclass", numbers(0, 1, 1.5))
    assert caught.value.problems[0].place == Place("rows.csv", 4, 3)


MULTICLASS = [
    (numbers(0, 1, 2), ("0", "1", "2"), [0, 1, 2], []),
    (numbers(3, 0, 1), ("0", "1", "3"), [2, 0, 1], ["target-mapped"]),
    (numbers(-100, 0, 1), ("-100", "0", "1"), [0, 1, 2], ["target-mapped"]),
    (numbers(0, 1), ("0", "1"), [0, 1], []),
    (words("c", "a", "B"), ("a", "B", "c"), [2, 0, 1], ["target-mapped"]),
    (words("10", "9", "2"), ("2", "9", "10"), [2, 1, 0], ["target-mapped"]),
]


@pytest.mark.parametrize(("column", "labels", "values", "found"), MULTICLASS)
def test_multiclass(column, labels, values, found):
    target = decode("multiclass", column)
    assert target.labels == labels
    assert target.values.tolist() == values
    assert target.values.dtype == np.int64
    assert codes(target) == found
    assert tasks.get("multiclass").outputs(target) == len(labels)


@pytest.mark.parametrize("column", [numbers(2, 2), words("a"), numbers()])
def test_multiclass_needs_two_labels(column):
    with pytest.raises(DataError, match="at least two labels"):
        decode("multiclass", column)


def test_multilabel():
    target = decode("multilabel", numbers(0, 1, 0), words("False", "True", "True"), words("yes", "no", "no"))
    assert target.values.tolist() == [[0, 0, 1], [1, 1, 0], [0, 1, 0]]
    assert target.values.dtype == np.float32
    assert target.labels == ("t0", "t1", "t2")
    assert target.findings == ()
    assert tasks.get("multilabel").outputs(target) == 3


def test_multilabel_warns_of_a_label_that_is_always_alike():
    target = decode("multilabel", numbers(0, 0, 0), numbers(1, 1, 1), numbers(0, 1, 0))
    assert codes(target) == ["label-never-positive", "label-always-positive"]


def test_multilabel_refuses_every_other_cell_at_its_place():
    with pytest.raises(DataError) as caught:
        decode("multilabel", numbers(0, 1, 2), words("0", "maybe", "1"), numbers(0, 1, 1))
    assert [problem.place for problem in caught.value.problems] == [Place("rows.csv", 4, 3), Place("rows.csv", 3, 3)]
    assert "'maybe' is neither" in caught.value.problems[1].message


def test_regression():
    one, two = numbers(1.5, 2, 3), numbers(0, 1, 0)
    assert decode("regression", one).values.tolist() == [1.5, 2, 3]
    target = decode("regression", one, two)
    assert target.values.tolist() == [[1.5, 0], [2, 1], [3, 0]]
    assert target.values.dtype == np.float64
    assert tasks.get("regression").outputs(target) == 2
    assert tasks.get("regression").outputs(decode("regression", one)) == 1


def test_regression_refuses_text_at_its_place():
    with pytest.raises(DataError) as caught:
        decode("regression", words("12", "n/k"))
    assert "'12' is not a number" in str(caught.value)
    assert caught.value.problems[0].place == Place("rows.csv", 2, 3)


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (numbers(2, 2, 2), "target-constant"),
        (numbers(1e15, 1e15 + 1), "target-precision"),
        (numbers(1e30, -1e30), "target-large"),
    ],
)
def test_regression_notices(column, code):
    assert codes(decode("regression", column)) == [code]


@pytest.mark.parametrize(("standardise", "severity"), [(True, "info"), (False, "warning")])
def test_a_large_target_is_called_standardised_only_where_it_is(standardise, severity):
    columns = {"t": numbers(1e37, -1e37)}
    (finding,) = tasks.get("regression").decode(columns, TargetOptions(standardise=standardise)).findings
    assert finding.severity == severity
    assert ("it is standardised" in finding.message) is standardise


@pytest.mark.parametrize("standardise", [True, False])
def test_numbers_far_from_zero_lose_digits_only_where_they_are_not_centred(standardise):
    columns = {"t": numbers(1.7e9, 1.7e9 + 30)}
    findings = tasks.get("regression").decode(columns, TargetOptions(standardise=standardise)).findings
    assert [finding.code for finding in findings] == ([] if standardise else ["target-precision"])


def test_a_number_beyond_float32_is_not_written_out():
    with pytest.raises(DataError, match=r"and '1e\+300' is larger than float32 can hold"):
        decode("regression", numbers(1, 1e300))


def test_regression_refuses_what_float32_cannot_hold():
    with pytest.raises(DataError, match="larger than float32") as caught:
        decode("regression", numbers(1, 1e39))
    assert caught.value.problems[0].place == Place("rows.csv", 3, 3)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_a_missing_target_is_refused_with_its_first_five_places(task):
    nan = float("nan")
    with pytest.raises(DataError) as caught:
        decode(task, numbers(0, nan, nan, 1, nan, nan, nan, nan))
    (problem,) = caught.value.problems
    assert "missing in 6 of 8 rows" in problem.message
    assert "rows.csv:3:3, rows.csv:4:3, rows.csv:6:3, rows.csv:7:3, rows.csv:8:3)" in problem.message
    assert problem.place == Place("rows.csv", 3, 3)
    assert "missing_target: drop" in (problem.cure or "")


def test_a_missing_text_target_without_a_file():
    with pytest.raises(DataError, match="missing in 1 of 3 rows"):
        decode("binary", Column(np.array([0, -1, 1], dtype=np.int32), ("a", "b")))


def test_one_target_column_only():
    with pytest.raises(SpecError, match="takes one target column, and 2 are given: 't0', 't1'"):
        decode("binary", numbers(0, 1), numbers(0, 1))
    with pytest.raises(SpecError, match="takes one target column, or one column of probabilities per class, and 't0'"):
        decode("multiclass", words("a", "b"), words("b", "a"))


@pytest.mark.parametrize("unit", [1e-300, 1e-39])
def test_numbers_too_close_for_float32_are_refused(unit):
    values = np.arange(1, 20) * unit
    with pytest.raises(DataError, match=r"varies by .* only: float32 needs 1e-36") as refused:
        tasks.get("regression").decode({"y": Column(values)})
    assert "rescale" in refused.value.problems[0].cure
    fine = tasks.get("regression").decode({"y": Column(np.arange(1, 20) * 1e-36)}).values
    assert len(np.unique(fine)) == 19


ODD = ["yes", "no", "yes", "Yes", "no"]


def test_labels_that_differ_in_case_only_are_told_with_the_place_of_the_rarest():
    told = "labels of the target 't0' differ in case or blanks only: 'Yes' (1 row) and 'yes' (2 rows)"
    (finding, _) = decode("multiclass", words(*ODD)).findings
    assert (finding.code, finding.message) == ("labels-alike", f"{told}; the first rows.csv:5:3")
    with pytest.raises(DataError) as refused:
        decode("binary", words(*ODD))
    assert [problem.place for problem in refused.value.problems] == [None, Place("rows.csv", 5, 3)]
    assert refused.value.problems[1].message == told


def test_two_spellings_of_one_label_are_no_two_classes_in_silence():
    assert codes(decode("binary", words("a  b", "a b", "a b"))) == ["labels-alike", "target-mapped"]
