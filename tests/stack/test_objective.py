"""The objective: rows that share a loss are judged in one call, each with its own options, weights and units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from losscli.data.dataset import Part
from losscli.metrics import find as find_metric
from losscli.stack.baseline import baseline
from losscli.stack.head import Head, outputs_of
from losscli.stack.objective import Objective, Tally
from losscli.stack.plan import Plan
from losscli.stack.train import Training, train
from losscli.tasks import tasks
from losscli.tasks.phases import LossInputs

CPU = torch.device("cpu")
B = 40


def judged(runs, task: str, output: torch.Tensor, target: torch.Tensor, weight=None) -> torch.Tensor:
    return Objective(runs, tasks.get(task), CPU)(output, target, weight)


def outputs(runs: int, width: int) -> torch.Tensor:
    return torch.randn(runs, B, width, generator=torch.Generator().manual_seed(3))


def test_a_grid_of_options_is_one_call_and_equals_separate_ones(run_of):
    runs = [run_of("focal", gamma=gamma) for gamma in (0.5, 1.0, 2.0, 5.0)]
    objective = Objective(runs, tasks.get("binary"), CPU)
    assert len(objective.groups) == 1
    assert objective.groups[0].options["gamma"].shape == (4, 1)
    output, target = outputs(4, 1), torch.randint(2, (4, B)).float()
    alone = [judged([run], "binary", output[row][None], target[row][None]) for row, run in enumerate(runs)]
    torch.testing.assert_close(objective(output, target), torch.cat(alone))
    assert len(set(objective(output, target).tolist())) == 4


def test_a_grid_over_labels_broadcasts_too(run_of):
    runs = [run_of("focal", task="multilabel", gamma=gamma) for gamma in (0.0, 3.0)]
    output, target = outputs(2, 5), torch.randint(2, (2, B, 5)).float()
    found = judged(runs, "multilabel", output, target)
    # gamma 0 is the mean over rows and labels of torch's binary cross-entropy
    torch.testing.assert_close(found[0], functional.binary_cross_entropy_with_logits(output[0], target[0]))
    assert found[1] < found[0]


def test_weighted_cross_entropy_is_torchs_weighted_mean(run_of, dataset):
    runs = [run_of("cross-entropy", seed, "multiclass", weight="balanced") for seed in (0, 1)]
    output, target = outputs(2, 3), torch.randint(3, (2, B))
    found = judged(runs, "multiclass", output, target)
    for row, seed in enumerate((0, 1)):
        train_target = dataset("multiclass", seed).parts["train"].target
        counts = np.bincount(train_target, minlength=3)
        weight = torch.tensor(len(train_target) / (3 * counts), dtype=torch.float32)
        torch.testing.assert_close(found[row], functional.cross_entropy(output[row], target[row], weight=weight))


def test_class_weights_serve_losses_without_such_an_option(run_of):
    """By hand: each sample's loss times the weight of its class, divided by the sum of those weights."""
    run = replace(run_of("hinge"), weight=[1.0, 3.0])
    output, target = outputs(1, 1), torch.randint(2, (1, B)).float()
    margin = (2 * target[0] - 1) * output[0, :, 0]
    values, weights = (1 - margin).clamp(min=0), torch.where(target[0] == 1, 3.0, 1.0)
    torch.testing.assert_close(judged([run], "binary", output, target)[0], (values * weights).sum() / weights.sum())


@pytest.mark.parametrize(("loss", "task"), [("bce-logits", "binary"), ("mse", "regression"), ("hinge", "binary")])
def test_weight_two_equals_a_row_twice(loss, task, run_of):
    run = run_of(loss, task=task)
    output, target = outputs(1, 1), torch.randint(2, (1, B)).float()
    weight = torch.ones(1, B)
    weight[0, :5] = 2.0
    twice = torch.cat([output, output[:, :5]], 1), torch.cat([target, target[:, :5]], 1)
    torch.testing.assert_close(judged([run], task, output, target, weight), judged([run], task, *twice))


def test_a_row_of_weight_zero_teaches_nothing(run_of, job_of, dataset):
    """Training with zero weights equals training without those rows' labels mattering: flip them, and nothing changes."""
    part = dataset("binary", 0).parts["train"]
    weight = np.ones(part.rows, np.float32)
    weight[:30] = 0
    flipped = part.target.copy()
    flipped[:30] = 1 - flipped[:30]

    def trained(target):
        parts = dict(dataset("binary", 0).parts) | {"train": Part(part.features, target, weight)}
        for split in ("valid", "test"):
            other = parts[split]
            parts[split] = Part(other.features, other.target, np.ones(other.rows, np.float32))
        run = replace(run_of("bce-logits"), dataset=replace(dataset("binary", 0), parts=parts))
        return train([run], job_of("binary", Plan(epochs=2, batch_size=32)))[0].weights

    one, other = trained(part.target), trained(flipped)
    for name, tensor in one.items():
        np.testing.assert_array_equal(tensor, other[name])


