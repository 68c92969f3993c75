"""`train.precision`: what of a step is rounded, and that it still learns; all else stays float32."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from losscli import pipeline
from losscli.errors import SpecError
from losscli.spec.load import load_spec
from losscli.spec.overrides import Overrides
from losscli.stack import device as machine
from losscli.stack.models import models
from losscli.stack.train import Training
from losscli.tasks import tasks

GPU = torch.device("cuda", 0)
CONFIGS = Path(__file__).parents[2] / "configs"
SPEC = """
task: {task}
data: {{source: synthetic, {data}}}
loss: [{losses}]
train: {{epochs: {epochs}, precision: {precision}, batch_size: 32}}
seeds: 2
model: {{kind: {kind}}}
"""
MOONS = "name: moons, n_samples: 300, noise: 0.2"


def comparison(tmp_path, **parts):
    spec = tmp_path / "spec.yaml"
    words = {"task": "binary", "data": MOONS, "losses": "bce-logits, hinge", "epochs": 25, "precision": "bf16"}
    spec.write_text(SPEC.format(**{**words, "kind": "mlp", **parts}))
    return pipeline.run([load_spec(spec)], out=None)


def compared(tmp_path, **parts):
    return comparison(tmp_path, **parts).arenas[0]


def values(arena, metric):
    return [run.value(metric) for run in arena.runs]


def test_bf16_learns_what_float32_learns_by_other_numbers(tmp_path):
    plain, rounded = (compared(tmp_path, precision=name) for name in ("float32", "bf16"))
    first, second = values(plain, "log-loss"), values(rounded, "log-loss")
    assert first != second
    for a, b in zip(values(plain, "accuracy"), values(rounded, "accuracy"), strict=True):
        assert b >= 0.9
        assert b == pytest.approx(a, abs=0.07)


@pytest.mark.parametrize(("precision", "device"), [("float32", "cpu"), ("bf16", "cpu (bf16)")])
def test_a_comparison_says_its_precision(precision, device, tmp_path):
    assert comparison(tmp_path, precision=precision, epochs=1).device == device


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("kind", models.names())
def test_every_model_trains_in_bf16(kind, norm, tmp_path):
    if "norm" not in models.get(kind).model_fields and norm != "none":
        return
    norms = kind if norm == "none" else f"{kind}, norm: {norm}, dropout: 0.2"
    data = "name: friedman1, n_samples: 150, n_features: 6, noise: 0.5"
    arena = compared(tmp_path, task="regression", data=data, losses="mse, gaussian-nll", kind=norms, epochs=2)
    assert all(map(math.isfinite, values(arena, "rmse")))
    assert {run.status for run in arena.runs} == {"ok"}


def test_what_a_run_is_judged_by_is_float32(tmp_path, monkeypatch):
    seen = {"train": set(), "judge": set()}
    original = Training._descend

    def watched(self, phase, batch):
        output = self.networks["model"](batch["inputs"])
        seen["train"].add((output.dtype, self.networks["model"].weights.dtype, torch.is_autocast_enabled("cpu")))
        plain = self.networks["model"].infer(batch["inputs"])
        seen["judge"].add(bool((output == plain).all()))
        return original(self, phase, batch)

    monkeypatch.setattr(Training, "_descend", watched)
    compared(tmp_path, epochs=1)
    assert seen == {"train": {(torch.float32, torch.float32, False)}, "judge": {False}}


@pytest.mark.parametrize("task", tasks.names())
def test_every_task_trains_in_bf16(task):
    config = CONFIGS / ("gan-ring.yaml" if task == "gan" else f"{task}.yaml")
    small = {"gan": ["data.n_samples=200"], "embedding": ["data={source: synthetic, name: moons, n_samples: 90}"]}
    spec = load_spec(
        config, overrides=Overrides(sets=["train.precision=bf16", "train.max_steps=3", *small.get(task, ())])
    )
    arena = pipeline.run([spec], out=None, smoke=True).arenas[0]
    assert not any(run.lost for run in arena.runs)


def test_tf32_is_refused_where_there_is_none(tmp_path, monkeypatch):
    with pytest.raises(SpecError, match="tf32") as refusal:
        compared(tmp_path, precision="tf32")
    assert "--precision float32 or bf16" in refusal.value.problems[0].cure
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Some Card")
    for capability, refused in (((7, 5), True), ((8, 0), False)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, it=capability: it)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda it=refused, **_: not it)
        for precision in ("tf32", "bf16"):
            if refused:
                with pytest.raises(SpecError, match=f"{precision}.*Some Card"):
                    machine.refuse_precision(precision, GPU)
            else:
                machine.refuse_precision(precision, GPU)


def test_products_of_steps_alone_are_tf32_and_all_is_put_back():
    products = torch.backends.cuda.matmul
    before = products.fp32_precision
    with machine.exact(GPU):
        with machine.products_of("tf32"):
            assert products.fp32_precision == "tf32"
        with machine.products_of("bf16"):
            assert products.fp32_precision == "ieee"
        assert products.fp32_precision == "ieee"
    assert products.fp32_precision == before


def test_a_wrong_precision_is_told_with_its_place_and_what_there_is(tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "task: binary\nloss: bce-logits\ndata: {source: synthetic, name: moons}\ntrain: {precision: bf61}\n"
    )
    with pytest.raises(SpecError) as refusal:
        load_spec(spec)
    assert "bf16" in str(refusal.value)
    assert "spec.yaml:4:20" in str(refusal.value.problems[0].place)
