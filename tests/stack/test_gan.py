"""The ten adversarial losses of the catalogue, all in one stack, held against plain loops of torch.nn and torch.optim.

A norm or an epsilon that is the batch's must not pass.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pairs import PAPERS, apart, batches, modules, penalty, play, real_rows
from torch import nn

from losscli.data.dataset import Dataset
from losscli.losses import find, for_task
from losscli.metrics import find as find_metric
from losscli.stack.job import Job
from losscli.stack.models import models
from losscli.stack.plan import plan_of
from losscli.stack.rows import Rows, Run
from losscli.stack.samplers.latent import Latent
from losscli.stack.stacks import stacks
from losscli.stack.train import Training, train
from losscli.tasks import tasks

CPU = torch.device("cpu")
GAN = tasks.get("gan")


BOARD = [
    *((name, seed, {}) for name in PAPERS for seed in (0, 1)),
    ("wgan-gp", 2, {"weight": 2.0}),
    ("r3gan", 2, {"gamma": 1.5}),
    ("wgan-clip", 2, {"limit": 0.2}),
]


def run(loss: str, seed: int, data: Dataset, **options) -> Run:
    return Run(f"{loss} {options}", seed, find(loss, "gan"), options, (), 2e-3, data)


def job(epochs: int) -> Job:
    plan = plan_of(GAN.plan)(epochs=epochs, batch_size=8, critic_steps=2, lr_discriminator=4e-3)
    model = models.get("mlp")(hidden=[6, 5], activation="leaky-relu")
    return Job(GAN, model, plan, [find_metric("sliced-w1", "gan")], CPU)


def begun_and_ended(board, the_job):
    """By place on the board, the first and the last weights of each run; losses of differences are a stack of their own."""
    runs = {id(one): place for place, one in enumerate(board)}
    first, last = {}, {}
    for stack in stacks(board, the_job):
        begun = Training(stack, the_job).networks.named()
        for one, weights, state in zip(stack, begun, train(stack, the_job), strict=True):
            assert state.status == "ok"
            first[runs[id(one)]], last[runs[id(one)]] = weights, state.weights
    return first, last


def the_loop(place, board, first, the_job, bug=""):
    (loss, _, options), plan = BOARD[place], the_job.plan
    sampler = Latent(Rows([board[place]], CPU), 8, plan.critic_steps + 1, latent=plan.latent)
    networks = modules(first[place], plan.latent, nn.LeakyReLU(0.2))
    limit = options.get("limit", 0.05) if loss == "wgan-clip" else None
    play(networks, PAPERS[loss], batches(sampler, plan.epochs), (board[place].lr, plan.lr_discriminator), plan.epochs * 5,
         plan.critic_steps, lambda critic, batch, fake: penalty(loss, options, critic, batch, fake, bug), limit)  # fmt: skip
    return networks


def test_the_stack_equals_the_plain_loop_of_each_loss_over_thirty_steps(double) -> None:
    data, the_job = real_rows(), job(epochs=6)
    board = [run(loss, seed, data, **options) for loss, seed, options in BOARD]
    first, last = begun_and_ended(board, the_job)
    assert set(PAPERS) == {loss.name for loss in for_task("gan").values()}
    for place, entry in enumerate(BOARD):
        networks = the_loop(place, board, first, the_job)
        assert apart(first[place], networks) > 1e-2, "it has not moved"
        assert apart(last[place], networks) < 1e-9, entry


@pytest.mark.parametrize("bug", ["whole batch", "one epsilon"])
def test_a_penalty_of_the_batch_is_another_one(bug: str, double) -> None:
    """The norm over the whole batch, and one epsilon for all of its rows: both are in public libraries."""
    data, the_job = real_rows(), job(epochs=1)
    board = [run(loss, seed, data, **options) for loss, seed, options in BOARD]
    first, last = begun_and_ended(board, the_job)
    held = {"whole batch": ("wgan-gp", "dragan"), "one epsilon": ("wgan-gp", "dragan")}[bug]
    seen = 0
    for place, (loss, _, _) in enumerate(BOARD):
        if loss in held:
            assert apart(last[place], the_loop(place, board, first, the_job)) < 1e-9
            assert apart(last[place], the_loop(place, board, first, the_job, bug)) > 1e-5, loss
            seen += 1
    assert seen >= 4


def test_a_run_alone_is_what_it_is_among_others() -> None:
    """In float32 adversaries part after a hundred steps; ten are enough to tell a wrong stream from a rounding."""
    data, the_job = real_rows(), job(epochs=2)
    board = [run(loss, seed, data, **options) for loss, seed, options in BOARD]
    _, among = begun_and_ended(board, the_job)
    for place, one in enumerate(board):
        (alone,) = train([one], the_job)
        assert set(alone.weights) == set(among[place])
        for name, weights in alone.weights.items():
            np.testing.assert_allclose(among[place][name], weights, rtol=0, atol=2e-6, err_msg=one.entry)


@pytest.mark.parametrize("name", PAPERS)
def test_values_and_slopes_are_those_of_the_papers(name: str) -> None:
    item, chance = find(name, "gan"), torch.Generator().manual_seed(0)
    scores = [(torch.randn(2, 50, generator=chance).double() * 3).requires_grad_() for _ in range(2)]
    for phase, paper in zip(("discriminator", "generator"), PAPERS[name], strict=True):
        ours, theirs = item.kernel(phase)(*scores), paper(*scores)
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
        slopes = [torch.autograd.grad(each.sum(), scores, allow_unused=True) for each in (ours, theirs)]
        for one, other in zip(*slopes, strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", PAPERS)
def test_a_loss_of_differences_says_so_and_its_critic_has_no_last_bias(name: str) -> None:
    item, chance = find(name, "gan"), torch.Generator().manual_seed(1)
    real, fake = torch.randn(2, 64, generator=chance).double()
    cancels = torch.allclose(item.function(real + 5, fake + 5), item.function(real, fake))
    assert item.differences == cancels
    weights = Training([run(name, 0, real_rows())], job(1)).networks.named()[0]
    assert ("discriminator.layers.4.bias" in weights) == (not cancels)
    assert "generator.layers.4.bias" in weights


@pytest.mark.parametrize(("with_penalty", "without", "option"), [
    ("r1", "gan-nonsaturating", "gamma"), ("dragan", "gan-nonsaturating", "weight"), ("r3gan", "relativistic", "gamma"),
])  # fmt: skip
def test_without_its_penalty_it_is_its_kin(with_penalty: str, without: str, option: str) -> None:
    data, the_job = real_rows(), job(epochs=1)
    _, last = begun_and_ended([run(with_penalty, 0, data, **{option: 0.0}), run(without, 0, data)], the_job)
    for name, weights in last[0].items():
        np.testing.assert_allclose(last[1][name], weights, rtol=0, atol=1e-6)
    _, held = begun_and_ended([run(with_penalty, 0, data)], the_job)
    assert max(np.abs(held[0][name] - weights).max() for name, weights in last[0].items()) > 1e-5


def test_options_of_a_penalty_may_differ_within_a_stack() -> None:
    """A grid is one call; each row has its own."""
    data, the_job = real_rows(), job(epochs=1)
    grid = [run("r3gan", 0, data, gamma=gamma) for gamma in (0.0, 0.1, 5.0)]
    _, together = begun_and_ended(grid, the_job)
    for place, one in enumerate(grid):
        _, alone = begun_and_ended([one], the_job)
        for name, weights in alone[0].items():
            np.testing.assert_allclose(together[place][name], weights, rtol=0, atol=2e-6)


def test_critic_steps_are_counted_by_the_plan() -> None:
    one = run("r1", 0, real_rows())
    few, many = job(1), job(1)
    few = replace(few, plan=few.plan.model_copy(update={"critic_steps": 1}))
    assert (few.plan.critic_steps, many.plan.critic_steps) == (1, 2)
    (first,), (second,) = train([one], few), train([one], many)
    assert not np.array_equal(first.weights["generator.layers.0.weight"], second.weights["generator.layers.0.weight"])
