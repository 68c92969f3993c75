"""`losscli stress`: from its flags to arenas per level, the table, the machine output and its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from losscli.cli import app
from losscli.spec.load import load_spec

QUICK = "--data moons --set data.n_samples=120 --loss bce-logits --loss gce --seeds 2 --epochs 2 --set model.hidden=[8]"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def stress(text: str) -> int:
    return app.run(["stress", *text.split(), "--quiet"])


def test_levels_make_arenas_and_one_breakdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert stress(f"{QUICK} --label-noise 0.4,0.2 --format json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [arena["corrupt"] for arena in found["arenas"]] == [{}, {"labels": 0.2}, {"labels": 0.4}]
    (section,) = found["breakdown"]
    assert (section["kind"], section["levels"], section["arenas"]) == ("labels", [0.0, 0.2, 0.4], [0, 1, 2])
    assert [entry["entry"] for entry in section["entries"]] == ["bce-logits", "gce"]
    for entry in section["entries"]:
        for score, arena in zip(entry["scores"], found["arenas"], strict=True):
            (same,) = (each for each in arena["entries"] if each["entry"] == entry["entry"])
            assert score == same["test"]["auroc"]
        assert len(entry["lost_at"]["values"]) == 2
    told = [finding for arena in found["arenas"] for finding in arena["findings"] if finding["code"] == "corrupted"]
    assert "17 of 84 training labels" in told[0]["message"]
    specs = sorted(Path(found["record"]).glob("spec*.yaml"))
    assert [load_spec(spec).data.corrupt.labels for spec in specs] == [0.0, 0.2, 0.4]


def test_the_table_has_a_column_per_level_and_says_where_each_loss_falls(capsys: pytest.CaptureFixture[str]) -> None:
    assert stress(f"{QUICK} --missing 0.3 --no-record") == 0
    out = capsys.readouterr().out
    assert "entry" in out
    assert "cells missing 0" in out
    assert "loses 5 % of its own clean auroc at" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_list_in_a_spec_means_the_same_for_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.yaml").write_text(
        "task: regression\ndata: {source: synthetic, name: friedman1, n_samples: 100, corrupt: {target_outliers: [0.1]}}\n"
        "loss: [mse, huber]\ntrain: {epochs: 2}\nexpect: {test.r2: '> 5'}\n"
    )
    assert app.run(["compare", "s.yaml", "--quiet", "--no-record", "--format", "json"]) == 1
    out, err = capsys.readouterr()
    assert [arena["corrupt"] for arena in json.loads(out)["arenas"]] == [{}, {"target_outliers": 0.1}]
    assert json.loads(out)["breakdown"][0]["direction"] == "down"
    assert err.count("unmet") == 1  # expected of the clean arena alone


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--task binary", "stress needs levels of damage"),
        ("--task binary --label-noise 0.1 --missing 0.1", "--label-noise and --missing are 2"),
        ("--task regression --label-noise 0.1", "the targets of task regression are numbers"),
        ("--task binary --label-noise 0.1,2", "expected <= 1"),
        ("--task binary --label-noise lots", "--label-noise"),
        ("--task binary --outliers 0.1", "are classes"),
    ],
)
def test_refusals_name_the_flag(flags: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert stress(flags) == 2
    assert said in capsys.readouterr().err


def test_what_is_compared_is_not_the_clock(capsys: pytest.CaptureFixture[str]) -> None:
    first, again = [], []
    for into in (first, again):
        stress(f"{QUICK} --imbalance 0.8 --no-record --format json")
        into.append(json.loads(capsys.readouterr().out)["breakdown"])
    assert first == again


def test_levels_without_damage_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert stress(f"{QUICK} --label-noise 0,0") == 2
    assert "the levels of labels are all 0" in capsys.readouterr().err
