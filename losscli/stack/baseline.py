"""What one would score without a model: the baseline that every table shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from losscli.data.dataset import SPLITS, Dataset
from losscli.metrics import Metric
from losscli.tasks import Task


def baseline(datasets: Sequence[Dataset], task: Task, metrics: Sequence[Metric]) -> dict[str, dict[str, float]]:
    """Split -> metric -> the mean over datasets of what majority, prior or mean of the training split scores."""
    return {split: _on(split, datasets, task, metrics) for split in SPLITS}


def _on(split: str, datasets: Sequence[Dataset], task: Task, metrics: Sequence[Metric]) -> dict[str, float]:
    found: dict[str, list[float]] = {metric.name: [] for metric in metrics}
    for dataset in datasets:
        truth = torch.from_numpy(dataset.parts[split].target)[None]  # [1, N, ...]
        train = torch.from_numpy(dataset.parts["train"].target)
        prediction = task.baseline(train, truth.shape[1], dataset.scale, task.outputs(dataset.target))
        if dataset.scale is not None:
            truth = dataset.scale.in_units(truth)
        for metric in metrics:
            judged = getattr(prediction, metric.reads)
            found[metric.name].append(math.nan if judged is None else float(metric.function(judged, truth)[0]))
    return {name: sum(values) / len(values) for name, values in found.items()}
