"""Leaks: rows that stand in two splits, features that equal the target, features that nearly do."""

import numpy as np
import pytest

from losscli.data.dataset import Dataset, Part, Table
from losscli.data.leaks import hashed, leaks
from losscli.tasks import Column, Target

ROWS = 240
RNG = np.random.default_rng(0)
CLASSES = RNG.integers(0, 2, ROWS)


def noticed(features, target=CLASSES, has_classes=True, seeds=1, **more):
    columns = {name: each if isinstance(each, Column) else Column(each) for name, each in features.items()}
    table = Table("t", columns, more.get("targets", {"y": Column(np.asarray(target, dtype=float))}))
    datasets = [dataset(seed) for seed in range(seeds)]
    return leaks(table, Target(np.asarray(target), ("0", "1")), datasets, has_classes)


def dataset(seed):
    rows = np.random.default_rng(seed).permutation(ROWS)
    places = dict(zip(("train", "valid", "test"), np.split(rows, [140, 190]), strict=True))
    parts = {name: Part(np.zeros((len(at), 1)), np.zeros(len(at)), index=at) for name, at in places.items()}
    return Dataset("t", seed, parts, Target(CLASSES, ("0", "1")), None, {})


def codes(findings):
    return [found.code for found in findings]


def twins_by_hand(x, y, seed):
    """Pairs of rows, one by one."""
    parts = dataset(seed).parts
    held = [*parts["valid"].index, *parts["test"].index]
    same = [[at for at in parts["train"].index if x[at] == x[row]] for row in held]
    agree = [any(y[at] == y[row] for at in found) for row, found in zip(held, same, strict=True)]
    return len(held), sum(map(bool, same)), sum(agree)


def test_rows_that_stand_in_two_splits_are_counted_with_their_targets():
    x = RNG.normal(size=ROWS)
    x[200:] = x[:40]
    held, twins, agreeing = twins_by_hand(x, CLASSES, 0)
    assert 0 < agreeing < twins
    (found,) = noticed({"x": x, "z": x**2})
    assert found.code == "repeated-rows"
    assert f"{twins} of {held} valid and test rows have the same features" in found.message
    assert f"and {agreeing} of them the same target" in found.message
    mean = np.mean([twins_by_hand(x, CLASSES, seed)[1] for seed in range(3)])
    (over,) = noticed({"x": x}, seeds=3)
    assert mean != round(mean)  # or nothing is rounded
    assert over.message.startswith(f"about {mean:.0f} of {held} valid and test rows (the mean of 3")


def test_rows_that_repeat_within_a_split_are_no_leak():
    x = RNG.normal(size=ROWS)
    first, second = dataset(0).parts["train"].index[:2]
    x[first] = x[second]
    assert noticed({"x": x}) == []


def test_equal_rows_hash_alike_and_others_apart():
    a = np.array([0.0, -0.0, np.nan, np.nan, 1.0, 2.0])
    b = np.array([1, 1, 1, 1, 2, 1], dtype=np.int32)
    rows = hashed([a, b])
    assert (rows[0] == rows[1], rows[2] == rows[3]) == (True, True)
    assert len(set(rows.tolist())) == 4
    grid = np.stack(np.meshgrid(np.arange(300.0), np.arange(300.0))).reshape(2, -1)
    assert len(np.unique(hashed(list(grid)))) == 90_000  # order counts, too: (1, 2) is not (2, 1)


def test_a_feature_that_is_the_target_is_told_and_only_once():
    labels = Column(CLASSES.astype(np.int32), ("no", "yes"))
    swapped = Column((1 - CLASSES).astype(np.int32), ("ja", "nein"))
    found = noticed({"x": RNG.normal(size=ROWS), "alive": swapped}, targets={"survived": labels})
    assert codes(found) == ["leak"]
    assert "'alive' tells the target 'survived' exactly" in found[0].message
    assert codes(noticed({"y2": CLASSES.astype(float)}, seeds=0)) == ["leak"]


