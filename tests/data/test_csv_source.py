"""CSV files: what is read is exact, and each kind of dirt is an error with its place, never a silent change."""

import csv
import io
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from losscli.data.files import File, FileState
from losscli.data.gather import Form, gather
from losscli.data.sources import sources
from losscli.errors import DataError

NUMBERED = b"".join(b"%d,%d\n" % (row, row % 2) for row in range(1, 2001))


@pytest.fixture
def read(tmp_path):
    """Read these bytes as a table; the target is `y` unless options say otherwise."""

    def reader(data: bytes, **options):
        (tmp_path / "t.csv").write_bytes(data)
        return sources.get("csv")(**{"path": "t.csv", "target": "y", **options}).read(tmp_path)

    return reader


def texts_of(folder, data, names, missing=()):
    """The columns of a file as texts, by name, and the line of each row."""
    (folder / "t.csv").write_bytes(data)
    form = Form(",", ".", "utf-8", None, tuple(missing))
    found = gather([File(folder / "t.csv", "t.csv")], form, set(), set(names), FileState())
    return [raw.texts.to_pylist() for raw in found.columns.values()], found.columns[names[0]].origin.lines.tolist()


def codes_of(table):
    return [found.code for found in table.findings]


def test_kinds_of_columns_by_hand(read):
    table = read(b"x,c,b,y\n1.5,red,True,0\n-2e3,,False,1\nNA,blue,True,0\n")
    assert table.name == "t"
    np.testing.assert_array_equal(table.features["x"].values, [1.5, -2000.0, np.nan])
    assert table.features["c"].levels == ("blue", "red")
    assert table.features["c"].values.tolist() == [1, -1, 0]
    assert table.features["b"].levels == ("False", "True")
    assert table.features["b"].values.tolist() == [1, 0, 1]
    assert table.targets["y"].values.tolist() == [0.0, 1.0, 0.0]


def test_spaces_around_values_and_names_do_not_matter(read):
    table = read(b"x, y, z\n 1, a, NA\n2 ,b , 5\n 3,a, 6\n", target="y")
    assert table.features["x"].values.tolist() == [1.0, 2.0, 3.0]
    assert table.targets["y"].levels == ("a", "b")
    np.testing.assert_array_equal(table.features["z"].values, [np.nan, 5.0, 6.0])


