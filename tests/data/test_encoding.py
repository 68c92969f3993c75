"""Every option of `data.encode` against scikit-learn's, by hand where it has none, and back from JSON."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, RobustScaler, StandardScaler

from losscli.data.encode import Encoder
from losscli.data.encoding import Encoding
from losscli.errors import SpecError
from losscli.spec.load import load_spec
from losscli.tasks import Column

ALL, TRAIN = np.arange(200), np.arange(0, 200, 2)
EVERYTHING = [
    {"numbers": numbers, "categories": categories, "missing": missing, "indicator": indicator}
    for numbers, categories, missing, indicator in product(
        ("standard", "robust", "none"),
        ("one-hot", "embedding"),
        (
            {"numbers": "median", "categories": "level"},
            {"numbers": "mean", "categories": "most-frequent"},
            {"numbers": -7.5, "categories": "constant", "constant": "without"},
        ),
        (False, True),
    )
]


def encoding(**block) -> Encoding:
    return Encoding.model_validate(block)


def numbers() -> Column:
    values = np.random.default_rng(0).gamma(2.0, 30.0, 200)
    values[[3, 4, 90, 152]] = np.nan
    return Column(values)


def colours(holes: bool = True) -> Column:
    codes = np.random.default_rng(1).choice(4, 200, p=[0.2, 0.5, 0.2, 0.1]).astype(np.int32)
    if holes:
        codes[[6, 7, 90, 151]] = -1
    return Column(codes, ("blue", "green", "red", "violet"))


def texts(column: Column) -> np.ndarray:
    return np.array([None if code < 0 else column.levels[code] for code in column.values], dtype=object)[:, None]


def encoded(column: Column, **block) -> np.ndarray:
    return Encoder.fit({"x": column}, TRAIN, encoding(**block)).transform({"x": column}, ALL)


@pytest.mark.parametrize(
    ("name", "scaler"), [("standard", StandardScaler()), ("robust", RobustScaler()), ("none", None)]
)
@pytest.mark.parametrize("fill", ["median", "mean", -40])
@pytest.mark.parametrize("indicator", [False, True])
def test_numbers(name, scaler, fill, indicator):
    column = numbers()
    strategy = {"strategy": fill} if isinstance(fill, str) else {"strategy": "constant", "fill_value": fill}
    imputer = SimpleImputer(**strategy)
    oracle = (make_pipeline(imputer, scaler) if scaler else imputer).fit(column.values[TRAIN, None])
    expected = oracle.transform(column.values[:, None])
    if indicator:
        expected = np.hstack([expected, np.isnan(column.values)[:, None]])
    ours = encoded(column, numbers=name, missing={"numbers": fill}, indicator=indicator)
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_no_indicator_where_training_lacks_no_value():
    column = Column(numbers().values.copy())
    column.values[TRAIN] = 1.0 + TRAIN
    assert encoded(column, indicator=True).shape == (200, 1)
    imputer = SimpleImputer(add_indicator=True).fit(column.values[TRAIN, None])  # so does scikit-learn
    assert imputer.transform(column.values[TRAIN, None]).shape == (100, 1)


def test_robust_scaling_of_a_column_that_is_mostly_the_same_takes_its_standard_deviation():
    column = Column(np.where(np.arange(200) % 20, 0.0, 1e6))
    ours = encoded(column, numbers="robust")
    assert ours.max() == pytest.approx(1e6 / column.values[TRAIN].std(), rel=1e-6)


@pytest.mark.parametrize(
    ("missing", "imputer"),
    [
        ({"categories": "most-frequent"}, SimpleImputer(missing_values=None, strategy="most_frequent")),
        (
            {"categories": "constant", "constant": "without"},
            SimpleImputer(missing_values=None, strategy="constant", fill_value="without"),
        ),
        (
            {"categories": "constant", "constant": "red"},
            SimpleImputer(missing_values=None, strategy="constant", fill_value="red"),
        ),
    ],
)
@pytest.mark.parametrize("indicator", [False, True])
def test_categories(missing, imputer, indicator):
    column = colours()
    oracle = make_pipeline(imputer, OneHotEncoder(sparse_output=False, handle_unknown="ignore"))
    expected = oracle.fit(texts(column)[TRAIN]).transform(texts(column))
    if indicator:
        expected = np.hstack([expected, (column.values < 0)[:, None]])
    np.testing.assert_array_equal(encoded(column, missing=missing, indicator=indicator), expected)


def test_the_most_frequent_level_is_one_though_more_rows_have_none():
    """Scikit-learn again; in the order of the levels, the one that is wanted is neither the first nor the last."""
    codes = np.tile([-1, -1, -1, -1, 1, 1, 1, 0, 0, 2], 20).astype(np.int32)
    column = Column(np.concatenate([codes[::2], codes[1::2]]), ("blue", "green", "red"))
    oracle = make_pipeline(
        SimpleImputer(missing_values=None, strategy="most_frequent"), OneHotEncoder(sparse_output=False)
    )
    expected = oracle.fit(texts(column)[TRAIN]).transform(texts(column))
    np.testing.assert_array_equal(encoded(column, missing={"categories": "most-frequent"}), expected)


def test_a_level_of_its_own_needs_no_indicator():
    assert encoded(colours(), indicator=True).shape == encoded(colours()).shape == (200, 5)


def test_codes_of_an_embedded_category():
    column, rows = Column(np.array([0, 2, -1, 1, 2], dtype=np.int32), ("a", "b", "c")), np.array([0, 1, 2])
    encoder = Encoder.fit({"c": column}, rows, encoding(categories="embedding"))
    assert encoder.transform({"c": column}, np.arange(5)).tolist() == [[1], [2], [3], [0], [2]]  # b: never trained on
    assert (encoder.embedded, encoder.names()) == ((4,), ["c"])
    new = Column(np.array([1, 0], dtype=np.int32), ("c", "zebra"))
    assert encoder.transform({"c": new}, np.arange(2)).tolist() == [[0], [2]]
    whole = Encoder.fit({"c": Column(column.values[[0, 1, 3]], column.levels)}, rows, encoding(categories="embedding"))
    assert whole.embedded == (4,)
    assert whole.transform({"c": column}, np.array([2])).tolist() == [[0]]  # missing, and training knew of no missing


def test_plain_features_come_first_and_codes_last_in_the_order_of_the_table():
    table = {"a": colours(), "x": numbers(), "b": colours(holes=False), "c": colours(), "y": numbers()}
    chosen = encoding(
        embedding={"columns": ["a", "c"], "size": 3}, indicator=True, missing={"categories": "most-frequent"}
    )
    encoder = Encoder.fit(table, TRAIN, chosen)
    assert encoder.names() == [
        "a is missing", "x", "x is missing", "b=blue", "b=green", "b=red", "b=violet", "c is missing",
        "y", "y is missing", "a", "c",
    ]  # fmt: skip
    assert (encoder.width, encoder.embedded, encoder.sizes) == (12, (5, 5), (3, 3))
    out = encoder.transform(table, ALL)
    np.testing.assert_array_equal(out[:, -2], out[:, -1])
    np.testing.assert_array_equal(out[:, 3:7].argmax(1), table["b"].values)
    filled = np.where(table["a"].values < 0, 1, table["a"].values)  # green is the most frequent
    np.testing.assert_array_equal(out[:, -1], filled + 1)


def test_vectors_are_of_one_size_whatever_the_training_rows():
    column = Column(np.arange(200, dtype=np.int32) % 60, tuple(f"{level:02}" for level in range(60)))
    few, many = (Encoder.fit({"c": column}, rows, encoding(categories="embedding")) for rows in (ALL[:5], ALL))
    assert (few.embedded, many.embedded) == ((6,), (61,))
    assert few.sizes == many.sizes == (round(1.6 * 60**0.56),)


def test_an_embedded_category_stays_though_the_training_rows_have_one_level_only():
    column = Column((np.arange(200) >= 150).astype(np.int32), ("a", "b"))
    encoder = Encoder.fit({"c": column, "x": numbers()}, ALL[:100], encoding(categories="embedding"))
    assert (encoder.embedded, encoder.constant) == ((2,), ())
    constant = Encoder.fit({"c": Column(np.zeros(200, np.int32), ("a", "b")), "x": numbers()}, ALL, encoding())
    assert (constant.embedded, constant.constant) == ((), ("c",))


@pytest.mark.parametrize("block", EVERYTHING)
def test_the_state_is_json_and_enough(block):
    table = {"a": colours(), "x": numbers(), "b": colours(holes=False), "k": Column(np.ones(200))}
    encoder = Encoder.fit(table, TRAIN, encoding(**block))
    again = Encoder.from_state(json.loads(json.dumps(encoder.state(), allow_nan=False)))
    assert again == encoder
    np.testing.assert_array_equal(again.transform(table, ALL), encoder.transform(table, ALL))


def test_a_state_of_an_older_record_is_read():
    columns = [
        {"kind": "number", "name": "x", "fill": 3.0, "center": 1.0, "scale": 2.0},
        {"kind": "category", "name": "c", "levels": ["a", "b"], "missing": True},
    ]
    encoder = Encoder.from_state({"columns": columns, "constant": ["k"]})
    table = {"x": Column(np.array([5.0, np.nan])), "c": Column(np.array([1, -1], dtype=np.int32), ("a", "b"))}
    assert encoder.transform(table, np.arange(2)).tolist() == [[2, 0, 1, 0], [1, 0, 0, 1]]
    assert (encoder.names(), encoder.embedded) == (["x", "c=a", "c=b", "c is missing"], ())


@pytest.mark.parametrize(
    ("column", "said", "cure"),
    [("colur", "no feature called 'colur'", "did you mean colour"), ("x", "'x' is a column of numbers", "category")],
)
def test_a_wrong_column_to_embed_is_refused(column, said, cure):
    with pytest.raises(SpecError, match=said) as refused:
        Encoder.fit({"colour": colours(), "x": numbers()}, TRAIN, encoding(embedding={"columns": [column]}))
    assert cure in refused.value.problems[0].cure


MISTAKES = [
    ("{numbers: stndard}", "data.encode.numbers: expected standard, robust, none, got the text 'stndard'", "standard"),
    ("{categories: hot}", "data.encode.categories: expected one-hot, embedding, got the text 'hot'", None),
    ("{missing: {numbers: mode}}", "data.encode.missing.numbers: expected median, mean or a number", None),
    ("{missing: {categories: constant}}", "categories: constant needs the level", None),
    ("{missing: {constant: a}}", "constant is the level for categories: constant", None),
    ("{indicator: 1}", "data.encode.indicator: expected true or false, got 1", None),
    ("{embedding: {size: 0}}", "data.encode.embedding.size: expected >= 1, got 0", None),
    ("{embedding: {sizes: 3}}", "data.encode.embedding: unknown key 'sizes'", "did you mean size"),
    ("{numers: none}", "data.encode: unknown key 'numers'", "did you mean numbers"),
    ("{categories: embedding, embedding: {columns: [a]}}", "leave embedding.columns out", None),
]


@pytest.mark.parametrize(("block", "said", "cure"), MISTAKES)
def test_mistakes_in_the_block_have_their_place(tmp_path, block, said, cure):
    spec = tmp_path / "spec.yaml"
    spec.write_text(f"task: multiclass\ndata:\n  source: builtin\n  name: iris\n  encode: {block}\n")
    with pytest.raises(SpecError) as refused:
        load_spec(spec)
    (problem,) = refused.value.problems
    assert said in problem.message
    assert problem.place.line == 5
    assert cure is None or cure in problem.cure
