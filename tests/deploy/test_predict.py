"""New rows: what a record's model says of them, and what it says where they do not fit."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet
from sklearn.datasets import load_breast_cancer, load_diabetes

from losscli import pipeline
from losscli.cli.app import run
from losscli.record import MANIFEST, ROWS
from losscli.record.manifest import manifest_of
from losscli.record.reader import read_predictions
from losscli.spec.load import load_spec

SPEC = """
task: multiclass
data:
  source: csv
  path: pets.csv
  target: kind
  delimiter: ";"
  decimal: ","
  missing: ["?"]
  types: {born: date, code: category, wild: boolean}
loss: [cross-entropy, multi-margin]
train: {epochs: 3, batch_size: 32}
seeds: 2
"""
HEAD = "weight;born;code;wild;kind"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with all that a reader must get right, and a record of two losses on it, number 1."""
    folder = tmp_path_factory.mktemp("predict")
    chance = np.random.default_rng(0)
    rows = [HEAD]
    for row in range(150):
        weight = "?" if row % 10 == 0 else f"{chance.uniform(1, 40):.2f}".replace(".", ",")
        born = f"20{chance.integers(10, 24)}-0{chance.integers(1, 10)}-1{chance.integers(0, 9)}"
        rows.append(f"{weight};{born};00{row % 3};{'yes' if row % 2 else 'no'};{('cat', 'dog', '=cow')[row % 3]}")
    (folder / "pets.csv").write_text("\n".join(rows) + "\n")
    (folder / "spec.yaml").write_text(SPEC)
    comparison = pipeline.run([load_spec(folder / "spec.yaml")], out=folder / "runs")
    assert comparison.record is not None
    return folder


@pytest.fixture
def predicted(folder: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> Any:
    """What `losscli predict 1 FILE ...` prints, and how it ends."""
    monkeypatch.chdir(folder)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["predict", "1", *arguments])
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def table(text: str) -> list[dict[str, str]]:
    """The rows of a table in the dialect of the file: semicolons and decimal commas."""
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def number(text: str) -> float:
    return float(text.replace(",", "."))


def test_predictions_are_those_that_the_record_holds(predicted: Any, folder: Path) -> None:
    """The file that it was trained on, read anew: its test rows get what they got after training."""
    code, out, _ = predicted("pets.csv", "--entry", "cross-entropy", "--seed", "1")
    assert code == 0
    rows = table(out)
    (record,) = (folder / "runs").iterdir()
    known = [row for row in read_predictions(record).to_pylist() if (row["entry"], row["seed"]) == ("cross-entropy", 1)]
    assert len(known) > 20
    names = ["probability_=cow", "probability_cat", "probability_dog"]
    for row in known:
        said = [number(rows[row["row"]][name]) for name in names]
        np.testing.assert_allclose(said, row["prediction"], atol=1e-6)
        assert rows[row["row"]]["prediction"].lstrip("'") == names[int(np.argmax(said))].removeprefix("probability_")


def spaced(text: str) -> str:
    return " ".join(text.split())


def test_the_file_that_it_was_trained_on_is_told(predicted: Any, folder: Path) -> None:
    assert "these rows are the ones that record '1' was trained on" in spaced(predicted("pets.csv")[2])


def test_a_copy_of_that_file_is_told_whatever_its_name_order_and_columns(predicted: Any, folder: Path) -> None:
    head, *rows = (folder / "pets.csv").read_text().splitlines()
    (folder / "copy.csv").write_text("\n".join([head, *rows]))
    turned = [";".join(reversed(line.split(";"))) for line in [head, *reversed(rows)]]
    (folder / "turned.csv").write_text("\n".join(turned) + "\n")
    (folder / "new.csv").write_text("\n".join([head.removesuffix(";kind"), *(row.rpartition(";")[0] for row in rows)]))
    for name in ("copy.csv", "turned.csv", "new.csv"):
        assert "these rows are the ones that record '1' was trained on" in spaced(predicted(name)[2]), name


