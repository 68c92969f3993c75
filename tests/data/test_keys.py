"""Splits that columns, folds and groups make; scikit-learn says what holds of its own."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.model_selection import GroupKFold, StratifiedKFold

from losscli.data.dataset import Table
from losscli.data.keys import groups_to_folds
from losscli.data.prepare import prepare_all, size_ratios
from losscli.data.sources import Split, sources
from losscli.data.split import divide, set_apart
from losscli.errors import DataError
from losscli.tasks import Column, Origin, Target, tasks

ROWS = 200
RNG = np.random.default_rng(7)
CLASSES = RNG.choice(3, size=ROWS, p=[0.6, 0.3, 0.1])
GROUPS = RNG.geometric(0.08, size=ROWS)  # few large groups, many small ones


def texts(values) -> Column:
    levels, codes = np.unique([str(each) for each in values], return_inverse=True)
    return Column(codes.astype(np.int32), tuple(levels), Origin("t.csv", 2, np.arange(len(codes)) + 2))


def rows_of(split, seed=0, key=None, target=CLASSES, stratify=False, feature=None):
    x = Column(np.arange(float(len(target))))
    table = Table("made", {"x": x, **({"k": feature} if feature else {})}, {"y": x}, keys={"k": key} if key else {})
    apart = set_apart(table, split)
    return divide(apart, Target(target, ("a", "b", "c")), split, seed, stratify)


def is_partition(rows, count=ROWS):
    return sorted(np.concatenate(list(rows.values())).tolist()) == list(range(count))


def test_no_group_is_in_two_splits_and_sizes_are_as_near_as_whole_groups_allow():
    smallest_misses = []
    for seed in range(20):
        rows, _ = rows_of(Split(group="k", valid=0.2, test=0.2), seed, texts(GROUPS))
        assert is_partition(rows)
        found = [set(GROUPS[part]) for part in rows.values()]
        assert sum(map(len, found)) == len(set(GROUPS))
        smallest_misses.append(max(abs(len(rows[name]) - 40) for name in ("valid", "test")))
    assert max(smallest_misses) <= 2  # there are many groups of one row to fill up with


def test_groups_are_drawn_by_the_seed():
    first, again, other = (rows_of(Split(group="k"), seed, texts(GROUPS))[0]["test"].tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_three_groups_make_three_splits_and_two_do_not():
    rows, _ = rows_of(Split(group="k"), 3, texts(np.arange(ROWS) % 3))
    assert sorted(map(len, rows.values())) == [66, 67, 67]
    with pytest.raises(DataError, match="has 2 groups to divide among 3 splits"):
        rows_of(Split(group="k"), 0, texts(np.arange(ROWS) % 2))


def test_large_shares_leave_a_group_to_every_split():
    """Both small groups would fit the test split, and then nothing is left to learn from."""
    groups = np.repeat([0, 1, 2], [2, 2, 196])
    for seed in range(6):
        rows, _ = rows_of(Split(group="k", valid=0.45, test=0.45), seed, texts(groups))
        assert [len(part) for part in rows.values()] == [196, 2, 2]


def test_time_goes_from_train_to_test_whatever_the_seed():
    days = RNG.permutation(ROWS)
    dates = np.datetime64("2024-01-01") + days
    by_number, by_date = (rows_of(Split(time="k"), seed, texts(k))[0] for seed, k in ((0, days), (5, dates)))
    assert [part.tolist() for part in by_number.values()] == [part.tolist() for part in by_date.values()]
    assert is_partition(by_date)
    assert days[by_date["train"]].max() < days[by_date["valid"]].min()
    assert days[by_date["valid"]].max() < days[by_date["test"]].min()
    assert [len(part) for part in by_date.values()] == [140, 30, 30]


def test_rows_of_one_time_stay_together_and_it_is_told():
    years = np.repeat([2001, 2002, 2003, 2004], [130, 25, 20, 25])
    rows, (told,) = rows_of(Split(time="k"), 0, texts(years))
    assert [len(part) for part in rows.values()] == [130, 45, 25]  # wanted were 140, 30, 30
    assert told.code == "time-ties"
    assert "train 130, valid 45, test 25 rows" in told.message


@pytest.mark.parametrize(
    "stamps",
    [
        ["2024-01-05", "2024-01-31T10:00:00+02:00", "2024-02"],
        ["-1.5", "2", "1e3"],
        ["2024-02-01T01:00:00+02:00", "2024-01-31T23:30:00", "2024-01-31T22:00:00-05:00"],  # 23:00, 23:30, 03:00 UTC
    ],
)
def test_times_are_numbers_or_iso_texts(stamps):
    rows, _ = rows_of(
        Split(time="k", valid=0.3, test=0.3), 0, texts(sorted(stamps * 4, key=stamps.index)), np.zeros(12)
    )
    assert [sorted(set(part // 4)) for part in rows.values()] == [[0], [1], [2]]


def test_what_is_no_time_is_an_error_with_its_place():
    with pytest.raises(DataError, match=r"'soon' does not fit") as caught:
        rows_of(Split(time="k"), 0, texts(["2024-01-01"] * 150 + ["soon"] * 50))
    assert str(caught.value.problems[0].place) == "t.csv:152:2"


def test_a_column_names_the_splits_in_any_spelling_or_by_its_labels():
    named = np.repeat(["Train", "val", "TEST"], [120, 40, 40])
    rows, told = rows_of(Split(column="k"), 3, texts(named))
    assert [part[0] for part in rows.values()] == [0, 120, 160]
    assert told == []
    labels = {"train": "0", "valid": "2", "test": "1"}
    other, _ = rows_of(Split(column="k", labels=labels), 0, texts(np.repeat([0, 2, 1], [120, 40, 40])))
    assert [part.tolist() for part in other.values()] == [part.tolist() for part in rows.values()]


def test_without_valid_rows_they_are_drawn_once_for_all_seeds():
    key = texts(np.repeat(["train", "test"], [160, 40]))
    (rows, (told,)), (again, _) = (rows_of(Split(column="k", valid=0.25), seed, key) for seed in (0, 8))
    assert [len(part) for part in rows.values()] == [120, 40, 40]
    assert rows["valid"].tolist() == again["valid"].tolist()
    assert told.code == "valid-drawn"


def test_other_names_and_lacking_splits_are_errors_with_a_cure():
    with pytest.raises(DataError, match="it holds 'a', 'b'") as caught:
        rows_of(Split(column="k"), 0, texts(np.repeat(["a", "b", "test"], [100, 50, 50])))
    assert "data.split.labels" in caught.value.problems[0].cure
    with pytest.raises(DataError, match="has no test row"):
        rows_of(Split(column="k"), 0, texts(["train"] * ROWS))


def test_a_missing_key_is_an_error_with_places():
    key = texts(GROUPS)
    key.values[[3, 9]] = -1
    with pytest.raises(DataError, match=r"missing in 2 of 200 rows \(first at t.csv:5:2, t.csv:11:2\)"):
        rows_of(Split(group="k"), 0, key)


def test_folds_test_every_row_once_per_division_as_stratified_k_fold_does():
    folds = [rows_of(Split(folds=5), seed, stratify=True)[0] for seed in range(10)]
    for division in (folds[:5], folds[5:]):
        assert is_partition({seed: rows["test"] for seed, rows in enumerate(division)})
    oracle = StratifiedKFold(5, shuffle=True, random_state=0).split(np.zeros(ROWS), CLASSES)
    expected = sorted(tuple(sorted(np.bincount(CLASSES[test], minlength=3))) for _, test in oracle)
    found = sorted(tuple(sorted(np.bincount(CLASSES[rows["test"]], minlength=3))) for rows in folds[:5])
    spread = [np.ptp([each[place] for each in found]) for place in range(3)]
    assert max(spread) <= 1 >= max(np.ptp([each[place] for each in expected]) for place in range(3))
    assert folds[0]["test"].tolist() != folds[5]["test"].tolist()
    assert all(is_partition(rows) for rows in folds)
    assert {len(rows["valid"]) for rows in folds} == {30}


def test_folds_of_groups_keep_them_whole_and_are_as_even_as_scikit_learns():
    folds = [rows_of(Split(folds=4, group="k"), seed, texts(GROUPS))[0] for seed in range(4)]
    assert is_partition({seed: rows["test"] for seed, rows in enumerate(folds)})
    for rows in folds:
        assert is_partition(rows)
        assert sum(len(set(GROUPS[part])) for part in rows.values()) == len(set(GROUPS))
    oracle = [len(test) for _, test in GroupKFold(4).split(GROUPS, groups=GROUPS)]
    assert sorted(len(rows["test"]) for rows in folds) == sorted(oracle)


@pytest.mark.parametrize("seed", range(6))
def test_folds_of_groups_are_scikit_learns_for_groups_in_random_order(seed):
    """Row by row. Of groups with equally many rows, `GroupKFold` deals out those with the highest numbers first."""
    sizes = np.random.default_rng(seed).integers(1, 6, 40)
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(40), sizes))
    ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
    number = np.empty(40, dtype=int)
    number[theirs.permutation(40)] = np.arange(40)[::-1]
    place = theirs.permutation(5)
    fold_of = groups_to_folds("k", groups, 5, ours)
    for fold, (_, test) in enumerate(GroupKFold(5).split(groups, groups=number[groups])):
        assert np.flatnonzero(fold_of == place[fold]).tolist() == test.tolist()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"group": "a", "time": "b"}, "group and time are two"),
        ({"repeats": 2}, "leave repeats out"),
        ({"labels": {"train": "x"}}, "leave labels out"),
        ({"folds": 5, "seed": 1}, "leave seed out"),
        ({"time": "t", "stratify": True}, "leave stratify out"),
        ({"folds": 5, "test": 0.3}, "leave test out"),
        ({"folds": 2, "valid": 0.5}, "must leave rows to train on"),
        ({"feature": True}, "leave feature out"),
    ],
)
def test_keys_that_do_not_fit_together_are_refused(wrong, why):
    with pytest.raises(ValidationError, match=why):
        Split(**wrong)


def test_which_splits_are_resampled():
    free = [Split(), Split(group="g"), Split(folds=3), Split(folds=3, group="g")]
    fixed = [Split(seed=0), Split(group="g", seed=3), Split(time="t"), Split(column="c")]
    assert [each.resampled for each in (*free, *fixed)] == [True] * 4 + [False] * 4
    assert [each.kind for each in (*free, *fixed[2:])] == ["random", "group", "folds", "folds", "time", "column"]


def test_the_column_that_splits_is_no_feature_unless_asked():
    time = Column(np.arange(float(ROWS)))
    table = Table("made", {"x": time, "k": time}, {"y": time})
    assert list(set_apart(table, Split(time="k")).features) == ["x"]
    assert list(set_apart(table, Split(time="k", feature=True)).features) == ["x", "k"]
    with pytest.raises(DataError, match="'z' is no column"):
        set_apart(table, Split(group="z"))


def test_sizes_that_differ_are_told_and_averaged():
    block = {"source": "builtin", "name": "iris", "split": {"group": "g"}}
    source = sources.get("builtin").model_validate(block)
    groups = texts(np.repeat(np.arange(12), [40, 20, 20, 15, 10, 10, 8, 7, 6, 6, 4, 4]))
    found = source.read(None)
    table = Table("iris", found.features, found.targets, keys={"g": groups})
    task = tasks.get("multiclass")
    datasets, findings = prepare_all(table, task.decode(table.targets), task, source, [0, 1, 2, 3])
    assert len({len(each.parts["train"].index) for each in datasets.values()}) > 1
    assert "split-sizes" in [finding.code for finding in findings]
    ratios = [each.parts["test"].rows / each.parts["train"].rows for each in datasets.values()]
    assert size_ratios(list(datasets.values()))["test"] == pytest.approx(np.mean(ratios))
