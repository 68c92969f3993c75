"""Tables in several files and in Parquet, what became of each column, dates, and the task that a target tells."""

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from losscli.data.columns import in_short
from losscli.data.sources import sources
from losscli.errors import DataError
from losscli.tasks import Column, TargetOptions, tasks
from losscli.tasks.guess import Values, guess_task


@pytest.fixture
def csv(tmp_path):
    """Write files (name -> text) and read `path` as CSV."""

    def reader(files, path="t.csv", **options):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return sources.get("csv")(**{"path": path, "target": "y", **options}).read(tmp_path)

    return reader


@pytest.fixture
def typed(tmp_path):
    """Write one column x beside a target as Parquet, and read them."""

    def reader(values, kind=None, **options):
        table = pa.table({"x": pa.array(values, kind), "y": [float(row % 2) for row in range(len(values))]})
        parquet.write_table(table, tmp_path / "t.parquet")
        return sources.get("parquet")(**{"path": "t.parquet", "target": "y", **options}).read(tmp_path)

    return reader


def refusal(read, *arguments, **options):
    with pytest.raises(DataError) as refused:
        read(*arguments, **options)
    problem = refused.value.problems[0]
    assert refused.value.exit_code == 3
    return str(problem.place), f"{problem.message} ({problem.cure})"


# Several files

PARTS = {"d/part-0.csv": "x,y\n1,0\n2,1\n", "d/part-1.csv": "x,y\n\n3,0\n4,1\n", "d/_SUCCESS": "", "d/notes.md": "hi"}


@pytest.mark.parametrize("path", ["d", "d/", ["d/part-0.csv", "d/part-1.csv"]])
def test_several_files_are_one_table(csv, path):
    table = csv(PARTS, path)
    assert table.features["x"].values.tolist() == [1, 2, 3, 4]
    assert [str(table.features["x"].origin.place(row)) for row in (1, 2)] == ["d/part-0.csv:3:1", "d/part-1.csv:3:1"]
    strays = [found.message for found in table.findings if found.code == "other-files"]
    assert strays == (
        [] if isinstance(path, list) else [f"1 file of '{path}' did not belong and were not read: 'notes.md'"]
    )


def test_rows_that_stay_keep_their_file_and_line(csv):
    table = csv({"a.csv": "x,y\n1,\n2,1\n", "b.csv": "x,y\n3,0\n"}, ["a.csv", "b.csv"], missing_target="drop")
    assert [str(table.targets["y"].origin.place(row)) for row in (0, 1)] == ["a.csv:3:2", "b.csv:2:2"]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("x,z", "lacks 'y' and has 'z' besides"),
        ("y,x", "in another order: 'y' comes where 'x' should"),
        ("x,y,z", "has 'z'"),
    ],
)
def test_other_columns_in_a_part_are_named(csv, header, says):
    place, told = refusal(csv, {"a.csv": "x,y\n1,0\n", "b.csv": f"{header}\n1,0,1\n"}, ["a.csv", "b.csv"])
    assert (place, says in told, "a.csv" in told) == ("b.csv:1", True, True)


def test_a_mistake_in_the_second_file_is_told_there(csv):
    files = {"a.csv": "x,y\n" + "1,0\n" * 30, "b.csv": "x,y\n1,0\nabc,1\n"}
    assert refusal(csv, files, ["a.csv", "b.csv"])[0] == "b.csv:3:1"
    assert refusal(csv, {**files, "b.csv": "x,y\n1\n"}, ["a.csv", "b.csv"])[0] == "b.csv:2:2"


def test_folders_that_are_no_tables_are_refused(csv):
    assert "within" not in refusal(csv, {"d/x.md": ""}, "d")[1]
    assert "folder without .csv" in refusal(csv, {"d/x.md": ""}, "d")[1]
    assert "are '.csv'" not in refusal(csv, {"d/a.csv": "x,y\n1,0\n", "d/b.tsv": "x\ty\n1\t0\n"}, "d")[1]
    assert "must be of one kind" in refusal(csv, {"d/b.tsv": "x\ty\n1\t0\n"}, "d")[1]
    assert "twice" in refusal(csv, {"a.csv": "x,y\n1,0\n"}, ["a.csv", "./a.csv"])[1]


def test_tabs_are_what_a_tsv_is_divided_by(csv):
    assert csv({"t.tsv": "x\ty\n1\t0\n"}, "t.tsv").features["x"].values.tolist() == [1]


