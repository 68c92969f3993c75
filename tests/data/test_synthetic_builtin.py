"""Synthetic and bundled tables: scikit-learn's own, under its own names, fixed by their seed."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn import datasets

from losscli.data.sources import sources
from losscli.data.sources.builtin import TASKS
from losscli.data.sources.synthetic import GENERATORS
from losscli.errors import SpecError
from losscli.tasks import tasks


def synthetic(name, **options):
    return sources.get("synthetic")(name=name, **options)


OWN = {name: made for task in tasks for name, made in task.generators.items() if made is not None}


def test_a_generator_of_a_task_s_own_gives_its_table():
    assert "mixtures" in OWN
    for name, made in OWN.items():
        table = synthetic(name, n_samples=60, generator_seed=3).read(Path())
        features, target = made(n_samples=60, random_state=3)
        np.testing.assert_array_equal(np.stack([column.values for column in table.features.values()], axis=1), features)
        held = np.stack([column.values for column in table.targets.values()], axis=-1)
        np.testing.assert_array_equal(held.squeeze(), target)


@pytest.mark.parametrize("name", [name for name in GENERATORS if name not in OWN])
def test_every_generator_gives_scikit_learns_table(name):
    table = synthetic(name, n_samples=60, generator_seed=3).read(Path())
    features, target = getattr(datasets, f"make_{name}")(n_samples=60, random_state=3)
    np.testing.assert_array_equal(np.stack([column.values for column in table.features.values()], axis=1), features)
    columns = list(table.targets.values())
    if columns[0].levels is None:
        np.testing.assert_array_equal(np.stack([column.values for column in columns], axis=-1).squeeze(), target)
    else:
        assert [columns[0].levels[code] for code in columns[0].values] == [str(int(each)) for each in target]
    assert (table.name, table.rows) == (name, 60)


def test_columns_have_plain_names():
    table = synthetic("multilabel_classification", n_features=3, n_classes=2).read(Path())
    assert (list(table.features), list(table.targets)) == (["x1", "x2", "x3"], ["y1", "y2"])


def test_the_table_is_fixed_and_the_seed_changes_it():
    first, again, other = (synthetic("moons", noise=0.1, generator_seed=seed).read(Path()) for seed in (0, 0, 1))
    assert first.features["x1"].values.tolist() == again.features["x1"].values.tolist()
    assert first.features["x1"].values.tolist() != other.features["x1"].values.tolist()


@pytest.mark.parametrize(
    ("options", "key", "says"),
    [
        ({"name": "moon"}, "name", "did you mean moons?"),
        ({"name": "moons", "nois": 0.1}, "nois", "did you mean noise?"),
        ({"name": "moons", "a{b}": 1}, "a{b}", "no option"),
        ({"name": "moons", "random_state": 1}, "random_state", "data.generator_seed"),
        ({"name": "regression", "coef": True}, "coef", "no option"),
        ({"name": "moons", "noise": "much"}, "noise", "expected a number"),
        ({"name": "moons", "noise": float("inf")}, "noise", "expected a number"),
        ({"name": "moons", "noise": -0.5}, "noise", "expected >= 0, got -0.5"),
        ({"name": "moons", "n_samples": 10**11}, "n_samples", "at most 100000000 rows of 2 numbers"),
        ({"name": "regression", "n_samples": 10**6, "n_features": 1000}, "n_samples", "at most 199800 rows of 1001"),
        ({"name": "moons", "shuffle": 1}, "shuffle", "expected true or false"),
        ({"name": "classification", "n_classes": 2.0}, "n_classes", "expected a whole number"),
        ({"name": "classification", "n_classes": True}, "n_classes", "expected a whole number"),
        ({"name": "classification", "class_sep": [1.0]}, "class_sep", "expected a number"),
        ({"name": "classification", "weights": ["a"]}, "weights", "list of numbers"),
        ({"name": "regression", "imbalance": 0.1}, "imbalance", "one class per row"),
        ({"name": "friedman1", "label_noise": 0.1}, "label_noise", "needs classes"),
    ],
)
def test_a_wrong_option_is_refused_at_its_key(options, key, says):
    with pytest.raises(ValidationError) as refused:
        sources.get("synthetic")(**options)
    problem = refused.value.errors()[0]
    assert problem["loc"] == (key,)
    assert says in problem["msg"]


def test_options_that_do_not_go_together_are_a_spec_error():
    with pytest.raises(SpecError, match="the generator classification does not accept its options: n_classes"):
        synthetic("classification", n_classes=10).read(Path())
    with pytest.raises(SpecError, match=r"data\.factor: expected a float in the range \[0\.0, 1\.0\), got 2"):
        synthetic("circles", factor=2).read(Path())


def test_options_are_kept_in_the_resolved_spec():
    dumped = synthetic("classification", n_classes=3, n_informative=4, weights=[0.5, 0.3]).model_dump()
    again = sources.get("synthetic").model_validate(dumped)
    assert dumped["weights"] == [0.5, 0.3]
    assert (
        again.read(Path()).features["x2"].values.tolist()
        == synthetic("classification", n_classes=3, n_informative=4, weights=[0.5, 0.3])
        .read(Path())
        .features["x2"]
        .values.tolist()
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_imbalance_is_the_share_of_the_last_class(classes):
    table = synthetic("blobs", centers=classes, imbalance=0.1).read(Path())
    counts = np.bincount(table.targets["y"].values)
    assert counts[-1] / counts.sum() == pytest.approx(0.1, abs=1e-3)
    assert (
        counts[:-1].tolist() == np.bincount(datasets.make_blobs(1000, centers=classes, random_state=0)[1])[:-1].tolist()
    )
    with pytest.raises(SpecError, match="cannot be reached by dropping rows"):
        synthetic("blobs", centers=4, imbalance=0.4).read(Path())


@pytest.mark.parametrize("name", ["moons", "blobs", "multilabel_classification"])
def test_label_noise_changes_that_share_of_the_labels(name):
    clean, noisy = (synthetic(name, label_noise=share).read(Path()) for share in (None, 0.2))
    changed = np.stack([clean.targets[key].values != noisy.targets[key].values for key in clean.targets])
    assert changed.mean() == pytest.approx(0.2, abs=1e-9)


def test_feature_noise_is_in_units_of_each_feature():
    clean, noisy = (synthetic("friedman2", n_samples=5000, feature_noise=size).read(Path()) for size in (0.0, 0.5))
    for key, column in clean.features.items():
        noise = noisy.features[key].values - column.values
        assert noise.std() / column.values.std() == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(
    ("name", "options", "task"),
    [
        ("moons", {}, "binary"),
        ("classification", {}, "binary"),
        ("classification", {"n_classes": 3}, "multiclass"),
        ("blobs", {}, "multiclass"),
        ("blobs", {"centers": 2}, "binary"),
        ("blobs", {"centers": [[0, 0], [1, 1]]}, "binary"),
        ("gaussian_quantiles", {}, "multiclass"),
        ("multilabel_classification", {}, "multilabel"),
        ("s_curve", {}, "regression"),
    ],
)
def test_a_generator_tells_its_task(name, options, task):
    assert synthetic(name, **options).natural_task() == task


@pytest.mark.parametrize("name", TASKS)
def test_bundled_sets_come_with_their_names_and_values(name):
    builtin = sources.get("builtin")(name=name)
    table = builtin.read(Path())
    bunch = getattr(datasets, f"load_{name}")()
    assert list(table.features) == [str(each) for each in bunch.feature_names]
    np.testing.assert_array_equal(np.stack([column.values for column in table.features.values()], axis=1), bunch.data)
    levels = next(iter(table.targets.values())).levels
    assert (levels is None) == (builtin.natural_task() == "regression")
    if levels is not None:
        assert levels == tuple(str(each) for each in bunch.target_names)
        assert (len(levels) == 2) == (builtin.natural_task() == "binary")
    values = np.stack([column.values for column in table.targets.values()], axis=-1).squeeze()
    np.testing.assert_array_equal(values, bunch.target)


def test_the_names_in_the_spec_are_the_ones_with_a_task():
    field = sources.get("builtin").model_fields["name"].annotation
    assert set(get_args(field)) == set(TASKS)
