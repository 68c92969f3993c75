"""`losscli verify` and `--loss FILE.py:NAME` from the command line to the exit code, with the example that the docs show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from losscli.cli import app
from losscli.losses import losses

EXAMPLE = Path(__file__).parents[2] / "configs" / "own_loss.py"
ILL = """
import torch

def naive(prediction, target):
    p = torch.sigmoid(prediction)
    return -(target * torch.log(p) + (1 - target) * torch.log(1 - p)).mean()

def square(prediction, target):
    return (prediction.unsqueeze(1) - target) ** 2

def looks(prediction, target):
    if (prediction > 1e8).any():
        return prediction.sum()
    return ((prediction - target) ** 2).mean()

def flipped(prediction, target):
    return -((prediction - target) ** 2).mean()

def detached(prediction, target):
    return ((prediction - target) ** 2).detach().mean()

def late(prediction, target):
    if prediction.shape[0] > 20:
        raise RuntimeError("too many")
    return (prediction - target) ** 2
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path) -> Run:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ill.py").write_text(ILL)

    def call(line: str) -> tuple[int, str, str]:
        code = app.run(line.replace("EXAMPLE", str(EXAMPLE)).split())
        return (code, *capsys.readouterr())

    return call


@pytest.mark.parametrize(
    "line", ["EXAMPLE:tilted --task binary", "EXAMPLE:Plateau --task regression", "hinge --task multilabel"]
)
def test_what_holds_is_0(run: Run, line: str) -> None:
    code, out, err = run(f"verify {line}")
    assert code == 0
    assert err == ""
    assert ", 0 failed" in out
    assert "stack-equals-loop" in out


def test_what_fails_is_1_with_the_smallest_example(run: Run) -> None:
    code, out, _ = run("verify ill.py:naive --task binary")
    assert code == 1
    told = out[out.index("finite-at-extremes: ") :]
    assert "the value is nan" in told or "the value is inf" in told
    line = next(line for line in told.splitlines() if line.startswith("  prediction"))
    assert line.count(",") == 0  # one run of one sample
    assert "failed" in out


def test_json_holds_every_property_and_the_example(run: Run) -> None:
    code, out, err = run("verify ill.py:square --task regression --format json")
    assert (code, err) == (1, "")
    found = json.loads(out)
    assert (found["loss"], found["task"], found["failed"], found["passed"]) == ("ill.square", "regression", 1, 0)
    (failed,) = (each for each in found["properties"] if each["status"] == "failed")
    assert failed["property"] == "one-number-per-sample"
    assert failed["example"] == {"options": {}, "prediction": [[0.0]], "target": [[0.0]]}


def test_a_minus_sign_too_many_is_1(run: Run) -> None:
    code, out, _ = run("verify ill.py:flipped --task regression")
    assert code == 1
    assert "lower-when-right: right costs" in out


def test_what_must_be_given_is_1_and_said(run: Run) -> None:
    code, out, err = run("verify cost-sensitive --task binary --set false_negative=5")
    assert (code, err) == (0, "")
    assert "false_positive has no default; it is tried as false_positive=1" in " ".join(out.split())
    code, out, _ = run("verify cost-sensitive --task binary --format json")
    assert code == 0
    assert json.loads(out)["assumed"] == {"false_positive": 1.0, "false_negative": 1.0}


def test_the_last_line_counts_the_notes(run: Run) -> None:
    _, out, _ = run("verify ill.py:looks --task regression")
    assert out.splitlines()[-1].endswith(", 0 failed, 2 notes")


def test_options_of_a_built_in(run: Run) -> None:
    code, out, _ = run("verify focal --task binary --set gamma=0 --set alpha=0.25 --format json")
    assert code == 0
    assert json.loads(out)["failed"] == 0
    code, _, err = run("verify focal --task binary --set gama=0")
    assert code == 2
    assert "did you mean gamma?" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("verify focl --task binary", "did you mean focal?"),
        ("verify mse --task binary", "is for regression"),
        ("verify mse --task regresion", "did you mean regression?"),
        ("verify none.py:f --task binary", "there is no file"),
        ("verify ill.py:nave --task binary", "did you mean naive?"),
        ("verify ill.py --task binary", "is a file, and a loss is something in it"),
        ("verify focal --task binary --expects scores", "says itself what it expects"),
        ("verify focal --task binary --set gamma", "expected OPTION=VALUE"),
        ("train --task binary --loss ill.py:square --no-record", "a batch of 5 gives the shape [5, 5]"),
        ("train --task binary --loss none.py:f --no-record", "there is no file"),
        ("train --task regression --loss ill.py:detached --no-record", "a tensor without a gradient"),
        ("train --task binary --set loss=ill.py:naive --no-record", "only registered names"),
    ],
)
def test_a_wrong_command_is_2(run: Run, line: str, said: str) -> None:
    code, out, err = run(line)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_train_and_compare_take_it_and_a_record_does_not(run: Run) -> None:
    code, out, err = run("train --task regression --loss EXAMPLE:Plateau --smoke --out runs --quiet --format json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    (entry,) = found["arenas"][0]["entries"]
    assert entry["loss"] == "own_loss.Plateau"
    assert entry["test"]["rmse"]["mean"] < 6
    losses._items.pop("regression/own_loss.Plateau")  # as in another process
    code, _, err = run(f"train {found['record']}/spec.yaml --no-record")
    assert code == 2
    assert "there is no loss called 'own_loss.Plateau'" in err
    assert "--loss own_loss.py:Plateau" in err
    code, out, _ = run(f"train {found['record']}/spec.yaml --loss EXAMPLE:Plateau --smoke --no-record --format json -q")
    assert code == 0
    again = json.loads(out)["arenas"][0]["entries"][0]["test"]["rmse"]["values"]
    assert again == entry["test"]["rmse"]["values"]


def test_beside_a_built_in_and_slowly_it_is_a_finding(run: Run) -> None:
    line = "--loss mse --loss ill.py:looks --smoke --seeds 2 --no-record --format json -q"
    code, out, _ = run(f"compare --task regression {line}")
    assert code == 0
    (arena,) = json.loads(out)["arenas"]
    assert [entry["loss"] for entry in arena["entries"]] == ["mse", "ill.looks"]
    ours, theirs = (entry["test"]["rmse"]["values"] for entry in arena["entries"])
    assert ours == pytest.approx(theirs, rel=1e-3)  # it is the same loss
    slow = next(finding for finding in arena["findings"] if finding["code"] == "slow-own-loss")
    assert slow["severity"] == "info"


def test_what_it_raises_in_training_is_told_with_its_line(run: Run) -> None:
    """It is trained in a process of its own, so it fails as an entry does: by its finding, with nothing else left."""
    code, out, err = run("train --task regression --loss ill.py:late --smoke --no-record -q --format json")
    assert code == 4
    line = ILL.splitlines().index('        raise RuntimeError("too many")') + 1
    (failed,) = [one for one in json.loads(out)["arenas"][0]["findings"] if one["severity"] == "error"]
    assert f"ill.late raises RuntimeError: too many (ill.py:{line})" in failed["message"]
    assert "Traceback" not in err


def test_two_files_with_one_name_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "ill.py").write_text(ILL)
    code, _, err = run("compare --task binary --loss ill.py:naive --loss other/ill.py:naive --no-record")
    assert code == 2
    assert "have the same name in a table" in err
