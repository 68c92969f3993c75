"""Edits keep every value: what the edited text computes is what the text computed, and nothing else of it changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from losscli.cli.app import run
from losscli.lint import lint
from losscli.lint.edits import apply
from losscli.rules import PRELUDE

BEGIN = PRELUDE + "torch.manual_seed(0)\nz, y = torch.randn(6, 4), torch.randint(0, 4, (6,))\n"
EDITED = {
    "result = F.cross_entropy(F.log_softmax(z, dim=1), y)": "result = F.cross_entropy(z, y)",
    "result = F.cross_entropy(z.log_softmax(1), y)": "result = F.cross_entropy(z, y)",
    "p = F.log_softmax(z + 1, dim=1)\nresult = nn.CrossEntropyLoss()(p, y)": "p = (z + 1)\nresult = nn.CrossEntropyLoss()(p, y)",
    "result = torch.log(torch.softmax(z, dim=1))": "result = torch.log_softmax(z, dim=1)",
    "result = torch.log(z.softmax(1))": "result = z.log_softmax(1)",
    "result = F.softmax(z, dim=-1).log()": "result = F.log_softmax(z, dim=-1)",
    "p = torch.softmax(z, dim=1)\nresult = -torch.log(p)[:, 0]": "p = torch.log_softmax(z, dim=1)\nresult = -p[:, 0]",
    "result = torch.log(torch.sigmoid(z))": "result = torch.nn.functional.logsigmoid(z)",
    "ü = 'é'; result = torch.log(torch.softmax(z,\n    dim=1,\n))": "ü = 'é'; result = torch.log_softmax(z,\n    dim=1,\n)",
}
KEPT = [
    "p = torch.softmax(z, dim=1)\nresult = torch.log(p)\nprint(p)",  # a second reader
    "p = F.log_softmax(z, dim=1)\nresult = F.cross_entropy(p, y)\nprint(p)",
    "p = torch.softmax(z, dim=1)\nq = p\nresult = torch.log(q)",
    "act = nn.Softmax(dim=1)\nresult = torch.log(act(z))",  # a layer, not a function
    "from torch.nn.functional import softmax\nresult = torch.log(softmax(z, 1))",  # log_softmax is not imported
    "result = torch.log(1 - torch.sigmoid(z))",
    "result = torch.log(torch.softmax(z, 1)  # a comment\n)",
    "net = nn.Sequential(nn.Linear(4, 4), nn.LogSoftmax(dim=1))\nresult = F.cross_entropy(net(z), y)",
]


def value(text: str) -> torch.Tensor:
    names: dict[str, torch.Tensor] = {}
    exec(BEGIN + text, names)
    return names["result"]


def edited(path: Path) -> str:
    result = lint([str(path)])
    return apply(path.read_text(), result.edits.get(str(path), []))


@pytest.mark.parametrize(("before", "after"), EDITED.items())
def test_an_edit_keeps_the_value(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "edit.py"
    path.write_text(BEGIN + before + "\n")
    assert edited(path) == BEGIN + after + "\n"
    assert torch.allclose(value(before), value(after), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("text", KEPT)
def test_what_could_change_a_value_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keep.py"
    path.write_text(BEGIN + text + "\n")
    assert lint([str(path)], lambda finding: True).findings
    assert edited(path) == path.read_text()


def test_fix_writes_diff_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.py"
    text = (BEGIN + "result = torch.log(torch.softmax(z, dim=1))\n").replace("\n", "\r\n")
    path.write_bytes(text.encode())
    path.chmod(0o755)
    assert run(["lint", str(path), "--diff"]) == 1
    out = capsys.readouterr().out
    assert "-result = torch.log(torch.softmax(z, dim=1))" in out
    assert "+result = torch.log_softmax(z, dim=1)" in out
    assert path.read_bytes() == text.encode()
    assert run(["lint", str(path), "--fix"]) == 0
    assert (
        path.read_bytes() == text.replace("torch.log(torch.softmax(z, dim=1))", "torch.log_softmax(z, dim=1)").encode()
    )
    assert path.stat().st_mode & 0o777 == 0o755
    assert "All clear" in capsys.readouterr().out
