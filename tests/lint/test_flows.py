"""How a wrong value gets to a loss: classes, containers, helpers, frameworks. Every way is found, every lookalike passes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from losscli.lint import lint, lint_text
from losscli.rules import PRELUDE

HERE = Path(__file__).parent
MARK = "# <- "


def cases(name: str) -> list[tuple[str, str]]:
    """The cases of a file: `### title`, then source text."""
    blocks = (HERE / name).read_text().split("### ")[1:]
    return [tuple(block.split("\n", 1)) for block in blocks]  # type: ignore[misc]


def rules_at(text: str) -> list[tuple[str, int]]:
    return [(finding.rule, finding.line) for finding in lint_text(PRELUDE + text) if finding.severity != "info"]


WRONG, RIGHT = cases("wrong.txt"), cases("right.txt")


@pytest.mark.parametrize("text", [pytest.param(text, id=title) for title, text in WRONG])
def test_a_wrong_flow_is_found_at_its_line_and_nothing_else_is(text: str) -> None:
    marked = [
        (line.partition(MARK)[2], number)
        for number, line in enumerate((PRELUDE + text).split("\n"), start=1)
        if MARK in line
    ]
    assert len(marked) == 1
    assert rules_at(text) == marked


@pytest.mark.parametrize("text", [pytest.param(text, id=title) for title, text in RIGHT])
def test_a_lookalike_passes(text: str) -> None:
    assert rules_at(text) == []


def test_there_are_enough_of_both() -> None:
    assert len(WRONG) >= 70
    assert len(RIGHT) >= 40


def test_files_that_import_each_other(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "nets.py").write_text(
        PRELUDE + "\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.lin = nn.Linear(4, 3)\n\n    def forward(self, x):\n        return self.lin(x).softmax(1)\n"
    )
    (package / "losses.py").write_text(PRELUDE + "\ncriterion = nn.CrossEntropyLoss()\n")
    (package / "train.py").write_text(
        PRELUDE + "from .nets import Net\nfrom . import losses\n\nnet = Net()\n"
        "loss = losses.criterion(net(torch.randn(2, 4)), torch.tensor([0, 1]))\n"
    )
    (tmp_path / "main.py").write_text(
        PRELUDE + "from shop.nets import Net\nimport shop.losses as ls\n\n"
        "ls.criterion(Net()(torch.randn(2, 4)), torch.tensor([0, 1])).backward()\n"
    )
    result = lint([str(tmp_path)])
    findings = [(Path(item.file).name, item.rule, item.line) for item in result.findings]
    assert findings == [
        ("main.py", "softmax-before-cross-entropy", 7),
        ("train.py", "softmax-before-cross-entropy", 8),
    ]
    [related] = result.findings[0].related
    assert (Path(related.file).name, related.line) == ("nets.py", 12)
    alone = lint([str(tmp_path / "main.py")])  # the other files are not given: unknown means silent
    assert alone.findings == []


def test_a_circle_of_imports_ends(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from b import *\nfrom b import loss\nx = loss\n")
    (tmp_path / "b.py").write_text("from a import *\nfrom a import x\nloss = x\n")
    assert lint([str(tmp_path)]).findings == []


def notebook(*cells: tuple[str, str]) -> str:
    return json.dumps(
        {
            "cells": [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in cells],
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
        }
    )


def test_cells_of_a_notebook_are_one_script(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    path.write_text(
        notebook(
            ("code", "%matplotlib inline\n!pip install torch\nimport torch\nfrom torch import nn"),
            ("markdown", "# Softmax\nnot code ("),
            ("code", "%%bash\nls -l"),
            ("code", "net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))\nnet?"),
            ("code", "this is no Python"),
            ("code", "%%time\nnn.CrossEntropyLoss()(net(torch.randn(2, 4)), torch.tensor([0, 1]))"),
        )
    )
    [finding] = lint([str(path)]).findings
    assert (finding.rule, finding.cell, finding.line) == ("softmax-before-cross-entropy", 6, 2)
    assert finding.to_json()["cell"] == 6


def test_a_value_of_two_branches_counts_only_where_they_agree() -> None:
    text = (
        "def forward(z, flag):\n    if flag:\n        out = {one}\n    else:\n        out = {other}\n"
        "    return F.cross_entropy(out, y)\n"
    )
    assert rules_at(text.format(one="z.softmax(1)", other="z")) == []
    assert rules_at(text.format(one="z.softmax(1)", other="F.softmax(z, dim=1)")) == [
        ("softmax-before-cross-entropy", 9)
    ]


def test_position_and_time() -> None:
    later = "net = nn.Linear(4, 3)\nout = net(x)\nloss = F.cross_entropy(out, y)\nout = out.softmax(1)\n"
    assert rules_at(later) == []
    target = "loss = F.cross_entropy(net(x), F.softmax(teacher(x), dim=1))\n"
    assert rules_at(target) == []
    assert rules_at("loss = F.cross_entropy(target=y, input=F.softmax(net(x), dim=1))\n") == [
        ("softmax-before-cross-entropy", 4)
    ]


def test_a_log_softmax_over_another_axis_is_not_repetition() -> None:
    def infos(dim: int) -> list[str]:
        text = f"def f(z, y):\n    return F.cross_entropy(F.log_softmax(z, dim={dim}), y)\n"
        return [finding.rule for finding in lint_text(PRELUDE + text)]

    assert infos(1) == infos(-1) == ["log-softmax-before-cross-entropy"]
    assert infos(2) == []
