"""The stack's promises: a run is the same alone and among others, whatever becomes of the others."""

from __future__ import annotations

import math
from inspect import Parameter
from itertools import pairwise

import numpy as np
import pytest
import torch

from losscli.losses import for_task
from losscli.stack.device import chunks
from losscli.stack.plan import Plan
from losscli.stack.rows import Rows
from losscli.stack.samplers.shuffled import Shuffled
from losscli.stack.stacks import stacks
from losscli.stack.train import Training, train

CPU = torch.device("cpu")


def parameters(state) -> np.ndarray:
    return np.concatenate([tensor.ravel() for tensor in state.weights.values()])


def assert_close(alone, among) -> None:
    """1e-5 relative to the size of the weights, and the same scores."""
    ours, theirs = parameters(alone), parameters(among)
    assert len(ours) > 10
    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(ours).max()
    for split, scores in alone.scores.items():
        for name, value in scores.items():
            assert among.scores[split][name] == pytest.approx(value, rel=1e-4, abs=1e-4, nan_ok=True)


# A loss of differences between rows does not see a constant added to every output: the gradient of the last bias is rounding
# noise, which Adam blows up to whole steps. Gradient descent leaves noise as small as it is.
BLIND_TO_THE_LAST_BIAS = {"auc-pairwise"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_a_run_alone_equals_the_same_run_in_a_stack_of_every_loss(task, run_of, job_of):
    plan = Plan(epochs=1, batch_size=32)
    adam, sgd = job_of(task, plan), job_of(task, plan.model_copy(update={"optimizer": "sgd"}))
    blind = [run_of(name, 0, task) for name in for_task(task) if name in BLIND_TO_THE_LAST_BIAS]
    for state in train([*blind, run_of(seed=3, task="binary")], sgd) if blind else []:
        assert_close(train([state.run], sgd)[0], state)
    runs = []
    for name, loss in for_task(task).items():
        if name in BLIND_TO_THE_LAST_BIAS:
            continue
        required = {option: 1.0 for option, about in loss.options.items() if about.default is Parameter.empty}
        runs += [run_of(name, seed, task, **required) for seed in (0, 3)]
    among = [state for stack in stacks(runs, adam) for state in train(stack, adam)]
    assert len(among) == len(runs) >= 6
    for state in among:
        assert_close(train([state.run], adam)[0], state)


@pytest.mark.parametrize("model", [{"norm": "batch"}, {"norm": "layer", "activation": "gelu"}, {"dropout": 0.4}])
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop"])
def test_so_it_does_with_norms_dropout_and_other_optimizers(model, optimizer, run_of, job_of):
    job = job_of("binary", Plan(epochs=2, batch_size=32, optimizer=optimizer, momentum=0.9, clip=1.0), **model)
    runs = [run_of("bce-logits", 0), run_of("focal", 1, gamma=1.0), run_of("hinge", 0)]
    among = train(runs, job)
    for run, state in zip(runs, among, strict=True):
        assert_close(train([run], job)[0], state)


def test_initial_weights_and_batch_order_are_bit_equal_in_any_stack(run_of, job_of):
    job = job_of("binary", Plan(epochs=1, batch_size=32))
    runs = [run_of("hinge", 5), run_of("bce-logits", 2), run_of("focal", 5)]
    among, alone = Training(runs, job), Training([runs[1]], job)
    weights = among.networks["model"].weights
    assert torch.equal(weights[1], alone.networks["model"].weights[0])
    assert torch.equal(weights[0], weights[2])  # the same seed: paired
    assert not torch.equal(weights[0], weights[1])
    for _ in range(2):
        steps = list(zip(among.sampler.epoch(), alone.sampler.epoch(), strict=True))
        assert len(steps) >= 3
        for batch, own in steps:
            assert torch.equal(batch["inputs"][1], own["inputs"][0])
            assert torch.equal(batch["target"][1], own["target"][0])
            assert torch.equal(batch["inputs"][0], batch["inputs"][2])


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_diverging_run_leaves_its_neighbours_bit_equal(optimizer, run_of, job_of):
    job = job_of("regression", Plan(epochs=3, batch_size=32, optimizer=optimizer))
    neighbours = [run_of("mse", seed, "regression", lr=1e-2) for seed in (0, 1)]
    calm = train([neighbours[0], run_of("mse", 2, "regression", lr=1e-2), neighbours[1]], job)
    wild = train([neighbours[0], run_of("mse", 2, "regression", lr=1e6), neighbours[1]], job)
    assert wild[1].status == "diverged"
    assert calm[1].status == "ok"
    assert all(math.isnan(value) for value in wild[1].scores["test"].values())
    assert wild[1].weights == {}
    for place in (0, 2):
        assert wild[place].status == "ok"
        assert np.array_equal(parameters(calm[place]), parameters(wild[place]))
        assert calm[place].history == wild[place].history


def test_the_same_stack_twice_is_bit_equal(run_of, job_of):
    job = job_of("binary", Plan(epochs=2, batch_size=32), dropout=0.2, norm="batch")
    runs = [run_of("bce-logits", seed) for seed in (0, 1)]
    first, second = train(runs, job), train(runs, job)
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(parameters(one), parameters(other))
        assert one.history == other.history
        assert one.scores == other.scores


def test_one_run_equals_the_ordinary_torch_loop(run_of, job_of):
    """Oracle: torch.nn, torch.optim.AdamW and torch's loss on the same weights, batches and order."""
    plan = Plan(epochs=2, batch_size=32, optimizer="adamw", weight_decay=0.1)
    run, job = run_of("bce-logits", 4, lr=3e-3), job_of("binary", plan)
    start = Training([run], job)
    layers = start.networks.named()[0]
    module = torch.nn.Sequential(
        torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)
    )
    with torch.no_grad():
        for place in (0, 2, 4):
            module[place].weight.copy_(torch.from_numpy(layers[f"layers.{place}.weight"]).T)
            module[place].bias.copy_(torch.from_numpy(layers[f"layers.{place}.bias"])[0])
    optimizer = torch.optim.AdamW(module.parameters(), lr=3e-3, weight_decay=0.1)
    sampler = Shuffled(Rows([run], CPU), 32)
    for _ in range(2):
        for inputs, targets in map(dict.values, sampler.epoch()):
            optimizer.zero_grad()
            torch.nn.BCEWithLogitsLoss()(module(inputs[0]).squeeze(-1), targets[0]).backward()
            optimizer.step()
    trained = train([run], job)[0].weights
    for place in (0, 2, 4):
        theirs = module[place].weight.detach().T.numpy()
        np.testing.assert_allclose(trained[f"layers.{place}.weight"], theirs, rtol=2e-5, atol=2e-6)


