"""What inference settled of a column holds for new rows: one value is one value, however a file spells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from losscli import pipeline
from losscli.cli.app import run
from losscli.spec.load import load_spec

ROWS = 120
X = np.random.default_rng(0).normal(size=ROWS)
Predict = Callable[..., tuple[int, list[float], str]]


def write(path: Path, columns: dict[str, Sequence[Any]]) -> None:
    if path.suffix == ".parquet":
        parquet.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)
        return
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> Callable[..., Predict]:
    """Trains on a column `c` beside x, and gives what `predict` then says of others: exit code, predictions, stderr."""
    monkeypatch.chdir(tmp_path)

    def predict(values: Sequence[Any], ending: str = "csv", *flags: str) -> tuple[int, list[float], str]:
        write(Path(f"new.{ending}"), {"x": [0.5] * len(values), "c": values})
        code = run(["predict", "1", f"new.{ending}", "--format", "json", *flags])
        out, err = capfdbinary.readouterr()
        rows = json.loads(out)["rows"] if code == 0 else []
        return code, [row["prediction"] for row in rows], err.decode()

    def train(values: Sequence[Any], ending: str = "csv", data: str = "") -> Predict:
        levels = sorted(set(map(str, values)))
        target = [x + 3 * levels.index(str(value)) for x, value in zip(X, values, strict=True)]
        write(Path(f"t.{ending}"), {"x": X, "c": values, "y": target})
        source = ending.removeprefix(".")
        Path("spec.yaml").write_text(
            f"task: regression\ndata: {{source: {source}, path: t.{ending}, target: y{data}}}\nloss: mse\n"
            "model: {kind: linear}\ntrain: {epochs: 3, batch_size: 32, lr: 0.05}\nseeds: 1\n"
        )
        pipeline.run([load_spec(Path("spec.yaml"))], out=Path("runs"))
        return predict

    return train


def cycled(values: Sequence[Any]) -> list[Any]:
    return [values[row % len(values)] for row in range(ROWS)]


CATEGORY = ", types: {c: category}"
BOOLEAN = ", types: {c: boolean}"
TRUTHS = [
    (["False", "True"], "csv", ""),
    (["false", "true"], "csv", ""),
    (["no", "YES"], "csv", ""),
    (["f", "t"], "csv", ""),
    ([False, True], "parquet", ""),
    (["N", "Y"], "csv", BOOLEAN),
    ([0, 1], "csv", BOOLEAN),
    ([0, 1], "csv", CATEGORY),
    ([0, 1], "csv", ""),
    ([0.0, 1.0], "parquet", ""),
]
OTHERS = [
    ("csv", ["False", "True"]),
    ("csv", ["FALSE", "TRUE"]),
    ("csv", ["false", " true "]),
    ("csv", [0, 1]),
    ("csv", ["0.0", "1.0"]),
    ("csv", ["No", "yes"]),
    ("parquet", [False, True]),
    ("parquet", [0, 1]),
    ("parquet", [0.0, 1.0]),
    ("parquet", ["0", "True"]),
]


@pytest.mark.parametrize(("values", "ending", "data"), TRUTHS)
def test_true_is_true_in_any_spelling(trained: Any, values: list[Any], ending: str, data: str) -> None:
    predict = trained(cycled(values), ending, data)
    code, expected, _ = predict(values, ending)
    assert (code, len(set(expected))) == (0, 2)
    for other, spelled in OTHERS:
        assert predict(spelled, other)[:2] == (0, expected), (other, spelled)


CODES = [
    ([1, 2, 3, 4], "csv", CATEGORY),
    (["1.0", "2.0", "3.0", "4.0"], "csv", CATEGORY),
    ([1, 2, 3, 4], "parquet", CATEGORY),
    ([1.0, 2.0, 3.0, 4.0], "parquet", CATEGORY),
    (["1", "2", "3", "4"], "parquet", ""),
]


@pytest.mark.parametrize(("values", "ending", "data"), CODES)
def test_numbers_that_are_names_are_one_where_they_are_equal(
    trained: Any, values: list[Any], ending: str, data: str
) -> None:
    predict = trained(cycled(values), ending, data)
    code, expected, _ = predict(values, ending)
    assert (code, len(set(expected))) == (0, 4)
    for other, spelled in [
        ("csv", [1, 2, 3, 4]),
        ("csv", ["1.0", "2.00", "3.", "+4"]),
        ("csv", ["01", "02", "03", "04"]),
        ("csv", ["1e0", " 2", "3 ", "4"]),
        ("parquet", [1, 2, 3, 4]),
        ("parquet", [1.0, 2.0, 3.0, 4.0]),
        ("parquet", ["1", "2.0", "3", "4"]),
        ("parquet", pa.array(["1", "2", "3", "4"]).dictionary_encode()),
    ]:
        assert predict(spelled, other)[:2] == (0, expected), (other, spelled)


def test_names_with_leading_zeros_are_no_numbers(trained: Any) -> None:
    predict = trained(cycled(["007", "7", "08"]), data=CATEGORY)
    code, found, _ = predict(["007", "7", "08"])
    assert (code, len(set(found))) == (0, 3)
    code, _, said = predict(["8", "8.0"])
    assert (code, "none of the 2 values of 'c'" in said, "'007', '08', '7'" in said) == (3, True, True)


def test_versions_are_no_numbers(trained: Any) -> None:
    """What new rows hold does not say what a column is: here only some of its texts look like numbers."""
    predict = trained(cycled(["1.1", "1.10", "2.0.1"]), data=CATEGORY)
    assert len(set(predict(["1.1", "1.10", "2.0.1"])[1])) == 3
    assert len(set(predict(["1.1", "1.10"])[1])) == 2


def test_one_value_is_one_in_training_whatever_its_part_files_write(trained: Any) -> None:
    """A table in two files, one of which writes decimals, is the table that writes none."""
    expected = trained(cycled([1, 2, 3, 4]), data=CATEGORY)([1, 2, 3, 4])[1]
    for folder, spellings in (("mixed", "{}.0"), ("padded", " +{} ")):
        Path(folder).mkdir()
        lines = Path("t.csv").read_text().splitlines()
        Path(folder, "a.csv").write_text("\n".join(lines[: ROWS // 2]) + "\n")
        rest = [line.split(",") for line in lines[ROWS // 2 :]]
        odd = [",".join((x, spellings.format(code), y)) for x, code, y in rest]
        Path(folder, "b.csv").write_text("\n".join([lines[0], *odd]) + "\n")
        spec = Path("spec.yaml").read_text().replace("path: t.csv", f"path: {folder}")
        Path(f"{folder}.yaml").write_text(spec)
        comparison = pipeline.run([load_spec(Path(f"{folder}.yaml"))], out=Path("runs"))
        said = {finding.code: finding.message for finding in comparison.arenas[0].findings}
        assert "4 values of 'c'" in said["spellings"]
        assert comparison.record is not None
        encoders = json.loads(Path(comparison.record, "encoders.json").read_text())
        (column,) = (each for each in encoders["0/0"]["columns"] if each["name"] == "c")
        assert (column["levels"], column["spelling"]) == (["1", "2", "3", "4"], "number")
    assert trained(cycled([1, 2, 3, 4]), data=CATEGORY)([1, 2, 3, 4])[1] == expected


def test_a_value_composed_otherwise_is_the_same(trained: Any) -> None:
    predict = trained(cycled(["caf\u00e9", "bar"]))
    assert predict(["cafe\u0301", "bar"])[:2] == predict(["caf\u00e9", "bar"])[:2]


@pytest.mark.parametrize(
    ("values", "code", "says"),
    [
        (["red", "green", "x", ""], 0, "'c' 1 of 3 (such as 'x')"),
        (["red", "x"], 0, "'c' 1 of 2 (such as 'x')"),
        (["red", "x", "x2"], 3, "2 of the 3 values of 'c' are none that the model knows, such as 'x'"),
        (["RED", "GREEN"], 3, "none of the 2 values of 'c' is one that the model knows, such as 'RED'"),
        (["", "", "x"], 3, "the value of 'c' is none that the model knows: 'x'"),
        (["", ""], 0, "rows with a missing value"),
    ],
)
def test_unknown_values_are_told_with_their_share_and_refused_where_they_are_most(
    trained: Any, values: list[str], code: int, says: str
) -> None:
    predict = trained(cycled(["red", "green", "blue"]))
    found, _, said = predict(values)
    assert (found, says in said) == (code, True), said
    if code:
        assert "it knows 'blue', 'green', 'red'" in said
        assert "new.csv:" in said


def test_columns_of_which_nothing_is_known_are_all_told_at_once(trained: Any, tmp_path: Path) -> None:
    predict = trained(cycled(["red", "green", "blue"]), data="")
    code, _, said = predict(["x", "y"])
    assert code == 3
    assert "leave the cells empty" in said


def test_an_older_record_that_says_nothing_of_spellings_predicts_as_it_should(trained: Any, tmp_path: Path) -> None:
    from losscli.data.encode import Encoder

    predict = trained(cycled(["False", "True"]))
    assert predict(["False"])[0] == 0
    (record,) = Path("runs").iterdir()
    state = json.loads((record / "encoders.json").read_text())["0/0"]
    older = {**state, "columns": [{k: v for k, v in each.items() if k != "spelling"} for each in state["columns"]]}
    del older["dates"]
    assert Encoder.from_state(older) == Encoder.from_state(state)


DATES = ", types: {c: date}"


def test_the_order_of_day_and_month_is_that_of_training(trained: Any) -> None:
    """Which is the day of 03/04 the new rows alone do not tell, or tell otherwise."""
    days = [f"{1 + row % 28:02}/{1 + row % 12:02}/2024" for row in range(ROWS)]
    predict = trained(days, data=DATES)
    code, found, _ = predict(["03/04/2024", "2024-04-03"])
    assert code == 0
    assert found[0] == found[1]
    code, _, said = predict(["04/13/2024"])
    assert (code, "the day is read first" in said) == (3, True)
    code, found, _ = predict(["04/03/2024", "2024-04-03"], "csv", "--set", "data.day_first=false")
    assert (code, found[0] == found[1]) == (0, True)


def test_a_date_without_a_time_is_midnight_to_a_model_that_knows_hours(trained: Any) -> None:
    days = [f"2024-03-{1 + row % 28:02} {row % 24:02}:00" for row in range(ROWS)]
    predict = trained(days, data=DATES)
    code, expected, _ = predict(["2024-03-04 00:00", "2024-03-05 00:00"])
    assert code == 0
    assert predict(["2024-03-04", "2024-03-05"])[:2] == (0, expected)