DIRTY = {  # bytes -> how the first problem reads: its place, then a part of its message or cure
    "empty": (b"", "t.csv", "empty"),
    "blank": (b" \n\n", "t.csv", "empty"),
    "header only": (b"x,y\n", "t.csv:1", "0 rows"),
    "header looks like data": (b"5.1,3.5,a\n4.9,3.0,b\n", "t.csv:1", "data.header: false"),
    "target not there": (b"x,Y\n1,2\n", "t.csv", "did you mean Y?"),
    "two names": (b"x,x,y\n1,2,3\n", "t.csv:1:2", "two columns are called 'x': 1 and 2"),
    "no name": (b"x,,y\n1,2,3\n", "t.csv:1:2", "no name"),
    "short row": (b"x,y\n1,0\n\n2\n3,1\n", "t.csv:4:2", "must have 2 fields, and has 1"),
    "long row": (b"x,y\n1,0\n2,1,5\n", "t.csv:3:3", "must have 2 fields, and has 3"),
    "short row after newline in quotes": (b'x,y\n"a\nb",0\n2\n', "t.csv:4:2", "has 1"),
    "text in row 2001": (b"x,y\n" + NUMBERED + b"abc,1\n", "t.csv:2002:1", "'abc' in 'x' must be a number"),
    "escape sequence": (b"x,y\n" + NUMBERED + b"\x1b[31m" + b"z" * 200 + b",1\n", "t.csv:2002:1", r"\x1b[31mzzz"),
    "text after CRLF": (b"x,y\r\n" + b"1,0\r\n\r\n" * 20 + b"?,1\r\n", "t.csv:42:1", "'?'"),
    "inf": (b"x,y\n1,0\ninf,1\n", "t.csv:3:1", "finite"),
    "1e999": (b"x,y\n1,0\n-1e999,1\n", "t.csv:3:1", "finite"),
    "semicolons": (b"x;y\n1,5;0\n2,5;1\n", "t.csv:1", 'use data.delimiter: ";"'),
    "tabs": (b"x\ty\n1\t0\n", "t.csv:1", r'use data.delimiter: "\t"'),
    "UTF-16": ("x,y\n1,0\n".encode("utf-16"), "t.csv", "data.encoding: utf-16"),
    "UTF-16 without a mark": ("x,y\n1,0\n".encode("utf-16-le"), "t.csv:1", "utf-16-le"),
    "Latin-1": ("x,y\ncafé,0\n".encode("latin-1"), "t.csv:2", "byte 0xe9 at offset 7"),
    "NUL": (b"x,y\n1\x002,0\n", "t.csv:2", "NUL byte at offset 5"),
    "Ctrl-Z": (b"x,y\n1,0\n\x1a", "t.csv:3", "Ctrl-Z"),
    "quote not closed": (b'x,y\n1,0\n"a,0\n3,1\n', "t.csv:3:1", "never closed"),
    "text after a quote": (b'x,y\n1,0\n"a"b,1\n', "t.csv:3:1", "text after the quote"),
    "long field": (b"x,y\n1,0\n" + b"a" * 140_000 + b",1\n", "t.csv:3:1", "longer than 131072"),
    "longer than a block": (b'x,y\n1,0\n"' + b"a" * 2_000_000 + b'",1\n', "t.csv:3:1", "longer than 131072"),
    "many columns": (b",".join(b"c%d" % index for index in range(100_000)) + b"\n1\n", "t.csv:1", "may have 10000"),
    "beyond 2^53": (b"x,y\n9007199254740993,1\n1,0\n", "t.csv:2:1", "lose precision"),
    "5000 digits": (b"x,y\n1,0\n" + b"9" * 5000 + b",1\n", "t.csv:3:1", "finite"),
    "hexadecimal": (b"x,y\n0x1F,0\n0x2A,1\n", "t.csv:2:1", "hexadecimal numbers"),
    "dates": (b"x,y\n03/04/2020,0\n05/06/2020,1\n", "t.csv:2:1", "dates"),
    "times": (b"x,y\n12:30,0\n9:05,1\n", "t.csv:2:1", "times of day"),
    "underscores": (b"x,y\n1_000,0\n22_000,1\n", "t.csv:2:1", "underscores"),
    "thousands": (b'x,y\n3,0\n"1,234",0\n"2,345",1\n', "t.csv:3:1", "thousands separators"),
    "money": ("x,y\n$5,0\n7 €,1\n".encode(), "t.csv:2:1", "amounts of money"),
    "percent": (b"x,y\n5%,0\n6.5,1\n", "t.csv:2:1", "percentages"),
    "decimal comma": (b'x,y\n"1,5",0\n"2,5",1\n', "t.csv:2:1", 'data.decimal: ","'),
    "no target": (b"x,y\n1,\n2,1\n", "t.csv:2:2", "data.missing_target: drop"),
    "gzip": (b"\x1f\x8b\x08aaa", "t.csv", "gzip"),
    "zip": (b"PK\x03\x04aaa", "t.csv", "zip"),
    "Parquet": (b"PAR1aaa", "t.csv", "Parquet"),
    "pickle": (b"\x80\x04aaa", "t.csv", "pickle"),
}


@pytest.mark.parametrize(("data", "place", "says"), DIRTY.values(), ids=DIRTY)
def test_dirt_is_an_error_with_its_place(read, data, place, says):
    with pytest.raises(DataError) as refused:
        read(data)
    problem = refused.value.problems[0]
    assert str(problem.place) == place
    assert says in f"{problem.message} ({problem.cure})"
    assert refused.value.exit_code == 3
    assert len(problem.message) < 300
    assert problem.message.isprintable()


