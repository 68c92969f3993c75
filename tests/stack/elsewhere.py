"""Whole trainings on the stand-in device give the bits of the CPU, and wait no more than they must.

All is computed there, by the CPU, on tensors that lie apart (tests/benchmarks/standin.py). test_one_device.py runs this file.
"""

from __future__ import annotations

from dataclasses import replace
from inspect import Parameter

import numpy as np
import pytest
import torch

from losscli.losses import for_task
from losscli.metrics import evaluation_metrics
from losscli.stack import train as engine
from losscli.stack.models import models
from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.plan import Plan
from losscli.stack.stacks import stacks


def every_loss(task: str, run_of, seeds=(0,)):
    """A run of each loss for the task, with each seed."""
    for name, loss in for_task(task).items():
        required = {option: 1.0 for option, about in loss.options.items() if about.default is Parameter.empty}
        yield from (run_of(name, seed, task, **required) for seed in seeds)


def assert_same(benchmark, here, there) -> None:
    identical = benchmark("gpu_checks").identical
    for own, other in zip(here, there, strict=True):
        assert identical(own, other), own.run.entry
        assert repr(own.snapshots) == repr(other.snapshots)
        if own.predictions is not None:
            np.testing.assert_array_equal(own.predictions.prediction, other.predictions.prediction)


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_a_whole_training_elsewhere_gives_the_bits_of_the_cpu(task, standin, benchmark, run_of, job_of):
    """All losses in their stacks, all metrics, calibration, forecasts, dropout, batch norm, the study and what is kept."""
    costs = {"binary": [[0, 1], [5, 0]], "multiclass": [[0, 1, 1], [1, 0, 1], [9, 1, 0]]}.get(task)
    measured = list(evaluation_metrics(task, costs).values())
    plan = Plan(batch_size=64, epochs=1, clip=1.0, patience=3, schedule="cosine")
    job = replace(
        job_of(task, plan, norm="batch", dropout=0.2), evaluation=measured, prediction_seeds=frozenset({0}), probe=True
    )
    runs, count = list(every_loss(task, run_of)), 0
    for stack in stacks(runs, job):
        there = engine.train(stack, replace(job, device=standin.DEVICE))
        assert_same(benchmark, engine.train(stack, job), there)
        count += sum(state.status == "ok" and state.predictions is not None for state in there)
    assert count > 0.9 * len(runs)


def test_every_optimizer_and_model_elsewhere_gives_the_bits_of_the_cpu(standin, benchmark, run_of, job_of):
    runs = [run_of(loss, seed) for loss in ("bce-logits", "hinge") for seed in (0, 1)]
    tried = [(name, "mlp") for name in OPTIMIZERS] + [("adam", name) for name in models.names()]
    for optimizer, kind in tried:
        job = job_of("binary", Plan(batch_size=64, max_steps=4, optimizer=optimizer, weight_decay=0.01), kind=kind)
        assert_same(benchmark, engine.train(runs, job), engine.train(runs, replace(job, device=standin.DEVICE)))
    assert len(tried) >= 6


@pytest.mark.parametrize("kind", ["streamed", "embedded"])
def test_rows_from_disk_and_learned_vectors_elsewhere_give_the_bits_of_the_cpu(kind, standin, benchmark, tmp_path):
    checks = benchmark("gpu_checks")
    experiment = checks.Trial(standin.DEVICE, True, tmp_path, 0.0).experiment(kind)
    assert_same(benchmark, checks.trained(experiment, checks.CPU), checks.trained(experiment, standin.DEVICE))


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "regression", "streamed", "embedded"])
def test_an_epoch_waits_for_nothing(kind, standin, benchmark, tmp_path):
    experiment = benchmark("gpu_checks").Trial(standin.DEVICE, True, tmp_path, 0.0).experiment(kind)
    job = replace(experiment.job, device=standin.DEVICE)
    training = engine.Training(next(stacks(experiment.runs(), job)), job)
    before = standin.Apart.waits
    (losses,) = training._epoch()
    assert standin.Apart.waits == before
    losses.mean.tolist()
    assert standin.Apart.waits == before + 1


def test_the_study_waits_as_often_for_many_runs_as_for_few(standin, run_of, job_of):
    waits = []
    for seeds in (2, 6):
        job = replace(job_of("binary"), device=standin.DEVICE, probe=True)
        training = engine.Training([run_of("bce-logits", seed) for seed in range(seeds)], job)
        before = standin.Apart.waits
        training._probe(0)
        assert len(training.probe.snapshots[-1]) == 1
        waits.append(standin.Apart.waits - before)
    assert waits[0] == waits[1] > 0


def test_what_lies_apart_meets_nothing_of_the_cpu(standin, benchmark):
    """The stand-in raises where a GPU would, and also where one would only wait: for an index from the CPU."""
    apart, here = torch.zeros(3, device=standin.DEVICE), torch.ones(3)
    for mixed in (lambda: apart + here, lambda: here * apart, lambda: apart[torch.tensor([0, 2])], apart.numpy):
        with pytest.raises((RuntimeError, TypeError), match="device"):
            mixed()
    assert (apart + here.to(standin.DEVICE) + torch.tensor(2.0)).tolist() == [3.0, 3.0, 3.0]
    assert standin.Apart.waits == 1
