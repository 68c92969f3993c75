"""`losscli check` on the command line: targets, forms, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from losscli.cli import app

SCRIPT = """
import sys
import torch
from torch import nn
print("loud", sys.argv[1:])
net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
while True:
    opt.zero_grad()
    nn.CrossEntropyLoss()(net(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
    opt.step()
"""
PARTS = """
import torch
from torch import nn

def parts():
    net = nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())
    return net, nn.BCEWithLogitsLoss(), (torch.randn(8, 4), torch.ones(8, 1))

def fine():
    return {"model": nn.Linear(4, 1), "loss": nn.BCEWithLogitsLoss(), "batch": (torch.randn(8, 4), torch.ones(8, 1))}

def none(): return 1
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT)
    Path("parts_of_it.py").write_text(PARTS)


def test_json_is_all_that_stdout_gets(capfd: pytest.CaptureFixture[str]) -> None:
    assert app.run(["check", "train.py", "--format", "json", "--", "--epochs", "1", "--debug"]) == 1
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert (told["schema_version"], told["files"]) == (1, 1)
    [found] = told["findings"]
    keys = ["code", "rule", "severity", "file", "line", "column", "message", "cure", "related"]
    assert list(found) == keys
    assert (found["code"], found["file"], found["line"], found["column"]) == ("LC001", "train.py", 10, 5)
    assert found["related"] == [{"file": "train.py", "line": 6, "message": "the softmax is applied here"}]
    assert "loud ['--epochs', '1', '--debug']" in err
    assert "this is your code" in err


def test_the_text_says_how_much_was_seen(capfd: pytest.CaptureFixture[str]) -> None:
    assert app.run(["check", "train.py", "--steps", "2"]) == 1
    out, _ = capfd.readouterr()
    assert out.startswith("train.py:10:5: LC001 a softmax stands before a loss that takes raw scores\n    line 6: ")
    assert "Found 1 problem (2 calls of a loss, 2 steps)" in out
    assert app.run(["check", "train.py", "--ignore", "LC001"]) == 0
    assert capfd.readouterr().out == "All clear: 3 calls of a loss, 3 steps.\n"


def test_functions(capfd: pytest.CaptureFixture[str]) -> None:
    assert app.run(["check", "parts_of_it:parts", "--format", "json"]) == 1
    [found] = json.loads(capfd.readouterr().out)["findings"]
    assert (found["rule"], found["file"], found["line"]) == ("sigmoid-before-bce-with-logits", "parts_of_it.py", 5)
    assert app.run(["check", "parts_of_it.py:fine"]) == 0
    assert app.run(["check", "parts_of_it:none"]) == 2
    assert "must return model, loss and batch, got int" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nothing.py"], 2, "there is no file 'nothing.py'"),
        (["no_module:f"], 2, "No module named 'no_module'"),
        (["parts_of_it:absent"], 2, "has no attribute 'absent'"),
        (["parts_of_it:parts", "--", "-x"], 2, "arguments are for scripts"),
        (["train.py", "--select", "LC9"], 2, "there is no rule 'LC9'"),
        (["train.py", "--steps", "0"], 2, "steps"),
        (["book.ipynb"], 2, "losscli lint book.ipynb"),
        (["data.bin"], 2, "is no Python script"),
        (["0007"], 5, "record"),
        (["wrong.py"], 2, "wrong.py:3"),
        (["bytes.py"], 2, "bytes.py"),
    ],
)
def test_what_does_not_work_is_said(words: list[str], code: int, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("book.ipynb").write_text("{}")
    Path("data.bin").write_bytes(b"\0\1")
    Path("bytes.py").write_bytes(b"\0\xff = 1")
    Path("wrong.py").write_text("def f():\n    x = 1\n    raise ValueError('no')\nf()\n")
    assert app.run(["check", *words]) == code
    err = capfd.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_a_failure_and_a_finding(capfd: pytest.CaptureFixture[str]) -> None:
    Path("half.py").write_text(SCRIPT.replace("    opt.step()\n", "    opt.step()\n    raise ValueError('later')\n"))
    assert app.run(["check", "half.py"]) == 1
    out, err = capfd.readouterr()
    assert "LC001" in out
    assert "the script raises ValueError: later" in err


def test_a_record_is_read_and_not_run(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--task", "binary", "--loss", "bce-logits", "--set", "model.output=sigmoid", "--smoke", "--quiet"]
    assert app.run(["train", *words]) == 0
    capfd.readouterr()
    [folder] = Path("runs").glob("0*")
    assert app.run(["check", folder.name, "--format", "json"]) == 1
    [found] = json.loads(capfd.readouterr().out)["findings"]
    assert (found["rule"], found["line"]) == ("sigmoid-before-bce-with-logits", 1)
    assert found["file"].endswith("spec.yaml")