def test_rows_of_different_losses_keep_their_order(run_of):
    runs = [run_of("mse", task="regression"), run_of("mae", task="regression"), run_of("mse", task="regression")]
    output, target = outputs(3, 1), torch.randn(3, B)
    found = judged(runs, "regression", output, target)
    error = output[..., 0] - target
    expected = torch.stack([error[0].square().mean(), error[1].abs().mean(), error[2].square().mean()])
    torch.testing.assert_close(found, expected)


def test_counts_are_judged_in_their_own_units_and_start_at_the_mean(run_of):
    """Oracle: torch's PoissonNLLLoss on the target in the user's units; raw output 0 predicts the training mean."""
    run = run_of("poisson-nll", task="regression")
    scale = run.dataset.scale
    center, slope = float(scale.center[0]), float(scale.scale[0])
    counts = torch.arange(B).float()[None]
    standard = (counts - center) / slope
    output = torch.zeros(1, B, 1)
    log_rate = torch.full((B,), np.log(center), dtype=torch.float64)
    expected = torch.nn.PoissonNLLLoss(log_input=True, full=False)(log_rate, counts[0])
    head = Head([run], tasks.get("regression"), CPU)
    torch.testing.assert_close(head.predict(output).values[0], torch.full((B,), center).double())
    torch.testing.assert_close(head.truth(standard)[0], counts[0].double(), rtol=1e-5, atol=1e-4)
    received = head.receive(output)
    torch.testing.assert_close(received[0], log_rate)
    found = judged([run], "regression", output, standard)[0]
    torch.testing.assert_close(
        found.double(), expected + torch.lgamma(counts + 1).mean(), rtol=1e-5, atol=1e-5
    )  # torch leaves out log y!


def test_two_heads_make_one_prediction_in_the_users_units(run_of, job_of):
    run = run_of("gaussian-nll", task="regression")
    contract = tasks.get("regression")
    assert outputs_of(run, contract) == 2
    output = outputs(1, 2)
    scale = run.dataset.scale
    mean = output[..., 0].double() * float(scale.scale[0]) + float(scale.center[0])
    torch.testing.assert_close(Head([run], contract, CPU).predict(output).values, mean)
    state = train([run, run_of("mse", task="regression")][:1], job_of("regression", Plan(epochs=30, batch_size=32)))[0]
    assert state.status == "ok"
    assert state.scores["train"]["r2"] > 0.5


def test_a_loss_over_the_batch_of_several_targets_is_the_mean_over_them(run_of, dataset):
    run = run_of("rmse", task="regression")
    parts = {name: Part(part.features, np.stack([part.target] * 2, 1)) for name, part in run.dataset.parts.items()}
    several = replace(run, dataset=replace(run.dataset, parts=parts))
    output, target = outputs(1, 2), torch.randn(1, B, 2)
    by_hand = (output - target).square().mean(1).sqrt().mean(1)
    torch.testing.assert_close(judged([several], "regression", output, target), by_hand, rtol=1e-5, atol=1e-6)


def test_the_baseline_of_regression_is_the_training_mean_in_the_users_units(dataset):
    """By hand: the RMSE of the training mean on the rows of each split."""
    found = dataset("regression", 0)
    center, scale = float(found.scale.center[0]), float(found.scale.scale[0])
    scores = baseline([found], tasks.get("regression"), [find_metric("rmse", "regression")])
    for split, part in found.parts.items():
        values = part.target.astype(np.float64) * scale + center
        assert scores[split]["rmse"] == pytest.approx(np.sqrt(np.mean((values - center) ** 2)), rel=1e-5)


def weighed_by_hand(values: np.ndarray, weights: np.ndarray) -> float:
    return float((values * weights).sum() / weights.sum())


FROZEN = Plan(epochs=3, batch_size=8, optimizer="sgd")
RARE = {  # a loss, the options of its own, and what one row costs at logits x, in float64
    "bce-logits": lambda x, y: np.logaddexp(0, -(2 * y - 1) * x[:, 0]),
    "hinge": lambda x, y: np.maximum(0, 1 - (2 * y - 1) * x[:, 0]),
}


