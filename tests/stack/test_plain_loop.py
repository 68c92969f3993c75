"""A stack against the loop that every tutorial shows: torch's own layers, loss and optimizer, one run at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from losscli.stack.plan import Plan
from losscli.stack.train import Training, train

WIDTH = 6


def tutorial(weights: dict[str, np.ndarray], features: int) -> nn.Sequential:
    """Linear without a bias, batch norm, relu, linear: with the weights that a run begins with."""
    net = nn.Sequential(nn.Linear(features, WIDTH, bias=False), nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.from_numpy(weights["layers.0.weight"]).T)
        net[3].weight.copy_(torch.from_numpy(weights["layers.3.weight"]).T)
        net[3].bias.copy_(torch.from_numpy(weights["layers.3.bias"])[0])
    return net


def test_steps_statistics_losses_and_scores_are_those_of_the_loop(run_of, job_of) -> None:
    plan = Plan(epochs=3, batch_size=25, optimizer="adam")  # 106 rows: the last batch is smaller
    job, run = job_of("binary", plan, hidden=[WIDTH], norm="batch"), run_of(lr=2e-2, seed=1)
    fresh = Training([run], job)
    net = tutorial(fresh.networks.named()[0], run.dataset.features)
    stepper = torch.optim.Adam(net.parameters(), 2e-2)
    epochs = []
    for _ in range(3):
        losses, rows = [], []
        for inputs, targets in map(dict.values, fresh.sampler.epoch()):
            loss = binary_cross_entropy_with_logits(net(inputs[0]).squeeze(-1), targets[0].float())
            stepper.zero_grad()
            loss.backward()
            stepper.step()
            losses.append(loss.item())
            rows.append(len(targets[0]))
        epochs.append(np.average(losses, weights=rows))
    assert len(set(rows)) > 1
    (state,) = train([run], job)
    told = [value for _, split, name, value in state.history if (split, name) == ("train", "loss")]
    assert told == pytest.approx(epochs, rel=1e-4)
    kept = {name: torch.from_numpy(tensor) for name, tensor in state.weights.items()}
    for name, theirs in (
        ("layers.0.weight", net[0].weight.T),
        ("layers.1.scale", net[1].weight[None]),
        ("layers.1.shift", net[1].bias[None]),
        ("layers.1.mean", net[1].running_mean[None]),
        ("layers.1.variance", net[1].running_var[None]),
        ("layers.3.weight", net[3].weight.T),
        ("layers.3.bias", net[3].bias[None]),
    ):
        torch.testing.assert_close(kept[name], theirs.detach(), rtol=1e-3, atol=1e-4, msg=name)
    for split, part in run.dataset.parts.items():
        with torch.no_grad():
            scores = net.eval()(torch.from_numpy(part.features)).squeeze(-1).numpy()
        assert state.scores[split]["auroc"] == pytest.approx(roc_auc_score(part.target, scores), abs=5e-3)


def test_dropout_leaves_out_its_share_in_a_step_and_nothing_in_a_score(run_of, job_of) -> None:
    """Of 4,000 hidden units a third gives nothing and the others half as much again; the scores are those of all."""
    plan, run = Plan(epochs=1, batch_size=128, lr=1e-30), run_of(lr=1e-30)
    dropping = Training([run], job_of("binary", plan, hidden=[4000], dropout=1 / 3))
    whole = Training([run], job_of("binary", plan, hidden=[4000]))
    dropping.networks["model"].weights.copy_(whole.networks["model"].weights)
    x = torch.from_numpy(run.dataset.parts["train"].features)[None, :2]
    torch.testing.assert_close(dropping._outputs("valid"), whole._outputs("valid"))
    calm = whole.networks["model"](x)
    noisy = torch.stack([dropping.networks["model"](x) for _ in range(40)])
    assert noisy.std(0).min() > 0
    assert (noisy.mean(0) - calm).abs().max() < 5 * noisy.std(0).max() / 40**0.5
    assert dropping._outputs("valid").std() > 0


def test_a_run_keeps_its_own_best_weights_whatever_its_neighbour_does(run_of, job_of) -> None:
    """One learns on and on; the other, with a rate that is far too large, is best early and gets worse."""
    job = job_of("binary", Plan(epochs=8, batch_size=32, patience=8), metrics=("log-loss",), hidden=[16])
    steady, wild = run_of(lr=3e-3, seed=0), run_of(lr=0.5, seed=1)
    among = train([steady, wild], job)
    assert among[0].best_epoch == 8 > among[1].best_epoch
    for run, state in zip((steady, wild), among, strict=True):
        (alone,) = train([run], job)
        assert alone.best_epoch == state.best_epoch
        for name, tensor in alone.weights.items():
            np.testing.assert_allclose(state.weights[name], tensor, rtol=1e-4, atol=1e-4)
        valid = [value for _, split, name, value in state.history if (split, name) == ("valid", "log-loss")]
        assert state.best_epoch == 1 + int(np.argmin(valid))
        assert state.scores["valid"]["log-loss"] == pytest.approx(min(valid), rel=1e-5)
