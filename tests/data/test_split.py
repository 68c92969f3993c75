"""Splits: a partition whose sizes the seed does not touch, stratified within one row per class."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.data.sources import Split
from losscli.data.split import split_rows
from losscli.errors import DataError

few = settings(max_examples=40, derandomize=True, deadline=None, database=None)
shares = st.sampled_from([Split(), Split(valid=0.2, test=0.3), Split(valid=0.1, test=0.1)])
classes = st.lists(st.integers(0, 3), min_size=40, max_size=200).map(lambda some: np.array([0, 1, 2, 3] * 2 + some))


@few
@given(classes, shares, st.integers(0, 2**32 - 1), st.booleans())
def test_a_split_is_a_partition_in_order(target, split, seed, stratify):
    rows = split_rows(target, split, seed, stratify)
    assert list(rows) == ["train", "valid", "test"]
    assert sorted(np.concatenate(list(rows.values())).tolist()) == list(range(len(target)))
    assert all((np.diff(part) > 0).all() for part in rows.values())


@few
@given(classes, shares)
def test_sizes_and_class_counts_are_the_same_for_every_seed(target, split):
    counts = [
        {name: np.bincount(target[part], minlength=4).tolist() for name, part in rows.items()}
        for rows in (split_rows(target, split, seed, True) for seed in range(3))
    ]
    assert counts[0] == counts[1] == counts[2]


@few
@given(classes, shares)
def test_a_stratified_class_has_its_share_within_one_row(target, split):
    rows = split_rows(target, split, 0, True)
    of = np.bincount(target, minlength=4)
    for name in ("valid", "test"):
        quota = of * len(rows[name]) / len(target)
        assert (np.abs(np.bincount(target[rows[name]], minlength=4) - quota) < 1).all()


def test_shares_by_hand():
    rows = split_rows(np.arange(100), Split(valid=0.2, test=0.3), 7, False)
    assert [len(rows[name]) for name in ("train", "valid", "test")] == [50, 20, 30]


def test_seeds_draw_different_rows_and_the_same_seed_the_same():
    target = np.array([0, 1] * 50)
    first, again, other = (split_rows(target, Split(), seed, True)["test"] for seed in (0, 0, 1))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_a_class_of_two_keeps_a_row_to_train_on():
    target = np.array([0] * 8 + [1] * 2)
    for seed in range(5):
        assert 1 in target[split_rows(target, Split(valid=0.4, test=0.4), seed, True)["train"]]


def test_multilabel_targets_split_at_random():
    rows = split_rows(np.zeros((40, 3), dtype=np.float32), Split(), 0, False)
    assert [len(part) for part in rows.values()] == [28, 6, 6]


def test_a_class_of_one_row_is_named():
    with pytest.raises(DataError, match="'rare' has 1 row"):
        split_rows(np.array([0] * 30 + [1]), Split(), 0, True, labels=("common", "rare"))


def test_a_split_of_one_row_is_refused():
    with pytest.raises(DataError, match="9 rows would make train 7, valid 1, test 1"):
        split_rows(np.arange(9), Split(valid=0.1, test=0.1), 0, False)


def test_shares_must_leave_rows_to_train_on():
    with pytest.raises(ValueError, match="must leave rows to train on"):
        Split(valid=0.5, test=0.5)
