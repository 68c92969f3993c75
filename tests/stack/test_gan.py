"""The ten adversarial losses of the catalogue, all in one stack, held against plain loops of torch.nn and torch.optim.

What a loss says is written here once more, from the papers; a norm or an epsilon that is the batch's must not pass.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import relu, softplus

from losscli.data.dataset import SPLITS, Dataset, Part
from losscli.losses import find, for_task
from losscli.metrics import find as find_metric
from losscli.stack.job import Job
from losscli.stack.models import models
from losscli.stack.plan import plan_of
from losscli.stack.rows import Rows, Run
from losscli.stack.samplers.latent import Latent
from losscli.stack.train import Training, stacks, train
from losscli.tasks import Target, TargetScale, tasks

COLUMNS, ROWS, CPU = 3, 40, torch.device("cpu")
GAN = tasks.get("gan")


def bce(real, fake):
    return softplus(-real) + softplus(fake)


# By loss: what the discriminator minimises of D(x) and D(g), and what the generator does, each sample by itself.
PAPERS = {
    "gan-minimax": (bce, lambda real, fake: -softplus(fake)),
    "gan-nonsaturating": (bce, lambda real, fake: softplus(-fake)),
    "lsgan": (lambda real, fake: ((real - 1) ** 2 + fake**2) / 2, lambda real, fake: (fake - 1) ** 2 / 2),
    "hinge": (lambda real, fake: relu(1 - real) + relu(1 + fake), lambda real, fake: -fake),
    "wgan-clip": (lambda real, fake: fake - real, lambda real, fake: -fake),
    "wgan-gp": (lambda real, fake: fake - real, lambda real, fake: -fake),
    "dragan": (bce, lambda real, fake: softplus(-fake)),
    "r1": (bce, lambda real, fake: softplus(-fake)),
    "relativistic": (lambda real, fake: softplus(fake - real), lambda real, fake: softplus(real - fake)),
    "r3gan": (lambda real, fake: softplus(fake - real), lambda real, fake: softplus(real - fake)),
}
BOARD = [
    *((name, seed, {}) for name in PAPERS for seed in (0, 1)),
    ("wgan-gp", 2, {"weight": 2.0}),
    ("r3gan", 2, {"gamma": 1.5}),
    ("wgan-clip", 2, {"limit": 0.2}),
]


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def rows_of() -> Dataset:
    chance, parts = np.random.default_rng(0), {}
    kind = np.float64 if torch.get_default_dtype() == torch.float64 else np.float32
    for split in SPLITS:
        units = chance.standard_normal((ROWS, COLUMNS)) @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
        parts[split] = Part(np.empty((ROWS, 0), kind), units.astype(kind), units=units)
    names = tuple(f"x{column}" for column in range(COLUMNS))
    scale = TargetScale(np.zeros(COLUMNS), np.ones(COLUMNS))
    return Dataset("rows", 0, parts, Target(parts["train"].target, names), scale, {})


def run(loss: str, seed: int, data: Dataset, **options) -> Run:
    return Run(f"{loss} {options}", seed, find(loss, "gan"), options, (), 2e-3, data)


def job(epochs: int) -> Job:
    plan = plan_of(GAN.plan)(epochs=epochs, batch_size=8, critic_steps=2, lr_discriminator=4e-3)
    model = models.get("mlp")(hidden=[6, 5], activation="leaky-relu")
    return Job(GAN, model, plan, [find_metric("sliced-w1", "gan")], CPU)


def module(weights, name: str, inputs: int, outputs: int) -> nn.Sequential:
    sizes = [(inputs, 6), (6, 5), (5, outputs)]
    bias = f"{name}.layers.4.bias" in weights
    layers = [nn.Linear(*pair, bias=bias or pair[1] != outputs or outputs != 1) for pair in sizes]
    network = nn.Sequential(layers[0], nn.LeakyReLU(0.2), layers[1], nn.LeakyReLU(0.2), layers[2])
    with torch.no_grad():
        for place in (0, 2, 4):
            network[place].weight.copy_(torch.from_numpy(weights[f"{name}.layers.{place}.weight"]).T)
            if network[place].bias is not None:
                network[place].bias.copy_(torch.from_numpy(weights[f"{name}.layers.{place}.bias"])[0])
    return network


def norms(critic: nn.Sequential, at: torch.Tensor, whole: bool = False) -> torch.Tensor:
    """The norm of the gradient at each sample, [B]; `whole`: that of the batch, as a public library has it."""
    at = at.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    return gradient.flatten().norm()[None] if whole else gradient.norm(2, dim=1)


def penalty(loss: str, options, critic, batch, fake, bug: str = "") -> torch.Tensor:
    real, whole = batch["real"], bug == "whole batch"
    mix = batch["mix"][:1] if bug == "one epsilon" else batch["mix"]
    if loss == "wgan-gp":
        at = (1 - mix) * real + mix * fake
        return options.get("weight", 0.1) * ((norms(critic, at, whole) - 1) ** 2).mean()
    if loss == "dragan":
        at = real + mix * 0.5 * (2 * batch["noise"] - 1)
        return options.get("weight", 0.1) * ((norms(critic, at, whole) - 1) ** 2).mean()
    gamma = options.get("gamma", 0.1)
    if loss == "r1":
        return gamma / 2 * (norms(critic, real, whole) ** 2).mean()
    if loss == "r3gan":
        return gamma / 2 * ((norms(critic, real, whole) ** 2).mean() + (norms(critic, fake, whole) ** 2).mean())
    return torch.zeros(())


def ordinary(entry, weights, plan, sampler: Latent, lr: float, bug: str = ""):
    """The loop of a tutorial: one run, two optimizers, the critic `critic_steps` times."""
    loss, _, options = entry
    generator, critic = module(weights, "generator", plan.latent, COLUMNS), module(weights, "discriminator", COLUMNS, 1)
    rates = ((torch.optim.Adam(generator.parameters(), lr, plan.betas), lr),
             (torch.optim.Adam(critic.parameters(), plan.lr_discriminator, plan.betas), plan.lr_discriminator))  # fmt: skip
    (of_generator, _), (of_critic, _) = rates
    step, steps = 0, plan.epochs * 5
    for _ in range(plan.epochs):
        batches = sampler.epoch()
        for _ in range(5):
            for optimizer, rate in rates:
                optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
            for _ in range(plan.critic_steps):
                batch = {name: tensor[0] for name, tensor in next(batches).items()}
                fake = generator(batch["latent"]).detach()
                value = PAPERS[loss][0](critic(batch["real"]), critic(fake)).mean()
                value = value + penalty(loss, options, critic, batch, fake, bug)
                of_critic.zero_grad()
                value.backward()
                of_critic.step()
                if loss == "wgan-clip":
                    for parameter in critic.parameters():
                        parameter.data.clamp_(-options.get("limit", 0.05), options.get("limit", 0.05))
            batch = {name: tensor[0] for name, tensor in next(batches).items()}
            value = PAPERS[loss][1](critic(batch["real"]), critic(generator(batch["latent"]))).mean()
            of_generator.zero_grad()
            value.backward()
            of_generator.step()
            step += 1
    return generator, critic


def apart(weights, networks) -> float:
    """The largest difference of any weight."""
    pairs = zip(("generator", "discriminator"), networks, strict=True)
    return max(
        float(np.abs(weights[f"{name}.layers.{place}.weight"] - network[place].weight.detach().numpy().T).max())
        for name, network in pairs
        for place in (0, 2, 4)
    )


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
    sampler = Latent(Rows([board[place]], CPU), 8, the_job.plan.critic_steps + 1, latent=the_job.plan.latent)
    return ordinary(BOARD[place], first[place], the_job.plan, sampler, board[place].lr, bug)


def test_the_stack_equals_the_plain_loop_of_each_loss_over_thirty_steps(double) -> None:
    data, the_job = rows_of(), job(epochs=6)
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
    data, the_job = rows_of(), job(epochs=1)
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
    data, the_job = rows_of(), job(epochs=2)
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
    weights = Training([run(name, 0, rows_of())], job(1)).networks.named()[0]
    assert ("discriminator.layers.4.bias" in weights) == (not cancels)
    assert "generator.layers.4.bias" in weights


@pytest.mark.parametrize(("with_penalty", "without", "option"), [
    ("r1", "gan-nonsaturating", "gamma"), ("dragan", "gan-nonsaturating", "weight"), ("r3gan", "relativistic", "gamma"),
])  # fmt: skip
def test_without_its_penalty_it_is_its_kin(with_penalty: str, without: str, option: str) -> None:
    data, the_job = rows_of(), job(epochs=1)
    _, last = begun_and_ended([run(with_penalty, 0, data, **{option: 0.0}), run(without, 0, data)], the_job)
    for name, weights in last[0].items():
        np.testing.assert_allclose(last[1][name], weights, rtol=0, atol=1e-6)
    _, held = begun_and_ended([run(with_penalty, 0, data)], the_job)
    assert max(np.abs(held[0][name] - weights).max() for name, weights in last[0].items()) > 1e-5


def test_options_of_a_penalty_may_differ_within_a_stack() -> None:
    """A grid is one call; each row has its own."""
    data, the_job = rows_of(), job(epochs=1)
    grid = [run("r3gan", 0, data, gamma=gamma) for gamma in (0.0, 0.1, 5.0)]
    _, together = begun_and_ended(grid, the_job)
    for place, one in enumerate(grid):
        _, alone = begun_and_ended([one], the_job)
        for name, weights in alone[0].items():
            np.testing.assert_allclose(together[place][name], weights, rtol=0, atol=2e-6)


def test_critic_steps_are_counted_by_the_plan() -> None:
    one = run("r1", 0, rows_of())
    few, many = job(1), job(1)
    few = replace(few, plan=few.plan.model_copy(update={"critic_steps": 1}))
    assert (few.plan.critic_steps, many.plan.critic_steps) == (1, 2)
    (first,), (second,) = train([one], few), train([one], many)
    assert not np.array_equal(first.weights["generator.layers.0.weight"], second.weights["generator.layers.0.weight"])
