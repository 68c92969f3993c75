"""The encoder against scikit-learn's, by hand at the edges, and blind to all rows but the training ones."""

import json
import warnings

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from losscli.data.decode import target_scale
from losscli.data.encode import Encoder, center_and_scale
from losscli.errors import DataError
from losscli.tasks import Column

ALL = np.arange(200)
TRAIN = np.arange(0, 200, 2)


def numbers(holes: bool = False) -> Column:
    values = np.random.default_rng(0).normal(3.0, 50.0, 200)
    if holes:
        values[[3, 4, 90, 151]] = np.nan
    return Column(values)


def colours(*codes: int) -> Column:
    return Column(np.array(codes, dtype=np.int32), ("blue", "green", "red"))


@pytest.mark.parametrize("holes", [False, True])
def test_numbers_are_what_scikit_learn_makes_of_them(holes):
    column = numbers(holes)
    oracle = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(column.values[TRAIN, None])
    encoded = Encoder.fit({"x": column}, TRAIN).transform({"x": column}, ALL)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded, oracle.transform(column.values[:, None]), rtol=1e-6, atol=1e-7)


def test_categories_are_what_scikit_learn_makes_of_them():
    codes = np.random.default_rng(1).integers(0, 3, 200).astype(np.int32)
    column = colours(*codes)
    texts = np.array(column.levels)[codes][:, None]
    oracle = OneHotEncoder(sparse_output=False, handle_unknown="ignore").fit(texts[TRAIN])
    encoded = Encoder.fit({"c": column}, TRAIN).transform({"c": column}, ALL)
    np.testing.assert_array_equal(encoded, oracle.transform(texts))


def test_missing_is_a_level_only_where_training_has_it():
    train = np.array([0, 1, 2])
    seen = Encoder.fit({"c": colours(0, 2, -1, 1)}, train)
    assert seen.names() == ["c=blue", "c=red", "c is missing"]
    assert seen.transform({"c": colours(0, 2, -1, 1)}, np.arange(4)).tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 0],  # green: training lacks it
    ]
    unseen = Encoder.fit({"c": colours(0, 2, 2, -1)}, train)
    assert unseen.names() == ["c=blue", "c=red"]
    assert unseen.transform({"c": colours(0, 2, 2, -1)}, np.array([3])).tolist() == [[0, 0]]


def test_levels_are_found_by_text_in_a_new_table():
    encoder = Encoder.fit({"c": colours(0, 1, 2)}, np.arange(3))
    new = Column(np.array([0, 1], dtype=np.int32), ("red", "violet"))
    assert encoder.transform({"c": new}, np.arange(2)).tolist() == [[0, 0, 1], [0, 0, 0]]


def test_other_rows_teach_nothing():
    features = {"x": numbers(holes=True), "c": colours(*[0, 1] * 100)}
    changed = {
        "x": Column(features["x"].values.copy()),
        "c": Column(features["c"].values.copy(), ("blue", "green", "red")),
    }
    held_out = np.setdiff1d(ALL, TRAIN[:50])
    changed["x"].values[held_out] = 1e30
    changed["c"].values[held_out] = 2
    before, after = (Encoder.fit(table, TRAIN[:50]).state() for table in (features, {**changed}))
    assert before == after


def test_the_state_is_json_and_enough():
    features = {"x": numbers(holes=True), "c": colours(*[0, 1, -1, 2] * 50), "k": Column(np.ones(200))}
    encoder = Encoder.fit(features, TRAIN)
    state = json.loads(json.dumps(encoder.state(), allow_nan=False))
    again = Encoder.from_state(state)
    assert again == encoder
    np.testing.assert_array_equal(again.transform(features, ALL), encoder.transform(features, ALL))


def test_constant_features_are_left_out_and_named():
    features = {"x": numbers(), "one": Column(np.full(200, 0.1)), "none": Column(np.full(200, np.nan))}
    encoder = Encoder.fit({**features, "c": colours(*[1] * 200)}, TRAIN)
    assert (encoder.constant, encoder.width) == (("one", "none", "c"), 1)


def test_nothing_that_varies_is_an_error():
    with pytest.raises(DataError, match="no feature varies"):
        Encoder.fit({"one": Column(np.ones(10))}, np.arange(10))
    with pytest.raises(DataError, match="no feature column besides the target"):
        Encoder.fit({}, np.arange(10))


@pytest.mark.parametrize("size", [1e-300, 1e38, 1e300])
def test_extreme_magnitudes_neither_overflow_nor_vanish(size):
    column = Column(np.array([-1.0, 1.0, 3.0, 1.0]) * size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoded = Encoder.fit({"x": column}, np.arange(4)).transform({"x": column}, np.arange(4))
    np.testing.assert_allclose(encoded[:, 0], np.array([-2, 0, 2, 0]) / np.sqrt(2), rtol=1e-6, atol=1e-7)


def test_a_value_far_outside_training_stays_finite():
    column = Column(np.array([0.0, 1.0, 1e300]))
    assert np.isfinite(Encoder.fit({"x": column}, np.arange(2)).transform({"x": column}, np.arange(3))).all()


def test_a_column_that_is_not_there_is_named():
    encoder = Encoder.fit({"x": numbers()}, TRAIN)
    with pytest.raises(DataError, match="lacks columns that the model needs: 'x'"):
        encoder.transform({"z": numbers()}, ALL)
    with pytest.raises(DataError, match="must hold numbers"):
        encoder.transform({"x": colours(*[0] * 200)}, ALL)


def test_the_target_scale_by_hand():
    scale = target_scale(np.array([[1.0, 5.0], [3.0, 5.0]], dtype=np.float32))
    assert (scale.center.tolist(), scale.scale.tolist()) == ([2.0, 5.0], [1.0, 1.0])  # the second one is constant
    single = target_scale(np.array([0.0, 10.0], dtype=np.float32))
    assert (single.center.tolist(), single.scale.tolist()) == ([5.0], [5.0])


def test_center_and_scale_agree_with_numpy():
    values = np.random.default_rng(2).normal(size=(50, 3))
    center, scale = center_and_scale(values)
    np.testing.assert_allclose(center, values.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scale, values.std(axis=0), rtol=1e-12)
