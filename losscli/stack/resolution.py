"""What the test rows allow a metric to tell: on which seeds it has a value at all, and by how much one row moves it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

import torch

from losscli.data.dataset import Dataset
from losscli.metrics import Metric
from losscli.tasks import Task

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
            of_split[id(dataset)] = _of(dataset, task, metrics)
    return {seed: of_split[id(dataset)] for seed, dataset in datasets.items()}


@torch.no_grad()
def _of(dataset: Dataset, task: Task, metrics: Sequence[Metric]) -> dict[str, Values]:
    truth = torch.from_numpy(dataset.parts["test"].truth)
    prediction = task.with_truth(task.near_truth(truth, task.outputs(dataset.target)), truth[None])
    if prediction.labels is not None:  # calibration on rows that are all right leaves decisions and probabilities alone
        tuned = {metric.of: prediction.labels for metric in metrics if metric.reads == "tuned"}
        prediction = replace(prediction, tuned=tuned, scaled=prediction.probabilities)
    values = {}
    for metric in metrics:
        measured = metric.measure(prediction, truth[None])
        if measured is not None:  # else it reads what only some losses give, such as an interval
            values[metric.name] = measured.tolist()
    return values


def _step(values: Values | None, rows: int) -> float:
    """The largest step from the first value; that of a share of the rows where there are no probes."""
    if values is None or len(values) < 2:
        return 1 / rows
    return max((abs(value - values[0]) for value in values[1:] if math.isfinite(value - values[0])), default=0.0)
