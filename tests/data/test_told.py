"""What a table says of itself: keys of any size, dates of many kinds, cures that work, and nothing changed in silence."""

import datetime as dt
import pathlib

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from losscli.data.columns import in_short
from losscli.data.prepare import prepare
from losscli.data.sources import sources
from losscli.data.split import set_apart
from losscli.errors import DataError, shown
from losscli.experiment import load
from losscli.spec.load import build_spec
from losscli.spec.overrides import Overrides
from losscli.tasks import Column, tasks
from losscli.tasks.guess import guess_task

ROWS = 60


@pytest.fixture
def csv(tmp_path):
    """A CSV source of this text."""

    def source(text, **options):
        (tmp_path / "t.csv").write_text(text)
        made = sources.get("csv")(**{"path": "t.csv", "target": "y", **options})
        return made, made.read(tmp_path)

    return source


def columns(*given):
    """CSV text: a header and rows, from pairs of a name and values."""
    rows = zip(*(values for _, values in given), strict=True)
    return "\n".join([",".join(name for name, _ in given), *(",".join(map(str, row)) for row in rows)])


def said(table, code):
    return [finding for finding in table.findings if finding.code == code]


def refusal(csv, text, **options):
    with pytest.raises(DataError) as refused:
        csv(text, **options)
    return refused.value.problems[0]


# Keys

DAYS = [(dt.date(2024, 1, 1) + dt.timedelta(row)).isoformat() for row in range(ROWS)]
NEVER_TWICE = columns(
    ("a", [row * 0.5 for row in range(ROWS)]), ("when", DAYS), ("y", [row % 2 for row in range(ROWS)])
)


@pytest.mark.parametrize(
    "options",
    [
        {"split": {"time": "when"}},
        {"split": {"time": "when", "feature": True}, "types": {"when": "date"}},
        {"split": {"time": "when"}, "types": {"when": "date"}},
        {"split": {"time": "a"}, "types": {"when": "date"}},
    ],
)
def test_a_time_of_which_no_two_rows_are_alike_splits_them(csv, options):
    source, table = csv(NEVER_TWICE, **options)
    table = set_apart(table, source.split)
    dataset = prepare(table, tasks.get("binary").decode(table.targets), tasks.get("binary"), source.split, 0)
    assert dataset.parts["train"].index.max() < dataset.parts["valid"].index.min()
    assert dataset.parts["valid"].index.max() < dataset.parts["test"].index.min() == 51


