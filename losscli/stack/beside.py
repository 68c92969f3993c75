"""What the yardsticks of a task score beside the networks: on the same splits, features, weights and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from losscli.data.dataset import Dataset
from losscli.data.stream import Stream
from losscli.errors import Finding, counted, visible
from losscli.metrics import Metric
from losscli.stack.baseline import scores_of
from losscli.stack.forecast import without_forecast
from losscli.tasks import Prediction, Task
from losscli.tasks.yardsticks import Answer, TrainingRows, Yardstick

MOST_WORK = 100_000_000  # numbers that a yardstick looks at in an iteration, over all seeds: about a minute of one core

Scores = Mapping[str, Mapping[str, float]]  # split -> metric -> score


@dataclass(frozen=True)
class BesideScores:
    """By yardstick and seed, its scores; and why yardsticks were left out."""

    scores: Mapping[str, Mapping[int, Scores]]
    findings: Sequence[Finding]


def beside(
    datasets: Mapping[int, Dataset], task: Task, metrics: Sequence[Metric], evaluation: Sequence[Metric] = ()
) -> BesideScores:
    """What each yardstick of the task scores on the dataset of each seed; those that would be too much are left out, and told."""
    different = list({id(dataset): dataset for dataset in datasets.values()}.values())
    scores: dict[str, dict[int, Scores]] = {}
    findings = [] if task.yardsticks else [_left_out(f"task {task.name} has none")]
    if task.yardsticks and any(_streamed(dataset) for dataset in different):
        return BesideScores(
            {}, [_left_out("these data are read from disk, block by block, and scikit-learn takes a whole table")]
        )
    for yardstick in task.yardsticks:
        why = _too_much(yardstick, different, task)
        if why:
            findings.append(_left_out(why, yardstick))
            continue
        try:
            of = {id(dataset): _scores(yardstick, dataset, task, metrics, evaluation) for dataset in different}
        except (ValueError, MemoryError) as error:  # what a network was trained for must not be lost by it
            findings.append(_left_out(f"scikit-learn refuses these rows: {visible(error, 200)}", yardstick))
        else:
            scores[yardstick.name] = {seed: of[id(dataset)] for seed, dataset in datasets.items()}
    return BesideScores(scores, findings)


def _streamed(dataset: Dataset) -> bool:
    return any(isinstance(part.features, Stream) for part in dataset.parts.values())


def _too_much(yardstick: Yardstick, datasets: Sequence[Dataset], task: Task) -> str:
    """Why it would take too long; empty where it does not."""
    first = datasets[0]
    rows, outputs = first.parts["train"].rows, task.outputs(first.target)
    if yardstick.work(rows, first.layout.columns, outputs) * len(datasets) <= MOST_WORK:
        return ""
    size = f"{rows} rows x {counted(first.layout.columns, 'feature')} x {counted(outputs, 'output')}"
    return f"{size}, {counted(len(datasets), 'time')}, would take it minutes"


def _left_out(why: str, yardstick: Yardstick | None = None) -> Finding:
    name = "the yardsticks (--yardstick)" if yardstick is None else f"the yardstick {yardstick.name}"
    verb = "are" if yardstick is None else "is"
    return Finding("yardstick-left-out", "info", f"{name} {verb} left out: {why}", "--no-yardstick asks for none")


def _scores(
    yardstick: Yardstick, dataset: Dataset, task: Task, metrics: Sequence[Metric], evaluation: Sequence[Metric]
) -> Scores:
    part, outputs = dataset.parts["train"], task.outputs(dataset.target)
    rows = TrainingRows(part.features[:], part.target, part.weight, dataset.embedded, outputs, dataset.seed)
    answer = yardstick.answer(rows)
    predict = partial(_predict, answer=answer, meaning=yardstick.meaning, dataset=dataset, task=task)
    return scores_of(dataset, task, predict, metrics, evaluation)


def _predict(split: str, answer: Answer, meaning: str, dataset: Dataset, task: Task) -> tuple[Prediction, Tensor]:
    """What it says of a split, and the truth as metrics take it."""
    part = dataset.parts[split]
    truth = torch.from_numpy(part.truth)[None]  # [1, N, ...]
    received = torch.from_numpy(answer(part.features[:]))[None].to(torch.float32)
    prediction = task.read(received, meaning, dataset.scale)
    if prediction.values is not None and dataset.scale is not None:
        return without_forecast(prediction, truth), truth
    return prediction, truth
