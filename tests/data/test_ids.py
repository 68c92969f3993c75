"""Columns that name rows: an index without a name, ids, subjects that come back. They are no features, and it is said."""

import numpy as np
import pytest

from losscli.data.sources import sources
from losscli.errors import DataError


@pytest.fixture
def read(tmp_path):
    """The table of a header and rows; the target is `y`."""

    def reader(header, rows, **options):
        lines = "".join(",".join(map(str, row)) + "\n" for row in rows)
        (tmp_path / "t.csv").write_text(f"{header}\n{lines}")
        return sources.get("csv")(**{"path": "t.csv", "target": "y", **options}).read(tmp_path)

    return reader


def finding(table, code):
    (only,) = (found for found in table.findings if found.code == code)
    return only


MEASURED = np.random.default_rng(5).normal(size=400).round(3).tolist()


def with_column(values):
    """Rows of a column, a measured feature, a target."""
    return [(value, MEASURED[row % 400], row % 2) for row, value in enumerate(values)]


INDICES = {
    "R, from 1, quoted": ('""', range(1, 31)),
    "pandas, from 0": ("", range(30)),
    "pandas, rows left out": ("", [row for row in range(60) if row % 7 % 3]),
    "pandas, shuffled": ("", np.random.default_rng(1).permutation(40).tolist()),
    "pandas, written twice": ("Unnamed: 0", range(30)),
    "pandas, reset": ("index", [3 * row + row % 2 for row in range(40)]),
    "row names": ("Row.names", range(1, 20)),
}


@pytest.mark.parametrize(("name", "values"), INDICES.values(), ids=INDICES)
def test_an_index_is_left_out_as_row_numbers(read, name, values):
    table = read(f"{name},x,y", with_column(values))
    assert list(table.features) == ["x"]
    first = next(iter(table.columns.values()))
    assert (first.kind, first.role) == ("row numbers", "left out")
    assert first.name in finding(table, "row-numbers").message


def test_a_first_column_without_a_name_that_is_no_index_is_column_1(read):
    table = read(",x,y", [("abc"[row % 3], MEASURED[row], row % 2) for row in range(30)])
    assert list(table.features) == ["column 1", "x"]
    assert table.features["column 1"].levels == ("a", "b", "c")
    assert "column 1" in finding(table, "unnamed").message


def test_row_names_of_texts_are_an_id(read):
    table = read('"",x,y', [(f"Mazda {row}", MEASURED[row], row % 2) for row in range(32)])
    assert list(table.features) == ["x"]


