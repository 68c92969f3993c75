"""Numbers that stand for no value: told with the flag that takes them out, which does what it says; and never told of others."""

import re

import numpy as np
import pytest
import yaml

from losscli.data.sentinels import sentinels
from losscli.data.sources import sources
from losscli.errors import DataError

RNG = np.random.default_rng(3)
AGES = RNG.integers(18, 80, 200).astype(float)
DAYS = RNG.integers(0, 800, 200).astype(float)
TEMPERATURES = RNG.normal(5, 9, 200).round(1)
LIKERT = np.tile(np.arange(1.0, 8.0), 30)
MEANT = {  # values, those that mean nothing
    "-999": (np.append(AGES, [-999.0] * 4), [-999]),
    "-9999 beside cold days": (np.append(TEMPERATURES, [-9999.0] * 3), [-9999]),
    "9999": (np.append(AGES, [9999.0] * 4), [9999]),
    "99999 among incomes": (np.append(AGES * 500, [99999.0] * 4), [99999]),
    "-1": (np.append(DAYS, [-1.0] * 90), [-1]),
    "99 on a scale of seven": (np.append(LIKERT, [99.0] * 5), [99]),
    "several": (np.append(LIKERT, [-8.0] * 99 + [-9.0] * 99), [-9, -8]),
    "98 and 99": (np.append(LIKERT, [98.0] * 5 + [99.0] * 2), [98, 99]),
    "beside holes": (np.append(AGES, [np.nan] * 50 + [-999.0] * 4), [-999]),
}
NOT_MEANT = {
    "ages to 99": np.append(AGES, [99.0] * 3),
    "below 0": RNG.integers(-9, 10, 300).astype(float),
    "one below 0": np.append(DAYS, [-1.0]),
    "signs": np.tile([-1.0, 1.0], 50),
    "three ways": np.tile([-1.0, 0.0, 1.0], 50),
    "prices to 9999": np.linspace(1, 9999, 300).round(),
    "changes": np.append(TEMPERATURES, [-999.5] * 4),
    "nothing": np.full(9, np.nan),
}


@pytest.mark.parametrize(("values", "meant"), MEANT.values(), ids=MEANT)
def test_what_stands_for_no_value(values, meant):
    assert sentinels(values) == meant


@pytest.mark.parametrize("values", NOT_MEANT.values(), ids=NOT_MEANT)
def test_what_does_not(values):
    assert sentinels(values) == []


def table(tmp_path, column, kind="csv", **options):
    rows = "".join(f"{text},{row % 2},{row * row % 7 or -999}\n" for row, text in enumerate(column))
    (tmp_path / "t.csv").write_text(f"x,y,z\n{rows}")
    return sources.get(kind)(path="t.csv", target="y", types={"z": "number"}, **options).read(tmp_path)


def flag_of(cure):
    return yaml.safe_load(re.search(r"--set '?data\.missing_in\.x=(\[.*?\])'?\)", cure)[1])


@pytest.mark.parametrize("written", ["-999", "-999.0", "-9.99e2"])
def test_the_flag_takes_them_out_however_they_are_written_and_keeps_the_others(tmp_path, written):
    column = [*(f"{age:.0f}" for age in AGES), *[written] * 4, "NA", ""]
    before = table(tmp_path, column)
    (finding,) = (finding for finding in before.findings if finding.code == "sentinel")
    assert (finding.severity, "'x' is -999 in 4 rows" in finding.message) == ("warning", True)
    after = table(tmp_path, column, missing_in={"x": flag_of(finding.cure)})
    assert [finding.code for finding in after.findings] == []
    assert np.isnan(after.features["z"].values).sum() == 0
    assert (np.isnan(before.features["x"].values).sum(), np.isnan(after.features["x"].values).sum()) == (2, 6)
    np.testing.assert_array_equal(after.features["x"].values[:200], AGES)


