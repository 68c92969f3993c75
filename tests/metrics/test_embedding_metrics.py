"""Metrics of vectors against pytorch-metric-learning's AccuracyCalculator, scikit-learn, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score, roc_auc_score, silhouette_score
from sklearn.model_selection import train_test_split

from losscli.metrics import find, for_task
from losscli.tasks import tasks
from losscli.tasks.neighbours import MOST_QUERIES

TASK = tasks.get("embedding")
THEIRS = {
    "map-at-r": "mean_average_precision_at_r",
    "r-precision": "r_precision",
    "recall-at-1": "precision_at_1",
}
OF_CLASSES = [name for name, metric in for_task("embedding").items() if metric.needs is None]


def measured(vectors: torch.Tensor, labels: torch.Tensor, *names: str) -> list[list[float]]:
    """Each metric of vectors [R, N, D] with labels [R or 1, N]."""
    prediction = TASK.with_truth(TASK.read(vectors, "vectors"), labels, {"retrieval"}, lambda: labels)
    values = [find(name, "embedding").measure(prediction, labels) for name in names]
    return [value.tolist() for value in values if value is not None]


def rows(seed: int, count: int = 60, classes: int = 4, runs: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (1, count), generator=chance)
    middles = torch.randn(runs, classes, 5, generator=chance)
    return middles[:, labels[0]] + torch.randn(runs, count, 5, generator=chance), labels


@pytest.mark.parametrize("seed", range(4))
def test_neighbours_are_found_as_by_pytorch_metric_learning(seed):
    vectors, labels = rows(seed)
    calculator = AccuracyCalculator(
        include=tuple(THEIRS.values()),
        k="max_bin_count",
        knn_func=CustomKNN(LpDistance(normalize_embeddings=False)),
    )
    values = measured(vectors, labels, *THEIRS)
    for run, own in enumerate(vectors):
        theirs = calculator.get_accuracy(own, labels[0])
        for (_, name), value in zip(THEIRS.items(), values, strict=True):
            assert value[run] == pytest.approx(theirs[name], abs=1e-6)


@pytest.mark.parametrize("depth", [5, 10])
def test_precision_at_k_by_a_plain_loop(depth):
    vectors, labels = rows(9)
    (values,) = measured(vectors, labels, f"precision-at-{depth}")
    far = torch.cdist(vectors.double(), vectors.double())
    for run in range(len(vectors)):
        shares = []
        for row in range(far.shape[1]):
            order = [int(other) for other in far[run, row].argsort() if other != row][:depth]
            shares.append(float((labels[0, order] == labels[0, row]).double().mean()))
        assert values[run] == pytest.approx(np.mean(shares))


@pytest.mark.parametrize("seed", range(3))
def test_silhouette_is_scikit_learn_s(seed):
    vectors, labels = rows(seed)
    labels[0, 0] = 4  # alone in its class
    (values,) = measured(vectors, labels, "silhouette")
    for run, own in enumerate(vectors):
        assert values[run] == pytest.approx(silhouette_score(own.double(), labels[0]), abs=1e-5)


def test_labels_of_each_run_are_its_own():
    vectors, labels = rows(1)
    several = torch.cat([labels, labels.flip(1), labels.roll(7, 1)])
    names = OF_CLASSES
    together = measured(vectors, several, *names)
    for run in range(3):
        alone = measured(vectors[run : run + 1], several[run : run + 1], *names)
        assert [value[run] for value in together] == pytest.approx([value[0] for value in alone])


def test_vectors_that_are_all_alike_find_nothing_though_rows_stand_in_the_order_of_their_classes():
    labels = torch.arange(4).repeat_interleave(10)[None]
    assert measured(torch.ones(1, 40, 3), labels, "map-at-r", "recall-at-1", "silhouette") == [[0.0], [0.0], [0.0]]


def test_a_row_that_is_alone_asks_nothing_and_one_class_has_no_silhouette():
    line = torch.tensor([[[0.0], [1.0], [5.0]]])
    assert measured(line, torch.tensor([[0, 0, 1]]), "map-at-r", "recall-at-1") == [[1.0], [1.0]]
    assert np.isnan(measured(line, torch.tensor([[0, 1, 2]]), "map-at-r")[0][0])
    assert np.isnan(measured(line, torch.tensor([[0, 0, 0]]), "silhouette")[0][0])


def test_a_nan_is_shown_in_its_run_alone():
    vectors, labels = rows(2)
    vectors[1, 3, 2] = torch.nan
    for values in measured(vectors, labels, *OF_CLASSES):
        assert [np.isnan(value) for value in values] == [False, True, False]


def test_of_many_rows_some_are_asked_and_all_are_looked_at():
    count = MOST_QUERIES + 500
    place = torch.arange(count).float()
    pairs = torch.stack([place // 2 * 10 + place % 2, torch.zeros(count)], -1)[None]  # two and two next to each other
    labels = (torch.arange(count) // 2)[None]
    assert measured(pairs, labels, "map-at-r", "recall-at-1") == [[1.0], [1.0]]


def test_the_pixels_of_digits_score_what_is_known():
    """recall at 1 .970, MAP at R .552: the mean of scikit-learn's splits of a fifth of the rows, with seeds 0 to 4."""
    features, labels = load_digits(return_X_y=True)
    tests = [train_test_split(features, labels, test_size=0.2, random_state=seed, stratify=labels) for seed in range(5)]
    values = [measured(torch.tensor(x)[None], torch.tensor(y)[None], "recall-at-1", "map-at-r") for _, x, _, y in tests]
    recall, average = np.mean(values, axis=0)[:, 0]
    assert recall == pytest.approx(0.970, abs=5e-4)
    assert average == pytest.approx(0.552, abs=2e-3)


def test_distances_within_and_between_classes_by_plain_loops():
    vectors, labels = rows(5, runs=1)
    far, own = torch.cdist(vectors[0].double(), vectors[0].double()), labels[0]
    same = own[:, None] == own
    within = [far[row, same[row]].sum() / (same[row].sum() - 1) for row in range(len(own))]
    between = [
        np.mean([float(far[row, own == other].mean()) for other in own.unique() if other != own[row]])
        for row in range(len(own))
    ]
    values = measured(vectors, labels, "distance-within", "distance-between")
    assert [value[0] for value in values] == pytest.approx([np.mean(within), np.mean(between)], abs=1e-5)


def test_pairs_are_ranked_as_by_scikit_learn():
    vectors, _ = rows(3, count=40)
    same = torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0] * 4)
    known = [find(name, "embedding").given(pairs=["a_", "b_"]) for name in ("pair-auroc", "pair-auprc")]
    prediction = TASK.with_truth(
        TASK.read(vectors, "vectors"), same.repeat_interleave(2)[None], {"retrieval"}, lambda: same
    )
    scores = -(vectors[:, ::2] - vectors[:, 1::2]).norm(dim=-1)
    for metric, oracle in zip(known, (roc_auc_score, average_precision_score), strict=True):
        values = metric.measure(prediction, same.repeat_interleave(2)[None])
        assert values is not None
        assert values.tolist() == pytest.approx([oracle(same, run) for run in scores.numpy()])
