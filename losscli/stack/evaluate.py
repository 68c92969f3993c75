"""Judging every run of a stack on a split: its own loss, and the metrics that all runs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

import torch
from torch import Tensor

from losscli.metrics import Metric
from losscli.stack.objective import Objective
from losscli.stack.output import Outlet, reading_of, scale_of
from losscli.stack.predictions import Predictions, predictions_of
from losscli.stack.rows import Rows, spans
from losscli.tasks import Task

CHUNK = 1 << 22  # numbers of activations at a time: 16 MB


class Judge:
    """Evaluates raw outputs of all runs; rows whose outputs are read in the same way share one call of each metric."""

    def __init__(self, rows: Rows, task: Task, objective: Objective, metrics: Sequence[Metric]):
        self.rows, self.objective, self.metrics = rows, objective, list(metrics)
        self.scale = scale_of(rows.runs, rows.device)
        alike: dict[object, list[int]] = {}
        for row, run in enumerate(rows.runs):
            alike.setdefault(reading_of(run, task), []).append(row)
        self.readings = [
            (self._slice(chosen), Outlet([rows.runs[row] for row in chosen], task, rows.device))
            for chosen in alike.values()
        ]

    def _slice(self, chosen: list[int]) -> Tensor | slice:
        everyone = len(chosen) == len(self.rows.runs)
        return slice(None) if everyone else torch.tensor(chosen, device=self.rows.device)

    @torch.no_grad()
    def outputs(self, forward: Callable[[Tensor], Tensor], split: str, units: int) -> Tensor:
        """The raw outputs [R, N, O] of all rows of a split."""
        size = max(2, CHUNK // (len(self.rows.runs) * max(units, 1)))
        whole = spans(self.rows.count(split), size)
        return torch.cat([forward(self.rows.part(split, start, stop)[0]) for start, stop in whole], dim=1)

    @torch.no_grad()
    def __call__(self, output: Tensor, split: str) -> dict[str, Tensor]:
        """The mean loss and each metric of raw outputs [R, N, O] of a split: name -> [R]."""
        _, target, weight = self.rows.part(split, 0, output.shape[1])
        found = {"loss": self.objective(output, target, weight)}
        return found | self._score(output, target if self.scale is None else self.scale.in_units(target))

    @torch.no_grad()
    def predictions(self, output: Tensor, wanted: Set[int]) -> dict[int, Predictions]:
        """By its place in the stack, what each `wanted` run predicts of the test split, from raw outputs [R, N, O]."""
        found = {}
        for rows, outlet in self.readings:
            places = list(range(len(output)))[rows] if isinstance(rows, slice) else rows.tolist()
            if wanted.isdisjoint(places):
                continue
            prediction = outlet.predict(output[rows])
            for at, place in enumerate(places):
                if place in wanted:
                    dataset = self.rows.runs[place].dataset
                    found[place] = predictions_of(prediction, at, dataset, outlet.task)
        return found

    def _score(self, output: Tensor, truth: Tensor) -> dict[str, Tensor]:
        found = {metric.name: output.new_full((len(output),), float("nan")) for metric in self.metrics}
        for rows, outlet in self.readings:
            prediction = outlet.predict(output[rows])
            for metric in self.metrics:
                judged = getattr(prediction, metric.reads)
                if judged is not None:
                    found[metric.name][rows] = metric.function(judged, truth[rows]).to(output.dtype)
        return found
