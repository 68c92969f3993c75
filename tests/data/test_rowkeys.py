"""Keys of training rows: how sure they are, and what they say of overlaps, large tables and tables whose rows repeat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from losscli.data import rowkeys
from losscli.data.dataset import Dataset, Table
from losscli.data.encode import Encoder
from losscli.data.prepare import prepare
from losscli.data.rowkeys import Overlap, RowKeys, keys_of, overlap
from losscli.data.sources import Split
from losscli.tasks import Column, TargetOptions, tasks


def features(rows: int, seed: int, levels: int | None = None) -> dict[str, Column]:
    chance = np.random.default_rng(seed)
    drawn = chance.normal(size=(rows, 3)) if levels is None else chance.integers(0, levels, (rows, 3)).astype(float)
    return {f"x{index}": Column(np.ascontiguousarray(column)) for index, column in enumerate(drawn.T)}


def dataset_of(columns: Mapping[str, Column]) -> Dataset:
    rows = len(columns["x0"].values)
    target = {"y": Column(np.random.default_rng(9).normal(size=rows))}
    task = tasks.get("regression")
    return prepare(Table("t", columns, target), task.decode(target, TargetOptions()), task, Split(), 0)


def shared(dataset: Dataset, columns: Mapping[str, Column]) -> Overlap | None:
    keys = RowKeys.from_arrays(RowKeys.of(dataset).arrays())
    return overlap([keys], [Encoder.from_state(dataset.encoder)], columns, len(columns["x0"].values))


def taken(columns: Mapping[str, Column], rows: np.ndarray) -> dict[str, Column]:
    return {name: Column(column.values[rows]) for name, column in columns.items()}


def test_keys_are_those_of_a_plain_sum_over_the_bits() -> None:
    """Oracle: Python's own whole numbers."""
    rows = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    multipliers = [int(number) for number in rowkeys._multipliers(5)]
    assert multipliers[0] == 0xE220A8397B1DCDAF  # the first number of SplitMix64 from seed 0
    for row, key in zip(rows, keys_of(rows).tolist(), strict=True):
        bits = [int(number) for number in row.view(np.uint32)]
        assert key == (multipliers[0] + sum(m * b for m, b in zip(multipliers[1:], bits, strict=True))) % 2**64


def test_different_rows_share_no_key() -> None:
    grid = np.stack(np.meshgrid(np.arange(300), np.arange(300)), axis=-1).reshape(-1, 2).astype(np.float32)
    assert len(np.unique(keys_of(grid))) == len(grid)


def test_the_same_table_in_another_order_is_the_whole_of_it() -> None:
    columns = features(200, 1)
    again = taken(columns, np.random.default_rng(2).permutation(200))
    said = shared(dataset_of(columns), again)
    assert said is not None
    assert said.whole
    assert said.count == 140


def test_other_rows_are_none_of_it() -> None:
    assert shared(dataset_of(features(200, 1)), features(500, 2)) is None


def test_part_of_it_is_counted() -> None:
    columns = features(200, 1)
    dataset = dataset_of(columns)
    index = dataset.parts["train"].index
    assert index is not None
    new = features(88, 3)
    mixed = {name: Column(np.concatenate([taken(columns, index[:12])[name].values, new[name].values])) for name in new}
    assert shared(dataset, mixed) == Overlap(100, 12, whole=False, exact=True)


def test_one_row_of_it_is_enough() -> None:
    columns = features(200, 1)
    dataset = dataset_of(columns)
    index = dataset.parts["train"].index
    assert index is not None
    assert shared(dataset, taken(columns, index[:1])) == Overlap(1, 1, whole=False, exact=True)


def test_rows_that_repeat_by_chance_tell_nothing() -> None:
    """27 different rows: nearly every new one equals one that was trained on."""
    dataset = dataset_of(features(300, 1, levels=3))
    assert shared(dataset, features(300, 2, levels=3)) is None
    said = shared(dataset, features(300, 1, levels=3))
    assert said is not None
    assert said.whole


def test_a_large_table_keeps_some_keys_and_reckons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowkeys, "MOST", 500)
    columns = features(10_000, 1)
    dataset = dataset_of(columns)
    assert len(RowKeys.of(dataset).keys) == 500
    index = dataset.parts["train"].index
    assert index is not None
    new = features(1000, 3)
    some = taken(columns, np.random.default_rng(4).choice(index, 3000, replace=False))
    mixed = {name: Column(np.concatenate([some[name].values, new[name].values])) for name in new}
    said = shared(dataset, mixed)
    assert said is not None
    assert not said.exact
    assert 2400 < said.count < 3600


@pytest.mark.parametrize("wrong", ["no keys", "more keys than rows", "another type"])
def test_what_holds_no_keys_is_refused(wrong: str) -> None:
    arrays = RowKeys.of(dataset_of(features(60, 1))).arrays()
    if wrong == "no keys":
        del arrays["keys"]
    elif wrong == "more keys than rows":
        arrays["counts"] = np.array([1, 60, 18, 0])
    else:
        arrays["keys"] = arrays["keys"].astype(np.float64)
    with pytest.raises((KeyError, ValueError)):
        RowKeys.from_arrays(arrays)
