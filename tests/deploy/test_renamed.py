"""A record from before a loss was called otherwise: its model predicts, and gates and plans know its entries."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

from losscli.cli.app import run
from losscli.losses import called_now, find, losses

ASKED = (
    "compare",
    "--task",
    "multiclass",
    "--data",
    "iris",
    "--loss",
    "cross-entropy",
    "--seeds",
    "5",
    "--epochs",
    "2",
    "--quiet",
)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the release before would have left: there the loss had the other name."""
    out, then = tmp_path_factory.mktemp("runs"), replace(find("rps", "multiclass"), name="emd", aliases=(), renamed={})
    items, aliases = dict(losses._items), dict(losses._aliases)
    losses._items["multiclass/rps"] = then
    try:
        assert run([*ASKED, "--loss", "emd", "--out", str(out)]) == 0
    finally:
        losses._items, losses._aliases = items, aliases
    (folder,) = out.iterdir()
    assert [entry["loss"] for entry in json.loads((folder / "results.json").read_text())["arenas"][0]["entries"]][
        1
    ] == "emd"
    return folder


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def of(*arguments: object) -> str:
        assert run([str(word) for word in arguments]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return of


def test_it_predicts_under_its_name_of_then(record: Path, call: Callable[..., str], tmp_path: Path) -> None:
    iris = load_iris()
    rows = [",".join(map(str, row)) for row in iris.data[:3]]
    (tmp_path / "new.csv").write_text("\n".join([",".join(iris.feature_names), *rows]) + "\n")
    table = json.loads(call("predict", record, tmp_path / "new.csv", "--entry", "emd", "--format", "json"))
    assert len(table["rows"]) == 3


def test_its_spec_runs_again_with_the_same_numbers_and_the_gate_pairs_both(
    record: Path, call: Callable[..., str], tmp_path: Path
) -> None:
    again = json.loads(call("compare", record / "spec.yaml", "--out", tmp_path, "--format", "json"))
    (arena,), (old,) = again["arenas"], json.loads((record / "results.json").read_text())["arenas"]
    assert [entry["entry"] for entry in arena["entries"]] == ["cross-entropy", "rps"]
    assert "loss-renamed" in {finding["code"] for finding in arena["findings"]}
    for now, then in zip(arena["entries"], old["entries"], strict=True):
        assert now["test"] == then["test"]  # bit for bit
    (new,) = tmp_path.iterdir()
    gated = json.loads(call("gate", new, "--baseline", record, "--format", "json"))["entries"]
    assert [(entry["entry"], entry["drop"], entry["paired"]) for entry in gated] == [
        ("cross-entropy", 0.0, True),
        ("rps", 0.0, True),
    ]


def test_the_plan_learns_from_it(record: Path, call: Callable[..., str]) -> None:
    (planned,) = json.loads(call("plan", record / "spec.yaml", "--like", record, "--format", "json"))["arenas"]
    assert planned["entries"] == ["cross-entropy", "rps"]


def test_only_the_name_of_the_loss_changes() -> None:
    assert called_now("emd weight={class_0:2}", "multiclass") == "rps weight={class_0:2}"
    assert called_now("emd", "distribution") == "emd"
    assert called_now("focal gamma=2", "multiclass") == "focal gamma=2"
