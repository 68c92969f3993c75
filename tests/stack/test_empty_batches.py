"""A batch in which no row counts for a run has no mean loss: the run leaves the step out, and nobody else notices."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from losscli.data.dataset import SPLITS, Part
from losscli.errors import DataError
from losscli.stack import train as engine
from losscli.stack.counted import may_miss, uncounted, weight_of
from losscli.stack.optimizer import OPTIMIZERS
from losscli.stack.plan import Plan
from losscli.stack.rows import Rows
from losscli.stack.samplers.shuffled import Shuffled
from losscli.stack.train import Training, train

CPU = torch.device("cpu")
EVERY = [(optimizer, momentum) for optimizer in OPTIMIZERS for momentum in (0.0, 0.8)]


def weighed(run, chances: float = 0.3, splits=SPLITS):
    """The run with a random weight for every row, 0 for most; a split that is not named gets zeros only."""
    chance = np.random.default_rng(1)
    parts = {}
    for split, part in run.dataset.parts.items():
        weight = chance.uniform(0.5, 2.0, part.rows) * (chance.uniform(size=part.rows) < chances) * (split in splits)
        parts[split] = Part(part.features, part.target, weight.astype(np.float32))
    return replace(run, dataset=replace(run.dataset, parts=parts))


def without_zeros(run):
    """The run on the training rows that count alone."""
    part = run.dataset.parts["train"]
    kept = part.weight > 0
    assert 10 < kept.sum() < part.rows
    smaller = Part(part.features[kept], part.target[kept], part.weight[kept])
    return replace(run, dataset=replace(run.dataset, parts=dict(run.dataset.parts) | {"train": smaller}))


def ordinary(training: Training, plan: Plan, lr: float):
    """The same network as float64 modules, and torch's own optimizer."""
    named = training.networks.named()[0]
    module = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)).double()
    with torch.no_grad():
        for place in (0, 2, 4):
            module[place].weight.copy_(torch.from_numpy(named[f"layers.{place}.weight"]).T)
            module[place].bias.copy_(torch.from_numpy(named[f"layers.{place}.bias"])[0])
    kind = {
        "sgd": torch.optim.SGD,
        "rmsprop": torch.optim.RMSprop,
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
    }
    beside = {"momentum": plan.momentum} if plan.optimizer in ("sgd", "rmsprop") else {}
    steps = kind[plan.optimizer](module.parameters(), lr, weight_decay=plan.weight_decay, **beside)
    return module, steps


def flat(weights) -> np.ndarray:
    return np.concatenate([tensor.ravel() for tensor in weights.values()])


def flat_of(module: nn.Sequential) -> np.ndarray:
    layers = [module[place] for place in (0, 2, 4)]
    return np.concatenate([part for layer in layers for part in (layer.weight.detach().T.ravel(), layer.bias.detach())])


@pytest.mark.parametrize(("optimizer", "momentum"), EVERY)
def test_a_step_without_rows_that_count_is_left_out_as_in_the_ordinary_loop(optimizer, momentum, run_of, job_of):
    """Oracle: torch.nn and torch.optim in float64, with `continue` where the weights of a batch sum to 0."""
    plan = Plan(epochs=3, batch_size=4, optimizer=optimizer, momentum=momentum, weight_decay=0.05, clip=0.5)
    run = weighed(run_of("bce-logits", 2, lr=3e-3))
    module, optim = ordinary(Training([run], job_of("binary", plan)), plan, run.lr)
    sampler, left_out, steps = Shuffled(Rows([run], CPU), plan.batch_size), 0, 0
    for _ in range(plan.epochs):
        for inputs, targets, weights in map(dict.values, sampler.epoch()):
            steps += 1
            if weights[0].sum() == 0:
                left_out += 1
                continue
            optim.zero_grad()
            output = module(inputs[0].double()).squeeze(-1)
            values = functional.binary_cross_entropy_with_logits(output, targets[0].double(), reduction="none")
            (values @ weights[0].double() / weights[0].double().sum()).backward()
            nn.utils.clip_grad_norm_(module.parameters(), plan.clip)
            optim.step()
    assert left_out >= 8
    assert steps - left_out >= 20
    state = train([run], job_of("binary", plan))[0]
    assert state.status == "ok"
    np.testing.assert_allclose(flat(state.weights), flat_of(module), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("optimizer", "momentum"), EVERY)
def test_a_full_batch_is_that_of_the_rows_that_count(optimizer, momentum, run_of, job_of):
    plan = Plan(epochs=12, batch_size=1000, optimizer=optimizer, momentum=momentum, weight_decay=0.05)
    run = weighed(run_of("bce-logits", 2, lr=3e-3))
    whole, fewer = (train([each], job_of("binary", plan))[0] for each in (run, without_zeros(run)))
    np.testing.assert_allclose(flat(whole.weights), flat(fewer.weights), rtol=1e-4, atol=1e-5)
    assert [point[3] for point in whole.history] == pytest.approx([point[3] for point in fewer.history], rel=1e-4)


