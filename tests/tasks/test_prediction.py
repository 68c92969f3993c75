"""TargetOptions what a model puts out, and what one would say without a model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor

from losscli.losses import find
from losscli.metrics import for_task
from losscli.tasks import TargetScale, tasks

NAN = float("nan")


def test_binary_decides_above_zero_or_one_half():
    logits = torch.tensor([[-1.0, 0.0, 1e-6, NAN]])
    for meaning in ("logits", "scores"):
        read = tasks.get("binary").read(logits, meaning)
        assert read.labels[0, :3].tolist() == [0, 0, 1]
        assert read.labels[0, 3].isnan()
    assert tasks.get("binary").read(logits, "scores").probabilities is None
    torch.testing.assert_close(
        tasks.get("binary").read(logits, "logits").probabilities, torch.sigmoid(logits), equal_nan=True
    )
    read = tasks.get("binary").read(torch.tensor([[0.5, 0.51, -3.0, 7.0, NAN]]), "probabilities")
    assert read.labels[0, :4].tolist() == [0, 1, 0, 1]
    assert read.labels[0, 4].isnan()
    assert read.probabilities[0, :4].tolist() == pytest.approx([0.5, 0.51, 0, 1])
    assert read.probabilities[0, 4].isnan()
    assert read.scores[0, 2:4].tolist() == [-3.0, 7.0]


def test_multiclass_takes_the_largest():
    raw = torch.tensor([[[0.0, 2.0, 1.0], [NAN, 0.0, 1.0], [3.0, 3.0, 0.0]]])
    for meaning in ("logits", "scores", "log-probabilities", "probabilities"):
        read = tasks.get("multiclass").read(raw, meaning)
        assert read.labels[0, [0, 2]].tolist() == [1, 0]
        assert read.labels[0, 1].isnan()
        if meaning == "scores":
            assert read.probabilities is None
        else:
            assert read.probabilities[0, [0, 2]].sum(-1).tolist() == pytest.approx([1, 1])
            assert read.probabilities[0, 1].isnan().any()


def test_multiclass_probabilities_are_kept_where_they_sum_to_one():
    right = torch.tensor([[[0.2, 0.3, 0.5], [0.0, 0.0, 0.0], [4.0, 1.0, -1.0]]])
    found = tasks.get("multiclass").read(right, "probabilities").probabilities
    assert found[0, 0].tolist() == right[0, 0].tolist()
    assert found[0, 1].tolist() == pytest.approx([1 / 3] * 3)
    assert found[0, 2].tolist() == [0.5, 0.5, 0.0]
    logs = torch.log_softmax(right, -1)
    torch.testing.assert_close(tasks.get("multiclass").read(logs, "log-probabilities").probabilities, logs.exp())


def test_multilabel_reads_each_label_as_binary():
    raw = torch.tensor([[[-1.0, 2.0], [0.0, NAN]]])
    read = tasks.get("multilabel").read(raw, "logits")
    assert read.labels.shape == raw.shape
    assert read.labels[0, 0].tolist() == [0, 1]
    assert read.labels[0, 1, 1].isnan()


def test_regression_in_the_users_units():
    scale = TargetScale(center=np.array([10.0]), scale=np.array([2.0]))
    read = tasks.get("regression").read(torch.tensor([[0.0, 1.0]]), "values", scale)
    assert read.values.tolist() == [[10.0, 12.0]]
    scale = TargetScale(center=np.array([10.0, -1.0]), scale=np.array([2.0, 3.0]))
    read = tasks.get("regression").read(torch.tensor([[[0.0, 1.0], [1.0, 0.0]]]), "values", scale)
    assert read.values.tolist() == [[[10.0, 2.0], [12.0, -1.0]]]
    assert tasks.get("regression").read(torch.tensor([[0.5]]), "values").values.tolist() == [[0.5]]


def test_one_output_loses_its_dimension():
    output = torch.zeros(3, 5, 1)
    assert tasks.get("binary").shape(output).shape == (3, 5)
    assert tasks.get("regression").shape(output).shape == (3, 5)
    assert tasks.get("regression").shape(torch.zeros(3, 5, 2)).shape == (3, 5, 2)
    assert tasks.get("multiclass").shape(torch.zeros(3, 5, 4)).shape == (3, 5, 4)
    assert tasks.get("multilabel").shape(output).shape == (3, 5, 1)


@pytest.mark.parametrize("target", [[0, 0, 1], [0, 1, 1], [0, 1]])
def test_binary_baseline_is_scikit_learns_dummy(target):
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((len(target), 1)), target)
    found = tasks.get("binary").baseline(torch.tensor(target).float(), 4)
    assert found.probabilities.tolist() == [pytest.approx(dummy.predict_proba(np.zeros((4, 1)))[:, 1].tolist())]
    assert found.labels.tolist() == [dummy.predict(np.zeros((4, 1))).tolist()]
    truth = torch.tensor([[0.0, 1.0, 1.0, 0.0]])
    assert for_task("binary")["auroc"].function(found.scores, truth).item() == 0.5


def test_multiclass_baseline_is_scikit_learns_dummy():
    target = [1, 1, 0, 2, 2]
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((5, 1)), target)
    found = tasks.get("multiclass").baseline(torch.tensor(target), 2, outputs=4)
    assert found.probabilities.shape == (1, 2, 4)
    assert found.probabilities[0, :, :3].tolist() == [pytest.approx(row) for row in dummy.predict_proba([[0], [0]])]
    assert found.labels.tolist() == [dummy.predict([[0], [0]]).tolist()]


def test_multilabel_baseline_is_per_label():
    found = tasks.get("multilabel").baseline(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 2)
    assert found.labels.tolist() == [[[1, 0], [1, 0]]]
    assert found.probabilities[0, 0].tolist() == pytest.approx([2 / 3, 1 / 3])


def test_regression_baseline_is_scikit_learns_dummy():
    units = np.array([3.0, 5.0, 10.0])
    scale = TargetScale(center=np.array([6.0]), scale=np.array([2.0]))
    found = tasks.get("regression").baseline(torch.from_numpy((units - 6) / 2), 2, scale)
    assert found.values.tolist() == [DummyRegressor().fit(np.zeros((3, 1)), units).predict([[0], [0]]).tolist()]
    several = tasks.get("regression").baseline(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 5)
    assert several.values.shape == (1, 5, 2)
    assert several.values[0, 0].tolist() == [2.0, 3.0]


def test_every_task_names_losses_that_its_links_serve():
    looked_at = 0
    for task in tasks:
        item = find(task.default_loss, task.name)
        assert item.expects in task.links
        looked_at += 1
    assert looked_at >= 4