def test_rows_that_it_was_trained_on_are_counted_among_others(predicted: Any, folder: Path) -> None:
    """Oracle: the record says how many rows were trained on, and which were not."""
    head, *rows = (folder / "pets.csv").read_text().splitlines()
    (record,) = (folder / "runs").iterdir()
    told = read_predictions(record).to_pylist()
    tested = {row["row"] for row in told if (row["entry"], row["seed"]) == ("cross-entropy", 0)}
    strange = [f"{50 + row / 7:.3f};2001-02-03;00{row % 3};yes;dog".replace(".", ",") for row in range(40)]
    learned = [row for place, row in enumerate(rows) if place not in tested]
    (folder / "mixed.csv").write_text("\n".join([head, *learned, *strange]) + "\n")
    trained = json.loads((record / "results.json").read_text())["arenas"][0]["rows"]["train"]
    said = spaced(predicted("mixed.csv", "--entry", "cross-entropy", "--seed", "0")[2])
    assert f"{trained} of these {len(learned) + 40} rows equal rows that record '1' was trained on" in said
    (folder / "held.csv").write_text("\n".join([head, *(rows[place] for place in sorted(tested))]) + "\n")
    assert "was trained on" not in predicted("held.csv", "--entry", "cross-entropy", "--seed", "0")[2]
    (folder / "others.csv").write_text("\n".join([head, *strange]) + "\n")
    assert "was trained on" not in predicted("others.csv")[2]


def test_an_older_record_knows_the_file_by_its_place(predicted: Any, folder: Path) -> None:
    (record,) = (folder / "runs").iterdir()
    before = {path: path.read_bytes() for path in record.iterdir()}
    kept = {path.name: data for path, data in before.items() if path.name not in (MANIFEST, ROWS)}
    try:
        (record / ROWS).unlink()
        (record / MANIFEST).write_bytes(manifest_of(kept, {}))
        assert "these rows are the ones that record '1' was trained on" in spaced(predicted("pets.csv")[2])
    finally:
        for path, data in before.items():
            path.write_bytes(data)


def test_the_columns_of_the_file_stay_as_they_were(predicted: Any, folder: Path) -> None:
    _, out, _ = predicted("pets.csv")
    before = list(csv.DictReader(io.StringIO((folder / "pets.csv").read_text()), delimiter=";"))
    after = table(out)
    assert [[row[name] for name in ("weight", "born", "code", "wild")] for row in after] == [
        [row[name] for name in ("weight", "born", "code", "wild")] for row in before
    ]


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(predicted: Any) -> None:
    _, out, _ = predicted("pets.csv")
    assert {row["kind"] for row in table(out)} == {"cat", "dog", "'=cow"}


def test_the_mean_over_seeds_is_the_mean(predicted: Any) -> None:
    each = [predicted("pets.csv", "--entry", "cross-entropy", "--seed", seed)[1] for seed in ("0", "1", "mean")]
    first, second, mean = (np.array([number(row["probability_dog"]) for row in table(text)]) for text in each)
    assert not np.allclose(first, second)
    np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-12)


def test_a_loss_without_probabilities_gives_scores(predicted: Any) -> None:
    _, out, _ = predicted("pets.csv", "--entry", "multi-margin")
    row = table(out)[0]
    scores = {name: number(value) for name, value in row.items() if name.startswith("score_")}
    assert len(scores) == 3
    assert row["prediction"].lstrip("'") == max(scores, key=scores.__getitem__).removeprefix("score_")


def test_a_level_that_training_never_saw_and_a_hole_are_predicted(predicted: Any, folder: Path) -> None:
    (folder / "new.csv").write_text("weight;born;code;wild\n?;2020-01-11;777;no\n3,5;2020-01-11;000;yes\n")
    code, out, err = predicted("new.csv")
    assert code == 0
    assert "'code' 1 of 2 (such as '777')" in err
    assert "filled in as in training: 'weight' 1" in err
    assert all(number(row["probability_cat"]) > 0 for row in table(out))


def test_json_and_parquet_have_numbers(predicted: Any, folder: Path, tmp_path: Path) -> None:
    _, out, _ = predicted("pets.csv", "--format", "json")
    told = json.loads(out)
    assert told["rows"][0]["weight"] is None
    assert isinstance(told["rows"][1]["weight"], float)
    assert len(told["rows"]) == 150
    assert predicted("pets.csv", "--to", str(tmp_path / "out.parquet"))[0] == 0
    found = parquet.read_table(tmp_path / "out.parquet")
    assert found["weight"].null_count == 15
    assert json.loads(found.schema.metadata[b"losscli"])["entry"] in ("cross-entropy", "multi-margin")


