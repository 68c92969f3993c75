"""The table of dirty CSV: what other readers take in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROWS = "".join(f"{row}.5,{row},{row % 2}\n" for row in range(40))
LATE = "".join(f"{row},{row % 2}\n" for row in range(2000)) + "abc,1\n"

# What the file holds, and how the refusal reads: its place, what is wrong, the cure.
REFUSED: dict[str, tuple[bytes | str, tuple[str, ...]]] = {
    "csv 1 a short row": ("x,y\n1,0\n2\n", ("t.csv:3:2", "must have 2 fields, and has 1")),
    "csv 2 a long row": ("x,y\n1,0\n2,1,5\n", ("t.csv:3:3", "must have 2 fields, and has 3")),
    "csv 3 UTF-16": ("x,y\n1,0\n".encode("utf-16"), ("t.csv", "UTF-16", "data.encoding: utf-16")),
    "csv 4 Latin-1": ("x,y\né,0\n".encode("latin-1"), ("t.csv:2", "byte 0xe9 at offset 4", "data.encoding: latin-1")),
    "csv 6 a NUL": (b"x,y\n1\0,0\n", ("t.csv:2", "NUL byte at offset 5", "take it out")),
    "csv 7 a name twice": ("x,x,y\n1,2,0\n", ("t.csv:1:2", "two columns are called 'x': 1 and 2")),
    "csv 8 no name": ("x,,y\n1,2,0\n", ("t.csv:1:2", "no name")),
    "csv 9 semicolons": ("x;y\n1;0\n2;1\n", ("t.csv:1", 'use data.delimiter: ";"')),
    "csv 9 tabs": ("x\ty\n1\t0\n", ("t.csv:1", r'data.delimiter: "\t"')),
    "csv 10 decimal commas": ("x;y\n1,5;0\n2,5;1\n", ("t.csv:1", "data.delimiter", "data.decimal")),
    "csv 11 inf": ("x,y\n1,0\ninf,1\n2,0\n", ("t.csv:3:1", "must be a finite number")),
    "csv 11 1e999": ("x,y\n1,0\n1e999,1\n2,0\n", ("t.csv:3:1", "must be a finite number")),
    "csv 13 more than 2^53": ("x,y\n1,0\n9007199254740993,1\n", ("t.csv:3:1", "precision", "category")),
    "csv 14 hexadecimal": ("x,y\n1,0\n0x1F,1\n", ("t.csv:3:1", "'0x1F'")),
    "csv 15 text in row 2001": ("x,y\n" + LATE, ("t.csv:2002:1", "'abc' in 'x' must be a number")),
    "csv 17 an open quote": ('x,y\n1,0\n"a,1\n2,0\n', ("t.csv:3:1", "quote")),
    "csv 18 a long field": ("x,y\n" + "a" * 131073 + ",0\n", ("t.csv:2:1", "131072")),
}


@pytest.mark.parametrize("row", REFUSED)
def test_refused(row: str, tmp_path: Path, call: Any) -> None:
    data, parts = REFUSED[row]
    (tmp_path / "t.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
    call("inspect t.csv --target y").says(3, *parts)
    call("train --data t.csv --target y --no-record").says(3, *parts)


def seen(call: Any, *words: str) -> dict[str, Any]:
    outcome = call("inspect t.csv --target y --format json", *words).says(0)
    answer: dict[str, Any] = json.loads(outcome.out)
    return answer


def test_csv_5_carriage_returns_end_lines(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b,y\r" + ROWS.replace("\n", "\r").encode())
    assert seen(call)["rows"] == 40


def test_csv_11_missing_values_are_counted(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\nNA,nan,1\n" + ROWS)
    call("inspect t.csv --target y").says(0, "2 missing values in 2 columns")


def test_csv_12_leading_zeros_are_a_number_and_a_warning(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n" + "".join(f"00{row},{row},{row % 2}\n" for row in range(10, 50)))
    call("inspect t.csv --target y").says(0, "zeros")


def test_csv_16_blank_lines_are_no_rows(tmp_path: Path, call: Any) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n\n" + ROWS + "\n\n")
    assert seen(call)["rows"] == 40
    call("inspect t.csv --target y").says(0, "3 blank lines")