def test_a_name_that_is_nowhere_twice_groups_rows(csv):
    text = columns(("name", [f"car {row}" for row in range(ROWS)]), ("a", range(ROWS)), ("y", [0, 1] * (ROWS // 2)))
    source, table = csv(text, split={"group": "name"})
    assert len(set_apart(table, source.split).keys["name"].levels) == ROWS


def test_a_time_in_the_order_of_days_months_years_is_read_as_the_spec_says(csv):
    days = [f"{day:02}.{month:02}.2024" for month in (2, 1) for day in range(1, 29)]
    text = columns(("a", range(56)), ("when", days), ("y", [0, 1] * 28))
    source, table = csv(text, split={"time": "when"}, types={"when": "date"})
    key = set_apart(table, source.split).keys["when"]
    assert key.values[0] - key.values[28] == 31


# Dates


def days_of(csv, cells, **options):
    text = columns(("z", cells), ("a", [0.5 * row for row in range(len(cells))]), ("y", range(len(cells))))
    table = csv(text, types={"z": "date"}, **options)[1]
    return table, (table.features["z.days"].values * 24).round(6).tolist()


def test_times_of_several_zones_are_in_utc_and_it_is_said(csv):
    table, hours = days_of(csv, [f"1970-01-02T12:00:00+0{hour}:00" for hour in range(5)])
    assert hours == [36, 35, 34, 33, 32]
    assert table.features["z.hour"].values.tolist() == [12, 11, 10, 9, 8]
    assert said(table, "date-parts")[0].message.endswith("hour, in UTC (written in the time zones +00:00 to +04:00)")


def test_times_of_one_zone_are_in_utc_too_or_new_rows_would_not_be(csv):
    table, hours = days_of(csv, ["1970-01-02T12:00+02:00", "1970-01-02T13:00+02:00"])
    assert hours == [34, 35]
    assert said(table, "date-parts")[0].message.endswith(", in UTC (written in the time zone +02:00)")


def test_a_time_without_a_zone_beside_others_is_taken_for_utc_and_it_is_said(csv):
    table, hours = days_of(csv, ["1970-01-02T12:00", "1970-01-02T12:00-01"])
    assert hours == [36, 37]
    assert said(table, "date-parts")[0].message.endswith("-01, and without one: taken for UTC)")


def test_a_zone_of_parquet_is_said(tmp_path):
    zone = dt.timezone(dt.timedelta(hours=2))
    times = pa.array([dt.datetime(1970, 1, 2, 12, tzinfo=zone), None], pa.timestamp("us", "+02:00"))
    parquet.write_table(pa.table({"x": times, "y": [0.0, 1.0]}), tmp_path / "t.parquet")
    table = sources.get("parquet")(path="t.parquet", target="y", types={"x": "date"}).read(tmp_path)
    assert table.features["x.hour"].values[0] == 10
    assert said(table, "date-parts")[0].message.endswith(", in UTC (written in the time zone Z)")


def test_years_of_two_digits_are_within_a_century_that_is_named(csv):
    table, hours = days_of(csv, ["13/03/24", "01/01/70", "31/12/68"])
    assert table.features["z.year"].values.tolist() == [2024, 1970, 2068]
    assert hours[1] == 0
    assert "'13/03/24' is 2024-03-13" in said(table, "date-parts")[0].message


@pytest.mark.parametrize(
    ("cells", "cure"),
    [(["03/13/2024", "03/14/2024"], "day_first: false"), (["03/13/2024", "13/03/2024"], "all dates as 2024-01-31")],
)
def test_a_day_in_the_place_of_the_month_is_told(csv, cells, cure):
    text = columns(("z", cells), ("y", range(2)))
    problem = refusal(csv, text, types={"z": "date"}, day_first=True)
    assert (str(problem.place), "is no day" in problem.message, cure in problem.cure) == ("t.csv:2:1", True, True)


@pytest.mark.parametrize("text", ["Mar 1 2024", "1 March 2024", "01-Mar-24", "Fri 1 Mar 2024 10:00"])
def test_a_date_with_a_word_is_called_a_date(csv, text):
    problem = refusal(csv, columns(("z", [text] * 3), ("y", range(3))))
    assert "'z' holds dates with the month as a word" in problem.message


@pytest.mark.parametrize("text", ["march", "may 5", "Mark 2024x", "dec"])
def test_what_only_begins_like_a_month_is_a_category(csv, text):
    assert csv(columns(("z", [text, "other", text]), ("y", range(3))))[1].features["z"].is_category


def test_a_part_of_a_date_may_be_dropped(csv):
    cells = ["2024-01-01", "2024-02-02", "2024-03-03"]
    table = csv(columns(("z", cells), ("y", range(3))), types={"z": "date"}, drop=["z.year"])[1]
    assert list(table.features) == ["z.month", "z.day", "z.weekday", "z.days"]
    texts = columns(("z", ["1/1/2024", "2/2/2024", "3/3/2024"]), ("y", range(3)))
    assert "did you mean z.year" not in refusal(csv, texts, drop=["z.year"]).cure


# Numbers and texts


def test_texts_among_numbers_are_shown_with_a_line(csv):
    cells = [*(row % 10 for row in range(50)), *["n/k", "low", "?", "high"], *["low"] * 6]
    table = csv(columns(("x", cells), ("y", [0, 1] * 30)))[1]
    (finding,) = said(table, "numbers-and-texts")
    assert "in 10 rows, texts ('n/k', 'low', '?' ...; the first at t.csv:52:1)" in finding.message
    assert "data.missing" in finding.cure
    assert "--set data.types.x=category" in finding.cure


@pytest.mark.parametrize("token", [".", "?", "-", "unknown", "#DIV/0!"])
def test_a_text_that_comes_back_among_numbers_is_told_once_with_its_rows(csv, token):
    cells = [token if row % 9 == 0 else row / 10 for row in range(90)]
    with pytest.raises(DataError) as refused:
        csv(columns(("x", cells), ("y", [0, 1] * 45)))
    (problem,) = refused.value.problems
    assert problem.message == f"{token!r} in 'x' must be a number (10 rows hold it)"
    assert problem.place.line == 2


def test_texts_of_several_kinds_among_numbers_are_told_once_each(csv):
    cells = [{3: "?", 5: ".", 40: "?"}.get(row, row / 10) for row in range(60)]
    with pytest.raises(DataError) as refused:
        csv(columns(("x", cells), ("y", [0, 1] * 30)))
    told = [(problem.message, problem.place.line) for problem in refused.value.problems]
    assert told == [("'?' in 'x' must be a number (2 rows hold it)", 5), ("'.' in 'x' must be a number", 7)]


def test_a_few_different_numbers_among_rows_of_one_text_are_texts(csv):
    cells = [row if row % 12 == 0 else "fine" for row in range(120)]
    table = csv(columns(("x", cells), ("z", range(120)), ("y", [0, 1] * 60)))[1]
    assert table.features["x"].is_category


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_the_line_of_a_spreadsheet_is_no_header(csv, delimiter):
    with pytest.raises(DataError, match="'sep=;', is for a spreadsheet alone") as refused:
        csv("sep=;\nx;y\n1;0\n2;1\n", delimiter=delimiter)
    assert refused.value.problems[0].place.line == 1
    assert ("data.delimiter" in refused.value.problems[0].cure) == (delimiter == ",")


def test_a_title_above_the_header_is_told_once(csv):
    with pytest.raises(DataError) as refused:
        csv("Report of 2024\n\nx,z,y\n" + "1,2,0\n2,1,1\n" * 20)
    (problem,) = refused.value.problems
    assert problem.message == "the first line has 1 field, and the rows below it have 3: it is no header"
    assert "above the header" in problem.cure


def test_a_padded_row_number_is_told_once(csv):
    table = csv(columns(("id", [f"{row:03}" for row in range(60)]), ("x", [0.5, 1.5] * 30), ("y", [0, 1] * 30)))[1]
    assert [finding.code for finding in table.findings] == ["row-numbers"]


def test_what_parquet_rounds_is_shown_as_it_is(tmp_path):
    parquet.write_table(pa.table({"x": [1, 2**60 + 1], "y": [0, 1]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"1152921504606846977 in 'x' is a whole number beyond 2\^53"):
        sources.get("parquet")(path="t.parquet", target="y").read(tmp_path)


# Encodings


def test_utf_32_is_called_so(tmp_path):
    (tmp_path / "t.csv").write_bytes("x,y\n1,0\n2,1\n".encode("utf-32"))
    with pytest.raises(DataError) as refused:
        sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    assert "--set data.encoding=utf-32" in refused.value.problems[0].cure
    read = sources.get("csv")(path="t.csv", target="y", encoding="utf-32").read(tmp_path)
    assert read.features["x"].values.tolist() == [1, 2]


@pytest.mark.parametrize(("data", "text"), [(b"x,y\n1,0\n", True), (b"abcd\x01\xff", False), (b"\x7f\x10ab", False)])
def test_what_is_called_parquet_may_be_text(tmp_path, data, text):
    (tmp_path / "t.parquet").write_bytes(data)
    with pytest.raises(DataError) as refused:
        sources.get("parquet")(path="t.parquet", target="y").read(tmp_path)
    assert ("data.source: csv" in refused.value.problems[0].cure) is text


# Places and cures


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ('x,y\n1,"a"b\n', "t.csv:2:2", "there is text after the quote that closes a field"),
        ('x,y\n"1\n2","a\nb"c\n', "t.csv:3:2", "there is text after the quote that closes a field (on line 4)"),
        ('x,y\n"1\n2","ab\n', "t.csv:3:2", "a quote that opens here is never closed"),
    ],
)
def test_a_quote_is_told_with_its_column_and_no_line_twice(csv, text, place, says):
    problem = refusal(csv, text)
    assert (str(problem.place), problem.message) == (place, says)


@pytest.mark.parametrize(
    "text", ["", "x,y\n", f"x,y\n{'a' * 140_000},1\n", ",".join(map(str, range(10_001))) + "\n1\n"]
)
def test_every_refusal_says_what_would_work(csv, text):
    assert refusal(csv, text).cure


def test_a_path_is_relative_to_a_spec_only_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    cures = []
    for folder in ("", "specs"):
        with pytest.raises(DataError) as refused:
            sources.get("csv")(path="none.csv", target="y").read(pathlib.Path(folder))
        cures.append(refused.value.problems[0].cure)
    assert cures == ["check the path", "check the path: a relative path is relative to the spec's folder"]


# What a run says of its columns


def test_columns_are_counted_by_what_they_are_for(csv):
    text = columns(
        ("w", [1, 2] * 5), ("a", [0.5, 1.5] * 5), ("b", ["u", "v"] * 5), ("g", [1, 2] * 5), ("y", [0, 1] * 5)
    )
    table = csv(text, weight="w", split={"group": "g"})[1]
    (told,) = in_short(table.columns)
    assert (
        told.message == "columns: 1 number, 1 category as features; rows count by the weight 'w'; 'g' splits the rows"
    )


# Rows that lack a value

HOLES = "a,b,y\n1,u,0\n,u,1\n3,,0\n4,v,1\n,,0\n"


@pytest.mark.parametrize("missing", ["drop", {"rows": "drop"}])
def test_rows_with_holes_are_left_out_if_that_is_wanted_and_counted(csv, missing):
    table = csv(HOLES, encode={"missing": missing})[1]
    assert table.features["a"].values.tolist() == [1, 4]
    assert [str(table.features["b"].origin.place(row)) for row in (0, 1)] == ["t.csv:2:2", "t.csv:5:2"]
    (told,) = said(table, "missing-rows")
    assert told.message == "3 of 5 rows lack a feature's value and were left out: 'a' in 2, 'b' in 2"


def test_rows_with_holes_are_errors_if_that_is_wanted(csv):
    with pytest.raises(DataError) as refused:
        csv(HOLES, encode={"missing": "error"})
    assert [str(each.place) for each in refused.value.problems] == ["t.csv:3:1", "t.csv:6:1", "t.csv:4:2", "t.csv:6:2"]
    assert "--set data.encode.missing=drop" in refused.value.problems[0].cure


def test_a_column_without_values_leaves_no_row_and_is_named(csv):
    problem = refusal(csv, "a,b,y\n1,,0\n2,,1\n", encode={"missing": "drop"})
    assert problem.message == "every row lacks a feature's value ('b' in 2)"


def test_rows_with_holes_are_kept_otherwise(csv):
    assert csv(HOLES)[1].rows == 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x,y\n" + "1,1\n" * 20, "must hold two different values"),
        ("x,y\n" + "1,0\n2,1\n" * 20 + "3,2\n", "a stratified split needs at least 2"),
        ("x,y\n" + "1,0\n1,1\n" * 20, "no feature varies"),
        ("x,y\n1,0\n2,1\n3,0\n4,1\n", "every split needs at least 2 rows"),
    ],
)
def test_what_is_wrong_with_a_whole_table_names_its_file(tmp_path, text, says):
    (tmp_path / "t.csv").write_text(text)
    task = "multiclass" if "3,2" in text else "binary"
    sets = ["data.split.stratify=true"]
    flags = Overrides(data=str(tmp_path / "t.csv"), target=["y"], task=task, sets=sets)
    with pytest.raises(DataError, match=says) as refused:
        load(build_spec(flags))
    assert refused.value.problems[0].place.file.endswith("t.csv")


def test_a_class_of_one_row_has_a_place_and_may_be_another_misspelled(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n" + "1,calm\n2,storm\n" * 10 + "3,Storm\n")
    with pytest.raises(DataError, match="the class 'Storm' has 1 row,") as refused:
        load(build_spec(Overrides(data=str(tmp_path / "t.csv"), target=["y"])))
    (problem,) = refused.value.problems
    assert (problem.place.line, problem.place.column) == (22, 2)
    assert problem.cure.startswith("write it as 'storm' if it is the same, ")
    assert "--set data.split.stratify=false" in problem.cure


@pytest.mark.parametrize("spellings", [("Yes", "yes"), ("TRUE", "true"), ("1", "true"), ("T", "t")])
def test_yes_is_yes_in_any_spelling(csv, spellings):
    odd, usual = spellings
    no = {"yes": "no", "true": "false", "t": "f"}[usual]
    table = csv("x,y\n" + f"1,{no}\n2,{usual}\n" * 10 + f"3,{odd}\n", types={"y": "category"})[1]
    column = table.targets["y"]
    assert column.levels == (no, usual)
    assert column.values.tolist() == [0, 1] * 10 + [1]
    (told,) = said(table, "spellings")
    assert told.message == f"1 value of 'y' is written in several ways: {shown(odd)} counts as {shown(usual)}"


# Blanks


def test_blanks_around_values_and_names_are_told_with_their_counts(csv):
    table = csv('a, b,c,y\n1,"x", u,0\n 2," x",v,1\n3,x ,v,0\n', types={"c": "category"})[1]
    assert (table.features["a"].values.tolist(), table.features["b"].levels) == ([1, 2, 3], ("x",))
    (told,) = said(table, "trimmed")
    names = "1 name of columns, such as ' b'"
    assert told.message == (
        f"blanks around values were taken off: 'a' in 1 row, 'b' in 2 rows (' x' is 'x'), 'c' in 1 row, {names}"
    )


def test_where_there_are_no_blanks_nothing_is_told(csv):
    assert not said(csv('a,b,y\n1,"x y",0\n2,"u, v",1\n3,"w ,z",0\n')[1], "trimmed")


def test_numbers_beyond_what_a_double_tells_apart_are_no_counts():
    assert guess_task({"y": Column(np.array([1e34, 9e36, 2e35]))}).reason == "'y' holds numbers as large as 9e+36"