@pytest.mark.parametrize(
    ("text", "said", "exit_code"),
    [
        ("weight;born;code\n1;2020-01-11;000\n", "needs 1 column more: 'wild'", 3),
        ("weight;born;code;wild\nheavy;2020-01-11;000;no\n", "'heavy' in 'weight' must be a number", 3),
        ("weight;born;code;wild\n1;soon;000;no\n", "'soon' in 'born' must be a date", 3),
        ("weight;born;code;wild;prediction\n1;2020-01-11;000;no;cat\n", "has a column 'prediction' already", 3),
    ],
)
def test_rows_that_do_not_fit_are_told(predicted: Any, folder: Path, text: str, said: str, exit_code: int) -> None:
    (folder / "odd.csv").write_text(text)
    code, out, err = predicted("odd.csv")
    assert (code, out) == (exit_code, "")
    assert said in " ".join(err.split())


def test_columns_that_mean_nothing_to_the_model_are_named(predicted: Any, folder: Path) -> None:
    (folder / "more.csv").write_text("weight;born;code;wild;mood\n1;2020-01-11;000;no;fine\n")
    code, out, err = predicted("more.csv")
    assert code == 0
    assert table(out)[0]["mood"] == "fine"
    assert "knows nothing of 1 column: 'mood'" in err


def test_a_file_is_not_written_over(predicted: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "kept.csv").write_text("mine")
    code, _, err = predicted("pets.csv", "--to", str(tmp_path / "kept.csv"))
    assert code == 2
    assert "exists" in err
    assert (tmp_path / "kept.csv").read_text() == "mine"


def test_a_threshold_may_be_the_one_that_was_best_for_a_metric(folder: Path, capfd: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(folder)
    train = ["train", "--task", "binary", "--data", "breast_cancer", "--epochs", "2", "--out", "yesno", "-q"]
    assert run(train) == 0
    (record,) = (folder / "yesno").iterdir()
    (told,) = json.loads((record / "results.json").read_text())["arenas"][0]["runs"]
    bunch = load_breast_cancer()
    lines = [",".join(bunch.feature_names), *(",".join(map(str, row)) for row in bunch.data)]
    (folder / "cells.csv").write_text("\n".join(lines) + "\n")
    capfd.readouterr()
    for threshold in ("f1", str(told["calibration"]["thresholds"]["f1"]), "0.9"):
        assert run(["predict", "1", "cells.csv", "--threshold", threshold, "--out", "yesno", "-q"]) == 0
    texts = capfd.readouterr().out.split(",".join(bunch.feature_names))[1:]
    counts = [text.count(",benign,") for text in texts]
    assert 0 < counts[0] == counts[1] < counts[2]  # malignant is the positive label


def test_a_number_with_a_comma_is_no_formula(predicted: Any, folder: Path) -> None:
    (folder / "cold.csv").write_text("weight;born;code;wild;note\n-3,5;2020-01-11;000;no;-x\n")
    _, out, _ = predicted("cold.csv")
    assert out.splitlines()[1].startswith("-3,5;2020-01-11;000;no;'-x;")


def test_a_file_that_is_written_otherwise_is_read_when_told(predicted: Any, folder: Path) -> None:
    (folder / "plain.csv").write_text("weight,born,code,wild\n3.5,2020-01-11,000,no\n")
    assert predicted("plain.csv")[0] == 3
    code, out, _ = predicted("plain.csv", "--set", "data.delimiter=,", "--set", "data.decimal=.")
    assert code == 0
    assert out.splitlines()[1].startswith("3.5,2020-01-11,000,no,")
    assert predicted("plain.csv", "--set", "data.delimeter=,")[0] == 2


def test_the_file_of_the_new_rows_is_not_written_over(predicted: Any, folder: Path) -> None:
    before = (folder / "pets.csv").read_text()
    assert predicted("pets.csv", "--to", "pets.csv", "--force")[0] == 2
    assert (folder / "pets.csv").read_text() == before


def test_a_forecast_has_its_quantiles(folder: Path, capfd: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(folder)
    train = ["train", "--data", "diabetes", "--loss", "multi-quantile", "--epochs", "2", "--out", "doses", "-q"]
    assert run(train) == 0
    bunch = load_diabetes()
    lines = [",".join(bunch.feature_names), *(",".join(map(str, row)) for row in bunch.data)]
    (folder / "doses.csv").write_text("\n".join(lines) + "\n")
    capfd.readouterr()
    assert run(["predict", "1", "doses.csv", "--out", "doses", "-q"]) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    levels = [name for name in rows[0] if name.startswith("quantile_")]
    assert levels == ["quantile_0.1", "quantile_0.5", "quantile_0.9"]
    assert all(row["prediction"] == row["quantile_0.5"] for row in rows)
