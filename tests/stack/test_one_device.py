"""A step runs where its data are, and waits for nothing.

On torch's meta device tensors have shapes and no numbers: an operation that mixes devices raises, and so does one that must
know a number (`.item()`, `if tensor:`), which on a GPU would be a wait in every step. So a step that runs here runs on a GPU
without a synchronisation, though nothing is computed.

elsewhere.py goes further, on a device that computes. It has a process of its own: torch counts the devices at its first
backward pass, and knows no others from then on.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from inspect import Parameter
from pathlib import Path

import pytest
import torch

from losscli.losses import for_task
from losscli.metrics import for_task as metrics_of
from losscli.stack import train as engine
from losscli.stack.chance import generator
from losscli.stack.plan import Plan

META = torch.device("meta")
PLAN = Plan(batch_size=32, clip=1.0, patience=3, schedule="cosine")


@pytest.fixture
def on_meta(monkeypatch, job_of):
    monkeypatch.setattr(engine, "generator", lambda seed, purpose, device: generator(seed, purpose))  # meta has none

    def make(task: str, **model):
        return replace(job_of(task, PLAN, metrics=list(metrics_of(task)), **model), device=META)

    return make


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_a_step_of_every_loss_stays_on_its_device_and_waits_for_nothing(task, on_meta, run_of):
    job, stepped = on_meta(task, norm="batch"), 0
    for name, loss in for_task(task).items():
        required = {option: 1.0 for option, about in loss.options.items() if about.default is Parameter.empty}
        training = engine.Training([run_of(name, seed, task, **required) for seed in (0, 1)], job)
        training.resting = torch.zeros(2, 1, dtype=torch.bool, device=META)
        losses = training._descend(training.phases[0], next(training.sampler.epoch()))
        assert losses.mean.device == META
        stepped += 1
    assert stepped == len(for_task(task)) >= 19


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_metrics_stay_on_their_device(task, on_meta, run_of):
    """Metrics of classes may look at numbers (once an epoch); these need not."""
    training = engine.Training([run_of(task=task, loss=name) for name in list(for_task(task))[-2:]], on_meta(task))
    found = training.evaluator(training._outputs("valid"), "valid")
    assert set(found) == {"loss", *metrics_of(task)}
    assert all(values.device == META for values in found.values())


def test_a_wait_would_be_seen():
    with pytest.raises(RuntimeError, match="meta"):
        torch.zeros(1, device=META).item()
    with pytest.raises(RuntimeError, match="meta"):
        torch.zeros(1, device=META) + torch.zeros(1)


def test_elsewhere():
    command = [sys.executable, "-m", "pytest", "-q", str(Path(__file__).with_name("elsewhere.py"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "passed" in done.stdout
