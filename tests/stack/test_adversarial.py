"""A generator against a discriminator, several losses in one stack, held against plain loops of torch.nn and torch.optim.

No task of the product is needed: what stands first is a task and its losses as such a one would have them, on no shelf.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pairs import PAPERS, apart, batches, modules, penalty, play, real_rows
from torch import Tensor, nn
from torch.nn.functional import softplus

from losscli.data.dataset import Dataset
from losscli.losses import Loss, NonNegative, Positive, _options
from losscli.losses.parts import Penalty
from losscli.metrics import find as find_metric
from losscli.options import Count, Strict
from losscli.stack.job import Job
from losscli.stack.models import models
from losscli.stack.plan import plan_of
from losscli.stack.rows import Rows, Run
from losscli.stack.samplers.latent import Latent
from losscli.stack.stacks import stacks
from losscli.stack.train import Training, train
from losscli.tasks import Prediction, tasks
from losscli.tasks.phases import LossInputs, NetworkSpec, Phase, Sampling, UpdateRule

LATENT = 2
CPU = torch.device("cpu")


class Keys(Strict):
    """`critic_steps`, `latent` and `lr_discriminator`, and betas of its own."""

    batch_size: Count = 8
    betas: list[float] = [0.0, 0.9]  # noqa: RUF012
    schedule: str = "linear"
    critic_steps: Count = 2
    latent: Count = LATENT
    lr_discriminator: float = 4e-3


def discriminate(networks, batch) -> LossInputs:
    with torch.no_grad():
        fake = networks["generator"](batch["latent"])
    critic, real = networks["discriminator"], batch["real"]
    points = {"real": real, "fake": fake, "mix": batch["mix"]}
    return LossInputs((critic(real), critic(fake)), points=points)


def generate(networks, batch) -> LossInputs:
    critic = networks["discriminator"]
    return LossInputs((critic(batch["real"]), critic(networks["generator"](batch["latent"]))))


class Pair(type(tasks.get("regression"))):  # type: ignore[misc]
    """What a target is, and the scale of its columns, is as in regression."""

    plan, judges_splits, reads_received, probed = Keys, False, False, False

    def shape(self, output: Tensor) -> Tensor:
        return output.squeeze(-1)

    def networks(self, sizes, plan):
        rule = UpdateRule(lr=plan.lr_discriminator)
        generator = NetworkSpec("generator", plan.latent, sizes.outputs)
        return generator, NetworkSpec("discriminator", sizes.outputs, 1, rule=rule)

    def phases(self, plan):
        first = Phase("discriminator", ("discriminator",), discriminate, plan.critic_steps)
        return first, Phase("generator", ("generator",), generate)

    def sampling(self, plan):
        return Sampling("latent", {"latent": plan.latent})

    def infer(self, networks, batch):
        return networks["generator"](batch["latent"])

    def read(self, received, meaning, scale=None):
        return Prediction(samples=received, values=scale.predicted(received))


def between(points) -> Tensor:
    return torch.lerp(points["real"], points["fake"], points["mix"])


def away_from_one(gradient: Tensor, *, weight: NonNegative = 0.5) -> Tensor:
    return weight * (gradient.norm(dim=-1) - 1).square()


def at_real(points) -> Tensor:
    return points["real"]


def squared(gradient: Tensor, *, gamma: NonNegative = 0.25) -> Tensor:
    return gamma / 2 * gradient.square().sum(-1)


def critic(real: Tensor, fake: Tensor) -> Tensor:
    return fake - real


def fooled(real: Tensor, fake: Tensor) -> Tensor:
    return -fake


def told_apart(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real) + softplus(fake)


def not_told_apart(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-fake)


def clipped(weights: Tensor, *, limit: Positive = 0.05) -> Tensor:
    return weights.clamp(-limit, limit)


def made(name: str, function: Callable[..., Tensor], generator: Callable[..., Tensor], **parts: Any) -> Loss:
    penalties, projection = parts.get("penalties", ()), parts.get("projection")
    owners = [*(penalty.function for penalty in penalties), *([projection] if projection else [])]
    options = {key: option for owner in owners for key, option in _options(owner).items()}
    kernels = {"generator": generator}
    return Loss(
        name, "pair", "scores", "none", function, False, False, options, (), kernels=kernels, signed=True, **parts
    )


LOSSES = {
    loss.name: loss
    for loss in (
        made("wgan-gp", critic, fooled, penalties=(Penalty(between, away_from_one),)),
        made("wgan-clip", critic, fooled, projection=clipped),
        made("r1", told_apart, not_told_apart, penalties=(Penalty(at_real, squared),)),
        made(
            "r1-gp", told_apart, not_told_apart, penalties=(Penalty(at_real, squared), Penalty(between, away_from_one))
        ),
        made("nonsaturating", told_apart, not_told_apart),
    )
}


def run(loss: str, seed: int, dataset: Dataset, lr: float = 2e-3, **options: Any) -> Run:
    return Run(f"{loss} {options}", seed, LOSSES[loss], options, (), lr, dataset)


def job(**plan: Any) -> Job:
    task = Pair()
    chosen = plan_of(task.plan)(**{"epochs": 6, **plan})
    return Job(
        task, models.get("mlp")(hidden=[6, 5], activation="silu"), chosen, [find_metric("rmse", "regression")], CPU
    )


BOARD = [
    ("wgan-gp", 0, {}),
    ("wgan-gp", 1, {"weight": 4.0}),
    ("wgan-clip", 0, {"limit": 0.25}),
    ("r1", 1, {"gamma": 2.0}),
    ("r1-gp", 0, {}),
    ("nonsaturating", 1, {}),
]


def ordinary(entry, weights, plan, lr: float, sampler: Latent):
    loss, _, options = entry

    def addition(critic, batch, fake):
        around = {"weight": 0.5, **options} if loss.endswith("gp") else {"weight": 0.0}
        at_rows = {"gamma": 0.25, **options} if loss.startswith("r1") else {"gamma": 0.0}
        return penalty("wgan-gp", around, critic, batch, fake) + penalty("r1", at_rows, critic, batch, fake)

    networks = modules(weights, LATENT, nn.SiLU())
    sides = PAPERS["wgan-gp" if loss.startswith("wgan") else "gan-nonsaturating"]
    limit = options["limit"] if loss == "wgan-clip" else None
    play(networks, sides, batches(sampler, plan.epochs), (lr, plan.lr_discriminator), plan.epochs * 5, plan.critic_steps,
         addition, limit)  # fmt: skip
    return networks


def test_a_stack_of_pairs_equals_the_plain_loop_of_each(double) -> None:
    data, trained = real_rows(), 0
    board = [run(loss, seed, data, **options) for loss, seed, options in BOARD]
    the_job = job()
    (stack,) = stacks(board, the_job)
    begun = Training(stack, the_job).networks.named()
    states = train(stack, the_job)
    for entry, one, weights, state in zip(BOARD, board, begun, states, strict=True):
        plan = the_job.plan
        sampler = Latent(Rows([one], CPU), plan.batch_size, plan.critic_steps + 1, latent=LATENT)
        networks = ordinary(entry, weights, plan, one.lr, sampler)
        assert apart(weights, networks) > 1e-2, "it has not moved"
        assert apart(state.weights, networks) < 1e-9, entry
        trained += state.status == "ok"
    assert trained == len(BOARD)


def test_a_run_alone_is_what_it_is_among_others() -> None:
    """In float32 adversaries part after a hundred steps; ten are enough to tell a wrong stream from a rounding."""
    data = real_rows()
    board, the_job = [run(loss, seed, data, **options) for loss, seed, options in BOARD], job(epochs=2)
    among = train(board, the_job)
    for one, state in zip(board, among, strict=True):
        (alone,) = train([one], the_job)
        assert set(alone.weights) == set(state.weights)
        for name, weights in alone.weights.items():
            np.testing.assert_allclose(state.weights[name], weights, rtol=2e-5, atol=2e-6)
        assert {name for _, split, name, _ in state.history if split == "train"} == {"discriminator", "generator"}


def test_dropout_of_a_run_does_not_depend_on_the_penalties_of_its_neighbours() -> None:
    data = real_rows()
    noisy = job(epochs=1)
    noisy = replace(noisy, model=noisy.model.model_copy(update={"dropout": 0.5}))
    calm, neighbour = run("nonsaturating", 0, data), run("wgan-gp", 0, data)
    (alone,), (among, _) = train([calm], noisy), train([calm, neighbour], noisy)
    for name, weights in alone.weights.items():
        np.testing.assert_allclose(among.weights[name], weights, rtol=2e-5, atol=2e-6)


def test_a_pair_that_diverges_leaves_its_neighbours_bit_equal_and_rests() -> None:
    data, the_job = real_rows(), job(epochs=3)
    first, last = run("wgan-gp", 0, data), run("wgan-gp", 1, data)
    calm = train([first, run("wgan-gp", 2, data), last], the_job)
    wild = train([first, run("wgan-gp", 2, data, lr=1e30), last], the_job)
    assert [state.status for state in wild] == ["ok", "diverged", "ok"]
    assert wild[1].weights == {}
    for place in (0, 2):
        assert repr(calm[place].history) == repr(wild[place].history)
        assert all(np.array_equal(weights, wild[place].weights[name]) for name, weights in calm[place].weights.items())


def test_weights_stay_within_their_limit_and_those_of_a_resting_run_as_they_are() -> None:
    training = Training([run("wgan-clip", seed, real_rows(), limit=0.01) for seed in (0, 1)], job())
    training._look(1, training._epoch())
    critic = training.networks["discriminator"].weights
    assert critic.abs().max() == pytest.approx(0.01)
    assert training.networks["generator"].weights.abs().max() > 0.1
    critic[1] = 7.0
    training.states[1].stop()
    training._keep([False, False])
    training._epoch()
    assert critic[1].unique().tolist() == [7.0]
    assert critic[0].abs().max() == pytest.approx(0.01)


def test_each_network_draws_its_weights_from_a_stream_of_its_own() -> None:
    (weights,) = Training([run("r1", 0, real_rows())], job()).networks.named()
    shapes = {weights[f"{name}.layers.2.weight"].shape for name in ("generator", "discriminator")}
    assert shapes == {(6, 5)}
    assert not np.isclose(weights["generator.layers.2.weight"], weights["discriminator.layers.2.weight"]).any()


def test_samples_are_made_of_the_same_noise_each_time() -> None:
    training = Training([run("r1", seed, real_rows()) for seed in (0, 1)], job())
    first, again = training._outputs("valid"), training._outputs("valid")
    assert torch.equal(first, again)
    assert not torch.equal(
        training.sampler.split("valid", 0, 4)["latent"], training.sampler.split("test", 0, 4)["latent"]
    )
    whole = training.sampler.split("valid", 0, 40)["latent"]
    assert torch.equal(training.sampler.split("valid", 3, 9)["latent"], whole[:, 3:9])


def test_a_training_goes_on_from_where_another_stood() -> None:
    """Weights, moments, streams and histories after six epochs, by one training and by two."""
    data, the_job = real_rows(), job()
    board = [run(loss, seed, data, **options) for loss, seed, options in BOARD]
    whole, first, second = (Training(board, the_job) for _ in range(3))
    for epoch in range(1, 7):
        whole._look(epoch, whole._epoch())
    for epoch in range(1, 4):
        first._look(epoch, first._epoch())
    second.load(first.state())
    for epoch in range(4, 7):
        second._look(epoch, second._epoch())
    for name, state in whole.networks.items():
        assert torch.equal(state.weights, second.networks[name].weights)
    assert [repr(state.history) for state in whole.states] == [repr(state.history) for state in second.states]
    assert second.step == whole.step == 30