STRAYS = {  # texts of a column, options
    "a word among numbers": ([*map(str, range(40)), "unknown"], {}),
    "two words": ([*map(str, range(40)), "unknown", "n.v."], {}),
    "quotes": ([*map(str, range(40)), "it's"], {}),
    "endless": ([*map(str, range(40)), "inf"], {}),
    "among amounts": ([*(f"${number}" for number in range(40)), "free"], {}),
    "among dates": ([*(f"2024-01-{day + 1:02}" for day in range(28)), "soon"], {}),
    "no day": ([*(f"2024-01-{day + 1:02}" for day in range(28)), "2024-02-31"], {}),
    "among truths": (["yes", "no"] * 9 + ["maybe"], {"types": {"x": "boolean", "z": "number"}}),
}


@pytest.mark.parametrize(("column", "options"), STRAYS.values(), ids=STRAYS)
def test_the_cure_of_a_stray_text_is_a_flag_that_mends_it(tmp_path, column, options):
    rows = "".join(f'"{text}",{row % 2},{row * row % 7}\n' for row, text in enumerate(column))
    (tmp_path / "t.csv").write_text(f"x,y,z\n{rows}")
    options = {"types": {"z": "number"}, **options}

    def read(**more):
        return sources.get("csv")(path="t.csv", target="y", **options, **more).read(tmp_path)

    with pytest.raises(DataError) as refused:
        read()
    given = flag_of(refused.value.problems[0].cure.replace("'\"'\"'", "'"))
    features = read(missing_in={"x": given}).features
    strays = [text for text in column if text in given]
    assert strays
    assert next(iter(features.values())).missing.sum() == len(strays)


def test_whole_numbers_that_are_dates_are_read_with_a_notice(tmp_path):
    column = ["20240131", "20231231", "20240229", ""] * 10
    read = table(tmp_path, column)
    assert read.features["x.day"].values[:3].tolist() == [31, 31, 29]
    (finding,) = read.findings
    assert (finding.code, "data.types.x=number" in finding.cure) == ("date-parts", True)
    numbers = sources.get("csv")(path="t.csv", target="y", types={"x": "number", "z": "number"}).read(tmp_path)
    assert numbers.features["x"].values[0] == 20240131


@pytest.mark.parametrize(
    "column", [["20240131", "20240132"] * 9, ["20241301"] * 9 + ["20241201"] * 9, ["18990101", "18990102"] * 9]
)
def test_whole_numbers_that_are_no_dates_stay_numbers(tmp_path, column):
    assert list(table(tmp_path, column).features) == ["x", "z"]


@pytest.mark.parametrize("name", ["Total", "TOTAL:", "Grand total", "Summe", "Gesamt", "Total général"])
def test_the_row_of_a_total_is_told_with_its_place(tmp_path, name):
    (finding,) = table(tmp_path, [*"abab" * 3, name]).findings
    assert (finding.code, "t.csv:14:1" in finding.message) == ("total", True)


def test_a_total_among_numbers_is_no_missing_value(tmp_path):
    with pytest.raises(DataError) as refused:
        table(tmp_path, [*map(str, range(40)), "Total"])
    assert "take the row of the total out" in refused.value.problems[0].cure


@pytest.mark.parametrize("column", [[*"abab" * 3, "c"], ["Total", *"abab" * 3], [*"ab" * 5, "Total", "a", "Total"]])
def test_other_rows_are_no_totals(tmp_path, column):
    assert table(tmp_path, column).findings == ()


def test_values_that_differ_in_case_only_are_told_of_features_too(tmp_path):
    (finding,) = table(tmp_path, ["Berlin", "berlin", "BERLIN", "Rome"] * 9).findings
    assert (finding.code, "'BERLIN', 'Berlin', 'berlin'" in finding.message) == ("alike", True)


def test_headings_over_several_columns_are_one_error(tmp_path):
    (tmp_path / "t.csv").write_text("Patient,,Blood,,y\nage,sex,hb,wbc,y\n" + "40,f,12.5,7,0\n50,m,13.5,8,1\n" * 9)
    with pytest.raises(DataError) as refused:
        sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    (problem,) = refused.value.problems
    assert "2 columns have no name: column 2, column 4" in problem.message
    assert "take this line out" in problem.cure
    assert "data.drop=[column 2, column 4]" in problem.cure