def test_two_levels_of_an_index_have_no_name(read):
    rows = [("abc"[row // 10], row, MEASURED[row], row % 2) for row in range(30)]
    assert list(read(",,x,y", rows).features) == ["column 1", "x"]


def test_a_target_may_have_no_name(read):
    table = read(",x", [(row % 2, MEASURED[row]) for row in range(30)], target="column 1")
    assert list(table.targets) == ["column 1"]


def test_a_later_column_without_a_name_is_an_error_that_can_be_answered(read):
    rows = [(MEASURED[row], row % 3, row % 2) for row in range(30)]
    with pytest.raises(DataError) as refused:
        read("x,,y", rows)
    (problem,) = refused.value.problems
    assert str(problem.place) == "t.csv:1:2"
    assert "--set 'data.drop=[column 2]'" in problem.cure
    assert list(read("x,,y", rows, drop=["column 2"]).features) == ["x"]


def test_a_comma_at_the_end_of_each_line_makes_an_empty_column(read):
    table = read("x,y,", [(MEASURED[row], row % 2, "") for row in range(30)])
    assert table.columns["column 3"].kind == "empty"


def test_a_name_that_is_already_there_is_no_name_for_another(read):
    with pytest.raises(DataError, match="two columns are called 'column 1'"):
        read(",column 1,y", [(row, 1, row % 2) for row in range(30)])


RISING = np.cumsum(np.random.default_rng(2).integers(1, 9, 300)).tolist()
SHUFFLED = (np.random.default_rng(3).permutation(4000)[:300] + 10_000).tolist()
IDS = {
    "rising with gaps": ("code", RISING),
    "falling with gaps": ("code", RISING[::-1]),
    "in no order, too close for chance": ("nr", SHUFFLED),
    "customer_id": ("customer_id", [7, 3, 9, 1, 4, 12, 11, 20, 2, 8]),
    "SubjectID": ("SubjectID", ["S7", "S3", "S9", "S1", "S4", "S12"]),
    "student no": ("student no", [10, 70, 30, 90, 20, 11]),
    "userid": ("userid", [10, 70, 30, 90, 20, 11]),
    "UUIDs": ("key", [f"{row:08x}-0000-4000-8000-{row * 7919:012x}" for row in range(15)]),
    "texts of a small table": ("person", [f"P{row}" for row in range(12)]),
}


@pytest.mark.parametrize(("name", "values"), IDS.values(), ids=IDS)
def test_an_id_is_noticed_and_left_out(read, name, values):
    table = read(f"{name},x,y", with_column(values))
    assert list(table.features) == ["x"]
    assert table.columns[name].role == "left out"
    said = [found for found in table.findings if repr(name) in found.message]
    assert len(said) == 1
    assert f"data.types.{name}=" in said[0].cure


def test_several_ids_are_one_thing_to_say(read):
    rows = [(7 * row * row + 3, 1000 + row * row, MEASURED[row], row % 2) for row in range(60)]
    table = read("key_id,serial,x,y", rows)
    assert list(table.features) == ["x"]
    told = finding(table, "id-column")
    assert told.message.startswith("2 columns were left out, as they name the rows: 'key_id' (")
    assert "'serial' (" in told.message
    assert "data.types.key_id=number" in told.cure


NO_IDS = {
    "sorted years": ("year", range(1950, 1980)),
    "time stamps": ("timestamp", [1_700_000_000 + row * row for row in range(80)]),
    "equal steps": ("dose", range(0, 400, 5)),
    "whole numbers far apart": ("income", np.random.default_rng(4).integers(0, 10**7, 60).tolist()),
    "paid": ("paid", [3, 1, 4, 15, 9, 2, 6]),
    "covid": ("covid", [3, 1, 4, 15, 9, 2, 6]),
    "measured": ("weight", MEASURED[:60]),
    "a code of a few kinds": ("region_id", [row % 4 for row in range(200)]),
}


@pytest.mark.parametrize(("name", "values"), NO_IDS.values(), ids=NO_IDS)
def test_what_is_measured_stays_a_feature(read, name, values):
    table = read(f"{name},x,y", with_column(values))
    assert list(table.features) == [name, "x"]
    assert table.findings == ()


REPEATED = {
    "customer_id": ("customer_id", [row // 5 for row in range(100)], ["x"]),
    "texts": ("SubjectID", [f"S{row % 12}" for row in range(60)], ["x"]),
    "many texts": ("user_id", [f"U{row % 90}" for row in range(180)], ["x"]),
    "a bare subject": ("Subject", [300 + row // 10 for row in range(180)], ["Subject", "x"]),
    "items of a test": ("item", [f"I{row % 20}" for row in range(200)], ["item", "x"]),
}


@pytest.mark.parametrize(("name", "values", "features"), REPEATED.values(), ids=REPEATED)
def test_what_comes_back_names_the_split_that_keeps_it_together(read, name, values, features):
    table = read(f"{name},x,y", with_column(values))
    assert list(table.features) == features
    assert f"--set data.split.group={name}" in finding(table, "repeated-ids").cure
    grouped = read(f"{name},x,y", with_column(values), split={"group": name})
    assert [found.code for found in grouped.findings] == []


def test_the_spec_overrules(read):
    table = read("customer_id,x,y", with_column(range(5, 70)), types={"customer_id": "number"})
    assert list(table.features) == ["customer_id", "x"]


def test_an_only_feature_is_kept_and_told(read):
    table = read("customer_id,y", [(7 * row % 31, row % 2) for row in range(30)])
    assert list(table.features) == ["customer_id"]
    assert "only feature" in finding(table, "row-numbers").message


def test_a_heading_of_many_characters_costs_nothing(read):
    name = "9a" * 10_000
    assert list(read(f"{name},x,y", with_column(range(30))).features) == [name, "x"]
