"""Predictions beside their rows: in the dialect of the rows, harmless to a spreadsheet, and nothing lost."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pyarrow as pa
import pytest

from losscli.deploy.answer import appended, to_csv, to_json, typed
from losscli.errors import DataError

TABLE = pa.table({"=name": ["=1+1", "@x", "\tx", "-2", "+3.5", "a;b", None]})


def rows_of(data: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode()), delimiter=delimiter))


def test_what_a_spreadsheet_would_run_is_quoted_and_numbers_are_not() -> None:
    header, *rows = rows_of(to_csv(TABLE))
    assert header == ["'=name"]
    assert [row[0] if row else "" for row in rows] == ["'=1+1", "'@x", "'\tx", "-2", "+3.5", "a;b", ""]


def test_numbers_are_written_with_the_mark_of_the_rows() -> None:
    data = to_csv(pa.table({"x": ["-1,5", "1.000"], "p": [0.25, 1e-7]}), ";", ",")
    assert rows_of(data, ";")[1:] == [["-1,5", "0,25"], ["1.000", "1e-07"]]


def test_a_name_that_is_taken_is_refused_unless_a_prefix_sets_it_apart() -> None:
    table = pa.table({"prediction": ["mine"]})
    with pytest.raises(DataError, match="'prediction' already"):
        appended(table, {"prediction": np.array([1.0])})
    assert appended(table, {"prediction": np.array([1.0])}, "its_").column_names == ["prediction", "its_prediction"]
    with pytest.raises(DataError, match="'its_prediction' already"):
        appended(pa.table({"its_prediction": ["mine"]}), {"prediction": np.array([1.0])}, "its_")


def test_json_has_no_infinity_and_says_what_it_was_told() -> None:
    table = pa.table({"x": [math.inf, math.nan, 1.5], "when": [None, 1, 2]})
    told = json.loads(to_json(table, {"entry": "focal"}))
    assert told["entry"] == "focal"
    assert told["rows"] == [{"x": None, "when": None}, {"x": None, "when": 1}, {"x": 1.5, "when": 2}]


def test_texts_become_what_they_are() -> None:
    table = pa.table(
        {"whole": ["1", "-2", "?"], "id": ["007", "1", "2"], "long": ["1" * 19, "1", "2"], "text": ["x", "?", "3"]}
    )
    found = typed(table, ["?"])
    assert [str(field.type) for field in found.schema] == ["int64", "string", "double", "string"]
    assert found["whole"].to_pylist() == [1, -2, None]
    assert found["text"].to_pylist() == ["x", None, "3"]
