"""Every choice of a scene as one run, all of them trained in one stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from losscli.data.dataset import Dataset, Part
from losscli.data.prepare import prepare
from losscli.losses import find
from losscli.metrics import find as find_metric
from losscli.play.record import Frame, Recorder, epochs_shown
from losscli.play.scene import NO_LEVELS, Levels, Scene
from losscli.play.trace import Trace
from losscli.spec.entries import entries
from losscli.stack.device import choose
from losscli.stack.job import Job
from losscli.stack.rows import Run
from losscli.stack.train import train
from losscli.tasks import tasks

FRAMES = 21  # the squares from 0 to 400


@dataclass(frozen=True)
class Grid:
    """A scene after its training; `datasets` are those of `Scene.damages`, and runs are in the order of `Scene.place`."""

    scene: Scene
    runs: Sequence[Run]
    datasets: Sequence[Dataset]
    frames: Sequence[Frame]

    def trace(self, loss: str, levels: Levels = NO_LEVELS) -> Trace:
        """One run over the epochs."""
        return self.traces[self.scene.place(loss, levels)]

    @cached_property
    def traces(self) -> list[Trace]:
        """Every run over the epochs."""
        damages, names = self.scene.damages, list(self.scene.losses)
        return [
            Trace.of(names[place // len(damages)], damages[place % len(damages)], run, place, self.frames)
            for place, run in enumerate(self.runs)
        ]


def trained(scene: Scene, frames: int = FRAMES) -> Grid:
    """Train all runs of a scene as one stack; all have the same split, initial weights and order of rows."""
    spec, task = scene.spec, tasks.get(scene.task)
    table = spec.data.read(Path(spec.folder)) if scene.table is None else scene.table
    target = task.decode(table.targets, spec.data.target_options())
    datasets = []
    for levels in scene.damages:
        corruption = spec.data.corrupt.model_copy(update=dict(levels))
        datasets.append(prepare(table, target, task, spec.data.split, 0, corruption, spec.data.encode))
    whole = max(dataset.parts["train"].rows for dataset in datasets)
    datasets = [_padded(dataset, whole) for dataset in datasets]
    runs = [
        Run(entry.name, 0, find(entry.loss, task.name), entry.options, entry.output, entry.lr, dataset, entry.weight)
        for entry in entries(spec)
        for dataset in datasets
    ]
    job = Job(task, spec.model, spec.train, [find_metric(spec.metrics[0], task.name)], choose(spec.train.device))
    recorder = Recorder(epochs_shown(spec.train.epochs_for(1), frames))
    train(runs, job, keeper=recorder)
    return Grid(scene, runs, datasets, recorder.frames)


def _padded(dataset: Dataset, rows: int) -> Dataset:
    """The dataset with so many training rows: runs of one stack have as many, and a row of weight 0 is as good as absent."""
    part = dataset.parts["train"]
    missing = rows - part.rows
    weight = np.r_[np.ones(part.rows, np.float32), np.zeros(missing, np.float32)]
    again = np.r_[np.arange(part.rows), np.zeros(missing, np.int64)]

    def repeated(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[again]

    columns = {name: repeated(getattr(part, name)) for name in ("target", "index", "clean", "flipped", "units")}
    assert isinstance(part.features, np.ndarray)
    padded = replace(part, features=part.features[again], weight=weight, **columns)  # type: ignore[arg-type]
    parts: dict[str, Part] = {**dataset.parts, "train": padded}
    return replace(dataset, parts=parts)