@pytest.mark.parametrize("loss", ["cross-entropy", "nll", "mae"])
def test_so_it_is_with_a_class_of_weight_zero(loss, run_of, job_of):
    """`cross-entropy` and `nll` weigh classes themselves, the engine weighs those of `mae`."""
    plan = Plan(epochs=8, batch_size=1000)
    run = run_of(loss, 1, "multiclass", lr=3e-3)
    given = {"weight": [1.0, 0.0, 3.0]}
    run = replace(run, options=given) if "weight" in run.loss.options else replace(run, **given)
    part = run.dataset.parts["train"]
    kept = part.target != 1
    fewer = dict(run.dataset.parts) | {"train": Part(part.features[kept], part.target[kept])}
    job = job_of("multiclass", plan)
    whole, smaller = (train([each], job)[0] for each in (run, replace(run, dataset=replace(run.dataset, parts=fewer))))
    np.testing.assert_allclose(flat(whole.weights), flat(smaller.weights), rtol=1e-4, atol=1e-5)
    batches = train([run], job_of("multiclass", plan.model_copy(update={"batch_size": 2})))[
        0
    ]  # some without the others
    assert batches.status == "ok"
    assert batches.scores["test"]["accuracy"] > 0.3


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_neighbours_of_a_run_that_leaves_steps_out_stay_bit_equal(optimizer, run_of, job_of):
    plan = Plan(epochs=3, batch_size=2, optimizer=optimizer, momentum=0.5)
    job = job_of("binary", plan, metrics=["accuracy", "auroc"], norm="batch", dropout=0.2)
    neighbours = [run_of("hinge", 0), run_of("bce-logits", 1)]
    alone = train([neighbours[0], replace(run_of("hinge", 0), weight=[1.0, 2.0]), neighbours[1]], job)
    among = train([neighbours[0], replace(run_of("hinge", 0), weight=[1.0, 0.0]), neighbours[1]], job)
    assert among[1].status == "ok"
    for place in (0, 2):
        assert np.array_equal(flat(alone[place].weights), flat(among[place].weights))
        assert alone[place].history == among[place].history
    without = train(neighbours, job)
    for one, other in zip(without, (among[0], among[2]), strict=True):  # nor does it matter that weights are about
        assert [point[3] for point in one.history] == pytest.approx([point[3] for point in other.history], rel=1e-5)


def test_moments_statistics_and_the_count_of_steps_stay_too(run_of, job_of):
    job = job_of("binary", Plan(epochs=1, batch_size=8), norm="batch")
    training = Training([replace(run_of(), weight=[1.0, 0.0]), run_of("hinge")], job)
    model, (phase,) = training.networks["model"], training.phases
    inputs = next(training.sampler.epoch())["inputs"]
    both = torch.where(torch.arange(8) < 4, 0.0, 1.0).expand(2, 8)
    training._descend(phase, {"inputs": inputs, "target": both})
    state = [model.weights, model.statistics, *model.optimizer.state]
    before = [part.clone() for part in state]
    losses = training._descend(phase, {"inputs": inputs, "target": torch.ones(2, 8)})
    assert losses.mean[0].isnan()
    assert losses.mean[1] > 0
    assert len(state) == 4
    for part, held in zip(state, before, strict=True):
        assert torch.equal(part[0], held[0])
        assert not torch.equal(part[1], held[1])
    assert model.optimizer.missed.tolist() == [[1.0], [0.0]]


def test_a_step_that_may_be_left_out_waits_for_nothing(monkeypatch, run_of, job_of):
    """On torch's meta device an operation that must know a number raises."""
    monkeypatch.setattr(engine, "generator", lambda *_, **__: torch.Generator())
    job = replace(job_of("multiclass", Plan(batch_size=8, clip=1.0), norm="batch"), device=torch.device("meta"))
    kernel = replace(run_of("cross-entropy", 0, "multiclass"), options={"weight": [0.0, 1.0, 1.0]})
    training = Training([kernel, weighed(run_of("mae", 0, "multiclass"))], job)
    assert training.may_miss
    (tally,) = training._epoch()
    assert tally.mean.device.type == "meta"


def test_stacks_without_a_zero_pay_nothing(run_of, job_of):
    job = job_of("binary", Plan(epochs=1, batch_size=8))
    for run in (run_of(), replace(run_of("hinge"), weight="balanced"), weighed(run_of(), chances=1.0)):
        assert not Training([run], job).may_miss
    assert not may_miss(
        replace(run_of("dice"), dataset=weighed(run_of()).dataset)
    )  # over the batch: weights are not used