def test_a_number_that_orders_two_classes_almost_perfectly_is_told_with_its_auc():
    score = CLASSES * 10 + RNG.normal(size=ROWS)
    (found,) = noticed({"x": RNG.normal(size=ROWS), "score": -score})
    assert found.code == "leak-likely"
    assert "'score' predicts the target almost alone (AUC 1.0000)" in found.message
    assert noticed({"score": CLASSES * 2 + RNG.normal(size=ROWS)}) == []


def test_several_classes_by_intervals_and_by_levels():
    target = RNG.integers(0, 4, ROWS)
    within = target + RNG.uniform(0.1, 0.9, ROWS)
    level = Column((target * 2 + RNG.integers(0, 2, ROWS)).astype(np.int32), tuple("abcdefgh"))
    found = noticed({"x": RNG.normal(size=ROWS), "within": (within * 7) % 28, "level": level}, target)
    assert codes(found) == ["leak-likely", "leak-likely"]
    assert (
        "'within'" in found[0].message
    )  # at each of its 3 borders a neighbour is of another class, which is no mistake
    assert "'level'" in found[1].message
    sizes = np.repeat(np.arange(4), 2000)
    (by_interval,) = noticed_of_size(8000, sizes + RNG.uniform(0.1, 0.9, 8000), sizes)
    assert "kappa 1.0000" in by_interval.message


@pytest.mark.parametrize(
    "made",
    [lambda x: 1.8 * x + 32, lambda x: np.log(x + 99), lambda x: np.round(x, 1), lambda x: -(x**3), lambda x: 1000 * x],
    ids=["fahrenheit", "logarithm", "rounded", "cube", "thousandth"],
)
def test_a_target_that_is_another_scale_of_one_feature_is_told_in_a_small_table_too(made):
    x = RNG.normal(size=150) * 8
    (found,) = noticed_of_size(150, x, made(x), has_classes=False)
    assert found.code == "leak-likely"
    assert "(R2 1.0" in found.message or "(R2 0.999" in found.message
    assert noticed_of_size(150, x + RNG.normal(size=150), made(x), has_classes=False) == []


def test_a_score_that_is_cut_into_grades_is_told_in_a_small_table_too():
    score = RNG.uniform(0, 100, 120)
    grade = np.digitize(score, [40, 60, 80])
    (found,) = noticed_of_size(120, score, grade)
    assert "kappa 1.0000" in found.message
    assert noticed_of_size(120, score + RNG.normal(scale=5, size=120), grade) == []


def noticed_of_size(rows, x, target, has_classes=True):
    table = Table("t", {"x": Column(np.asarray(x, dtype=float))}, {"y": Column(target.astype(float))})
    return leaks(table, Target(target, ("0",)), [], has_classes)


def test_an_id_predicts_nothing_though_each_of_its_levels_is_pure():
    person = Column(np.arange(ROWS, dtype=np.int32), tuple(map(str, range(ROWS))))
    assert noticed({"person": person}) == []


def test_numbers_that_follow_a_curve_of_one_feature():
    x = RNG.uniform(-3, 3, 4000)
    curve = (x**2).astype(np.float32)
    assert "R2 1.0000" in noticed_of_size(4000, x, curve, False)[0].message
    assert noticed_of_size(4000, x, (curve + RNG.normal(size=4000)).astype(np.float32), False) == []
    coarse = np.round(RNG.uniform(0, 60, 4000))  # ties, in a table that is sorted by its target
    target = np.sort(RNG.normal(size=4000)).astype(np.float32)
    assert noticed_of_size(4000, RNG.permutation(coarse), target, False) == []


def test_a_leak_in_the_sample_alone_is_none():
    """More rows than the sample: what the sample says is confirmed on all."""
    target = np.tile([0, 0, 1, 1], 12_500)
    x = target + 0.1 * RNG.random(50_000)
    assert codes(noticed_of_size(50_000, x, target)) == ["leak-likely"]
    x[1::2] = RNG.random(25_000)  # what a sample of every second row does not see
    assert noticed_of_size(50_000, x, target) == []


def test_ties_in_a_table_that_is_sorted_by_its_target_predict_nothing():
    target = np.sort(RNG.integers(0, 3, 8000))
    assert noticed_of_size(8000, RNG.integers(0, 2, 8000), target) == []