@pytest.mark.parametrize("loss", RARE)
@pytest.mark.parametrize("rows_too", [False, True])
def test_the_loss_of_an_epoch_is_the_ratio_of_the_sums(loss, rows_too, run_of, job_of):
    """Frozen, every epoch has the figure of the whole split, whatever the batches; 18 of 105 rows are of the rare class."""
    run = run_of(loss, 2, lr=1e-30)
    part = run.dataset.parts["train"]
    kept = np.flatnonzero((part.target == 0) | (np.cumsum(part.target) <= 18))
    by_row = np.random.default_rng(0).choice([0.0, 1.0, 10.0], len(kept)).astype(np.float32)
    parts = dict(run.dataset.parts)
    parts["train"] = Part(part.features[kept], part.target[kept], by_row if rows_too else None)
    for split in ("valid", "test") if rows_too else ():
        parts[split] = replace(parts[split], weight=np.ones(parts[split].rows, np.float32))
    run = replace(run, dataset=replace(run.dataset, parts=parts), weight="balanced")
    job = job_of("binary", FROZEN)
    training = Training([run], job)
    x = training._outputs("train")[0].numpy().astype(np.float64)
    y = part.target[kept].astype(np.float64)
    seen = y[by_row > 0] if rows_too else y  # rows of weight 0 are as good as absent
    counts = np.array([(seen == 0).sum(), (seen == 1).sum()])
    weights = (len(seen) / (2 * counts))[y.astype(int)] * (by_row if rows_too else 1)
    whole = weighed_by_hand(RARE[loss](x, y), weights)
    state = train([run], job)[0]
    epochs = [value for _, split, name, value in state.history if (split, name) == ("train", "loss")]
    assert epochs == pytest.approx([whole] * 3, rel=1e-5)
    assert state.scores["train"]["loss"] == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2}])
def test_so_it_is_where_the_kernel_weighs_classes_and_a_neighbour_weighs_none(options, run_of, job_of):
    """Oracle: torch's weighted mean over the whole split, which with label smoothing is no weighted mean of rows."""
    weight = [0.0, 1.0, 25.0]
    runs = [
        run_of("cross-entropy", 1, "multiclass", lr=1e-30, weight=weight, **options),
        run_of("mae", 1, "multiclass", lr=1e-30),
    ]
    job = job_of("multiclass", FROZEN.model_copy(update={"batch_size": 2}))
    training = Training(runs, job)
    output = training._outputs("train").double()
    y = torch.from_numpy(runs[0].dataset.parts["train"].target).long()
    smoothing = options.get("label_smoothing", 0.0)
    whole = functional.cross_entropy(output[0], y, torch.tensor(weight).double(), label_smoothing=smoothing)
    plain = (2 - 2 * output[1].softmax(-1)[torch.arange(len(y)), y]).mean()
    for state, wanted in zip(train(runs, job), (whole, plain), strict=True):
        epochs = [value for _, split, name, value in state.history if (split, name) == ("train", "loss")]
        assert epochs == pytest.approx([wanted.item()] * 3, rel=1e-5)


def test_the_epoch_of_a_loss_over_the_batch_is_the_mean_of_its_batches_by_rows(run_of, job_of):
    """By hand: 105 rows in batches of 32, the last of 9, counts a batch as often as it has rows."""
    run, job = run_of("rmse", 1, "regression", lr=1e-30), job_of("regression", Plan(epochs=1, batch_size=32))
    training = Training([run], job)
    model = training.networks["model"]
    errors = [model(x)[0, :, 0] - y[0] for x, y in map(dict.values, training.sampler.epoch())]
    batches = [(error.square().mean().sqrt().item(), len(error)) for error in errors]
    assert len({size for _, size in batches}) == 2
    by_rows = sum(value * size for value, size in batches) / sum(size for _, size in batches)
    (epoch,) = [value for _, split, name, value in train([run], job)[0].history if (split, name) == ("train", "loss")]
    assert epoch == pytest.approx(by_rows, rel=1e-5)


def test_class_weights_and_sample_weights_multiply(run_of):
    """By hand, of two rows: hinge at the score .5 costs .5 for yes and 1.5 for no."""
    run = replace(run_of("hinge"), weight=[2.0, 4.0])
    output, target = torch.tensor([[[0.5], [0.5]]]), torch.tensor([[1.0, 0.0]])
    found = judged([run], "binary", output, target, torch.tensor([[3.0, 1.0]]))
    assert found.item() == pytest.approx((4 * 3 * 0.5 + 2 * 1 * 1.5) / (4 * 3 + 2 * 1))
    run = run_of("cross-entropy", 0, "multiclass", weight=[4.0, 5.0, 1.0])
    output, target = torch.zeros(1, 2, 3), torch.tensor([[0, 1]])
    output[0, 0, 0] = 2.0
    rows = functional.cross_entropy(output[0], target[0], reduction="none")
    found = judged([run], "multiclass", output, target, torch.tensor([[3.0, 1.0]]))
    assert found.item() == pytest.approx((rows @ torch.tensor([12.0, 5.0]) / 17).item())


def test_a_mean_of_nothing_has_no_value(run_of):
    """Label smoothing gives a row a cost though its own class has weight 0: 1 / 0 is no loss of infinity."""
    weight = [0.0, 1.0, 1.0]
    run = run_of("cross-entropy", 0, "multiclass", weight=weight, label_smoothing=0.3)
    objective = Objective([run], tasks.get("multiclass"), CPU)
    found = objective.judge(LossInputs((outputs(1, 3),), torch.zeros(1, B, dtype=torch.long)))
    assert found.total > 0
    assert found.mean.isnan().all()
    epoch = Tally(1, CPU)
    epoch.add(found, B)
    assert epoch.mean.isnan().all()
    assert not epoch.counted.any()