def test_a_late_oddity_makes_a_long_column_text_again(csv):
    """The first rows are read as numbers; what they were as texts is not lost when a later row is none."""
    rows = "".join(f"{row % 7}.50,0{row % 3},{row % 2}\n" for row in range(3000))
    table = csv({"t.csv": "x,z,y\n" + rows + "a,00,1\n" * 2000})
    assert table.features["x"].levels == (*(f"{row}.50" for row in range(7)), "a")
    assert table.features["z"].values[:3].tolist() == [0, 1, 2]
    assert "leading-zeros" in [found.code for found in table.findings]


# What became of each column


def test_stories_of_all_columns(csv):
    rows = "".join(
        f"{row + 1},{row % 3},{'ab'[row % 2]},{'true' if row % 2 else 'false'},id{row},it is row number {row},,{row % 2}\n"
        for row in range(120)
    )
    names = "n,num,cat,bool,id,prose,none,y"
    table = csv({"t.csv": f"{names}\n{rows}"}, drop=["num"])
    told = {name: (story.kind, story.role) for name, story in table.columns.items()}
    assert told == {
        "n": ("row numbers", "left out"),
        "num": ("not read", "left out"),
        "cat": ("category", "feature"),
        "bool": ("boolean", "feature"),
        "id": ("category", "left out"),
        "prose": ("text", "left out"),
        "none": ("empty", "feature"),
        "y": ("number", "target"),
    }
    assert (table.columns["cat"].distinct, table.columns["none"].missing) == (2, 120)
    assert table.columns["id"].example == "id0"
    assert "4 left out" in in_short(table.columns)[0].message


def test_booleans_however_they_are_spelled(csv):
    table = csv({"t.csv": "x,y\nYes,0\nn,1\n,1\n1,0\n"}, types={"x": "boolean"})
    assert (table.features["x"].levels, table.features["x"].values.tolist()) == (("False", "True"), [1, 0, -1, 1])
    place, told = refusal(csv, {"t.csv": "x,y\nYes,0\nmaybe,1\n"}, types={"x": "boolean"})
    assert (place, "'maybe'" in told) == ("t.csv:3:1", True)


# Dates


def test_a_date_becomes_numbers(csv):
    """The oracle is Python's own datetime."""
    days = [dt.datetime(2024, 2, 29, 6, 30), dt.datetime(1969, 12, 31), dt.datetime(2031, 7, 1, 23, 59, 59)]
    table = csv({"t.csv": "d,y\n" + "".join(f"{day.isoformat()},1\n" for day in days) + ",0\n"}, types={"d": "date"})
    found = {name: column.values for name, column in table.features.items()}
    assert list(found) == ["d.year", "d.month", "d.day", "d.weekday", "d.days", "d.hour"]
    assert all(np.isnan(values[3]) for values in found.values())
    for row, day in enumerate(days):
        since = (day - dt.datetime(1970, 1, 1)).total_seconds() / 86400
        expected = [day.year, day.month, day.day, day.weekday(), since, since % 1 * 24]
        np.testing.assert_allclose([values[row] for values in found.values()], expected, rtol=1e-9)
    assert table.columns["d"].parts == tuple(found)


@pytest.mark.parametrize(
    ("texts", "day"),
    [
        (["03.04.2024"], (3, 4)),
        (["03/04/2024", "13/04/2024"], (3, 4)),
        (["03/04/2024", "03/14/2024"], (4, 3)),
        (["2024-04-03"], (3, 4)),
        (["20240403"], (3, 4)),
        (["2024/4/3"], (3, 4)),
    ],
)
def test_which_is_the_day(csv, texts, day):
    table = csv({"t.csv": "d,y\n" + "".join(f"{text},1\n" for text in texts)}, types={"d": "date"})
    assert (table.features["d.day"].values[0], table.features["d.month"].values[0]) == day


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2023-02-29", "no day that there is"),
        ("2024-01-01T25:00", "no day that there is"),
        ("soon", "must be a date"),
        ("2024131", "must be a date"),
        ("03.04.2024,1\n05/06/2024", "cannot be told apart"),  # points tell of themselves only
        ("03/04/2024", "data.day_first"),
    ],
)
def test_what_is_no_date_is_refused(csv, text, says):
    place, told = refusal(csv, {"t.csv": f"d,y\n\n{text},1\n"}, types={"d": "date"})
    assert (place, says in told) == ("t.csv:3:1", True)


