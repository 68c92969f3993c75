"""Keys of `train:` and `model:` that a task adds or has other defaults of, from the spec to the schema."""

from __future__ import annotations

import jsonschema
import pytest

from losscli.errors import SpecError
from losscli.options import Count, Strict
from losscli.spec.dump import to_yaml
from losscli.spec.load import load_spec
from losscli.spec.schema import schema
from losscli.tasks import tasks


class Keys(Strict):
    """`critic_steps` is how often the critic moves in a step. `batch_size` is the rows of one step."""

    critic_steps: Count = 2
    batch_size: Count = 64


@pytest.fixture
def _adversarial(monkeypatch):
    kind = type(tasks.get("binary"))
    monkeypatch.setattr(kind, "plan", Keys)
    monkeypatch.setattr(kind, "default_model", {"activation": "tanh"})


@pytest.fixture
def spec(tmp_path):
    def load(text: str):
        (tmp_path / "own.yaml").write_text(text)
        return load_spec(tmp_path / "own.yaml")

    return load


@pytest.mark.usefixtures("_adversarial")
def test_they_are_read_have_their_defaults_and_are_written_again(spec, tmp_path):
    read = spec("task: binary\ntrain: {critic_steps: 5, lr: 0.01}\n")
    assert (read.train.critic_steps, read.train.batch_size, read.train.lr, read.train.betas) == (
        5,
        64,
        0.01,
        [0.9, 0.999],
    )
    assert read.model.activation == "tanh"
    written = to_yaml(read, relative_to=tmp_path)
    assert "critic_steps: 5" in written
    assert spec(written).train == read.train
    assert spec("task: binary\nmodel: {activation: gelu}\n").model.activation == "gelu"
    assert spec("task: binary\nmodel: {kind: linear}\n").model.kind == "linear"


@pytest.mark.usefixtures("_adversarial")
def test_no_other_task_has_them(spec):
    with pytest.raises(SpecError, match="critic_steps"):
        spec("task: regression\ntrain: {critic_steps: 5}\n")
    assert spec("task: regression\n").train.batch_size == 128
    assert spec("task: regression\n").model.activation == "relu"


@pytest.mark.usefixtures("_adversarial")
def test_the_schema_knows_whose_they_are():
    whole = jsonschema.Draft202012Validator(schema())
    for task, block in (("binary", {"critic_steps": 5}), ("binary", {"epochs": 3}), ("regression", {"epochs": 3})):
        assert whole.is_valid({"task": task, "train": block}), (task, block)
    for task, block in (("binary", {"critic_steps": 0}), ("regression", {"critic_steps": 5})):
        assert not whole.is_valid({"task": task, "train": block}), (task, block)


@pytest.mark.parametrize("betas", ["[0.9]", "[0.9, 1.0]", "[0.9, 0.99, 0.1]", "0.9"])
def test_betas_are_two_numbers_below_1(spec, betas):
    with pytest.raises(SpecError, match="betas"):
        spec(f"task: binary\ntrain: {{betas: {betas}}}\n")
    assert spec("task: binary\ntrain: {betas: [0, 0.9]}\n").train.betas == [0.0, 0.9]
