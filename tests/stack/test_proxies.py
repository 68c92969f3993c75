"""Losses that own weights, batches of P classes x K rows: held against plain loops of torch.nn and torch.optim.

No task of the product is needed: what stands first is a task and its losses as such a one would have them, on no shelf.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from losscli.losses import Loss, Positive, _options
from losscli.losses.parts import Weight
from losscli.metrics import find as find_metric
from losscli.options import Count, Strict
from losscli.stack.job import Job
from losscli.stack.models import models
from losscli.stack.plan import plan_of
from losscli.stack.rows import Rows, Run
from losscli.stack.samplers.classes import Classes
from losscli.stack.stacks import stacks
from losscli.stack.train import Training, train
from losscli.tasks import Prediction, tasks
from losscli.tasks.phases import NetworkSpec, Sampling, UpdateRule

CPU = torch.device("cpu")


class Keys(Strict):
    """`per_class` rows of each class in a batch, `dimensions` of a vector, `lr_proxies`."""

    batch_size: Count = 12
    per_class: Count = 4
    dimensions: Count = 4
    lr_proxies: float = 3e-2


class Vectors(type(tasks.get("multiclass"))):  # type: ignore[misc]
    """What a target is is as in multiclass."""

    plan, judges_splits, probed = Keys, False, False

    def networks(self, sizes, plan):
        return (NetworkSpec("model", sizes.layout, plan.dimensions),)

    def sampling(self, plan):
        return Sampling("classes", {"rows": plan.per_class})

    def loss_rule(self, plan):
        return UpdateRule(lr=plan.lr_proxies)

    def read(self, received, meaning, scale=None):
        return Prediction(embeddings=received)


def one_each(classes, outputs, options):
    return classes, outputs


def two_each(classes, outputs, options):
    return classes, 2, outputs


def by_proxies(embeddings: Tensor, labels: Tensor, proxies: Tensor, *, scale: Positive = 4.0) -> Tensor:
    """[..., B, D], [..., B], [..., C, D] -> [..., B]: softmax over cosines."""
    cosines = normalize(embeddings, dim=-1) @ normalize(proxies, dim=-1).mT
    cosines = torch.as_tensor(scale)[..., None] * cosines  # an option of each run is [R, 1]
    losses = cross_entropy(cosines.flatten(0, -2), labels.flatten(), reduction="none")
    return losses.view(labels.shape)


def by_pairs_of_proxies(embeddings: Tensor, labels: Tensor, proxies: Tensor) -> Tensor:
    """The nearer of two proxies of each class, over the batch: -> [...]."""
    cosines = torch.einsum("...bd,...ckd->...bck", normalize(embeddings, dim=-1), normalize(proxies, dim=-1)).amax(-1)
    return cross_entropy(cosines.flatten(0, -2), labels.flatten(), reduction="none").view(labels.shape).mean(-1)


def by_distances(embeddings: Tensor, labels: Tensor, *, margin: Positive = 1.0) -> Tensor:
    """Contrastive, over the batch; nothing of its own is learned."""
    near = (embeddings[..., :, None, :] - embeddings[..., None, :, :]).square().sum(-1)
    same = (labels[..., :, None] == labels[..., None, :]).to(near.dtype)
    return (same * near + (1 - same) * (margin - near).clamp(min=0)).mean((-1, -2))


def made(function, over_batch, weights=None) -> Loss:
    name, options = function.__name__, _options(function)
    return Loss(
        name, "vectors", "logits", "class index", function, False, over_batch, options, (), weights=weights or {}
    )


LOSSES = {
    loss.name: loss
    for loss in (
        made(by_proxies, False, {"proxies": Weight(one_each)}),
        made(by_pairs_of_proxies, True, {"proxies": Weight(two_each)}),
        made(by_distances, True),
    )
}
BOARD = [
    ("by_proxies", 0, {}),
    ("by_proxies", 1, {"scale": 8.0}),
    ("by_distances", 0, {}),
    ("by_pairs_of_proxies", 1, {}),
]


@pytest.fixture
def run(dataset):
    def make(loss: str, seed: int, options, lr: float = 5e-3) -> Run:
        data, kind = dataset("multiclass", seed), np.dtype(str(torch.get_default_dtype()).removeprefix("torch."))
        parts = {split: replace(part, features=part.features.astype(kind)) for split, part in data.parts.items()}
        return Run(f"{loss} {options}", seed, LOSSES[loss], options, (), lr, replace(data, parts=parts))

    return make


def job(**plan) -> Job:
    chosen = plan_of(Keys)(**{"epochs": 4, **plan})
    metrics = [find_metric("accuracy", "multiclass")]
    return Job(Vectors(), models.get("mlp")(hidden=[7], activation="tanh"), chosen, metrics, CPU)


def ordinary(entry, weights, plan, lr: float, sampler: Classes):
    """The loop of a tutorial: one run, the model and the proxies in two groups of one optimizer."""
    loss, _, options = entry
    model = nn.Sequential(nn.Linear(2, 7), nn.Tanh(), nn.Linear(7, 4))
    with torch.no_grad():
        for place in (0, 2):
            model[place].weight.copy_(torch.from_numpy(weights[f"layers.{place}.weight"]).T)
            model[place].bias.copy_(torch.from_numpy(weights[f"layers.{place}.bias"])[0])
    own = [nn.Parameter(torch.from_numpy(weights["loss.proxies"].copy()))] if "loss.proxies" in weights else []
    groups = [{"params": model.parameters(), "lr": lr}, {"params": own, "lr": plan.lr_proxies}]
    optimizer, steps = torch.optim.Adam(groups if own else groups[:1]), 0
    for _ in range(plan.epochs):
        for batch in sampler.epoch():
            value = LOSSES[loss].function(model(batch["inputs"][0]), batch["target"][0], *own, **options).mean()
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            steps += 1
    assert steps >= 30
    return model, own


def test_a_stack_of_losses_with_weights_equals_the_plain_loop_of_each(double, run) -> None:
    the_job, compared = job(), 0
    board = [run(*entry) for entry in BOARD]
    (stack,) = stacks(board, the_job)
    begun, states = Training(stack, the_job).networks.named(), train(stack, the_job)
    for entry, one, weights, state in zip(BOARD, board, begun, states, strict=True):
        sampler = Classes(Rows([one], CPU), the_job.plan.batch_size, rows=the_job.plan.per_class)
        model, own = ordinary(entry, weights, the_job.plan, one.lr, sampler)
        for place in (0, 2):
            theirs = model[place].weight.detach().numpy().T
            np.testing.assert_allclose(state.weights[f"layers.{place}.weight"], theirs, rtol=0, atol=1e-9)
        for proxies in own:
            assert np.abs(weights["loss.proxies"] - state.weights["loss.proxies"]).max() > 1e-2
            np.testing.assert_allclose(state.weights["loss.proxies"], proxies.detach().numpy(), rtol=0, atol=1e-9)
            compared += 1
    assert compared == 3
    assert state.weights["loss.proxies"].shape == (3, 2, 4)
    assert "loss.proxies" not in states[2].weights


def test_a_run_alone_is_what_it_is_among_others(run) -> None:
    board, the_job = [run(*entry) for entry in BOARD], job(epochs=1)
    for one, state in zip(board, train(board, the_job), strict=True):
        (alone,) = train([one], the_job)
        assert set(alone.weights) == set(state.weights)
        for name, weights in alone.weights.items():
            np.testing.assert_allclose(state.weights[name], weights, rtol=2e-5, atol=2e-6)


def test_the_best_weights_of_a_loss_are_kept_with_those_of_the_model(run) -> None:
    """The valid split has no score here, so the last epoch is the best: what is kept is what there is."""
    training = Training([run(*BOARD[0])], job(patience=2))
    training._look(1, training._epoch())
    kept = training.networks.own.weights.clone()
    training._epoch()
    assert not torch.equal(training.networks.own.weights, kept)
    training.finish()
    assert torch.equal(training.networks.own.weights, kept)


# Batches of P classes x K rows


def rows_with(labels: list[int], seeds: int = 2, run=None) -> Rows:
    one = run(*BOARD[0])
    target = np.array(labels)
    part = replace(
        one.dataset.parts["train"], features=np.arange(len(labels), dtype=np.float32)[:, None], target=target
    )
    data = replace(one.dataset, parts={**one.dataset.parts, "train": part})
    return Rows([replace(one, seed=seed, dataset=data) for seed in range(seeds)], CPU)


def test_a_batch_has_k_different_rows_of_each_of_p_classes(run) -> None:
    labels = [0] * 9 + [1] * 5 + [2] * 7 + [3] * 4 + [4]
    sampler = Classes(rows_with(labels, run=run), 12, rows=4)
    batches = [batch for _ in range(20) for batch in sampler.epoch()]
    assert len(batches) == 20 * 3
    seen = np.zeros(len(labels))
    for batch in batches:
        for seed in range(2):
            rows = batch["inputs"][seed, :, 0].long()
            assert torch.equal(batch["target"][seed], torch.tensor(labels)[rows])
            assert batch["target"][seed].view(3, 4).unique(dim=1).shape == (3, 1)
            assert len(batch["target"][seed].unique()) == 3
            assert len(rows.unique()) == 12
            np.add.at(seen, rows.numpy(), 1)
    assert seen[-1] == 0, "a class of one row has no pair"
    for label in range(4):
        own = seen[np.array(labels) == label]
        assert own.min() > 0.7 * own.mean(), "some rows are hardly seen"
        assert own.sum() == pytest.approx(seen.sum() / 4, rel=0.2)
    assert not torch.equal(batches[0]["inputs"][0], batches[0]["inputs"][1])


def test_fewer_classes_or_rows_than_a_batch_wants_come_again(run) -> None:
    sampler = Classes(rows_with([0] * 6 + [1] * 2, run=run), 12, rows=3)
    for batch in sampler.epoch():
        rows = batch["inputs"][0, :, 0].long().view(4, 3)
        of_first = rows[batch["target"][0].view(4, 3)[:, 0] == 0]
        assert of_first.shape == (2, 3)
        assert len(of_first.unique()) == 6, "the second time, the next three"
        assert set(rows.flatten().tolist()) >= {6, 7}


def test_a_seed_draws_the_same_in_any_stack(run) -> None:
    labels = [0, 1, 2, 3] * 5
    both, alone = Classes(rows_with(labels, 2, run), 8, rows=2), Classes(rows_with(labels, 1, run), 8, rows=2)
    for _ in range(3):
        for together, own in zip(both.epoch(), alone.epoch(), strict=True):
            assert torch.equal(together["inputs"][0], own["inputs"][0])
