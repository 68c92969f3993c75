"""From a table to a dataset: what a run trains on comes from its training rows alone."""

import numpy as np
import pytest

from losscli.data.dataset import Table
from losscli.data.prepare import classes_that_lack, constant_in_some, prepare
from losscli.data.sources import Split
from losscli.errors import DataError
from losscli.tasks import Column, Target, TargetScale, tasks

ROWS = 120


class Classes:
    has_target = True
    has_classes = True
    rows_have_one_class = True


class Labels:
    has_target = True
    has_classes = True
    rows_have_one_class = False


class Numbers:
    has_target = True
    has_classes = False
    rows_have_one_class = False


def table(**features) -> Table:
    x = Column(np.random.default_rng(0).normal(size=ROWS))
    return Table("made", {"x": x, **features}, {"y": Column(np.zeros(ROWS))})


def classes(count=3) -> Target:
    return Target(np.arange(ROWS) % count, tuple("abc"[:count]))


def test_classes_are_stratified_and_left_as_they_are():
    dataset = prepare(table(), classes(), Classes(), Split(), seed=5)
    assert {name: np.bincount(part.target).tolist() for name, part in dataset.parts.items()} == {
        "train": [28, 28, 28],
        "valid": [6, 6, 6],
        "test": [6, 6, 6],
    }
    assert (dataset.name, dataset.seed, dataset.features, dataset.scale) == ("made", 5, 1, None)
    assert dataset.parts["train"].features.dtype == np.float32
    assert dataset.parts["train"].target.dtype == np.int64


def test_features_of_the_training_split_are_standardised():
    train = prepare(table(), classes(), Classes(), Split(), seed=0).parts["train"].features
    np.testing.assert_allclose([train.mean(), train.std()], [0, 1], atol=1e-6)


@pytest.mark.parametrize("outputs", [(), (2,)])
def test_a_regression_target_is_standardised_by_its_training_rows(outputs):
    values = np.random.default_rng(1).normal(50.0, 9.0, (ROWS, *outputs)).astype(np.float32)
    dataset = prepare(table(), Target(values, ("y",)), Numbers(), Split(), seed=0)
    train = dataset.parts["train"].target
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(axis=0), 1, rtol=1e-6)
    assert train.shape[1:] == dataset.parts["test"].target.shape[1:] == outputs
    assert train.dtype == np.float32
    scale = dataset.scale if outputs else TargetScale(dataset.scale.center[0], dataset.scale.scale[0])
    back = np.concatenate([part.target * scale.scale + scale.center for part in dataset.parts.values()])
    np.testing.assert_allclose(np.sort(back, axis=0), np.sort(values, axis=0), rtol=1e-5)


def test_a_fixed_split_seed_takes_the_place_of_the_runs():
    fixed = [prepare(table(), classes(), Classes(), Split(seed=9), seed) for seed in (0, 1)]
    assert [dataset.seed for dataset in fixed] == [9, 9]
    np.testing.assert_array_equal(fixed[0].parts["test"].features, fixed[1].parts["test"].features)
    free = [prepare(table(), classes(), Classes(), Split(), seed).parts["test"].features for seed in (0, 1)]
    assert not np.array_equal(*free)


def test_multilabel_targets_are_not_stratified():
    values = np.zeros((ROWS, 2), dtype=np.float32)
    values[0] = 1.0  # a combination of one row would stop a stratified split
    parts = prepare(table(), Target(values, ("p", "q")), Labels(), Split(), seed=0).parts
    assert sum(part.target.sum() for part in parts.values()) == 2


def test_one_class_in_the_training_split_is_an_error():
    values = np.zeros(ROWS, dtype=np.int64)
    with pytest.raises(DataError, match="one class only: 'a'"):
        prepare(table(), Target(values, ("a", "b")), Classes(), Split(stratify=False), seed=0)


def test_findings_are_the_same_for_every_seed():
    holes = np.random.default_rng(2).normal(size=ROWS)
    holes[::10] = np.nan
    codes = np.where(np.arange(ROWS) % 7, np.arange(ROWS) % 2, -1).astype(np.int32)
    made = table(age=Column(holes), deck=Column(codes, ("A", "B")), one=Column(np.ones(ROWS)))
    first, other = (prepare(made, classes(), Classes(), Split(), seed).findings for seed in (0, 1))
    assert first == other
    assert [found.code for found in first] == ["missing-values", "constant-feature"]
    assert "'age' in 12, 'deck' in 18 of" in first[0].message
    assert "'one'" in first[1].message


def test_features_constant_in_some_training_splits_are_one_finding():
    rare = {name: Column((np.arange(ROWS) == row).astype(float)) for name, row in (("r", 3), ("s", 40), ("t", 77))}
    made = table(one=Column(np.ones(ROWS)), **rare)
    datasets = [prepare(made, classes(), Classes(), Split(), seed) for seed in range(12)]
    (finding,) = constant_in_some(made, datasets)
    without = [str(each.seed) for each in datasets if set(rare) & set(each.encoder["constant"])]
    assert 2 < len(without) <= 8
    assert finding.message.startswith(
        f"3 features are constant in the training splits of seeds {', '.join(without)}, and"
    )
    assert "'one'" not in finding.message
    assert constant_in_some(table(one=Column(np.ones(ROWS))), datasets[:1]) == []
    told = {found for dataset in datasets for found in dataset.findings}
    assert len(told) == 1  # the same for every seed


def lacking(task, target, seeds=3, **split):
    """What is told of the splits of so many seeds, and the values that each test split holds."""
    how = Split(stratify=False, **split)
    datasets = {seed: prepare(table(), target, tasks.get(task), how, seed=seed) for seed in range(seeds)}
    tests = [np.unique(target.values[each.parts["test"].index], axis=0) for each in datasets.values()]
    return classes_that_lack(tasks.get(task), target, datasets), tests


def test_a_class_that_a_split_lacks_is_told_once_with_the_seeds():
    rare = Target((np.arange(ROWS) < 4).astype(np.float32), ("no", "yes"))
    found, tests = lacking("binary", rare, seeds=6)
    seeds = [str(seed) for seed, there in enumerate(tests) if len(there) < 2]
    assert 0 < len(seeds) < 6
    (told,) = [each for each in found if each.message.startswith("the test split")]
    assert told.message.startswith(f"the test split has no rows of the class 'yes' with {len(seeds)} of 6 seeds (")
    assert f"({', '.join(seeds)})" in told.message
    assert "auroc" in told.message


def test_a_label_without_positive_rows_and_a_class_without_any_are_told():
    labels = np.zeros((ROWS, 2), dtype=np.float32)
    labels[:, 0], labels[0, 1] = np.arange(ROWS) % 2, 1
    found, _ = lacking("multilabel", Target(labels, ("often", "once")))
    assert found
    assert all("no positive rows of the label 'once'" in each.message for each in found)
    assert lacking("multiclass", Target(np.arange(ROWS) % 3, ("a", "b", "c")))[0] == []
    codes = np.where(np.arange(ROWS) == 0, 1, 0) + 2 * (np.arange(ROWS) % 2)  # class 1 has one row; none are of class 3
    found, _ = lacking("multiclass", Target(codes, ("a", "b", "c", "never")))
    assert found
    assert all("no rows of the class 'b'" in each.message and "never" not in each.message for each in found)
