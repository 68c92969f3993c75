"""Rows 28 to 57: tables."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from losscli import pipeline

CHANCE = random.Random(0)
POINTS = [(CHANCE.gauss(0, 1), CHANCE.gauss(0, 1)) for _ in range(60)]


def table(target: Any, names: str = "a,b,y") -> str:
    """Sixty rows of two numbers and whatever `target` says of each row."""
    lines = [f"{a:.4f},{b:.4f},{target(row)}\n" for row, (a, b) in enumerate(POINTS)]
    return names + "\n" + "".join(lines)


HALVES = table(lambda row: row % 2)
REFUSED: dict[str, tuple[bytes | str, tuple[str, ...]]] = {
    "28 empty": (b"", ("t.csv", "empty")),
    "28 whitespace": (b" \n\n\t\n", ("t.csv", "empty")),
    "29 a header only": ("x,y\n", ("t.csv:1", "0 rows")),
    "30 no header": ("5.1,3.5,a\n4.9,3.0,b\n", ("t.csv:1", "header", "data.header: false")),
    "31 no such target": (HALVES.replace("y", "Y", 1), ("t.csv", "did you mean Y? There are: a, b, Y")),
    "32 a name twice": (HALVES.replace("a,b", "a,a", 1), ("t.csv:1:2", "two columns are called 'a'")),
    "32 no names": (HALVES.replace("a,b", "a,", 1), ("t.csv:1:2", "no name")),
    "33 a short row": (HALVES + "1\n", ("t.csv:62:2", "must have 3 fields, and has 1")),
    "33 many long rows": (HALVES + "1,2,1,4\n" * 9, ("t.csv:62:4", "has 4", "4 more")),
    "34 text in row 2001": (
        "x,y\n" + "".join(f"{row},{row % 2}\n" for row in range(2000)) + f"\x1b[31m{'z' * 200},1\n",
        ("t.csv:2002:1", r"\x1b[31mzzz", "…", "must be a number"),
    ),
    "35 a hole in the target": (HALVES + "1,2,\n", ("t.csv:62:3", "missing", "data.missing_target: drop")),
    "36 inf": (HALVES + "inf,2,1\n", ("t.csv:62:1", "finite")),
    "36 -inf": (HALVES + "1,-inf,1\n", ("t.csv:62:2", "finite")),
    "36 1e999": (HALVES + "1e999,2,1\n", ("t.csv:62:1", "finite")),
    "37 decimal commas": ("x;y\n1,5;0\n2,5;1\n", ("t.csv:1", 'data.delimiter: ";"', 'data.decimal: ","')),
    "37 tabs": ("x\ty\n1\t0\n", ("t.csv:1", r'data.delimiter: "\t"')),
    "38 UTF-16": (HALVES.encode("utf-16"), ("t.csv", "data.encoding: utf-16")),
    "38 Latin-1": ("x,y\né,0\n".encode("latin-1"), ("t.csv:2", "byte 0xe9 at offset 4", "data.encoding: latin-1")),
    "39 a NUL": (b"x,y\n1\0,0\n", ("t.csv:2", "NUL byte at offset 5")),
    "39 Ctrl-Z": (HALVES + "\x1a", ("t.csv:62", "Ctrl-Z")),
    "40 an open quote": (HALVES + '"1,2,0\n', ("t.csv:62:1", "quote")),
    "40 text after a quote": (HALVES + '"1"x,2,0\n', ("t.csv:62:1", "quote")),
    "41 a long field": (HALVES + "a" * 131073 + ",1,0\n", ("t.csv:62:1", "131072")),
    "41 a hundred thousand columns": (",".join(map(str, range(100_001))) + "\n", ("t.csv:1", "columns")),
    "42 more than 2^53": (HALVES + "9007199254740993,1,0\n", ("t.csv:62:1", "precision", "category")),
    "43 one class": (table(lambda row: 1), ("t.csv", "must hold two different values, and it holds 1: '1'")),
    "45 all constant": (
        "a,b,y\n" + "".join(f"1,x,{row % 2}\n" for row in range(40)),
        ("t.csv", "no feature varies over the training rows", "add feature columns"),
    ),
    "52 hexadecimal": (HALVES + "0x1F,1,0\n", ("t.csv:62:1", "'0x1F'")),
    "52 underscores": (HALVES + "1_000,1,0\n", ("t.csv:62:1", "'1_000'")),
    "52 ambiguous dates": (
        "d,b,y\n" + "".join(f"0{row % 9 + 1}/0{row % 8 + 1}/2024,{row},{row % 2}\n" for row in range(40)),
        ("t.csv:2:1", "'d' holds dates, such as '01/01/2024'", "data.types: {d: date}"),
    ),
    "56 three rows": ("a,b,y\n1,2,0\n2,1,1\n3,3,0\n", ("t.csv", "rows")),
    "57 gzip": (gzip.compress(HALVES.encode()), ("t.csv", "gzip")),
}


@pytest.mark.parametrize("row", REFUSED)
def test_refused(row: str, tmp_path: Path, call: Any) -> None:
    data, parts = REFUSED[row]
    (tmp_path / "t.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
    call("train --data t.csv --target y --task binary --no-record").says(3, *parts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv"]


TARGETS: dict[str, tuple[str, Any, tuple[str, ...]]] = {
    "44 a class of one": ("multiclass", lambda row: "once" if row == 7 else f"k{row % 2}", ("'once'", "1 row")),
    "46 three values": ("binary", lambda row: row % 3, ("'y'", "3", "multiclass")),
    "47 halves as classes": ("multiclass", lambda row: row % 3 + 0.5, ("t.csv:2:3", "regression")),
    "48 a cell of 2": ("multilabel", lambda row: 2 if row == 5 else row % 2, ("t.csv:7:3", "'2'")),
}


@pytest.mark.parametrize("row", TARGETS)
def test_targets_that_are_refused(row: str, tmp_path: Path, call: Any) -> None:
    task, target, parts = TARGETS[row]
    (tmp_path / "t.csv").write_text(table(target))
    call(f"train --data t.csv --target y --task {task} --no-record").says(3, *parts)


UNNAMED = ("a column without a name is called 'column 1'", "if it is an index")
FILLED = ("values are missing: 'a' in 2, 'b' in 2 of 62 rows; a number became the training median",)
READ: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "32 an index without a name": ("binary", "," + HALVES.replace("\n", "\n1,").removesuffix("1,"), UNNAMED),
    "35 holes in a feature": ("binary", HALVES + "NA,null,1\n,nan,0\n", FILLED),
    "40 a line break in quotes": (
        "binary", "a,b,y\n" + "".join(f'{row},"u\nv{row % 2}",{row % 2}\n' for row in range(40)), ()
    ),
    "45 one constant column": (
        "binary", "a,b,y\n" + "".join(f"1,{row},{row % 2}\n" for row in range(40)), ("constant features were left out: 'a'",)
    ),
    "46 1 and 2": ("binary", table(lambda row: row % 2 + 1), ("0 = 1, 1 = 2 (positive)",)),
    "46 yes and no": ("binary", table(lambda row: ["no", "yes"][row % 2]), ("0 = no, 1 = yes",)),
    "46 0.0 and 1.0": ("binary", table(lambda row: f"{row % 2}.0"), ()),
    "46 probabilities": ("binary", table(lambda row: (row % 10) / 10), ("the target 'y' is shares of yes, 0 to 0.9",)),
    "47 a gap": ("multiclass", table(lambda row: [0, 1, 3][row % 3]), ("3",)),
    "47 -100": ("multiclass", table(lambda row: [-100, 0, 1][row % 3]), ("-100",)),
    "49 a constant target": ("regression", table(lambda row: 5), ("the target 'y' is always 5", "nothing to learn")),
    "49 1e38": ("regression", table(lambda row: f"{row}e36"), ()),
    "50 a column that is the target": (
        "binary", "a,b,y\n" + "".join(f"{a:.4f},{row % 2},{row % 2}\n" for row, (a, _) in enumerate(POINTS)),
        ("the feature 'b' tells the target 'y' exactly", "data.drop"),
    ),
    "51 rows twice": ("binary", HALVES + HALVES.partition("\n")[2], ("28 of 36 valid and test rows have the same",)),
    "52 007": (
        "binary", "a,b,y\n" + "".join(f"00{row},{row},{row % 2}\n" for row in range(10, 50)), ("zeros",)
    ),
    "52 ISO dates": (
        "binary", "d,b,y\n" + "".join(f"2024-01-{row % 28 + 1:02},{row},{row % 2}\n" for row in range(40)), ("date",)
    ),
    "52 dollars, thousands and percents": (
        "binary", "a,b,y\n" + "".join(f'"${row},000.50",{row} %,{row % 2}\n' for row in range(10, 50)), ("$", "%")
    ),
    "53 formulas": (
        "binary", "a,b,y\n" + "".join(f"=1+{row % 3},{row},{row % 2}\n" for row in range(40)), ()
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", READ)
def test_read_and_told(row: str, tmp_path: Path, call: Any) -> None:
    task, text, parts = READ[row]
    (tmp_path / "t.csv").write_text(text)
    call(f"train --data t.csv --target y --task {task} --no-record --smoke").says(0, *parts)


def test_row_35_missing_error_and_drop(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text(HALVES + "NA,1,1\n")
    line = "train --data t.csv --target y --no-record --smoke --set data.encode.missing.rows="
    call(f"{line}error").says(3, "t.csv:62:1", "missing")
    call(f"{line}drop").says(0, "1 row")


def test_row_43_one_class_in_the_training_split(tmp_path: Path, call: Any) -> None:
    text = table(lambda row: row % 2 if row < 20 else 0, "a,split,y")
    lines = [line.split(",") for line in text.splitlines()]
    for row, line in enumerate(lines[1:]):
        line[1] = "train" if row >= 20 else ["valid", "test"][row // 2 % 2]
    (tmp_path / "t.csv").write_text("".join(",".join(line) + "\n" for line in lines))
    call("train --data t.csv --target y --no-record --set data.split.column=split").says(3, "train", "'0'")


def test_row_48_rows_and_labels_that_are_empty(tmp_path: Path, call: Any) -> None:
    text = "a,b,u,v,w\n" + "".join(f"{a:.4f},{b:.4f},{row % 2},{row % 3 // 2},0\n" for row, (a, b) in enumerate(POINTS))
    (tmp_path / "t.csv").write_text(text)
    line = "train --data t.csv --target u --target v --target w --task multilabel --no-record --smoke"
    call(line).says(0, "w")


def test_row_50_the_target_as_a_feature(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text(HALVES)
    (tmp_path / "s.yaml").write_text(
        "task: binary\ndata: {source: csv, path: t.csv, target: y, features: [a, y]}\n"
    )  # fmt: skip
    call("train s.yaml --no-record").says(2, "s.yaml:2", "y")


def test_row_53_formulas_are_escaped_on_the_way_out(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text(table(lambda row: ["=1+1", "no"][row % 2]))
    call("train --data t.csv --target y --smoke").says(0)
    assert ",'=1+1," in call("predict 1 t.csv").says(0).out


def test_row_54_a_file_that_changes_during_the_run(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text(HALVES)
    before = pipeline.train_all

    def meanwhile(*given: Any, **options: Any) -> Any:
        (tmp_path / "t.csv").write_text(HALVES + "1,1,1\n")
        return before(*given, **options)

    monkeypatch.setattr(pipeline, "train_all", meanwhile)
    call("train --data t.csv --target y --smoke").says(0, "'t.csv' changed while the models were trained")


STRANGE = {
    "55 damaged Parquet": ("t.parquet", b"PAR1" + b"\0" * 40),
    "55 a CSV called .parquet": ("t.parquet", HALVES.encode()),
    "55 a pickle": ("t.pkl", b"\x80\x04."),
    "55 an array": ("t.npy", b"\x93NUMPY\x01\x00"),
    "57 a zip called .csv": ("t.csv", None),
}


@pytest.mark.parametrize("row", STRANGE)
def test_other_formats(row: str, tmp_path: Path, call: Any) -> None:
    name, data = STRANGE[row]
    if data is None:
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("t.csv", "0" * 1_000_000)
    else:
        (tmp_path / name).write_bytes(data)
    call(f"inspect {name} --target y").says(3, name)


def test_machine_output_says_the_same(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text(HALVES)
    assert json.loads(call("inspect t.csv --target y --format json").says(0).out)["rows"] == 60
