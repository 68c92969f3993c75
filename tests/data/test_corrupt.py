"""Damage on purpose: exact counts, the training split only, the same for a seed, more of it at a higher level."""

import numpy as np
import pytest
from pydantic import ValidationError

from losscli.data.corrupt import Corruption, corrupt, damage_findings
from losscli.data.dataset import Table
from losscli.data.prepare import prepare
from losscli.data.sources import Split
from losscli.errors import DataError, SpecError
from losscli.tasks import Column, Target, tasks

ROWS = np.arange(0, 400, 2)  # every other row of the table is a training row
CLASSES = np.repeat([0, 1, 2], [240, 120, 40])[np.random.default_rng(0).permutation(400)]
NUMBERS = np.random.default_rng(1).normal(5.0, 2.0, 400).astype(np.float32)
FEATURES = {
    "x": Column(np.random.default_rng(2).normal(3.0, 0.5, 400)),
    "c": Column(np.random.default_rng(3).integers(0, 3, 400).astype(np.int32), ("p", "q", "r")),
}


def damaged(values=CLASSES, task="multiclass", seed=0, **how):
    target = Target(values, ("a", "b", "c")[: max(2, int(values.max()) + 1)] if task != "regression" else ("y",))
    return corrupt(FEATURES, target, ROWS, Corruption(**how), seed, tasks.get(task))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 1.0])
def test_symmetric_flips_are_as_many_as_said_and_go_everywhere_alike(share):
    found = damaged(labels=share)
    changed = found.values != CLASSES[ROWS]
    assert changed.sum() == round(share * 200)
    if share:
        assert found.flipped.tolist() == changed.tolist()
        assert found.clean.tolist() == CLASSES[ROWS].tolist()
        assert found.done == {"labels": (round(share * 200), 200)}
    else:
        assert (found.clean, found.flipped, found.done) == (None, None, {})
    if share == 1:
        went = np.bincount(3 * found.clean + found.values, minlength=9).reshape(3, 3)
        assert np.diag(went).tolist() == [0, 0, 0]
        assert (np.abs(went[0, 1:] - went[0, 1:].mean()) < 25).all()


def test_a_seed_draws_the_same_and_a_higher_level_more_of_it():
    low, again, high, other = (
        damaged(labels=share, seed=seed) for share, seed in ((0.1, 4), (0.1, 4), (0.3, 4), (0.1, 5))
    )
    assert low.values.tolist() == again.values.tolist()
    assert low.values.tolist() != other.values.tolist()
    assert (high.values[low.flipped] == low.values[low.flipped]).all()
    assert high.flipped.sum() == 3 * low.flipped.sum()


def test_class_dependent_flips_by_name_and_by_matrix():
    by_name = damaged(labels={"a": {"b": 0.5, "c": 0.25}, "b": {"a": 0.1}})
    matrix = [[0.25, 0.5, 0.25], [0.1, 0.9, 0.0], [0.0, 0.0, 1.0]]
    by_matrix = damaged(labels=matrix)
    assert by_name.values.tolist() == by_matrix.values.tolist()
    of = np.bincount(by_name.clean, minlength=3)
    went = np.bincount(3 * by_name.clean + by_name.values, minlength=9).reshape(3, 3)
    np.testing.assert_allclose(went, np.array(matrix) * of[:, None], atol=1)
    with pytest.raises(DataError, match="no class 'd'") as caught:
        damaged(labels={"a": {"d": 0.5}})
    assert "'a'" in caught.value.problems[0].cure or "a, b, c" in caught.value.problems[0].cure
    with pytest.raises(DataError, match="has 2 rows, and the target has 3 classes"):
        damaged(labels=[[1.0, 0.0], [0.0, 1.0]])


def test_multilabel_flips_single_cells():
    cells = (np.random.default_rng(5).random((400, 4)) < 0.3).astype(np.float32)
    found = damaged(cells, "multilabel", labels=0.1)
    assert (found.values != cells[ROWS]).sum() == 80
    assert set(np.unique(found.values)) == {0.0, 1.0}
    assert found.flipped.tolist() == (found.values != cells[ROWS]).any(axis=1).tolist()


