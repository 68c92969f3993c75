"""Logs as people have them: names, holes, delimiters, encodings, words for no number; and what is none."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from losscli.cli.app import run
from losscli.diagnose.history import MOST, Condenser
from losscli.diagnose.logs import Choice, read_log
from losscli.diagnose.names import columns_of
from losscli.errors import DataError, MachineError, Place

LOSSES = [0.9, 0.7, 0.5, 0.4]


@pytest.mark.parametrize(
    ("train", "valid", "accuracy"),
    [
        ("loss", "val_loss", "val_accuracy"),
        ("train_loss", "valid_loss", "accuracy"),
        ("Training Loss", "Validation Loss", "Accuracy"),
        ("loss/train", "loss/val", "acc/val"),
        ("train/loss_epoch", "val/loss", "val/acc"),
        ("trainLoss", "testLoss", "testAcc"),
        ("train_cross_entropy", "eval_cross_entropy", "eval_accuracy"),
        ("cost", "dev_cost", "top-1"),
        ("tr_nll", "val_nll", "acc@1"),
    ],
)
def test_usual_names(tmp_path: Path, train: str, valid: str, accuracy: str) -> None:
    path = tmp_path / "log.csv"
    rows = [f"{at},{value},0.001,{value + 0.1},0.8" for at, value in enumerate(LOSSES)]
    path.write_text("\n".join([f"epoch,{train},lr,{valid},{accuracy}", *rows]))
    history = read_log(path)
    assert history.train.values.tolist() == LOSSES
    assert history.valid.values.tolist() == [value + 0.1 for value in LOSSES]
    assert history.metrics["accuracy"].values.tolist() == [0.8] * 4
    assert history.axis == "epoch"


def test_the_whole_is_taken_before_its_parts() -> None:
    names = [
        "step",
        "train_loss_step",
        "train_loss_kl",
        "train_total_loss",
        "train_loss_epoch",
        "val_loss_kl",
        "val_loss",
    ]
    columns = columns_of(names, "log.csv")
    assert (names[columns.train or 0], names[columns.valid or 0]) == ("train_total_loss", "val_loss")


def test_holes_of_lightning(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,step,train_loss,val_loss\n0,9,0.9,\n0,9,,0.8\n1,19,0.5,\n1,19,,0.6\n2,29,0.4,\n2,29,,0.5\n")
    history = read_log(path)
    assert history.train.values.tolist() == [0.9, 0.5, 0.4]
    assert history.valid.values.tolist() == [0.8, 0.6, 0.5]
    assert history.train.steps.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("epoch;train_loss\n1;0,9\n2;0,7\n3;0,5\n4;0,4\n", "utf-8"),
        ("epoch\ttrain_loss\n1\t0.9\n2\t0.7\n3\t0.5\n4\t0.4\n", "utf-16"),
        ("époque,train_loss\n1,0.9\n2,0.7\n3,0.5\n4,0.4\n", "latin-1"),
        ("# a comment\nepoch,train_loss\r\n1,0.9\r\n2,0.7\r\n3,0.5\r\n4,0.4\r\n", "utf-8-sig"),
        ("0.9\n0.7\n0.5\n0.4\n", "utf-8"),
        ("epoch,train_loss\n1,0.9\n2,0.7\nepoch,train_loss\n1,0.5\n2,0.4\n", "utf-8"),
        ("epoch,train_loss\n1,0.9\n2,0.7,8\n2,0.7\n3,0.5\n4,0.4\n5", "utf-8"),
    ],
)
def test_other_ways_to_write_a_table(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(text.encode(encoding))
    history = read_log(path)
    assert history.train.values.tolist() == LOSSES
    assert history.notes or encoding.startswith("utf-8-sig")


def test_words_for_no_number(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n1,0.9\n2,n/a\n3,0.5\n4,inf\n5,NaN\n")
    series = read_log(path).train
    assert (series.count, series.breaks) == (4, 4.0)
    assert series.finite.tolist() == [0.9, 0.5]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("epoch,train_loss\n1,0.9\n\n2,abc\n3,0.5\n", 4, "'abc'"),
        ("epoch,train_loss\n1,tensor(0.9)\n", 2, "tensor"),
        ("1,0.9\n2,0.8\n", 1, "must name the columns"),
        ("epoch,a,b\n1,2,3\n", 1, "no column looks like a loss"),
        ("epoch,train_loss\n", None, "no row with a loss"),
        ('{"log_history": [1,\n2', 2, "the JSON is broken"),
        ('[{"loss": "high"}, {"loss": 1.0}]', None, "must be a number"),
        ("", None, "empty"),
        ("\x89PNG\r\n\x1a\n", None, "no log"),
        ("loss\n" + "9" * 9_000_000, None, "longer than"),
    ],
)
def test_what_is_no_log_is_told_with_its_place(tmp_path: Path, text: str, line: int | None, part: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=part) as caught:
        read_log(path)
    (problem,) = caught.value.problems
    place = problem.place or Place("")
    assert (place.file, place.line) == (str(path), line)


def test_a_metric_of_text_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,accuracy\n1,0.9,good\n2,0.7,0.5\n3,0.5,0.6\n")
    history = read_log(path)
    assert history.metrics == {}
    assert any("accuracy" in note for note in history.notes)


def test_json_of_a_trainer(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    rows = [{"loss": value, "step": 10 * at, "learning_rate": 1e-4} for at, value in enumerate(LOSSES, 1)]
    rows += [
        {"eval_loss": 0.6, "eval_accuracy": 0.7, "step": 40},
        {"train_loss": 9.0, "train_runtime": 3.0, "step": 40},
    ]
    path.write_text(json.dumps({"log_history": rows, "best_metric": None}))
    history = read_log(path)
    assert history.train.values.tolist() == LOSSES
    assert history.valid.values.tolist() == [0.6]
    assert history.train.steps.tolist() == [10, 20, 30, 40]


def test_the_summary_of_a_trainer_is_no_point(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    rows = [{"eval_loss": value, "step": at} for at, value in enumerate(LOSSES)] + [
        {"train_loss": 9.0, "train_runtime": 3.0}
    ]
    path.write_text(json.dumps({"log_history": rows}))
    history = read_log(path)
    assert (history.train.count, history.valid.count) == (0, 4)


@pytest.mark.parametrize("form", ["keras", "lines"])
def test_other_json(tmp_path: Path, form: str) -> None:
    path = tmp_path / "log.json"
    lines = "\n".join(json.dumps({"loss": value}) for value in LOSSES)
    path.write_text(json.dumps({"loss": LOSSES, "val_loss": LOSSES}) if form == "keras" else lines)
    assert read_log(path).train.values.tolist() == LOSSES


def test_named_columns(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,a,b\n1,0.9,1\n2,0.7,2\n3,0.5,3\n4,0.4,4\n")
    history = read_log(path, Choice(train="a", valid="b"))
    assert history.train.values.tolist() == LOSSES
    with pytest.raises(DataError, match="no column 'c'"):
        read_log(path, Choice(train="c"))


def test_event_files_by_their_own_writer(tmp_path: Path) -> None:
    writer = pytest.importorskip("tensorboard.summary.writer.event_file_writer").EventFileWriter(str(tmp_path))
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    for step, value in enumerate(LOSSES):
        values = [
            Summary.Value(tag="Loss/train", simple_value=value),
            Summary.Value(tag="Loss/val", simple_value=2 * value),
        ]
        writer.add_event(Event(step=step, summary=Summary(value=values)))
    writer.close()
    (path,) = tmp_path.iterdir()
    for log in (path, tmp_path):
        history = read_log(log)
        assert history.train.values == pytest.approx(LOSSES)
        assert history.valid.values == pytest.approx([2 * value for value in LOSSES])
    (tmp_path / "events.out.tfevents.1").write_bytes(b"no event at all")
    with pytest.raises(DataError, match="no scalars"):
        read_log(tmp_path / "events.out.tfevents.1")


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(b"\x18\0\0\0\0")
    for name in list(sys.modules):
        if name.partition(".")[0] == "tensorboard":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MachineError, match="not installed") as caught:
        read_log(path)
    assert "losscli[tensorboard]" in (caught.value.problems[0].cure or "")


def test_a_long_log_is_kept_short_and_whole() -> None:
    """Every value counts once in the mean, whatever pieces it comes in."""
    values = np.random.default_rng(0).normal(size=100_003)
    values[50_000] = math.nan
    condenser = Condenser()
    for piece in np.array_split(np.arange(len(values)), 37):
        condenser.add(piece.astype(float), values[piece])
    series = condenser.series()
    assert len(series.values) <= MOST + 1
    assert (series.count, series.breaks, series.first) == (100_003, 50_000.0, values[0])
    widths = np.diff(series.steps)
    assert series.steps[0] == 0
    assert set(widths[:-1]) == {32.0}  # 100,003 rows: 64 would leave fewer than half of the points
    assert series.values[10] == pytest.approx(values[320:352].mean(), abs=1e-12)
    assert np.nanmean(series.values) == pytest.approx(np.nanmean(values), abs=1e-3)


def test_a_record_knows_its_loss_and_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["--loss", "cross-entropy", "--set", "model.output=softmax", "--data", "iris", "--task", "multiclass"]
    assert run(["train", *wrong, "--epochs", "60", "--lr", "0.03", "--seeds", "1", "-q", "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    assert run(["diagnose", "1", "--out", str(tmp_path), "--format", "json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["candidates"][0]["cause"] == "softmax-before-cross-entropy"
    assert "--classes" not in output["unchecked"]


def test_a_log_with_the_newest_row_first_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,train_loss\n4,nan\n3,0.5\n2,0.7\n1,0.9\n")
    history = read_log(path)
    assert history.train.values[:3].tolist() == [0.9, 0.7, 0.5]
    assert (history.train.first, history.train.breaks) == (0.9, 4)
    assert history.notes == ["the steps fall from row to row: the log was read from its end"]
    path.write_text("epoch,train_loss\n1,0.9\n2,0.7\n1,0.5\n2,0.4\n")  # started again: the rows are in order
    assert read_log(path).train.values.tolist() == [0.9, 0.7, 0.5, 0.4]
    assert "go back" in read_log(path).notes[0]


@pytest.mark.parametrize("text", ["epoch,train_loss\n", "null"])
def test_a_header_alone_has_no_row(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="no row with a loss"):
        read_log(path)


@pytest.mark.skipif(os.name == "nt", reason="no links as here")
@pytest.mark.parametrize(
    "arguments",
    [
        ("diagnose", "self.csv"),
        ("judge", "self.csv"),
        ("inspect", "self.csv", "--target", "x"),
        ("compare", "self.csv"),
        ("validate", "self.csv"),
    ],
)
def test_a_link_to_itself_is_no_bug(tmp_path: Path, monkeypatch, capsys, arguments: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("self.csv").symlink_to("self.csv")
    assert run([*arguments]) in (1, 2, 3)
    captured = capsys.readouterr()
    assert "bug" not in captured.err
    assert "self.csv" in captured.out + captured.err


@pytest.mark.parametrize(
    "row", ['{"epoch": 1, "loss": 1%s}' % ("0" * 400), '{"epoch": 1%s, "loss": 1.0}' % ("0" * 5000)]
)
def test_whole_numbers_of_any_length(tmp_path: Path, row: str) -> None:
    (tmp_path / "log.json").write_text("[" + ", ".join([row] * 5) + "]")
    history = read_log(tmp_path / "log.json")
    assert history.train.count == 5
    assert np.isfinite(history.train.steps).all()


def test_columns_of_unequal_length_cost_as_much_as_there_are_values(tmp_path: Path) -> None:
    columns = {f"c{at}": [1] for at in range(20_000)} | {"loss": [1 / (at + 1) for at in range(20_000)]}
    (tmp_path / "log.json").write_text(json.dumps(columns))  # 4 * 10^8 steps, if each row asked each column
    assert read_log(tmp_path / "log.json").train.count == 20_000


def test_rows_of_another_length_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("losscli.diagnose.logs.delimited.MOST_RAGGED", 100)
    (tmp_path / "log.csv").write_text("epoch,loss\n" + "1\n" * 500)
    with pytest.raises(DataError, match="100 rows have more or fewer fields than the first line, which has 2"):
        read_log(tmp_path / "log.csv")