def test_a_date_is_not_taken_for_text(csv):
    place, told = refusal(csv, {"t.csv": "d,y\n31/01/2024,1\n01/02/2024,0\n"})
    assert (place, "data.types: {d: date}" in told) == ("t.csv:2:1", True)


# Parquet


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None, 3], pa.int8(), [1, np.nan, 3]),
        ([1.5, float("nan"), 3], pa.float32(), [1.5, np.nan, 3]),
        ([decimal.Decimal("0.10"), None, decimal.Decimal("2.30")], pa.decimal128(9, 2), [0.1, np.nan, 2.3]),
        ([2**53, -(2**53), 0], pa.int64(), [2.0**53, -(2.0**53), 0]),
        ([7, 7, 9], pa.dictionary(pa.int8(), pa.uint16()), [7, 7, 9]),
    ],
)
def test_numbers_of_every_type(typed, values, kind, expected):
    if pa.types.is_dictionary(kind):
        values = pa.array(values, kind.value_type).dictionary_encode()
        kind = None
    np.testing.assert_array_equal(typed(values, kind).features["x"].values, expected)


@pytest.mark.parametrize(
    ("values", "kind", "levels"),
    [
        (["b", None, "a"], pa.string(), ("a", "b")),
        (["007", "", "12"], pa.large_string(), ("007", "12")),
        ([True, None, False], pa.bool_(), ("False", "True")),
    ],
)
def test_texts_and_booleans_are_categories(typed, values, kind, levels):
    column = typed(values, kind).features["x"]
    assert (column.levels, int(column.missing.sum())) == (levels, 1)
    held = [None if code < 0 else column.levels[code] for code in column.values]
    assert held == [None if value in (None, "") else str(value) for value in values]


@pytest.mark.parametrize(
    ("values", "kind", "says"),
    [
        ([[1], [2]], pa.list_(pa.int64()), "list<"),
        ([{"a": 1}, {"a": 2}], pa.struct({"a": pa.int64()}), "struct<"),
        ([b"a", b"b"], pa.binary(), "binary"),
        ([1, 2], pa.duration("s"), "duration"),
        ([1, 2], pa.time32("s"), "time32"),
        ([1.0, float("inf")], pa.float64(), "t.parquet:2:1 inf in 'x' must be a finite number"),
        ([1, 2**53 + 1], pa.int64(), "t.parquet:2:1 9007199254740993 in 'x' is a whole number beyond 2^53"),
    ],
)
def test_what_parquet_holds_and_a_model_cannot_use(typed, values, kind, says):
    place, told = refusal(typed, values, kind)
    assert says in f"{place} {told}"
    assert "'x'" in told
    assert list(typed(values, kind, drop=["x"]).columns) == ["x", "y"]


def test_timestamps_are_dates_if_told(typed):
    table = typed([dt.datetime(2024, 1, 31, 12), None], pa.timestamp("ms"), types={"x": "date"})
    assert [table.features[f"x.{part}"].values[0] for part in ("year", "month", "day", "hour")] == [2024, 1, 31, 12]


def test_a_timestamp_of_a_time_zone_is_read_in_utc(typed):
    """It is still January where Tokyo has February."""
    moment = dt.datetime(2024, 1, 31, 20, tzinfo=dt.UTC)
    table = typed([moment, None], pa.timestamp("us", "Asia/Tokyo"), types={"x": "date"})
    assert [table.features[f"x.{part}"].values[0] for part in ("month", "day", "hour")] == [1, 31, 20]


def test_a_folder_of_parquet_is_one_table(tmp_path):
    for part, values in enumerate([[1, 2], [3]]):
        table = pa.table({"x": pa.array(values, pa.int32()), "y": [float(value % 2) for value in values]})
        parquet.write_table(table, tmp_path / f"part-{part}.parquet")
    read = sources.get("parquet")(path=".", target="y").read
    table = read(tmp_path)
    assert table.features["x"].values.tolist() == [1, 2, 3]
    assert str(table.features["x"].origin.place(2)).endswith("part-1.parquet:1:1")
    parquet.write_table(pa.table({"x": ["a"], "y": [1.0]}), tmp_path / "part-2.parquet")
    place, told = refusal(read, tmp_path)
    assert ("part-2.parquet" in place, "'x' has the type string here, and int32" in told) == (True, True)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"x,y\n1,0\n", "use data.source: csv"),
        (b"PAR1" + b"\1" * 50, "damaged"),
        (b"\x80\x04", "Parquet"),
    ],
)
def test_what_is_not_parquet_is_refused(tmp_path, data, says):
    (tmp_path / "t.parquet").write_bytes(data)
    place, told = refusal(sources.get("parquet")(path="t.parquet", target="y").read, tmp_path)
    assert (place, says in told) == ("t.parquet", True)


