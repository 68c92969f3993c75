"""Small parts of the engine by hand: how long a run trains, which rows rest, and what a study reads."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
import torch
from scipy.stats import norm

from losscli.stack.forecast import levels_of, quantiles_of
from losscli.stack.head import Head, outputs_of
from losscli.stack.job import epochs_of, steps_of
from losscli.stack.layers import Linear
from losscli.stack.models import models
from losscli.stack.network import Network
from losscli.stack.plan import Plan
from losscli.stack.probe import _stacked
from losscli.stack.train import Training
from losscli.tasks import Prediction, tasks


@pytest.mark.parametrize(
    ("rows", "batch_size", "epochs"),
    [
        (100, 128, 100),  # one step an epoch: at most 100 epochs
        (512, 128, 75),  # 300 / 4
        (900, 128, 38),  # 300 / 8, rounded up
        (1921, 128, 20),  # 300 / 16 is below 20, the fewest; the last row joins the batch before
        (100_000, 128, 20),
    ],
)
def test_how_often_the_training_rows_are_gone_through(rows: int, batch_size: int, epochs: int) -> None:
    plan = Plan(batch_size=batch_size)
    assert epochs_of(plan, rows) == epochs
    assert epochs_of(plan.model_copy(update={"epochs": 7}), rows) == 7
    capped = plan.model_copy(update={"max_steps": 5})
    assert steps_of(capped, rows, epochs_of(capped, rows)) == 5


def test_a_run_that_is_over_rests_bit_by_bit_and_its_neighbour_moves_on(run_of, job_of) -> None:
    training = Training([run_of(seed=0), run_of(seed=1)], job_of(plan=Plan(epochs=3, batch_size=32)))
    training._look(1, training._epoch())
    assert training.resting is None
    training.states[1].stop()
    training._look(2, training._epoch())
    assert training.resting is not None
    assert training.resting.tolist() == [[False], [True]]
    weights = training.networks["model"].weights
    before = weights.clone()
    training._epoch()
    assert torch.equal(weights[1], before[1])
    assert not torch.equal(weights[0], before[0])


def test_a_row_is_as_hard_as_its_true_class_lacks_in_probability() -> None:
    probabilities = torch.tensor([[[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]], [[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]]])
    task, target = tasks.get("multiclass"), torch.tensor([[2, 1]])
    expected = [pytest.approx(row) for row in ([0.3, 0.7], [0.9, 0.8])]
    both = target.expand(2, 2)
    assert task.hardness(Prediction(probabilities=probabilities), both).tolist() == expected
    logits = Prediction(scores=probabilities.log())
    assert task.hardness(logits, both).tolist() == expected
    assert task.hardness(logits, torch.nn.functional.one_hot(both, 3).float()).tolist() == expected
    binary = Prediction(scores=torch.tensor([[-inf, 0.0, inf]]))
    assert tasks.get("binary").hardness(binary, torch.tensor([[0.0, 1.0, 1.0]])).tolist() == [[0.0, 0.5, 0.0]]


def test_rows_whose_labels_were_changed_in_one_run_alone_are_told_of_all() -> None:
    changed, none = np.array([False, True]), np.array([False, False])
    assert _stacked([None, None]) is None
    assert _stacked([none, None]) is None
    found = _stacked([none, changed, None])
    assert found is not None
    assert [rows.tolist() for rows in found] == [[False, False], [False, True], []]


@pytest.mark.parametrize("loss", ["gaussian-nll", "crps-gaussian"])
def test_what_is_told_of_a_whole_distribution_is_its_median_and_nine_tenths(loss: str, run_of) -> None:
    run = run_of(loss, task="regression")
    outlet = Head([run], tasks.get("regression"), torch.device("cpu"))
    assert levels_of(outlet) == (0.05, 0.5, 0.95)
    output = torch.tensor([[[0.3, 2 * np.log(0.5)], [-1.0, 0.0]]])  # means and log-variances: sd 0.5 and 1
    scale = run.dataset.scale
    wanted = [norm.ppf([0.05, 0.5, 0.95], mean, sd) * scale.scale + scale.center for mean, sd in ((0.3, 0.5), (-1, 1))]
    np.testing.assert_allclose(quantiles_of(outlet, output)[0].numpy(), wanted, rtol=1e-5)


def test_the_default_network_is_that_of_the_spec_s_documentation() -> None:
    mlp = models.get("mlp")()
    assert (mlp.hidden, mlp.activation, mlp.norm, mlp.dropout, mlp.output) == ([64, 64], "relu", "none", 0.0, "auto")
    assert [type(layer).__name__ for layer in mlp.layers(3, 2)] == ["Linear", "Activation"] * 2 + ["Linear"]


@pytest.mark.parametrize(
    ("task", "loss", "outputs"),
    [
        ("binary", "bce-logits", 1),
        ("multiclass", "cross-entropy", 3),
        ("multiclass", "coral", 2),  # a step between two of three ranks
        ("regression", "mse", 1),
        ("regression", "gaussian-nll", 2),
        ("regression", "multi-quantile", 3),
    ],
)
def test_how_many_numbers_a_model_puts_out_for_a_loss(task: str, loss: str, outputs: int, run_of) -> None:
    assert outputs_of(run_of(loss, task=task), tasks.get(task)) == outputs


def test_the_bytes_of_a_step_by_hand() -> None:
    """float32: weights, gradients, update and moments, 6 numbers a parameter; 3 for each unit of each row."""
    net = Network([Linear(2, 3), Linear(3, 1)])
    assert net.parameters == 2 * 3 + 3 + 3 + 1
    units = sum(layer.units() for layer in net.layers)
    assert units >= 4
    assert net.cost(10) == 4 * (6 * 13 + 3 * 10 * units)
