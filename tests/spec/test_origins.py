"""Where the values of a spec came from: by hand, for a file, flags, and both; kept by the record and by what resumes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import losscli
from losscli.cli.app import run
from losscli.record.reader import manifest_of
from losscli.spec.load import build_spec, load_spec
from losscli.spec.origins import DEFAULT, merged, origin
from losscli.spec.overrides import Overrides

SPEC = """task: binary
data: {source: synthetic, name: moons, n_samples: 80}
loss:
  - bce
  - {name: focal, gamma: 1}
train:
  epochs: 1
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(SPEC)
    return path


def test_a_file_a_flag_and_neither(spec: Path) -> None:
    known = load_spec(spec, Overrides(lr=[0.1], sets=["train.clip=1"])).origins
    keys = ("task", "data.n_samples", "loss", "train.epochs", "train.lr", "train.clip", "seeds")
    of = {key: origin(key, known) for key in keys}
    at = str(spec)
    assert of == {
        "task": f"{at}:1",
        "data.n_samples": f"{at}:2",
        "loss": f"{at}:4",
        "train.epochs": f"{at}:7",
        "train.lr": "--lr",
        "train.clip": "--set train.clip",
        "seeds": DEFAULT,
    }


def test_flags_alone() -> None:
    known = build_spec(Overrides(task="binary", losses=["focal"])).origins
    assert known == {"task": "--task", "loss": "--loss"}


def test_a_block_given_whole_is_where_its_values_came_from() -> None:
    assert origin("tune.lr", {"tune": "--tune"}) == "--tune"
    assert merged([{"loss": "a:1"}, {"loss": "a:1", "seeds": "b:2"}]) == {"loss": "a:1", "seeds": "b:2"}


def test_the_record_says_it(spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    losscli.compare([spec], out=tmp_path / "runs")  # type: ignore[operator]
    (folder,) = (tmp_path / "runs").iterdir()
    assert manifest_of(folder)["origins"][0]["train.epochs"] == f"{spec}:7"
    assert run(["runs", "show", "1", "--config", "--format", "json", "--out", str(tmp_path / "runs")]) == 0
    (settings,) = json.loads(capsys.readouterr().out)["arenas"]
    assert settings["train.epochs"] == {"value": 1, "from": f"{spec}:7"}
    assert settings["train.clip"] == {"value": None, "from": DEFAULT}
    assert run(["runs", "show", "1", "--config", "--out", str(tmp_path / "runs")]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("6 of ")
    assert first.endswith("were given, the others are defaults")


def test_a_record_of_before_says_that_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    versions = Path(__file__).parents[1] / "record" / "versions"
    for folder in sorted(path for path in versions.glob("*/*") if path.is_dir()):
        assert run(["runs", "show", str(folder), "--config"]) == 0
        assert "an older losscli did not say" in capsys.readouterr().out