def test_the_width_of_stacks_does_not_change_a_run(run_of, job_of):
    job = job_of("binary")
    runs = [run_of(loss, seed) for loss in ("bce-logits", "focal") for seed in (0, 1)]
    wide = train(runs, job)
    narrow = [state for start, stop in chunks(4, 3) for state in train(runs[start:stop], job)]
    for one, other in zip(wide, narrow, strict=True):
        assert_close(one, other)


def test_stacks_hold_every_run_once_and_in_order(run_of, job_of):
    runs = [run_of("bce-logits", seed) for seed in range(3)]
    assert [run for stack in stacks(runs, job_of()) for run in stack] == runs


def test_a_narrower_dataset_trains_the_same_among_wider_ones(dataset, run_of, job_of):
    """A rare category that one training split lacks makes its dataset narrower; padding must not change its run."""
    from dataclasses import replace

    from losscli.data.dataset import Part

    run = run_of("bce-logits", 1)
    wide = {
        name: Part(np.hstack([part.features, np.ones((part.rows, 3), np.float32)]), part.target)
        for name, part in dataset("binary", 0).parts.items()
    }
    wider = replace(run_of("bce-logits", 0), dataset=replace(dataset("binary", 0), parts=wide))
    among, alone = train([wider, run], job_of())[1], train([run], job_of())[0]
    first, own = among.weights["layers.0.weight"], alone.weights["layers.0.weight"]
    assert first.shape == (5, 16)
    assert own.shape == (2, 16)
    np.testing.assert_allclose(first[:2], own, rtol=1e-5, atol=1e-6)
    assert not first[2:].any()


def test_patience_stops_each_run_by_itself_and_keeps_its_best_weights(run_of, job_of):
    plan = Plan(epochs=40, batch_size=32, patience=3)
    quick, slow = run_of("bce-logits", 0, lr=0.3), run_of("bce-logits", 1, lr=1e-5)
    states = train([quick, slow], job_of("binary", plan, metrics=["log-loss", "accuracy"]))
    stopped = states[0]
    assert stopped.status == "stopped"
    assert stopped.epochs == stopped.best_epoch + 3 < 40
    assert states[1].epochs == 40
    valid = {epoch: value for epoch, split, name, value in stopped.history if (split, name) == ("valid", "log-loss")}
    assert min(valid, key=valid.get) == stopped.best_epoch
    # The weights that are judged at the end are those of the best epoch.
    assert stopped.scores["valid"]["log-loss"] == pytest.approx(valid[stopped.best_epoch], rel=1e-6)
    assert stopped.scores["valid"]["log-loss"] < valid[stopped.epochs]


def test_a_resting_run_stays_as_it_is_though_its_neighbour_goes_on(run_of, job_of):
    plan = Plan(epochs=30, batch_size=32, patience=2)
    job = job_of("binary", plan, metrics=["log-loss"])
    quick, slow = run_of("bce-logits", 0, lr=0.3), run_of("bce-logits", 1, lr=1e-4)
    together, alone = train([quick, slow], job)[0], train([quick], job)[0]
    assert together.epochs == alone.epochs < 30
    assert_close(alone, together)


def test_history_has_every_epoch_of_both_splits(run_of, job_of):
    state = train([run_of()], job_of("binary", Plan(epochs=4), metrics=["auroc", "f1"]))[0]
    assert {(split, name) for _, split, name, _ in state.history} == {
        ("train", "loss"), ("valid", "loss"), ("valid", "auroc"), ("valid", "f1"),
    }  # fmt: skip
    assert sorted({epoch for epoch, *_ in state.history}) == [1, 2, 3, 4]
    losses = [value for _, split, name, value in state.history if (split, name) == ("train", "loss")]
    assert all(after < before for before, after in pairwise(losses))


def test_max_steps_caps_a_run_within_an_epoch(run_of, job_of):
    training = Training([run_of()], job_of("binary", Plan(epochs=9, batch_size=8, max_steps=5)))
    training.run(lambda *_: False)
    assert training.networks["model"].optimizer.steps == training.step == 5
    assert training.states[0].epochs == 1


def test_a_report_that_says_so_ends_the_training(run_of, job_of):
    state = train([run_of()], job_of("binary", Plan(epochs=9)), lambda epoch, *_: epoch == 2)[0]
    assert (state.status, state.epochs) == ("stopped", 2)
    assert math.isfinite(state.scores["test"]["auroc"])
