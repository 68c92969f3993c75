"""What the rows of a split say of a metric without a model: the baseline that every table shows, and what the test rows allow
a metric to tell: on which seeds it has a value at all, and by how much one row moves it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from losscli.data.dataset import SPLITS, Dataset
from losscli.metrics import Metric, measure_all
from losscli.stack.calibrate import calibrate
from losscli.stack.forecast import without_forecast
from losscli.tasks import Prediction, Task


def baseline(
    datasets: Sequence[Dataset], task: Task, metrics: Sequence[Metric], evaluation: Sequence[Metric] = ()
) -> dict[str, dict[str, float]]:
    """Split -> metric -> the mean over datasets of what majority, prior or mean of the training split scores.

    The evaluation metrics are measured on valid and test only, as for runs. The baseline is calibrated on the valid split like
    everything else: what is always said is then the better of yes and no.
    """
    by_dataset = [
        scores_of(dataset, task, partial(_baseline_prediction, dataset=dataset, task=task), metrics, evaluation)
        for dataset in datasets
    ]
    return {
        split: {name: _mean([scores[split][name] for scores in by_dataset]) for name in by_dataset[0][split]}
        for split in SPLITS
    }


def scores_of(
    dataset: Dataset,
    task: Task,
    predict: Callable[[str], tuple[Prediction, Tensor]],
    metrics: Sequence[Metric],
    evaluation: Sequence[Metric] = (),
) -> dict[str, dict[str, float]]:
    """Split -> metric -> the score of what `predict` says of a split (and its truth), calibrated on the valid split; NaN
    where a metric has no value.
    """
    all_metrics = list({metric.name: metric for metric in (*metrics, *evaluation)}.values())
    calibration = calibrate(*predict("valid"), all_metrics)
    scores: dict[str, dict[str, float]] = {}
    for split in SPLITS:
        judging = list(metrics) if split == "train" else all_metrics
        prediction, truth = predict(split)
        prediction = _with_truth(calibration(prediction, judging), truth, dataset, task, judging)
        measured = measure_all(judging, prediction, truth)
        scores[split] = {name: math.nan if value is None else float(value[0]) for name, value in measured.items()}
    return scores


def ideal(datasets: Sequence[Dataset], task: Task, metrics: Sequence[Metric]) -> dict[str, float]:
    """Metric -> the mean over datasets of what is right but for chance on the test split; nothing where the task has no such."""
    values: dict[str, list[float]] = {}
    for dataset in datasets:
        truth = torch.from_numpy(dataset.parts["test"].truth)[None]
        prediction = task.ideal(torch.from_numpy(dataset.parts["train"].target), truth.shape[1], dataset.scale)
        if prediction is None:
            return {}
        for name, measured in measure_all(metrics, prediction, truth).items():
            values.setdefault(name, []).append(math.nan if measured is None else float(measured[0]))
    return {name: _mean(numbers) for name, numbers in values.items()}


def _mean(values: Sequence[float]) -> float:
    """The mean over the datasets that have a value: of the others, no entry has one that counts."""
    numbers = [value for value in values if not math.isnan(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan


def _baseline_prediction(split: str, dataset: Dataset, task: Task) -> tuple[Prediction, Tensor]:
    """What the baseline says of a split, and the truth as metrics take it."""
    truth = torch.from_numpy(dataset.parts[split].truth)[None]  # [1, N, ...]
    if task.features_are_baseline:
        features = torch.from_numpy(dataset.parts[split].features[:])[None]
        return task.read(features, "vectors"), truth
    train = torch.from_numpy(dataset.parts["train"].target)
    prediction = task.baseline(train, truth.shape[1], dataset.scale, task.outputs(dataset.target))
    exposure, seen = dataset.parts[split].exposure, dataset.parts["train"]
    if exposure is not None and seen.exposure is not None:  # the same rate for all rows, over each one's own exposure
        counts = np.multiply.outer(exposure, seen.truth.sum(axis=0) / seen.exposure.sum())  # [N] or [N, O]
        prediction = replace(prediction, values=torch.from_numpy(counts)[None])
    if prediction.values is not None and dataset.scale is not None:
        return without_forecast(prediction, truth), truth
    return prediction, truth


def _with_truth(
    prediction: Prediction, truth: Tensor, dataset: Dataset, task: Task, metrics: Sequence[Metric]
) -> Prediction:
    reads = {metric.reads for metric in metrics}
    return task.with_truth(prediction, truth, reads, lambda: torch.from_numpy(dataset.parts["train"].truth)[None])


Values = list[float]  # of the probes: all right, then each wrong in one row


def limits(
    datasets: Mapping[int, Dataset], task: Task, metrics: Sequence[Metric]
) -> tuple[dict[str, set[int]], dict[str, float]]:
    """By metric, the seeds on whose test split no prediction has a value; and how far one wrong row takes it, on average.

    It has none where not even the truth, taken for a prediction, has one. Metrics of decisions, ranks and intervals count
    rows; the others move by any amount, and have no such step.
    """
    measured = _measured(datasets, task, metrics)
    without, steps = {}, {}
    for metric in metrics:
        values = {seed: of.get(metric.name) for seed, of in measured.items()}
        without[metric.name] = {seed for seed, probed in values.items() if probed and math.isnan(probed[0])}
        if metric.counts_rows:
            rows = {seed: dataset.parts["test"].rows for seed, dataset in datasets.items()}
            steps[metric.name] = fmean(_step(probed, rows[seed]) for seed, probed in values.items())
    return {name: seeds for name, seeds in without.items() if seeds}, steps


def _measured(datasets: Mapping[int, Dataset], task: Task, metrics: Sequence[Metric]) -> dict[int, dict[str, Values]]:
    """By seed and metric, what the probes of its test split score; seeds that split alike are measured once."""
    of_split: dict[int, dict[str, Values]] = {}
    for dataset in datasets.values():
        if id(dataset) not in of_split:
            of_split[id(dataset)] = _of_probes(dataset, task, metrics)
    return {seed: of_split[id(dataset)] for seed, dataset in datasets.items()}


@torch.no_grad()
def _of_probes(dataset: Dataset, task: Task, metrics: Sequence[Metric]) -> dict[str, Values]:
    truth = torch.from_numpy(dataset.parts["test"].truth)
    prediction = task.near_truth(truth, task.outputs(dataset.target))
    prediction = _with_truth(prediction, truth[None], dataset, task, metrics)
    if prediction.labels is not None:  # calibration on rows that are all right leaves decisions and probabilities alone
        tuned = {metric.of: prediction.labels for metric in metrics if metric.reads == "tuned"}
        prediction = replace(prediction, tuned=tuned, scaled=prediction.probabilities)
    measured = measure_all(metrics, prediction, truth[None])
    # None: it reads what only some losses give, such as an interval.
    return {name: values.tolist() for name, values in measured.items() if values is not None}


def _step(values: Values | None, rows: int) -> float:
    """The largest step from the first value; that of a share of the rows where there are no probes."""
    if values is None or len(values) < 2:
        return 1 / rows
    return max((abs(value - values[0]) for value in values[1:] if math.isfinite(value - values[0])), default=0.0)
