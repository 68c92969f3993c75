"""A source that only this file knows goes the whole way by existing: `--data`, inspect, train, predict, gate."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pytest

from losscli.cli import app
from losscli.data.dataset import Table
from losscli.data.files import File, FileOrigin, FileState
from losscli.data.gather import RawColumns
from losscli.data.opening import opened
from losscli.data.sources import Source, sources
from losscli.data.tabular import Tabular
from losscli.data.typed import raw_of
from losscli.tasks import Column

QUICK = ("--epochs", "2", "--seeds", "2", "--set", "model.hidden=[4]", "--quiet")


class Lines(Tabular):
    """A JSON object in each line of a file."""

    source: Literal["lines"] = "lines"
    endings: ClassVar[tuple[str, ...]] = (".lines",)

    def gathered(self, files: Sequence[File], left_out: set[str], as_text: set[str], watched: FileState) -> RawColumns:
        with opened(files[0].path, files[0].name) as stream:
            watched.begin(files[0])
            data = stream.read()
            watched.saw(files[0].name, data)
        table = pa.Table.from_pylist([json.loads(line) for line in data.splitlines()])
        origin = FileOrigin.of(files, 1, np.arange(table.num_rows) + 1, [0])
        columns = {
            name: raw_of(name, table[name].chunks, table[name].type, origin, text=name in as_text)
            for name in table.column_names
            if name not in left_out
        }
        return RawColumns(tuple(table.column_names), columns, table.num_rows)


class Constant(Source):
    """A data set with a name of its own, and no file."""

    source: Literal["constant"] = "constant"
    name: Literal["steps"] = "steps"

    @classmethod
    def data_sets(cls) -> Sequence[str]:
        return ("steps",)

    def title(self) -> str:
        return self.name

    def natural_task(self, folder: Path = Path()) -> str:
        return "regression"

    def read(self, folder: Path) -> Table:
        x = np.arange(200.0) % 7
        return Table("steps", {"x": Column(x)}, {"y": Column(np.floor(x / 2))})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    before = dict(sources._items) if sources.names() else {}
    sources.put("lines", Lines)
    sources.put("constant", Constant)
    yield tmp_path
    sources._items = before


@pytest.fixture
def table(here: Path) -> list[dict[str, object]]:
    chance = np.random.default_rng(0)
    rows = [
        {
            "count": int(chance.integers(0, 9)),
            "size": float(chance.normal()),
            "kind": str(chance.choice(["oak", "elm"])),
        }
        for _ in range(120)
    ]
    rows = [{**row, "y": row["count"] + 3 * (row["kind"] == "oak") + float(row["size"])} for row in rows]
    (here / "trees.lines").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return rows


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert app.run(list(words)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_a_file_is_known_by_its_ending(table: object, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "inspect", "trees.lines", "--format", "json")
    assert [column["name"] for column in json.loads(out)["columns"]] == ["count", "size", "kind", "y"]
    assert "regression" in said(capsys, "inspect", "trees.lines", "--target", "y")
    assert app.run(["train", "--data", "trees.lnies", "--target", "y"]) == 3
    assert ".lines" in capsys.readouterr().err


def test_a_folder_of_them_is_one_kind(table: object, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "parts").mkdir()
    (here / "trees.lines").rename(here / "parts" / "a.lines")
    (here / "parts" / "read.txt").write_text("a note beside the table")
    said(capsys, "inspect", "parts", "--target", "y")
    (here / "parts" / "b.csv").write_text("y\n1\n")
    assert app.run(["inspect", "parts", "--target", "y"]) == 3
    assert "csv and lines" in capsys.readouterr().err


def test_it_is_trained_on_recorded_and_predicted(
    table: list[dict[str, object]], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "train", "--data", "trees.lines", "--target", "y", *QUICK)
    (record,) = (here / "runs").iterdir()
    assert "source: lines" in (record / "spec.yaml").read_text()
    new = [{name: value for name, value in row.items() if name != "y"} for row in table[:5]]
    (here / "new.lines").write_text("\n".join(map(json.dumps, new)) + "\n")
    rows = list(csv.DictReader(io.StringIO(said(capsys, "predict", record.name, "new.lines"))))
    assert [(int(row["count"]), float(row["size"]), row["kind"]) for row in rows] == [
        tuple(row.values()) for row in new
    ]
    assert all(np.isfinite(float(row["prediction"])) for row in rows)
    (here / "new.csv").write_text("count,size,kind\n" + "".join(f"{r['count']},{r['size']},{r['kind']}\n" for r in new))
    again = list(csv.DictReader(io.StringIO(said(capsys, "predict", record.name, "new.csv"))))
    assert [row["prediction"] for row in again] == [row["prediction"] for row in rows]


def test_other_rows_of_the_same_file_are_the_same_data(
    table: object, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file is known by its name: it may lie elsewhere, or be read with other missing tokens."""
    said(capsys, "train", "--data", "trees.lines", "--target", "y", *QUICK)
    (here / "moved").mkdir()
    (here / "trees.lines").rename(here / "moved" / "trees.lines")
    said(capsys, "train", "--data", "moved/trees.lines", "--target", "y", *QUICK)
    one, other = sorted(folder.name for folder in (here / "runs").iterdir())
    app.run(["gate", other, one])
    assert "not of the same data" not in capsys.readouterr().err


def test_a_named_set_is_known_by_its_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "steps" in said(capsys, "train", "--data", "steps", *QUICK)
    assert app.run(["train", "--data", "stesp"]) == 2
    assert "did you mean steps?" in capsys.readouterr().err