def test_imbalance_takes_rows_of_the_rarest_class_and_leaves_one():
    before = np.bincount(CLASSES[ROWS])
    found = damaged(imbalance=0.75)
    after = np.bincount(found.values)
    assert after.tolist() == [before[0], before[1], before[2] - round(0.75 * before[2])]
    assert set(found.rows) < set(ROWS)
    assert found.values.tolist() == CLASSES[found.rows].tolist()
    assert found.features["x"].values.tolist() == FEATURES["x"].values[found.rows].tolist()
    assert np.bincount(damaged(imbalance=0.999).values)[2] == 1
    even = np.tile([0, 1], 200)
    uneven = np.bincount(
        corrupt(
            FEATURES, Target(even, ("n", "y")), np.arange(400), Corruption(imbalance=0.5), 0, tasks.get("binary")
        ).values.astype(int)
    )
    assert uneven.tolist() == [200, 100]  # of equals it is the last, the positive one


def test_outliers_are_so_many_sd_away_and_counts_stay_counts():
    found = damaged(NUMBERS - 10, "regression", target_outliers=0.1, outlier_size=6.0)
    moved = found.values - found.clean
    assert (moved != 0).sum() == 20 == found.flipped.sum()
    np.testing.assert_allclose(np.abs(moved[found.flipped]), 6 * found.clean.std(), rtol=1e-5)
    assert len(set(np.sign(moved[found.flipped]))) == 2
    counts = np.random.default_rng(6).poisson(3.0, 400).astype(np.float32)
    higher = damaged(counts, "regression", target_outliers=0.2)
    assert (higher.values >= higher.clean).all()
    assert (higher.values == np.rint(higher.values)).all()


def test_noise_is_in_units_of_the_features_own_sd_and_spares_categories():
    found = damaged(feature_noise=0.5)
    added = found.features["x"].values - FEATURES["x"].values[ROWS]
    assert added.std() == pytest.approx(0.5 * FEATURES["x"].values[ROWS].std(), rel=0.15)
    assert found.features["c"].values.tolist() == FEATURES["c"].values[ROWS].tolist()
    twice = damaged(feature_noise=1.0).features["x"].values - FEATURES["x"].values[ROWS]
    np.testing.assert_allclose(twice, 2 * added)
    assert found.clean is None


def test_noise_of_any_size_leaves_numbers():
    (values,) = (column.values for name, column in damaged(feature_noise=1.7e308).features.items() if name == "x")
    assert np.isfinite(values).all()
    assert np.abs(values).max() > 1e307


def test_missing_empties_the_share_of_each_column():
    low, high = damaged(missing=0.2), damaged(missing=0.4)
    for name, column in low.features.items():
        assert column.missing.sum() == 40
        assert (high.features[name].missing | ~column.missing).all()
    assert not any(column.missing.any() for column in FEATURES.values())
    assert low.done == {"missing": (80, 400)}


def test_of_every_column_one_value_is_left():
    for column in damaged(missing=0.999).features.values():  # 199.8 of 200 cells
        assert (~column.missing).sum() == 1


@pytest.mark.parametrize("how", [{"feature_noise": 2.0}, {"missing": 0.5}])
def test_what_is_measured_on_keeps_its_features(how):
    """However training features were scaled and filled in, those of valid and test are the table's, on a straight line."""
    table = Table("t", FEATURES, {"y": Column(NUMBERS.astype(np.float64))})
    made = prepare(table, Target(NUMBERS, ("y",)), tasks.get("regression"), Split(), 3, Corruption(**how))
    for name in ("valid", "test"):
        part = made.parts[name]
        line = np.corrcoef(part.features[:, 0], FEATURES["x"].values[part.index])[0, 1]
        assert line == pytest.approx(1, abs=1e-6)
        assert part.features[:, 1:4].argmax(axis=1).tolist() == FEATURES["c"].values[part.index].tolist()


def test_only_training_rows_are_touched_and_the_scale_is_that_of_what_is_seen():
    table = Table("t", FEATURES, {"y": Column(NUMBERS.astype(np.float64))})
    task, target = tasks.get("regression"), Target(NUMBERS, ("y",))
    how = Corruption(target_outliers=0.2, feature_noise=0.5, missing=0.1)
    clean, ill = (prepare(table, target, task, Split(), 3, each) for each in (None, how))
    for name in ("valid", "test"):
        assert clean.parts[name].index.tolist() == ill.parts[name].index.tolist()
        units = ill.parts[name].target * ill.scale.scale[0] + ill.scale.center[0]
        np.testing.assert_allclose(units, NUMBERS[ill.parts[name].index], rtol=1e-4)
    train = ill.parts["train"]
    np.testing.assert_allclose([train.target.mean(), train.target.std()], [0, 1], atol=1e-5)
    assert (train.target != train.clean).tolist() == train.flipped.tolist()
    assert clean.parts["train"].flipped is None