# Changes and guesses


@pytest.mark.parametrize(
    ("after", "codes"), [("x,y\n1,0\n2,1\n", []), ("x,y\n1,0\n3,1\n", ["data-changed"]), (None, ["data-changed"])]
)
def test_a_file_that_changes_while_it_is_used_is_noticed(tmp_path, after, codes):
    file = tmp_path / "t.csv"
    file.write_text("x,y\n1,0\n2,1\n")
    source = sources.get("csv")(path="t.csv", target="y")
    source.read(tmp_path)
    assert source.changes() == []
    file.unlink()
    if after is not None:
        file.write_text(after)
    assert [found.code for found in source.changes()] == codes


def test_a_table_is_read_once_for_task_and_training(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,no\n2,yes\n")
    source = sources.get("csv")(path="t.csv", target="y")
    assert source.natural_task(tmp_path) == source.guess(tmp_path).task == "binary"
    (tmp_path / "t.csv").unlink()
    assert source.read(tmp_path).rows == 2
    with pytest.raises(DataError):  # it is not kept any longer than that
        source.read(tmp_path)


def numbers(*values):
    return Column(np.array(values, dtype=np.float64))


def texts(*values):
    levels = tuple(sorted(set(values)))
    return Column(np.array([levels.index(value) for value in values], dtype=np.int32), levels)


COUNTS = np.repeat(np.arange(10.0), [800, 150, 30, 10, 4, 3, 3, 2, 2, 1])
GUESSES = [
    ({"y": texts("no", "yes", "no")}, "binary", "'no' and 'yes'"),
    ({"y": texts("a", "b", "c")}, "multiclass", "3 different texts"),
    ({"y": numbers(1, 2, np.nan)}, "binary", "'1' and '2'"),
    ({"y": numbers(0.5, 0.7)}, "regression", "decimals"),
    ({"y": numbers(*[0, 1, 2] * 9)}, "multiclass", "numbers of classes"),
    ({"y": Column(COUNTS)}, "regression", "counts"),
    ({"y": numbers(*range(100, 200))}, "regression", "from 100 to 199"),
    ({"a": numbers(0, 1), "b": texts("no", "yes")}, "multilabel", "2 targets"),
    ({"a": numbers(0.25, 1), "b": numbers(0.75, 0)}, "multiclass", "soft labels"),
    ({"a": numbers(0.25, 1), "b": numbers(3, 0)}, "regression", "2 targets are numbers"),
    ({"a": numbers(-1, 1), "b": numbers(3, 0)}, "regression", "2 targets are numbers"),
    ({"a": numbers(2, 1), "b": numbers(3, 0)}, "regression", "votes: --set data.counts=true"),
]


@pytest.mark.parametrize(("targets", "task", "reason"), GUESSES)
def test_the_task_is_guessed_from_the_target(targets, task, reason):
    values = {name: Values(column) for name, column in targets.items()}
    sure = sorted((hunch.sure for task in tasks if (hunch := task.guess(values, TargetOptions()))), reverse=True)
    assert len(sure) == 1 or sure[0] > sure[1]  # no tie, which the order of the shelf would decide
    guess = guess_task(targets)
    assert (guess.task, reason in guess.reason) == (task, True)


def test_what_is_said_of_the_target_tells_its_task():
    assert guess_task({"y": texts("a;b", "b")}, TargetOptions(separator=";")).task == "multilabel"
    assert guess_task({"y": numbers(1, 5, 9)}, TargetOptions(order=("1", "5", "9"))).task == "multiclass"
    assert guess_task({"y": numbers(0, 1, 2)}, TargetOptions(transform="log1p")).task == "regression"


@pytest.mark.parametrize("text", ["0001-01-01T00:00+05:00", "9999-12-31T23:00-05:00"])
def test_a_moment_that_utc_has_no_year_for_is_told_with_its_place(csv, text):
    with pytest.raises(DataError, match="is no day that there is"):
        csv({"t.csv": f"d,y\n2024-01-01T00:00+05:00,1\n{text},0\n"}, types={"d": "date"})