def test_a_class_of_weight_zero_that_no_row_has_empties_no_batch(run_of):
    run = replace(run_of("cross-entropy", 0, "multiclass"), options={"weight": [0.0, 1.0, 1.0]})
    assert may_miss(run)
    part = run.dataset.parts["train"]
    without = replace(part, target=np.maximum(part.target, 1))
    assert not may_miss(replace(run, dataset=replace(run.dataset, parts=run.dataset.parts | {"train": without})))


def test_an_epoch_without_any_row_that_counts_is_no_divergence(run_of, job_of):
    """One step an epoch at most, and its batch is empty: the loss has no value, the run is as it was."""
    run = weighed(run_of("bce-logits", 3))
    order = Shuffled(Rows([run], CPU), 6).order()[0, :6]
    weight = run.dataset.parts["train"].weight.copy()
    weight[order] = 0
    parts = dict(run.dataset.parts)
    parts["train"] = Part(parts["train"].features, parts["train"].target, weight)
    run = replace(run, dataset=replace(run.dataset, parts=parts))
    plan = Plan(epochs=4, batch_size=6, max_steps=1)
    state = train([run], job_of("binary", plan))[0]
    assert state.status == "ok"
    losses = [value for _, split, name, value in state.history if (split, name) == ("train", "loss")]
    assert [math.isnan(value) for value in losses] == [True]
    assert math.isfinite(state.scores["train"]["loss"])
    assert np.array_equal(flat(state.weights), flat(Training([run], job_of("binary", plan)).networks.named()[0]))


@pytest.mark.parametrize("patience", [None, 2])
def test_a_valid_split_without_rows_that_count_has_no_loss_and_stops_nobody(patience, run_of, job_of):
    """The headline of hinge, log-loss, has no value either, so that nothing says which epoch is best: the last."""
    run = weighed(run_of("hinge", 1), splits=("train",))
    job = job_of("binary", Plan(epochs=6, batch_size=16, patience=patience), metrics=["log-loss", "accuracy"])
    state = train([run], job)[0]
    assert (state.status, state.epochs, state.best_epoch) == ("ok", 6, 6)
    valid = [value for _, split, name, value in state.history if (split, name) == ("valid", "loss")]
    assert len(valid) == 6
    assert all(map(math.isnan, valid))
    assert math.isnan(state.scores["test"]["loss"])
    assert state.scores["test"]["accuracy"] > 0.6


def test_what_all_rows_of_a_split_count(run_of):
    run = weighed(run_of("hinge", 1))
    part = run.dataset.parts["train"]
    assert weight_of(run, "train") == pytest.approx(part.weight.sum())
    both = replace(run, weight=[2.0, 5.0])
    assert weight_of(both, "train") == pytest.approx((part.weight * np.where(part.target == 1, 5, 2)).sum())
    assert weight_of(replace(both, loss=run_of("dice").loss), "train") == part.rows


def test_a_training_split_in_which_no_row_counts_is_refused(run_of):
    zeros = weighed(run_of("bce-logits", 1), splits=("valid", "test"))
    with pytest.raises(
        DataError, match=r"no row of the training split counts.*\(seed 1\): every row has weight 0"
    ) as caught:
        uncounted([zeros, run_of("bce-logits", 0)])
    assert caught.value.problems[0].cure
    part = run_of(seed=0).dataset.parts["train"]
    ones = dict(run_of(seed=0).dataset.parts) | {"train": Part(part.features, np.ones_like(part.target))}
    alike = replace(run_of("hinge"), dataset=replace(run_of().dataset, parts=ones), weight={"1": 0})
    with pytest.raises(DataError, match=r"the weight of its only class is 0 \(1\)"):
        uncounted([alike])
    weight = np.where(part.target == 1, 1.0, 0.0).astype(
        np.float32
    )  # what the sample weights leave, the class weights take
    product = dict(run_of(seed=0).dataset.parts) | {"train": Part(part.features, part.target, weight)}
    both = replace(run_of("hinge"), dataset=replace(run_of().dataset, parts=product), weight=[1.0, 0.0])
    with pytest.raises(DataError, match=r"no row of the training split counts.*its only class is 0 \(1\)"):
        uncounted([both])


def test_a_split_without_a_value_is_told_once(run_of):
    runs = [weighed(run_of(loss, seed), splits=("train", "test")) for loss in ("hinge", "brier") for seed in (0, 1)]
    (finding,) = uncounted(runs)
    assert finding.code == "loss-without-value"
    assert (
        "the loss of 2 entries has no value on the valid split (seeds 0, 1): every row has weight 0" in finding.message
    )
    assert uncounted([run_of(), replace(run_of("hinge"), weight="balanced")]) == []