def test_what_was_done_is_told_with_counts():
    damages = [{"labels": (20, 200), "missing": (5, 50)}, {"labels": (22, 220), "missing": (5, 50)}]
    (finding,) = damage_findings(Corruption(labels=0.1, missing=0.1), damages)
    assert finding.code == "corrupted"
    assert "20 to 22 of 200 to 220 training labels were changed; 5 of 50 training cells were emptied" in finding.message
    assert damage_findings(Corruption(), [{}]) == []


@pytest.mark.parametrize(
    ("task", "how", "kind"),
    [
        ("regression", {"labels": 0.1}, "labels"),
        ("regression", {"imbalance": 0.1}, "imbalance"),
        ("binary", {"target_outliers": 0.1}, "target_outliers"),
        ("multilabel", {"imbalance": 0.5}, "imbalance"),
        ("multilabel", {"labels": {"a": {"b": 0.1}}}, "labels"),
    ],
)
def test_damage_that_a_task_cannot_take_is_refused(task, how, kind):
    assert list(Corruption(**how).unfit_for(tasks.get(task))) == [kind]
    with pytest.raises(SpecError, match=kind):
        damaged(NUMBERS if task == "regression" else CLASSES, task, **how)


def test_rows_with_a_share_of_each_class_have_no_label_to_flip():
    soft = np.full((400, 3), 1 / 3, dtype=np.float32)
    task = tasks.get("multiclass")
    with pytest.raises(SpecError, match="a share of each class"):
        corrupt(FEATURES, Target(soft, ("a", "b", "c")), ROWS, Corruption(labels=0.1), 0, task)


def test_levels_begin_at_none_and_only_one_kind_varies():
    levels = Corruption(missing=[0.4, 0.1], labels=0.2).levels()
    assert [(each.missing, each.labels) for each in levels] == [(0.0, 0.2), (0.1, 0.2), (0.4, 0.2)]
    assert Corruption(labels=0.2).levels() == [Corruption(labels=0.2)]
    with pytest.raises(ValidationError, match="labels and missing have one each"):
        Corruption(labels=[0.1], missing=[0.1])
    with pytest.raises(ValidationError, match="each row must add up to 1"):
        Corruption(labels=[[0.5, 0.4], [0.0, 1.0]])
    with pytest.raises(ValidationError, match=r"1.1 of 'a' would change"):
        Corruption(labels={"a": {"b": 0.6, "c": 0.5}})


def test_a_column_that_has_holes_already_keeps_a_value():
    values = np.where(np.arange(10) < 2, 1.0, np.nan)
    for seed in range(20):
        column = {"x": Column(values), "full": Column(np.arange(10.0))}
        rows = np.arange(10)
        target = Target(np.arange(10, dtype=np.float32), ("y",))
        found = corrupt(column, target, rows, Corruption(missing=0.9), seed, tasks.get("regression"))
        assert not np.isnan(found.features["x"].values).all()
        assert np.isnan(found.features["full"].values).sum() == 9


@pytest.mark.parametrize("how", [{"labels": 0.25}, {"imbalance": 0.5}, {"labels": {"no": {"yes": 0.5}}}])
def test_both_halves_of_a_pair_are_damaged_alike(how):
    same = np.repeat(np.random.default_rng(5).random(200) < 0.4, 2).astype(np.int64)
    rows = (np.arange(0, 400, 4)[:, None] + np.arange(2)).reshape(-1)  # every other pair
    target = Target(same, ("no", "yes"), paired=True)
    done = corrupt(FEATURES, target, rows, Corruption(**how), 0, tasks.get("embedding"))
    assert (done.rows[::2] % 2 == 0).all()
    assert (done.rows[::2] + 1 == done.rows[1::2]).all()
    assert done.values[::2].tolist() == done.values[1::2].tolist()
    alone = Target(same[::2], ("no", "yes"))
    features = {name: Column(column.values[::2], column.levels) for name, column in FEATURES.items()}
    pairs = corrupt(features, alone, rows[::2] // 2, Corruption(**how), 0, tasks.get("binary"))
    assert done.rows[::2].tolist() == (2 * pairs.rows).tolist()
    assert done.values[::2].tolist() == pairs.values.tolist()
    assert done.done == {kind: (2 * count, 2 * of) for kind, (count, of) in pairs.done.items()}
