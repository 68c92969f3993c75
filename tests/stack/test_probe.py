"""What a loss attends to: shares of rows and of gradients, against gradients by hand and counts by numpy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from losscli.data.corrupt import Corruption
from losscli.data.prepare import prepare
from losscli.data.sources import sources
from losscli.stack.plan import Plan
from losscli.stack.probe import epochs_to_probe
from losscli.stack.stacks import stacks
from losscli.stack.train import Training, train
from losscli.tasks import tasks

PLAN = Plan(epochs=4, batch_size=32)


def looked(runs, job):
    """The looks of each run, and the training they were taken at."""
    training = Training(runs, replace(job, probe=True))
    training.run(lambda *_: False)
    training.finish()
    return training


def share(kind: np.ndarray, weights: np.ndarray) -> list[float]:
    return [float(weights[kind == place].sum() / weights.sum()) for place in range(5)]


def test_a_logistic_gradient_is_p_minus_y(run_of, job_of) -> None:
    """The last look, against the derivative of the logistic loss written down by hand."""
    run = run_of("bce-logits")
    training = looked([run], job_of(plan=PLAN))
    part = run.dataset.parts["train"]
    with torch.no_grad():
        logit = training._outputs("train")[0, :, 0].double().numpy()
    p = 1 / (1 + np.exp(-logit))
    off = np.where(part.target > 0.5, 1 - p, p)
    kind = np.digitize(off, (0.2, 0.4, 0.6, 0.8), right=True)
    look = training.states[0].snapshots[-1]
    assert look.epoch == 4
    np.testing.assert_allclose(look.rows, share(kind, np.ones(len(off))), atol=1e-6)
    np.testing.assert_allclose(look.gradient, share(kind, np.abs(p - part.target)), atol=1e-5)


def test_the_gradient_of_mae_is_the_same_for_every_row(run_of, job_of) -> None:
    run = run_of("mae", task="regression")
    look = looked([run], job_of("regression", PLAN)).states[0].snapshots[-1]
    np.testing.assert_allclose(look.gradient, look.rows, atol=1e-5)
    truth = run.dataset.parts["train"].target
    assert len(look.rows) == 5
    assert truth.std() > 0


def test_how_hard_a_number_is_does_not_depend_on_its_unit(run_of, job_of) -> None:
    """The same training; the target is told in metres, or in kilometres."""
    metres = run_of("mae", task="regression")
    scale = metres.dataset.scale
    kilometres = replace(
        metres,
        dataset=replace(metres.dataset, scale=replace(scale, center=scale.center / 1000, scale=scale.scale / 1000)),
    )
    looks = [looked([run], job_of("regression", PLAN)).states[0].snapshots[-1] for run in (metres, kilometres)]
    assert max(looks[0].rows) < 0.9
    np.testing.assert_allclose(looks[0].rows, looks[1].rows, atol=1e-2)


def test_focal_lets_go_of_easy_rows(run_of, job_of) -> None:
    """Relative to their number, the easiest rows pull less under focal loss."""
    runs = [run_of("bce-logits"), run_of("focal", gamma=4.0)]
    states = looked(runs, job_of(plan=Plan(epochs=40, batch_size=32))).states
    plain, focal = (state.snapshots[-1] for state in states)
    assert min(plain.rows[0], focal.rows[0]) > 0.05
    assert focal.gradient[0] / focal.rows[0] < 0.5 * plain.gradient[0] / plain.rows[0]


@pytest.mark.parametrize(
    ("task", "losses"),
    [
        ("binary", ["bce-logits", "hinge", "dice"]),
        ("multiclass", ["cross-entropy", "multi-margin", "coral"]),
        ("multilabel", ["bce-logits"]),
        ("regression", ["mse", "gaussian-nll", "poisson-nll"]),
    ],
)
def test_a_run_alone_is_looked_at_as_in_a_stack(run_of, job_of, task: str, losses: list[str]) -> None:
    runs = [run_of(name, seed=seed, task=task) for name in losses for seed in (0, 1)]
    job = replace(job_of(task, PLAN), probe=True)
    together = [state for stack in stacks(runs, job) for state in train(stack, job)]
    for state in together:
        (alone,) = train([state.run], job)
        assert [look.epoch for look in alone.snapshots] == sorted(epochs_to_probe(4))
        for one, other in zip(alone.snapshots, state.snapshots, strict=True):
            np.testing.assert_allclose(one.rows, other.rows, atol=1e-3)
            np.testing.assert_allclose(one.gradient, other.gradient, atol=2e-3)
            assert sum(one.rows) == pytest.approx(1)
            assert sum(one.gradient) == pytest.approx(1)


def test_studying_changes_no_number(run_of, job_of) -> None:
    job = job_of(plan=PLAN, dropout=0.2, norm="batch")
    (plain,), (probed,) = train([run_of()], job), train([run_of()], replace(job, probe=True))
    assert plain.history == probed.history
    assert all((plain.weights[name] == probed.weights[name]).all() for name in plain.weights)


def test_wrong_labels_learned_by_heart_are_counted(run_of, job_of) -> None:
    block = {"name": "blobs", "n_samples": 200, "centers": 3, "cluster_std": 1.0}
    source = sources.get("synthetic")(source="synthetic", **block)
    table, contract = source.read(Path()), tasks.get("multiclass")
    dataset = prepare(table, contract.decode(table.targets), contract, source.split, 0, Corruption(labels=0.3))
    run = replace(run_of("cross-entropy", task="multiclass"), dataset=dataset)
    training = looked([run], job_of("multiclass", PLAN))
    part = dataset.parts["train"]
    decided = training._outputs("train")[0].argmax(dim=-1).numpy()
    memory = training.states[0].snapshots[-1].memory
    assert memory is not None
    assert part.flipped.sum() > 20
    assert memory.memorised == pytest.approx((decided == part.target)[part.flipped].mean())
    assert memory.resisted == pytest.approx((decided == part.clean)[part.flipped].mean())
    assert memory.learned == pytest.approx((decided == part.target)[~part.flipped].mean())
    assert memory.resisted > memory.memorised  # four epochs on clusters learn the clusters first