CLEAN = {  # bytes -> the column x and the line of each row
    "CR only": (b"x,y\r1,0\r\r3,1\r", [1, 3], [2, 4]),
    "CRLF and a byte order mark": (b"\xef\xbb\xbfx,y\r\n1,0\r\n\r\n3,1\r\n", [1, 3], [2, 4]),
    "CR among CRLF": (b"x,y\r\n1,0\r3,1\r\n", [1, 3], [2, 3]),
    "no newline at the end": (b"x,y\n1,0\n3,1", [1, 3], [2, 3]),
    "blank lines first": (b"\n\nx,y\n1,0\n3,1\n", [1, 3], [4, 5]),
    "newlines in quotes": (b'x,y\n1,"a\nb"\n\n3,"c\n\n"\n5,a\n', [1, 3, 5], [2, 5, 8]),
    "doubled quotes": (b'x,y\n1,"a ""b"""\n3,""""\n', [1, 3], [2, 3]),
    "a quote within text": (b'x,y\n1,5" pipe\n\n3,"6\n"\n5,a\n', [1, 3, 5], [2, 4, 6]),
}


@pytest.mark.parametrize(("data", "values", "lines"), CLEAN.values(), ids=CLEAN)
def test_unusual_files_are_read_with_the_right_lines(read, data, values, lines):
    column = read(data).features["x"]
    assert column.values.tolist() == values
    assert column.origin.lines.tolist() == lines
    assert str(column.origin.place(1)) == f"t.csv:{lines[1]}:1"


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(
    st.lists(
        st.lists(st.text('a",\n é', max_size=4), min_size=3, max_size=3).filter(lambda row: any(row)),
        min_size=1,
        max_size=12,
    )
)
def test_any_text_comes_back_as_it_was_written(tmp_path_factory, rows):
    """The oracle is Python's own csv writer."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([["p", "q", "r"], *rows])
    columns, lines = texts_of(tmp_path_factory.getbasetemp(), file.getvalue().encode(), "pqr", ["\0"])
    assert [list(row) for row in zip(*columns, strict=True)] == rows
    lengths = [1 + sum(field.count("\n") for field in row) for row in rows]
    assert lines == (2 + np.cumsum([0, *lengths[:-1]])).tolist()


def test_at_most_five_places_and_how_many_more(read):
    with pytest.raises(DataError) as refused:
        read(b"x,y\n" + b"1\n" * 9)
    assert len(refused.value.problems) == 5  # the count is no mistake of its own
    assert refused.value.problems[-1].message == "the row must have 2 fields, and has 1 (and 4 more like these)"
    assert refused.value.problems[-1].place.line == 6


def test_mistakes_in_all_columns_are_told_at_once(read):
    with pytest.raises(DataError) as refused:
        read(b"x,z,y\ninf,1/2/2020,0\n1,1/3/2020,1\n")
    assert [str(problem.place) for problem in refused.value.problems] == ["t.csv:2:1", "t.csv:2:2"]


def test_findings_name_what_was_noticed(read):
    rows = b"".join(b"%d,%d,%s,p%d,%d,%d\n" % (i + 7, i % 3, b"abc"[i % 3 :][:1], i, i % 3, i % 7) for i in range(60))
    table = read(b"code,y,letter,person,copy,zip\n007,0,a,q,0,3\n" + rows + b"\n\n")
    assert codes_of(table) == ["leading-zeros", "too-many-levels", "blank-lines"]
    assert "person" not in table.features


def test_row_numbers_are_no_feature_unless_the_spec_says_so(read):
    rows = b"".join(b"%d,%d,%d\n" % (row, row % 5, row % 2) for row in range(1, 61))
    table = read(b"n,x,y\n" + rows)
    assert (codes_of(table), list(table.features)) == (["row-numbers"], ["x"])
    assert (table.columns["n"].kind, table.columns["n"].role) == ("row numbers", "left out")
    assert list(read(b"n,x,y\n" + rows, types={"n": "number"}).features) == ["n", "x"]


def test_numbers_and_texts_in_one_category_are_noticed(read):
    table = read(b"x,y\n1,0\n2,1\n3+,0\n3+,0\n")
    assert table.features["x"].levels == ("1", "2", "3+")
    assert "numbers-and-texts" in codes_of(table)


def test_types_overrule(read):
    data = b"x,y\n9007199254740993,1\n12,0\n2,1\n"
    assert read(data, types={"x": "category"}).features["x"].levels == ("12", "2", "9007199254740993")
    assert list(read(data + b"4,1\n", types={"x": "ignore"}).features) == []
    with pytest.raises(DataError, match="'b' in 'x' must be a number"):
        read(b"x,y\n2,1\nb,0\n1,1\n", types={"x": "number"})
    with pytest.raises(DataError, match=r"data\.types names a column 'z'"):
        read(data, types={"z": "category"})


def test_options_of_the_format(read):
    assert read(b"x;y\n1,5;0\n-2,25;1\n", delimiter=";", decimal=",").features["x"].values.tolist() == [1.5, -2.25]
    assert read(b"1,2\n3,4\n", header=False, target="x2").features["x1"].values.tolist() == [1.0, 3.0]
    assert read(b"1,2\n3,4\n", header=True, target="2").features["1"].values.tolist() == [3.0]
    assert read("é,y\n1,0\n".encode("latin-1"), encoding="latin-1").features["é"].values.tolist() == [1.0]
    assert read("x,y\n1,0\n".encode("utf-16"), encoding="utf-16").rows == 1
    np.testing.assert_array_equal(read(b"x,y\n-99,0\n1,1\n", missing=["-99"]).features["x"].values, [np.nan, 1.0])


def test_a_decimal_point_beside_decimal_commas_is_no_number(read):
    with pytest.raises(DataError, match=r"'1.234' in 'x' must be a number"):
        read(b"x;y\n" + b"1,5;0\n" * 30 + b"1.234;1\n", delimiter=";", decimal=",")


def test_rows_without_target_can_be_left_out(read):
    table = read(b"x,y\n1,0\n2,\n3,1\n", missing_target="drop")
    assert table.features["x"].values.tolist() == [1.0, 3.0]
    assert table.features["x"].origin.lines.tolist() == [2, 4]
    assert codes_of(table) == ["missing-target"]
    with pytest.raises(DataError, match="every row lacks the target"):
        read(b"x,y\n1,\n2,NA\n", missing_target="drop")


def test_several_targets_keep_their_order(read):
    table = read(b"a,x,b\n1,5,0\n0,6,1\n", target=["b", "a"])
    assert (list(table.targets), list(table.features)) == (["b", "a"], ["x"])


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("folder", "is a folder"),
        ("t.cvs", "did you mean 't.csv'"),
        ("no/t.csv", "there is no folder"),
        ("pipe", "a pipe"),
    ],
)
def test_what_is_not_a_file_is_refused(read, tmp_path, path, says):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # must be refused before it is opened: reading it would never end
    with pytest.raises(DataError) as refused:
        read(b"x,y\n1,0\n", path=path)
    assert says in f"{refused.value.problems[0].message} ({refused.value.problems[0].cure})"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "https://example.org/t.csv"}, "local file"),
        ({"drop": ["y"]}, "also to be left out"),
        ({"types": {"y": "ignore"}}, "also to be left out"),
        ({"target": ["y", "y"]}, "a column twice"),
        ({"delimiter": '"'}, "delimiter must be"),
        ({"decimal": ",", "thousands": ","}, "are both ','"),
        ({"encoding": "hex"}, "no text encoding"),
        ({"encoding": "utf-99"}, "no text encoding"),
    ],
)
def test_options_that_cannot_be_are_refused_before_reading(options, says):
    with pytest.raises(ValidationError, match=says):
        sources.get("csv")(**{"path": "t.csv", "target": "y", **options})


def test_a_row_may_be_longer_than_a_block_of_the_reader(tmp_path):
    names = [f"c{index}" for index in range(9000)]
    columns, _ = texts_of(tmp_path, ",".join(names).encode() + b"\n" + b",".join([b"a" * 300] * 9000) + b"\n", names)
    assert columns == [["a" * 300]] * 9000


def test_newlines_in_quotes_are_read_across_blocks(tmp_path):
    rows = 6000
    columns, lines = texts_of(tmp_path, b"x,y\n" + (b'"' + b"a\n" * 200 + b'",1\n') * rows, "xy")
    assert lines == list(range(2, 2 + 201 * rows, 201))
    assert columns[0] == ["a\n" * 200] * rows
